//! The webhook from outside: what Xero sends, what it gets back, and what stands in the queue.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod contents;
mod rotation;
mod runtime;
mod signatures;
mod silence;
mod trouble;
mod world;
