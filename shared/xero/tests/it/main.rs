//! The crate seen from outside.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod deliveries;
mod outages;
mod reading;
mod signatures;
mod tokens;
mod xero;
