//! The function from outside: nights asked for, Xero's books and the tables looked at, with a Xero and
//! a DynamoDB that behave, and that misbehave.
#![allow(clippy::unwrap_used, clippy::as_conversions, reason = "a test may")]
#![allow(
    clippy::inconsistent_digit_grouping,
    reason = "the last two digits of an amount are cents"
)]

mod ambiguous;
mod apples;
mod capped;
mod contacts;
mod crashes;
mod days;
mod deleted_counterparts;
mod direct;
mod fan_out;
mod laws;
mod money_law;
mod nights;
mod ordered;
mod paid;
mod pairs;
mod planned;
mod prepayments;
mod promises;
mod provider_credits;
mod provider_invoices;
mod restarts;
mod silence;
mod start_date;
mod two_hands;
mod watched;
mod world;
