//! Why a payment is where it is: the state of every vector of the rules, laws that hold for all that may be
//! stored, and the sentences that people read.
//!
//! `PROPTEST_CASES` raises the number of worlds that are tried.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod explained;
mod laws;
mod samples;
#[allow(dead_code, reason = "the scenarios' own test uses the rest")]
#[path = "../scenario/mod.rs"]
mod scenario;
mod sentences;
mod vectors;
mod views;
#[allow(dead_code, reason = "the laws of the mirror use the rest")]
#[path = "../worlds/mod.rs"]
mod worlds;
