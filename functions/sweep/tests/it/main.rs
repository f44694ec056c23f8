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
mod crashes;
mod dead_letters;
#[path = "../../../mirror/tests/it/ear.rs"]
mod ear;
#[path = "../../../../shared/table/tests/it/engine.rs"]
mod engine;
#[path = "../../../../shared/table/tests/it/faults.rs"]
mod faults;
mod laws;
#[path = "../../../../shared/queue/tests/engine/mod.rs"]
mod letters;
mod mornings;
mod not_in_xero;
mod open;
mod ordered;
mod post;
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
#[path = "../../../upload/tests/it/xero_proxy.rs"]
mod xero_proxy;
