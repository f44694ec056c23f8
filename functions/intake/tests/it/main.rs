//! The intake on an embedded DynamoDB.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod contract;
mod customers;
mod faults;
mod invoices;
mod journaling;
mod laws;
mod ledger;
mod messages;
mod moves;
mod notices;
mod orders;
mod parking;
mod payments_in;
mod provider_invoices;
mod races;
mod runs;
mod uploads;
mod waking;
mod world;
