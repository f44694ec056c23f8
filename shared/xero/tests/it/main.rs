//! The crate seen from outside.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod bundles;
mod call_costs;
mod changed_invoices;
mod contacts;
mod lost_answers;
mod outages;
mod planning_reads;
mod reads;
mod samples;
mod signatures;
mod stamps;
mod tokens;
mod webhook_bodies;
mod write_results;
mod writes;
mod xero;
