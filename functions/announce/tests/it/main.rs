//! The function behind the stream of an embedded DynamoDB, in front of a bus in memory.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod again;
mod contract;
mod everything;
mod failures;
mod isolation;
mod order;
mod silence;
mod tables_say;
mod unreadable;
mod world;
