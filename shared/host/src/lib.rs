#![doc = include_str!("../README.md")]

pub mod aws;
pub mod batch;
pub mod clock;
pub mod connection;
pub mod counters;
pub mod env;
pub mod function;
pub mod grants;
pub mod invocation;
mod metric;
pub mod metrics;
pub mod secrets;
pub mod telemetry;
pub mod webhook_secret;

pub use ::aws_config::SdkConfig;
pub use aws::aws_config;
