//! The domain: stories that a customer can read, and laws that hold in every world.
//!
//! `PROPTEST_CASES` raises the number of worlds that are tried.
#![allow(clippy::unwrap_used, clippy::as_conversions, reason = "a test may")]

mod budget;
mod closes;
mod explaining;
mod grant;
mod laws;
mod scenarios;
mod uploads;
mod worlds;
