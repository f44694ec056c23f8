//! The function behind the stream of an embedded DynamoDB, in front of a bus in memory.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod announced_rows;
mod contract;
mod event_order;
mod failures;
mod isolation;
mod log_secrecy;
mod unreadable;

use worlds::{announce as world, every_event};
