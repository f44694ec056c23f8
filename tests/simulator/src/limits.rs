//! Xero's call limits, kept as it keeps them: rolling windows, per app and organisation.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    clock::{after, before},
    options::Limits,
};

/// The window of the minute limits.
pub(crate) const MINUTE: SignedDuration = SignedDuration::from_secs(60);
/// The window of the day limit.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Which limit a 429 names in `X-Rate-Limit-Problem` (facts.md 3.2).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LimitProblem {
    /// Too many calls in 60 s.
    Minute,
    /// Too many calls in 24 h.
    Day,
    /// Too many calls at once.
    Concurrent,
    /// Too many calls in 60 s over all organisations of the app.
    AppMinute,
}

impl LimitProblem {
    /// The word in the header.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Day => "day",
            Self::Concurrent => "concurrent",
            Self::AppMinute => "appminute",
        }
    }
}

/// What the `…-Remaining` headers say; `None` leaves one out.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Remaining {
    pub(crate) day: Option<usize>,
    pub(crate) minute: Option<usize>,
    pub(crate) app_minute: Option<usize>,
}

/// A call that was not let in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Turned {
    pub(crate) problem: LimitProblem,
    /// Whole seconds; Xero sends none for `concurrent` (facts.md 3.2).
    pub(crate) retry_after: Option<i64>,
}

/// An app on an organisation's books.
pub(crate) type Caller = (String, Uuid);

/// Calls of the last while, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window(VecDeque<Timestamp>);

impl Window {
    /// Forgets what is older than `length`, and counts the rest.
    pub(crate) fn count(&mut self, now: Timestamp, length: SignedDuration) -> usize {
        let start = before(now, length);
        while self.0.front().is_some_and(|&at| at <= start) {
            self.0.pop_front();
        }
        self.0.len()
    }

    pub(crate) fn add(&mut self, now: Timestamp) {
        self.0.push_back(now);
    }

    /// Whole seconds until the oldest call leaves the window, at least one.
    fn wait(&self, now: Timestamp, length: SignedDuration) -> i64 {
        let oldest = self.0.front().copied().unwrap_or(now);
        let wait = after(oldest, length).duration_since(now);
        let whole = wait.as_secs() + i64::from(wait.subsec_nanos() > 0);
        whole.max(1)
    }
}

#[derive(Debug, Default)]
struct Calls {
    minute: Window,
    day: Window,
    in_flight: u32,
}

/// Counts calls and turns away the ones that are too many.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) limits: Limits,
    calls: BTreeMap<Caller, Calls>,
    apps: BTreeMap<String, Window>,
}

impl Gate {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, calls: BTreeMap::new(), apps: BTreeMap::new() }
    }

    /// Lets a call in, or says why not. A call that was let in has to [`leave`](Self::leave).
    ///
    /// A call that is turned away uses up nothing.
    pub(crate) fn enter(&mut self, caller: &Caller, now: Timestamp) -> Result<(), Turned> {
        let limits = self.limits;
        let calls = self.calls.entry(caller.clone()).or_default();
        let app = self.apps.entry(caller.0.clone()).or_default();
        let full = |limit: Option<u32>, count: usize| limit.is_some_and(|max| reaches(count, max));
        let turned = |problem, retry_after| Err(Turned { problem, retry_after });

        if limits.concurrent.is_some_and(|max| calls.in_flight >= max) {
            return turned(LimitProblem::Concurrent, None);
        }
        if full(limits.per_day, calls.day.count(now, DAY)) {
            return turned(LimitProblem::Day, Some(calls.day.wait(now, DAY)));
        }
        if full(limits.per_minute, calls.minute.count(now, MINUTE)) {
            return turned(LimitProblem::Minute, Some(calls.minute.wait(now, MINUTE)));
        }
        if full(limits.app_per_minute, app.count(now, MINUTE)) {
            return turned(LimitProblem::AppMinute, Some(app.wait(now, MINUTE)));
        }
        calls.minute.add(now);
        calls.day.add(now);
        calls.in_flight += 1;
        app.add(now);
        Ok(())
    }

    /// A call that was let in has been answered.
    pub(crate) fn leave(&mut self, caller: &Caller) {
        if let Some(calls) = self.calls.get_mut(caller) {
            calls.in_flight = calls.in_flight.saturating_sub(1);
        }
    }

    /// The rest of each limit.
    pub(crate) fn remaining(&mut self, caller: &Caller, now: Timestamp) -> Remaining {
        let calls = self.calls.entry(caller.clone()).or_default();
        let app = self.apps.entry(caller.0.clone()).or_default();
        let left = |limit: Option<u32>, count: usize| {
            limit.map(|max| usize::try_from(max).unwrap_or(usize::MAX).saturating_sub(count))
        };
        Remaining {
            day: left(self.limits.per_day, calls.day.count(now, DAY)),
            minute: left(self.limits.per_minute, calls.minute.count(now, MINUTE)),
            app_minute: left(self.limits.app_per_minute, app.count(now, MINUTE)),
        }
    }
}

