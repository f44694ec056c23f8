//! The Accounting API.
//!
//! `door` lets a call in or turns it away, `route` says what it is for, and one module per endpoint
//! answers it. An endpoint is a function from the world and a call to a [`Reply`](crate::reply::Reply).

mod accounts;
mod bank_transactions;
mod batch;
mod batch_payments;
mod contacts;
mod credits;
mod door;
mod idempotency;
mod invoices;
mod late;
mod lines;
mod lists;
mod organisation;
mod payments;
mod request;
mod route;

pub(crate) use door::answer;
pub(crate) use idempotency::Memory;
pub(crate) use late::{Postponed, apply_due};
