#![doc = include_str!("../README.md")]
#![allow(
    missing_docs,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    clippy::as_conversions,
    reason = "a test that cannot be set up has failed; names that say it all need no second line"
)]
#![allow(
    clippy::inconsistent_digit_grouping,
    reason = "the last two digits of an amount are cents"
)]

pub mod announce;
pub mod every_event;
mod invariants;
pub mod samples;
pub mod sweep;
pub mod upload;
