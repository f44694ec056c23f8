//! The whole system, from outside: real handlers and SDK clients, embedded engines, and a Xero
//! that shares no code with ours.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]
#![allow(missing_docs, reason = "a test binary needs no documentation")]

mod bad_records;
mod burst;
mod interrupted;
mod life_of_a_payment;
mod orders;
mod strangers;
mod two_hands;
mod world;
