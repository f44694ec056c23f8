//! The tables against an engine that behaves as DynamoDB does, with faults in between.
#![allow(clippy::unwrap_used, clippy::as_conversions, reason = "a test may")]

mod budgets;
mod finding;
mod grants;
mod large_invoices;
mod ledger;
mod log;
mod looking_through;
mod nights_and_customers;
mod proofs;
mod questions;
mod reserving;
mod round_trips;
mod samples;
mod settings;
mod shown;
mod sweeps;
mod template;
mod upload_rows;
mod upload_samples;
mod world;
mod writing;
