//! Time is injected, so that a test can let half an hour, a day or a month pass in no time.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// Where the simulator reads the time: tokens, limits, memories and `UpdatedDateUTC` follow it.
///
/// Delays, batching windows and time-outs do not: those are real time, because a socket is involved.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The clock of this machine.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the simulator meets the real clock"
)]
pub fn system_clock() -> Clock {
    Arc::new(Timestamp::now)
}

/// A clock that stands still until it is set or moved on.
#[derive(Clone, Debug)]
pub struct ManualClock {
    now: Arc<Mutex<Timestamp>>,
}

impl ManualClock {
    /// A clock standing at `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self { now: Arc::new(Mutex::new(start)) }
    }

    /// What this clock shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the clock at `now`, forwards or backwards.
    pub fn set(&self, now: Timestamp) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Lets `duration` pass; at the end of time the clock stops.
    pub fn advance(&self, duration: SignedDuration) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.saturating_add(duration).unwrap_or(*now);
    }

    /// This clock in the shape that [`Options`](crate::Options) takes.
    #[must_use]
    pub fn clock(&self) -> Clock {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }
}

/// A clock that goes as another one does, and can be put forward: a day passes in no time, and
/// then the seconds go on. Clones are one clock.
#[derive(Clone)]
pub struct AdvancingClock {
    base: Clock,
    ahead: Arc<Mutex<SignedDuration>>,
}

impl AdvancingClock {
    /// A clock that goes as `base` does.
    #[must_use]
    pub fn over(base: Clock) -> Self {
        Self { base, ahead: Arc::default() }
    }

    /// What this clock shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        after((self.base)(), self.ahead())
    }

    /// How far it has been put forward.
    #[must_use]
    pub fn ahead(&self) -> SignedDuration {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts it forward, and back by a negative `duration`.
    pub fn advance(&self, duration: SignedDuration) {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        *ahead = ahead.saturating_add(duration);
    }

    /// This clock in the shape that [`Options`](crate::Options) and others take.
    #[must_use]
    pub fn clock(&self) -> Clock {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }
}

impl Default for AdvancingClock {
    /// A clock that goes as that of this machine.
    fn default() -> Self {
        Self::over(system_clock())
    }
}

impl std::fmt::Debug for AdvancingClock {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("AdvancingClock").field("ahead", &self.ahead()).finish_non_exhaustive()
    }
}

/// The instant `duration` after `start`, or the end of time.
pub(crate) fn after(start: Timestamp, duration: SignedDuration) -> Timestamp {
    start.saturating_add(duration).unwrap_or(Timestamp::MAX)
}

/// The instant `duration` before `end`, or the beginning of time.
pub(crate) fn before(end: Timestamp, duration: SignedDuration) -> Timestamp {
    end.saturating_sub(duration).unwrap_or(Timestamp::MIN)
}

/// `at` without anything finer than a millisecond, which is all that Xero keeps.
pub(crate) fn to_millisecond(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

/// `at` without anything finer than a second.
pub(crate) fn to_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
