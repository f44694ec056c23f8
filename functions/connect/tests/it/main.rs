//! The function `connect` against the simulated Xero and real tables, as a browser meets it.
#![allow(clippy::unwrap_used, clippy::as_conversions, reason = "a test may")]

mod choice;
mod guarded;
mod tokens;
mod walks;
mod world;
