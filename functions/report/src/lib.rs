#![doc = include_str!("../README.md")]

mod day;
mod days;
mod error;
mod log_reader;
mod tally;
mod verification;

use commands::text::redact;
use host::clock::Clock;
use host::env::{EnvError, Environment};
use host::metrics::Metrics;
use jiff::Timestamp;
use serde::{Deserialize as _, Serialize};
use serde_json::Value;
use table::Tables;

use crate::days::SealWish;
pub use crate::days::SealedAnswer;
pub use crate::error::SealError;
use crate::tally::Tally;
pub use crate::verification::verify;

/// The function: everything between its environment and its handler.
pub struct Reporter {
    tables: Tables,
    metrics: Metrics,
    clock: Clock,
}

/// Why an invocation failed.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// The event asks for nothing that is known. Quotes no values.
    #[error("invalid event: {0}")]
    Event(String),
    /// Which organisations there are cannot be read.
    #[error("the organisations cannot be read")]
    Organisations(#[source] table::ReadError),
}

/// What an invocation answers.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// One for each day that was sealed, or could not be.
    pub seals: Vec<SealedAnswer>,
}

impl Reporter {
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
            metrics: Metrics::from_env(env, "report")?,
            clock,
        })
    }

    /// Puts the function together from its parts.
    pub fn new(tables: Tables, clock: Clock) -> Self {
        Self { tables, metrics: Metrics::off(), clock }
    }

    /// Seals the days that are over (`{"seal": {…}}`).
    ///
    /// # Errors
    /// [`HandleError`].
    pub async fn handle(&self, event: &Value, deadline: Timestamp) -> Result<Answer, HandleError> {
        let wish = event.get("seal").ok_or_else(|| HandleError::Event("no `seal`".to_owned()))?;
        let wish =
            SealWish::deserialize(wish).map_err(|error| HandleError::Event(redact(&error)))?;
        let mut tally = Tally::default();
        let seals = Box::pin(self.seals(&wish, deadline, &mut tally)).await;
        self.metrics.report(self.clock.now(), &tally);
        Ok(Answer { seals: seals.map_err(HandleError::Organisations)? })
    }
}
