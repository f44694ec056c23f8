//! The tables against an engine that behaves as DynamoDB does, with faults in between.
#![allow(clippy::unwrap_used, clippy::as_conversions, reason = "a test may")]

mod engine;
mod faults;
mod large_invoices;
mod questions;
mod round_trips;
mod samples;
mod template;
mod world;
mod writing;
