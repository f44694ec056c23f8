#![doc = include_str!("../README.md")]

mod event;
mod handler;
mod replay;
mod tally;

use bus::{Bus, EventBus};
use host::clock::Clock;
use host::env::{EnvError, Environment};
use host::metrics::Metrics;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use table::Tables;

use crate::event::Asked;
pub use crate::event::EventError;
use crate::replay::Again;
pub use crate::replay::AgainAnswer;
use crate::tally::{Republished, Tally};
pub use table::stream_batch::{BatchAnswer, Record, StreamEvent, Unnamed};

/// The function: everything between its environment and its handler.
pub struct Announcer<B> {
    bus: B,
    tables: Tables,
    metrics: Metrics,
    clock: Clock,
}

/// What the function answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// To a batch of the stream: from where on it is to come again.
    Batch(BatchAnswer),
    /// To a person.
    Again {
        /// The events that were announced again.
        announce_again: AgainAnswer,
    },
}

/// Why an invocation failed.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// The event asks for nothing we know.
    #[error(transparent)]
    Event(#[from] EventError),
    /// A record of the stream has no place.
    #[error(transparent)]
    Unnamed(#[from] Unnamed),
    /// An order could not be written down, and nothing was done.
    #[error("nothing was announced: {0}")]
    Tables(String),
}

impl Announcer<EventBus> {
    /// Reads the environment, see the README, and makes the SDK's client.
    ///
    /// # Errors
    /// Names the variable that is missing.
    pub fn from_env(
        env: &Environment,
        aws: &host::SdkConfig,
        clock: Clock,
    ) -> Result<Self, EnvError> {
        let client = aws_sdk_eventbridge::Client::new(aws);
        let prefix = env.optional("TABLE_PREFIX")?.unwrap_or_default();
        Ok(Self {
            bus: EventBus::new(client, env.required("EVENT_BUS_NAME")?),
            tables: Tables::new(aws_sdk_dynamodb::Client::new(aws), prefix),
            metrics: Metrics::from_env(env, "announce")?,
            clock,
        })
    }
}

impl<B: Bus> Announcer<B> {
    /// Puts the function together from its parts.
    pub fn new(bus: B, tables: Tables, clock: Clock) -> Self {
        Self { bus, tables, metrics: Metrics::off(), clock }
    }

    /// Does what is asked, which has to be over at the deadline.
    ///
    /// # Errors
    /// [`HandleError`].
    pub async fn answer(&self, event: &Value, deadline: Timestamp) -> Result<Reply, HandleError> {
        let wish = match Asked::read(event)? {
            Asked::Batch(batch) => {
                // On the heap, as below: with everything, this future is too deep for the compiler.
                return Ok(Reply::Batch(Box::pin(self.handle(batch)).await?));
            }
            Asked::Again(wish) => wish,
        };
        let Self { tables, bus, clock, .. } = self;
        let again = Again { tables, bus, clock, deadline };
        let announce_again = Box::pin(again.announce(&wish)).await?;
        if !announce_again.preview {
            let sent = Republished { sent: announce_again.announced };
            self.metrics.report(clock.now(), &sent);
        }
        Ok(Reply::Again { announce_again })
    }

    /// Announces one batch of the stream, and says from where on it is to come again.
    ///
    /// # Errors
    /// [`Unnamed`]: all records are to come again.
    pub async fn handle(&self, event: StreamEvent) -> Result<BatchAnswer, Unnamed> {
        let mut tally = Tally::default();
        let answer = handler::batch(event, &self.bus, &self.clock, &mut tally).await;
        self.metrics.report(self.clock.now(), &tally);
        answer
    }
}
