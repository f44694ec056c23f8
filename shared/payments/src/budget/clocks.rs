//! Which moments of a budget are over, by the clocks that have written them.

use jiff::Timestamp;

use super::{Budget, CLOCKS_DIFFER_MAX, HOURS, MINUTE, OPEN_MAX, Open, hour_of, later};

/// Whose clock a moment is of: one for each machine. Those that share a clock have the same.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ClockId(pub u64);

impl ClockId {
    /// Of a moment that was written by an earlier release, which did not say it.
    pub const UNKNOWN: Self = Self(u64::MAX);
}

impl Budget {
    /// The budget as it stands now, for those who look: what is over by its own moment is forgotten.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        self.seen_by(None, now)
    }

    /// The budget as it stands now for one clock. What others have answered is forgotten when that is sure.
    pub(super) fn at_by(&self, clock: ClockId, now: Timestamp) -> Self {
        self.seen_by(Some(clock), now)
    }

    fn seen_by(&self, clock: Option<ClockId>, now: Timestamp) -> Self {
        let mut budget = self.clone();
        budget.answered_by.resize(budget.answered.len(), ClockId::UNKNOWN);
        if let Some(clock) = clock.filter(|clock| budget.answered_by.contains(clock)) {
            budget.clocks.insert(clock, now);
        }
        // The process that made the call is gone. The call arrived before it would have timed out.
        let (open, over) = self.open.iter().partition(|open| later(open.at, OPEN_MAX) > now);
        budget.open = open;
        let over: Vec<Open> = over;
        for open in over {
            budget.answer(later(open.at, OPEN_MAX), open.by);
        }
        let fresh = |(at, by): &(Timestamp, ClockId)| {
            if clock.is_none_or(|clock| clock == *by) {
                return later(*at, MINUTE) > now;
            }
            let same_clock = budget.clocks.get(by).is_some_and(|last| later(*at, MINUTE) <= *last);
            !same_clock && later(later(*at, MINUTE), CLOCKS_DIFFER_MAX) > now
        };
        let kept: Vec<_> = budget.moments().filter(fresh).collect();
        (budget.answered, budget.answered_by) = kept.into_iter().unzip();
        budget.clocks.retain(|id, _| budget.answered_by.contains(id));
        let hour = hour_of(now);
        budget.hours.retain(|old| old.hour.saturating_add(HOURS) >= hour);
        budget.blocked = self.blocked.filter(|blocked| blocked.until > now);
        budget
    }

    pub(super) fn moments(&self) -> impl Iterator<Item = (Timestamp, ClockId)> {
        self.answered.iter().copied().zip(self.answered_by.iter().copied())
    }

    pub(super) fn answer(&mut self, at: Timestamp, by: ClockId) {
        let place = self.answered.partition_point(|answered| *answered <= at);
        self.answered.insert(place, at);
        self.answered_by.insert(place, by);
    }
}
