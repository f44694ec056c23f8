//! How much of a day is used, how much is left, and for whom.

use jiff::Timestamp;

use super::{Budget, Exhausted, HOUR, HOURS, OPEN_MAX, Purpose, WORD_COUNTS, hour_of, later};

/// The calls of one hour.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Hour {
    /// Which hour: counted from 1970, in UTC.
    pub hour: i64,
    /// Calls for live events.
    pub live: u32,
    /// Calls for the upload.
    pub upload: u32,
    /// Calls for everything else.
    pub other: u32,
}

/// What Xero said last is left of the day.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DayWord {
    /// When it said so.
    pub at: Timestamp,
    /// How much was left.
    pub left: u32,
    /// Calls that it does not count, perhaps: those that were open then, and all that were allowed since.
    pub since: u32,
}

/// How much of the day is kept for whom.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reserves {
    /// For live events: a fifth.
    pub live: u32,
    /// For the upload: a twentieth. A night needs about fifteen calls.
    pub upload: u32,
}

impl Reserves {
    /// Those of a day of so many calls.
    pub const fn of(day_max: u32) -> Self {
        Self { live: day_max / 5, upload: day_max / 20 }
    }
}

impl Budget {
    /// Calls of the last 24 hours, and up to an hour longer.
    pub fn in_day(&self) -> u32 {
        self.hours.iter().fold(0, |sum, hour| sum.saturating_add(hour.sum()))
    }

    /// Until when the day is used up even for live events, if it is.
    pub fn day_used_up_until(&self, day_max: u32, now: Timestamp) -> Option<Timestamp> {
        let budget = self.at(now);
        let reported = budget.blocked.filter(|wait| wait.exhausted == Exhausted::Day);
        let ours = !budget.has_left(Purpose::Live, day_max, now);
        let counted = || budget.day_free_at(Purpose::Live, day_max, now);
        reported.map(|wait| wait.until).or_else(|| ours.then(counted))
    }

    /// The calls left of the day, for all purposes together, as far as we and Xero know.
    pub fn day_left(&self, day_max: u32, now: Timestamp) -> u32 {
        let ours = day_max.saturating_sub(self.in_day());
        let word = self.day_word.filter(|word| now.duration_since(word.at) < WORD_COUNTS);
        word.map_or(ours, |word| ours.min(word.left.saturating_sub(word.since)))
    }

    /// Counted in the hour in which it has ended at the latest, so that an hour that is forgotten after
    /// a day holds nothing younger.
    pub(super) fn count(&mut self, purpose: Purpose, now: Timestamp) {
        let hour = hour_of(later(now, OPEN_MAX));
        let place = self.hours.partition_point(|old| old.hour < hour);
        if self.hours.get(place).is_none_or(|found| found.hour != hour) {
            self.hours.insert(place, Hour { hour, live: 0, upload: 0, other: 0 });
        }
        if let Some(found) = self.hours.get_mut(place) {
            let count = match purpose {
                Purpose::Live => &mut found.live,
                Purpose::Upload => &mut found.upload,
                Purpose::Sweep => &mut found.other,
            };
            *count = count.saturating_add(1);
        }
        if let Some(word) = &mut self.day_word {
            word.since = word.since.saturating_add(1);
        }
    }

    /// Whether the day has a call left for this purpose, apart from those kept for others.
    pub(super) fn has_left(&self, purpose: Purpose, day_max: u32, now: Timestamp) -> bool {
        let reserves = Reserves::of(day_max);
        let used = |of: fn(&Hour) -> u32| {
            self.hours.iter().fold(0_u32, |sum, hour| sum.saturating_add(of(hour)))
        };
        let live = reserves.live.saturating_sub(used(|hour| hour.live));
        let upload = reserves.upload.saturating_sub(used(|hour| hour.upload));
        let kept = match purpose {
            Purpose::Live => upload,
            Purpose::Upload => live,
            Purpose::Sweep => live.saturating_add(upload),
        };
        self.day_left(day_max, now) > kept
    }

    /// When the day has a call left again: when enough hours are forgotten, and Xero's word counts no
    /// more.
    pub(super) fn day_free_at(&self, purpose: Purpose, day_max: u32, now: Timestamp) -> Timestamp {
        let word = self.day_word.map(|word| later(word.at, WORD_COUNTS));
        let hours = self.hours.iter().filter_map(|hour| {
            let forgotten = hour.hour.saturating_add(HOURS).saturating_add(1);
            Timestamp::from_second(forgotten.saturating_mul(HOUR.as_secs())).ok()
        });
        let mut moments: Vec<_> = hours.chain(word).filter(|at| *at > now).collect();
        moments.sort_unstable();
        let free = moments.iter().find(|at| self.at(**at).has_left(purpose, day_max, **at));
        free.copied().unwrap_or_else(|| later(now, HOUR))
    }
}

impl Hour {
    fn sum(&self) -> u32 {
        self.live.saturating_add(self.upload).saturating_add(self.other)
    }
}