fn reaches(count: usize, max: u32) -> bool {
    u32::try_from(count).unwrap_or(u32::MAX) >= max
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + seconds).unwrap()
    }

    fn caller() -> Caller {
        ("app".to_owned(), Uuid::from_u128(1))
    }

    fn call(gate: &mut Gate, now: Timestamp) -> Result<(), Turned> {
        let entered = gate.enter(&caller(), now);
        if entered.is_ok() {
            gate.leave(&caller());
        }
        entered
    }

    #[test]
    fn the_minute_rolls() {
        let mut gate = Gate::new(Limits::default());
        for second in 0..60 {
            call(&mut gate, at(second / 2)).unwrap();
        }

        let turned = call(&mut gate, at(30)).unwrap_err();

        assert_eq!(turned.problem, LimitProblem::Minute);
        assert_eq!(turned.retry_after, Some(30));
        assert_eq!(gate.remaining(&caller(), at(30)).minute, Some(0));
        assert!(call(&mut gate, at(59)).is_err());
        assert!(call(&mut gate, at(60)).is_ok(), "the first two calls have left the window");
        assert_eq!(gate.remaining(&caller(), at(60)).minute, Some(1));
    }

    #[test]
    fn the_day_is_counted_apart() {
        let limits = Limits { per_day: Some(3), ..Limits::NONE };
        let mut gate = Gate::new(limits);
        for hour in 0..3 {
            call(&mut gate, at(hour * 3_600)).unwrap();
        }

        let turned = call(&mut gate, at(3 * 3_600)).unwrap_err();

        assert_eq!(turned.problem, LimitProblem::Day);
        assert_eq!(turned.retry_after, Some(21 * 3_600));
        assert!(call(&mut gate, at(24 * 3_600)).is_ok());
    }

    #[test]
    fn the_sixth_call_at_once_is_turned_away_without_a_time() {
        let mut gate = Gate::new(Limits::default());
        for _ in 0..5 {
            gate.enter(&caller(), at(0)).unwrap();
        }

        let turned = gate.enter(&caller(), at(0)).unwrap_err();
        gate.leave(&caller());

        assert_eq!(turned.problem, LimitProblem::Concurrent);
        assert_eq!(turned.retry_after, None);
        assert!(gate.enter(&caller(), at(0)).is_ok());
    }

    #[test]
    fn another_organisation_has_its_own_limits() {
        let limits = Limits { per_minute: Some(1), ..Limits::NONE };
        let mut gate = Gate::new(limits);
        call(&mut gate, at(0)).unwrap();

        assert!(call(&mut gate, at(0)).is_err());
        assert!(gate.enter(&("app".to_owned(), Uuid::from_u128(2)), at(0)).is_ok());
    }
}
