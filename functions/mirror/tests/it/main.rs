//! The function from outside: messages in, tables and messages out, with a Xero and a DynamoDB
//! that behave, and that misbehave.
#![allow(clippy::unwrap_used, clippy::as_conversions, reason = "a test may")]

mod aws_faults;
mod batches;
mod clocks;
mod contract;
mod crashes;
mod days;
mod grants;
mod log_secrecy;
mod mass_changes;
mod renumbering;
mod retention;
mod runs;
mod scenarios;
mod stale_reads;
mod vectors;
mod world;
mod xero;
mod xero_outages;
