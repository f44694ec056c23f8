//! The Accounting API.
//!
//! `door` lets a call in or turns it away, `route` says what it is for, and one module per endpoint
//! answers it. An endpoint is a function from the world and a call to a [`Reply`](crate::reply::Reply); accounts,
//! prepayments and overpayments get a module of their own beside these.

mod door;
mod idempotency;
mod invoices;
mod lists;
mod organisation;
mod payments;
mod request;
mod route;

pub(crate) use door::answer;
pub(crate) use idempotency::Memory;
