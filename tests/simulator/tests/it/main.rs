//! The simulator from outside, over HTTP, as a client and a webhook receiver see it.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod authorisations;
mod batch_payments;
mod bench;
mod bills;
mod books;
mod clock;
mod consents;
mod control;
mod credit_notes;
mod credits;
mod faults;
mod idempotency;
mod identity;
mod late;
mod limits;
mod oddities;
mod openapi;
mod persistence;
mod prepayments;
mod setup;
mod webhooks;
mod writes;
