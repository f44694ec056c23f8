//! The function against a DynamoDB in memory.
#![allow(clippy::unwrap_used, clippy::as_conversions, reason = "a test may")]

mod figures;
mod reports;
mod scale;
mod seals;
mod world;
mod year;
