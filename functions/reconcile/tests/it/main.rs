//! The function as Lambda calls it, with the stream of a real log.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod differences;
mod orders;
mod world;
