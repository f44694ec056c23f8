//! The function behind the stream of an embedded DynamoDB, in front of a bus in memory.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod again;
mod announced_rows;
mod contract;
mod every_event;
mod failures;
mod isolation;
mod log_secrecy;
mod ordering;
mod unreadable;
mod world;
