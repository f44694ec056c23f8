#![doc = include_str!("../README.md")]

mod handler;
mod stream;
mod tally;

use bus::{Bus, EventBus};
use host::clock::Clock;
use host::env::{EnvError, Environment};
use host::metrics::Metrics;

pub use crate::stream::{BatchAnswer, Record, StreamEvent, Unnamed};
use crate::tally::Tally;

/// The function: everything between its environment and its handler.
pub struct Announcer<B> {
    bus: B,
    metrics: Metrics,
    clock: Clock,
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

    /// Announces one batch of the stream, and says from where on it is to come again.
    ///
    /// # Errors
    /// [`Unnamed`]: all records are to come again.
    pub async fn handle(&self, event: StreamEvent) -> Result<BatchAnswer, Unnamed> {
        let mut tally = Tally::default();
        let answer = handler::batch(event, &self.bus, &self.clock, &mut tally).await;
        tally.log();
        self.metrics.emit(self.clock.now(), &tally.metrics());
        answer
    }
}
