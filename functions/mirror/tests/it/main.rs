//! The function from outside: messages in, tables and messages out, with a Xero and a DynamoDB
//! that behave, and that misbehave.
#![allow(clippy::unwrap_used, clippy::as_conversions, reason = "a test may")]

mod batches;
mod braking;
mod clocks;
mod contract;
mod crashes;
mod days;
mod freshness;
mod grants;
mod keeping;
mod outages;
mod renumbering;
mod runs;
mod scenarios;
mod silence;
mod troubles;
mod vectors;
mod world;
mod xero;
