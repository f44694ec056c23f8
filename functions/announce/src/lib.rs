#![doc = include_str!("../README.md")]

mod event;
mod handler;
mod tally;

use bus::{Bus, EventBus};
use commands::earlier;
use host::clock::Clock;
use host::env::{EnvError, Environment};
use host::metrics::Metrics;
use invoker::{InvokeError, Invoker};
use serde_json::Value;

pub use crate::event::EventError;
use crate::tally::Tally;
pub use table::stream_batch::{BatchAnswer, Record, StreamEvent, Unnamed};

/// The function: everything between its environment and its handler.
pub struct Announcer<B> {
    bus: B,
    metrics: Metrics,
    clock: Clock,
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
    /// `operations` has not executed a command: its own words, or why it could not be called.
    #[error(transparent)]
    Operations(#[from] InvokeError),
    /// The answer is no JSON.
    #[error("the answer cannot be written")]
    Answer(#[from] serde_json::Error),
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
        Ok(Self {
            bus: EventBus::new(client, env.required("EVENT_BUS_NAME")?),
            metrics: Metrics::from_env(env, "announce")?,
            clock,
        })
    }
}

impl<B: Bus> Announcer<B> {
    /// Puts the function together from its parts.
    pub fn new(bus: B, clock: Clock) -> Self {
        Self { bus, metrics: Metrics::off(), clock }
    }

    /// Answers an event: a batch of the stream by [`Self::handle`], a command in the form of the version before by
    /// `operations`.
    ///
    /// # Errors
    /// [`HandleError`].
    pub async fn answer(
        &self,
        event: &Value,
        operations: &impl Invoker,
    ) -> Result<Value, HandleError> {
        if earlier::is_command(event) {
            return Ok(operations.invoke(event).await?);
        }
        let batch = event::read(event)?;
        // On the heap: with everything, this future is too deep for the compiler.
        Ok(serde_json::to_value(Box::pin(self.handle(batch)).await?)?)
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
