//! The function from outside: sweeps asked for, the queue and the tables looked at, with a Xero and a
//! DynamoDB that behave, and that misbehave; and with the mirror that works the queue off.
#![allow(clippy::unwrap_used, clippy::as_conversions, reason = "a test may")]
#![allow(
    clippy::inconsistent_digit_grouping,
    reason = "the last two digits of an amount are cents"
)]

mod accepted;
mod allocations;
mod apples;
mod certified;
mod changed;
mod checked;
mod connected;
mod customers;
mod crashes;
mod dead_letters;
mod fan_out;
mod laws;
mod mornings;
mod not_in_xero;
mod open;
mod ordered;
mod refunds;
mod replayed;
mod several;
mod signed_up;
mod silence;
mod sync_now;
mod troubles;
mod watched;
mod week;
mod world;
mod zones;
