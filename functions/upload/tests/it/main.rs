//! The function from outside: nights asked for, Xero's books and the tables looked at, with a Xero and
//! a DynamoDB that behave, and that misbehave.
#![allow(clippy::unwrap_used, clippy::as_conversions, reason = "a test may")]
#![allow(
    clippy::inconsistent_digit_grouping,
    reason = "the last two digits of an amount are cents"
)]

mod alarm_figures;
mod alerts;
mod bad_records;
mod caps;
mod chart;
mod contacts;
mod crashes;
mod credit_stories;
mod days;
mod deleted_counterparts;
mod fan_out;
mod immediate;
mod laws;
mod log_secrecy;
mod lost_answers;
mod money_law;
mod nights;
mod pairs;
mod plans;
mod prepayments;
mod provider_credits;
mod provider_invoices;
mod restarts;
mod schedules;
mod start_date;
mod two_hands;
mod withdrawals;

use worlds::{samples, upload as world};
