//! The function from outside: what people order, in worlds of the functions that a command reaches.
#![allow(clippy::unwrap_used, clippy::as_conversions, reason = "a test may")]
#![allow(
    clippy::inconsistent_digit_grouping,
    reason = "the last two digits of an amount are cents"
)]

mod acceptances;
mod accounts;
mod authorisation;
mod configuration;
mod connections;
mod customer_actions;
mod dead_letters;
mod discrepancy_clock;
mod discrepancy_stories;
mod leaks;
mod mass_changes;
mod order_discrepancies;
mod payment_orders;
mod replay;
mod republication;
mod shadow;
mod sign_up;
mod sync_now;
