//! The tables against an engine that behaves as DynamoDB does, with faults in between.
#![allow(clippy::unwrap_used, clippy::as_conversions, reason = "a test may")]

mod bounded_search;
mod budgets;
mod console_reads;
mod eventful_world;
mod evidence;
mod grants;
mod large_invoices;
mod ledger;
mod log;
mod nights;
mod partiql;
mod reservations;
mod round_trips;
mod samples;
mod search;
mod settings;
mod sweeps;
mod template;
mod upload_rows;
mod upload_samples;
mod world;
mod writes;
