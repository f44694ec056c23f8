//! Why a payment is where it is: the state of every vector of the rules, laws that hold for all that may be
//! stored, and the sentences that people read.
//!
//! `PROPTEST_CASES` raises the number of worlds that are tried.

mod explained;
mod laws;
mod samples;
mod sentences;
mod vectors;
mod views;
