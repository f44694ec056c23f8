//! The documents against the code.
#![allow(clippy::unwrap_used, clippy::as_conversions, reason = "a test may")]

mod certification;
mod facts;
mod modules;
mod rules;
mod words;
