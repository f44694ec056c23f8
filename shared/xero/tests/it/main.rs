//! The crate seen from outside.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod answers;
mod bundles;
mod contacts;
mod deliveries;
mod lookups;
mod outages;
mod planning;
mod reading;
mod samples;
mod signatures;
mod spending;
mod sweeping;
mod tokens;
mod unanswered;
mod writing;
mod xero;
