//! The queues against an SQS in memory, and against servers that answer as SQS does when it fails.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod dead_letters;
mod laws;
mod redelivery;
mod sqs;
mod uploads;
