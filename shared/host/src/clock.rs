//! The clock. Only `main` and the composition of a function read it; all other code receives the time.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

/// Now, to the microsecond: that is what the tables keep, so that a time is the same before and after
/// it was stored.
#[expect(clippy::disallowed_methods, reason = "the one place that may")]
pub fn now() -> Timestamp {
    to_microsecond(Timestamp::now())
}

fn to_microsecond(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// A clock to be handed on: the machine's own, or one that a test or a local stack moves.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that shows what `now` returns.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The clock of this machine.
    pub fn system() -> Self {
        Self::new(now)
    }

    /// What it shows, to the microsecond.
    pub fn now(&self) -> Timestamp {
        to_microsecond((self.0)())
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_shows_no_more_than_the_tables_keep() {
        let fine: Timestamp = "2026-10-05T03:41:25.123456789Z".parse().unwrap();
        let shown = Clock::new(move || fine).now();
        assert_eq!(shown.to_string(), "2026-10-05T03:41:25.123456Z");
        assert_eq!(now().subsec_nanosecond() % 1000, 0);
    }
}
