//! The function from outside: sweeps asked for, the queue and the tables looked at, with a Xero and a
//! DynamoDB that behave, and that misbehave; and with the mirror that works the queue off.
#![allow(clippy::unwrap_used, clippy::as_conversions, reason = "a test may")]
#![allow(
    clippy::inconsistent_digit_grouping,
    reason = "the last two digits of an amount are cents"
)]

mod alarm_figures;
mod allocations;
mod aws_faults;
mod bad_records;
mod certificates;
mod changes;
mod closes;
mod contact_credits;
mod crashes;
mod customer_actions;
mod customer_crashes;
mod customers;
mod digests;
mod fan_out;
mod feeds;
mod health;
mod laws;
mod log_secrecy;
mod missing_in_xero;
mod open;
mod organisations;
mod refunds;
mod settled;
mod week;
mod zones;

use worlds::sweep as world;
