//! The intake on an embedded DynamoDB.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod contract;
mod faults;
mod invoices;
mod journaling;
mod laws;
mod messages;
mod moves;
mod parking;
mod payments_in;
mod races;
mod world;
