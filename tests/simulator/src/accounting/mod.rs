//! The Accounting API.
//!
//! `pipeline` lets a call in or turns it away, `route` names its endpoint, `dispatch` hands it over, and one module
//! per endpoint answers it. An endpoint is a function from the world and a call to a [`Reply`](crate::reply::Reply).

mod accounts;
mod admitted_call;
mod allocations;
mod bank_transactions;
mod batch;
mod batch_payments;
mod contacts;
mod credit_notes;
mod credits;
mod dispatch;
mod idempotency;
mod invoices;
mod late_requests;
mod lines;
mod lists;
mod organisation;
mod payments;
mod pipeline;
mod request;
mod route;
mod tax_rates;

pub(crate) use idempotency::Memory;
pub(crate) use late_requests::{Postponed, apply_due};
pub(crate) use pipeline::answer;
