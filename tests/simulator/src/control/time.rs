//! What passes with time: the clock, requests that were put off, and what is remembered.

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};

use crate::Simulator;

/// Time.
impl Simulator {
    /// What the simulator's clock shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.with(|_, now| now)
    }

    /// Whether [`advance_clock`](Self::advance_clock) can do anything.
    #[must_use]
    pub fn clock_can_be_advanced(&self) -> bool {
        self.inner.advancing_clock.is_some()
    }

    /// Puts the clock forward, carries out what is due by then, and says what it shows.
    ///
    /// # Errors
    ///
    /// When `duration` is negative, or the simulator was not started with
    /// [`Options::advancing_clock`](crate::Options::advancing_clock).
    pub fn advance_clock(&self, duration: SignedDuration) -> anyhow::Result<Timestamp> {
        anyhow::ensure!(!duration.is_negative(), "the clock cannot be put back");
        let clock = self.inner.advancing_clock.as_ref();
        clock
            .context("this simulator was started with a clock that cannot be advanced")?
            .advance(duration);
        Ok(self.now())
    }

    /// Requests that wait to be carried out later.
    #[must_use]
    pub fn postponed(&self) -> usize {
        self.with(|world, _| world.postponed.len())
    }

    /// Forgets every `Idempotency-Key`, as when the store behind it is lost: the same call with the
    /// same key is carried out again. Postponed writes stay postponed.
    pub fn forget_idempotency_keys(&self) {
        self.with(|world, _| world.memory.forget());
    }
}
