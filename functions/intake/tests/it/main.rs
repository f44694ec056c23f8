//! The intake on an embedded DynamoDB.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod allocations;
mod contract;
mod customers;
mod dynamodb_faults;
mod feeds;
mod invoices;
mod journaled_copies;
mod laws;
mod ledger;
mod messages;
mod notices;
mod orders;
mod parked_messages;
mod provider_invoices;
mod races;
mod receipts;
mod runs;
mod uploads;
mod wake_ups;
mod world;
