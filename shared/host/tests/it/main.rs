//! The crate from outside: an AWS that is slow or fails, secrets, and the grants of users.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod aws;
mod grants;
mod secrets;
