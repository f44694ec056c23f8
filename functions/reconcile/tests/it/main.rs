//! The function as Lambda calls it, with the stream of a real log.
#![allow(clippy::unwrap_used, clippy::as_conversions, reason = "a test may")]

mod closes;
mod differences;
mod orders;
mod scale;
mod shop;
mod world;
