//! Uploading: scenarios that a customer can read, and laws that hold in every world.
//!
//! `PROPTEST_CASES` raises the number of worlds that are tried.

mod caps;
mod coming_back;
mod ledger;
mod nights;
mod overdue;
mod plans;
mod provider_credits;
mod provider_invoices;
mod samples;
mod scenarios;
mod stamps;
