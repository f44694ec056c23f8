#![doc = include_str!("../README.md")]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed; names that say it all need no second line"
)]

pub mod catalogue;
mod crash_point;
pub mod dynamodb;
mod dynamodb_proxy;
pub mod http;
pub mod log_capture;
mod queues;
pub mod runbook;
pub mod s3;
mod scripted_server;
mod secrets_engine;
pub mod sqs;
mod world;
mod xero_proxy;

pub use crash_point::{CrashPoint, CurrentCrashPoint, Moment, crash_moments};
pub use dynamodb_proxy::{Call, Do, DynamoDbProxy};
pub use queues::{FlakyChanges, FlakyQueues, FlakyUploads};
pub use scripted_server::{Reply, ScriptedServer, Seen};
pub use secrets_engine::SecretsEngine;
pub use world::{World, aud, march, settings};
pub use xero_proxy::{REFUSED_WHOLE, XeroProxy};
