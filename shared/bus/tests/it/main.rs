//! The bus against a server that answers as EventBridge does.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod eventbridge;
