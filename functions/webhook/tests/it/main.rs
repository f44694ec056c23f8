//! The webhook from outside: what Xero sends, what it gets back, and what stands in the queue.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod aws_faults;
mod bodies;
mod log_secrecy;
mod rotation;
mod runtime;
mod signatures;
mod world;
