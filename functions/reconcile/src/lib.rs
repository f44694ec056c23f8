#![doc = include_str!("../README.md")]

mod handler;
mod payment;
mod standing;
mod tally;

use commands::text::redact;
use host::clock::Clock;
use host::env::{EnvError, Environment};
use host::metrics::Metrics;
use jiff::Timestamp;
use serde_json::Value;
use table::Tables;
use table::stream_batch::{BatchAnswer, StreamEvent, Unnamed};

use crate::tally::Tally;

/// The function: everything between its environment and its handler.
pub struct Reconciler {
    tables: Tables,
    metrics: Metrics,
    clock: Clock,
}

/// Why an invocation failed.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// The event is no batch of the stream. Quotes no values.
    #[error("invalid event: {0}")]
    Event(String),
    /// A record of the stream has no place.
    #[error(transparent)]
    Unnamed(#[from] Unnamed),
}

impl Reconciler {
    /// Reads the environment, see the README, and makes the SDK's client.
    ///
    /// # Errors
    /// Names the variable that is missing.
    pub fn from_env(
        env: &Environment,
        aws: &host::SdkConfig,
        clock: Clock,
    ) -> Result<Self, EnvError> {
        let prefix = env.optional("TABLE_PREFIX")?.unwrap_or_default();
        Ok(Self {
            tables: Tables::new(aws_sdk_dynamodb::Client::new(aws), prefix),
            metrics: Metrics::from_env(env, "reconcile")?,
            clock,
        })
    }

    /// Puts the function together from its parts.
    pub fn new(tables: Tables, clock: Clock) -> Self {
        Self { tables, metrics: Metrics::off(), clock }
    }

    /// Derives again how the orders stand that a batch of the log is about, and says from where on it is to come again.
    ///
    /// # Errors
    /// [`HandleError`]: all records are to come again.
    pub async fn answer(
        &self,
        event: &Value,
        deadline: Timestamp,
    ) -> Result<BatchAnswer, HandleError> {
        let event: StreamEvent = serde_json::from_value(event.clone())
            .map_err(|error| HandleError::Event(redact(&error)))?;
        let mut tally = Tally::default();
        let answer = Box::pin(handler::batch(event, self, deadline, &mut tally)).await;
        self.metrics.report(self.clock.now(), &tally);
        Ok(answer?)
    }
}
