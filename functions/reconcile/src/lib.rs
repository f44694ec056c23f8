#![doc = include_str!("../README.md")]

mod day;
mod days;
mod event;
mod handler;
mod order;
mod payment;
mod tally;

use commands::reply::CloseOutcome;
use host::clock::Clock;
use host::env::{EnvError, Environment};
use host::metrics::Metrics;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use table::Tables;
use table::stream_batch::{BatchAnswer, StreamEvent, Unnamed};

pub use crate::days::CloseWish;
use crate::event::Event;
pub use crate::event::EventError;
use crate::tally::{CloseTally, Tally};

/// The function: everything between its environment and its handler.
pub struct Reconciler {
    tables: Tables,
    metrics: Metrics,
    clock: Clock,
}

/// Why an invocation failed.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// The event asks for nothing that is known.
    #[error(transparent)]
    Event(#[from] EventError),
    /// Which organisations there are cannot be read.
    #[error("the organisations cannot be read")]
    Organisations(#[source] table::ReadError),
    /// A record of the stream has no place.
    #[error(transparent)]
    Unnamed(#[from] Unnamed),
}

/// What an invocation answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// Of the stream: from where on it is to come again.
    Batch(BatchAnswer),
    /// Of a close: the days that were closed.
    Closes {
        /// One for each day.
        closes: Vec<CloseOutcome>,
    },
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

    /// Judges orders by a batch of the stream, or closes days (`{"close": {…}}`).
    ///
    /// # Errors
    /// [`HandleError`].
    pub async fn handle(&self, event: &Value, deadline: Timestamp) -> Result<Answer, HandleError> {
        match Event::read(event)? {
            Event::Schedule(wish) => {
                Ok(Answer::Closes { closes: self.close(&wish, deadline).await? })
            }
            Event::Batch(batch) => Ok(Answer::Batch(self.answer(batch, deadline).await?)),
        }
    }

    /// Closes the business days that are due, or one of them again.
    ///
    /// # Errors
    /// [`HandleError::Organisations`].
    pub async fn close(
        &self,
        wish: &CloseWish,
        deadline: Timestamp,
    ) -> Result<Vec<CloseOutcome>, HandleError> {
        let mut tally = CloseTally::default();
        let closes = Box::pin(self.closes(wish, deadline, &mut tally)).await;
        self.metrics.report(self.clock.now(), &tally);
        closes.map_err(HandleError::Organisations)
    }

    /// Derives again how the orders stand that a batch of the log is about, and says from where on it is to come again.
    ///
    /// # Errors
    /// [`HandleError`]: all records are to come again.
    async fn answer(
        &self,
        event: StreamEvent,
        deadline: Timestamp,
    ) -> Result<BatchAnswer, HandleError> {
        let mut tally = Tally::default();
        let answer = Box::pin(handler::batch(event, self, deadline, &mut tally)).await;
        self.metrics.report(self.clock.now(), &tally);
        Ok(answer?)
    }
}
