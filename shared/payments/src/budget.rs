//! How often Xero may be called: 60 times in any minute, five at once, so often in a day; and
//! who may use up what is left.
//!
//! One [`Budget`] per organisation, shared by everything that calls: written before a call is made, on
//! the condition that nobody else has written it since, and again when its answer is there. What Xero
//! says of its own count only ever lowers ours.
//!
//! Several machines write it, and their clocks differ. Each moment is judged by the clock that has written it: by
//! itself, or by a later moment of the same clock. So nothing is forgotten early because a clock is ahead of another;
//! where a clock has said nothing since, as long as clocks may differ is waited in addition.
//!
//! A call arrives at Xero at some moment between its start and its answer. So it counts as open from
//! its start, and its minute begins with its answer: whenever it arrived, no sixty-first call can come
//! within sixty seconds of it.

use std::collections::BTreeMap;
use std::future::Future;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::ids::OrganisationId;
use crate::reason::codes;

/// Calls in any 60 seconds.
pub const MINUTE_MAX: usize = 60;
/// Calls at once.
pub const IN_FLIGHT_MAX: usize = 5;
/// Calls in any 24 hours, if the organisation's row does not say otherwise. Apps of Xero's free tier
/// have 1,000.
pub const DAY_MAX: u32 = 5_000;
/// Calls in any 60 seconds of the whole app, over all organisations.
pub const APP_MINUTE_MAX: u32 = 10_000;
/// How long a call counts as open whose answer nobody has reported: longer than a call may take, and than
/// the clocks of two machines differ.
pub const OPEN_MAX: SignedDuration = SignedDuration::from_secs(30);

/// How far the clocks of two machines may differ: each by two minutes.
pub const CLOCKS_DIFFER_MAX: SignedDuration = SignedDuration::from_mins(4);
/// When it is worth asking again whether another clock has gone on.
const CLOCK_ASKED_AFTER: SignedDuration = SignedDuration::from_secs(10);

const MINUTE: SignedDuration = SignedDuration::from_secs(60);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// The pause after too many calls at once, of which Xero does not say when it is over.
const MOMENT: SignedDuration = SignedDuration::from_secs(1);
/// An hour's calls are forgotten as a whole, when the last of them is a day old.
const HOURS: i64 = 24;
/// How long Xero's word on what is left of the day counts: its day rolls as well, and calls become free.
const WORD_COUNTS: SignedDuration = HOUR;
/// Calls of the app that an organisation gets at once.
const GRANT: u32 = 10;
/// Within which they are to be made.
const GRANT_LASTS: SignedDuration = SignedDuration::from_secs(5);
/// How long a grant counts: a minute from the last moment at which a call of it may arrive. (One that takes
/// more than five seconds to arrive may be one too many. Xero then says so, and nothing is lost.)
const GRANT_COUNTS: SignedDuration = SignedDuration::from_secs(70);

codes! {
    /// What a call is made for. Live events and the night's upload have a share of the day that nothing
    /// else may use up.
    Purpose {
        /// A change that Xero or the business's own system has told us of.
        Live = "live",
        /// The business's own payments.
        Upload = "upload",
        /// Whatever can wait: the sweep and what it found.
        Sweep = "sweep",
    }
    /// What is used up.
    Exhausted {
        /// The calls of the minute.
        Minute = "minute",
        /// The calls of the day, or the share of it that is left for this purpose.
        Day = "day",
        /// Calls at once.
        Concurrent = "concurrent",
        /// The app's calls of the minute, over all organisations.
        AppMinute = "app_minute",
    }
}

/// No call may be made before this moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("Xero's call limit {exhausted} is used up until {until}")]
pub struct Wait {
    /// What is used up.
    pub exhausted: Exhausted,
    /// When it is worth asking again.
    pub until: Timestamp,
}

/// The right to make one call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pass {
    /// In whose books.
    pub organisation: OrganisationId,
    /// Its number.
    pub number: u64,
}

/// What an answer of Xero's says of its limits.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Word {
    /// Calls of the day that are left.
    pub day_left: Option<u32>,
    /// Calls of this minute that are left.
    pub minute_left: Option<u32>,
    /// Calls of this minute that are left to the app.
    pub app_minute_left: Option<u32>,
    /// It has turned the call away: what is used up, and for how long, if it says so.
    pub turned_away: Option<(Exhausted, Option<SignedDuration>)>,
    /// How long its body is, in bytes, unpacked.
    pub bytes: u64,
}

/// Why there is no pass.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// A limit is used up.
    #[error("no call may be made now")]
    Wait(#[from] Wait),
    /// What is used up is not known. Then no call is made: Xero's limits are not to be found out by
    /// breaking them.
    #[error("the count of calls cannot be read or written")]
    Unknown(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Keeps the count of the calls of every organisation.
///
/// An implementation counts a call before it gives the pass, together with all others that count for the
/// same organisation, whoever makes them.
pub trait CallBudget {
    /// Asks for a call.
    fn enter(
        &self,
        organisation: OrganisationId,
        purpose: Purpose,
        now: Timestamp,
    ) -> impl Future<Output = Result<Pass, Denied>> + Send;

    /// Reports that the call is over, and what its answer said. A pass that is never reported counts as
    /// open for [`OPEN_MAX`].
    fn leave(&self, pass: Pass, word: Word, now: Timestamp) -> impl Future<Output = ()> + Send;
}

/// Whose clock a moment is of: one for each machine. Those that share a clock have the same.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ClockId(pub u64);

impl ClockId {
    /// Of a moment that was written by an earlier release, which did not say it.
    pub const UNKNOWN: Self = Self(u64::MAX);
}

/// A call whose answer is not there yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Open {
    /// The number of its pass.
    pub number: u64,
    /// When it was allowed.
    pub at: Timestamp,
    /// By which clock.
    pub by: ClockId,
}

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

/// What was fetched in a month. Xero's prices are by it, and a month is one of UTC, for want of any
/// word of Xero's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fetched {
    /// The first day of the month.
    pub month: Date,
    /// Bytes of all answers, whatever they were about, and of those that failed as well.
    pub bytes: u64,
}

/// Calls that were taken from the app's minute for this organisation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Grant {
    /// How many of them are left.
    pub left: u32,
    /// Until when they may be made.
    pub until: Timestamp,
}

/// What one organisation has used of its calls.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Budget {
    /// Whose.
    pub organisation: OrganisationId,
    /// Counts the writes; 0 if nothing has been written.
    pub revision: u64,
    /// When the calls of the last minute were answered, the oldest first.
    pub answered: Vec<Timestamp>,
    /// By which clock each of them was.
    pub answered_by: Vec<ClockId>,
    /// The latest moment of each of these clocks.
    pub clocks: BTreeMap<ClockId, Timestamp>,
    /// Calls that are not answered.
    pub open: Vec<Open>,
    /// The calls of the last day, the oldest hour first.
    pub hours: Vec<Hour>,
    /// What Xero said of the day.
    pub day_word: Option<DayWord>,
    /// Xero has asked not to be called.
    pub blocked: Option<Wait>,
    /// What was fetched in the month of the last answer.
    pub fetched: Option<Fetched>,
    /// What it has of the app's minute.
    pub grant: Option<Grant>,
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
    /// Of an organisation in whose books nothing was called yet.
    pub const fn unused(organisation: OrganisationId) -> Self {
        Self {
            organisation,
            revision: 0,
            answered: Vec::new(),
            answered_by: Vec::new(),
            clocks: BTreeMap::new(),
            open: Vec::new(),
            hours: Vec::new(),
            day_word: None,
            blocked: None,
            fetched: None,
            grant: None,
        }
    }

    /// Allows a call, and counts it, where all share one clock.
    ///
    /// # Errors
    /// When to ask again.
    pub fn enter(
        &self,
        purpose: Purpose,
        day_max: u32,
        now: Timestamp,
    ) -> Result<(Self, Pass), Wait> {
        self.enter_by(ClockId::default(), purpose, day_max, now)
    }

    /// Allows a call, and counts it.
    ///
    /// # Errors
    /// When to ask again.
    pub fn enter_by(
        &self,
        clock: ClockId,
        purpose: Purpose,
        day_max: u32,
        now: Timestamp,
    ) -> Result<(Self, Pass), Wait> {
        let mut budget = self.at_by(clock, now);
        if let Some(blocked) = budget.blocked {
            return Err(blocked);
        }
        if budget.open.len() >= IN_FLIGHT_MAX {
            return Err(Wait { exhausted: Exhausted::Concurrent, until: later(now, MOMENT) });
        }
        if budget.in_minute() >= MINUTE_MAX {
            let mine = budget.moments().find(|(_, by)| *by == clock);
            let until = match mine {
                Some((oldest, _)) => later(oldest, MINUTE).max(later(now, MOMENT)),
                None => later(now, CLOCK_ASKED_AFTER),
            };
            return Err(Wait { exhausted: Exhausted::Minute, until });
        }
        if !budget.has_left(purpose, day_max, now) {
            let until = budget.day_free_at(purpose, day_max, now);
            return Err(Wait { exhausted: Exhausted::Day, until });
        }
        budget.grant = budget
            .grant
            .and_then(|grant| Some(Grant { left: grant.left.checked_sub(1)?, ..grant }));
        let pass =
            Pass { organisation: self.organisation, number: self.revision.saturating_add(1) };
        budget.open.push(Open { number: pass.number, at: now, by: clock });
        budget.count(purpose, now);
        Ok((budget, pass))
    }

    /// Whether the next call has to be taken from the app's minute first.
    pub fn needs_grant(&self, now: Timestamp) -> bool {
        !self.grant.is_some_and(|grant| grant.left > 0 && grant.until > now)
    }

    /// A call is over, where all share one clock.
    #[must_use]
    pub fn leave(&self, pass: Pass, word: Word, now: Timestamp) -> Self {
        self.leave_by(ClockId::default(), pass, word, now)
    }

    /// A call is over.
    #[must_use]
    pub fn leave_by(&self, clock: ClockId, pass: Pass, word: Word, now: Timestamp) -> Self {
        let mut budget = self.at_by(clock, now);
        if let Some(place) = budget.open.iter().position(|open| open.number == pass.number) {
            let open = budget.open.remove(place);
            // A clock that has stepped back between the two is not believed.
            let at = if open.by == clock { now.max(open.at) } else { now };
            budget.answer(at, clock);
        }
        // A clock that is behind does not begin an old month anew.
        let month = budget.fetched.map_or(month_of(now), |old| old.month.max(month_of(now)));
        let before = budget.fetched_in(month);
        budget.fetched = Some(Fetched { month, bytes: before.saturating_add(word.bytes) });
        // Calls that others made in our name, and those that we have forgotten.
        let left = word.minute_left.and_then(|left| usize::try_from(left).ok());
        let unknown = left
            .map_or(0, |left| MINUTE_MAX.saturating_sub(left))
            .saturating_sub(budget.in_minute());
        for _ in 0..unknown {
            budget.answer(now, clock);
        }
        if let Some(left) = word.day_left {
            // Calls that are still open may have come too late to be in that number.
            let since = u32::try_from(budget.open.len()).unwrap_or(u32::MAX);
            budget.day_word = Some(DayWord { at: now, left, since });
        }
        let turned_away = word.turned_away.map(|(exhausted, after)| {
            let usual = match exhausted {
                Exhausted::Concurrent => MOMENT,
                Exhausted::Minute | Exhausted::AppMinute => MINUTE,
                Exhausted::Day => HOUR,
            };
            Wait { exhausted, until: later(now, after.unwrap_or(usual).max(MOMENT)) }
        });
        let app = (word.app_minute_left == Some(0))
            .then(|| Wait { exhausted: Exhausted::AppMinute, until: later(now, MINUTE) });
        let waits = [budget.blocked, turned_away, app];
        budget.blocked = waits.into_iter().flatten().max_by_key(|wait| wait.until);
        budget
    }

    /// Bytes that were fetched in the month of this moment so far.
    pub fn fetched_this_month(&self, now: Timestamp) -> u64 {
        self.fetched_in(month_of(now))
    }

    fn fetched_in(&self, month: Date) -> u64 {
        self.fetched.filter(|fetched| fetched.month == month).map_or(0, |fetched| fetched.bytes)
    }

    /// Calls of the last minute, open ones included.
    pub fn in_minute(&self) -> usize {
        self.answered.len().saturating_add(self.open.len())
    }

    /// Calls of the last 24 hours, and up to an hour longer.
    pub fn in_day(&self) -> u32 {
        self.hours.iter().fold(0, |sum, hour| sum.saturating_add(hour.sum()))
    }

    /// Until when the day is used up even for live events, if it is.
    pub fn day_used_up_until(&self, day_max: u32, now: Timestamp) -> Option<Timestamp> {
        let budget = self.at(now);
        let told = budget.blocked.filter(|wait| wait.exhausted == Exhausted::Day);
        let ours = !budget.has_left(Purpose::Live, day_max, now);
        let counted = || budget.day_free_at(Purpose::Live, day_max, now);
        told.map(|wait| wait.until).or_else(|| ours.then(counted))
    }

    /// What is left of the day, for whatever purpose, as far as we and Xero know.
    pub fn day_left(&self, day_max: u32, now: Timestamp) -> u32 {
        let ours = day_max.saturating_sub(self.in_day());
        let word = self.day_word.filter(|word| now.duration_since(word.at) < WORD_COUNTS);
        word.map_or(ours, |word| ours.min(word.left.saturating_sub(word.since)))
    }

    /// The budget as it stands now, for those who look: what is over by its own moment is forgotten.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        self.seen_by(None, now)
    }

    /// The budget as it stands now for one clock. What others have answered is forgotten when that is sure.
    fn at_by(&self, clock: ClockId, now: Timestamp) -> Self {
        self.seen_by(Some(clock), now)
    }

    fn seen_by(&self, clock: Option<ClockId>, now: Timestamp) -> Self {
        let mut budget = self.clone();
        budget.answered_by.resize(budget.answered.len(), ClockId::UNKNOWN);
        if let Some(clock) = clock.filter(|clock| budget.answered_by.contains(clock)) {
            budget.clocks.insert(clock, now);
        }
        // Whoever should have reported it is gone. It arrived before it would have timed out.
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

    fn moments(&self) -> impl Iterator<Item = (Timestamp, ClockId)> {
        self.answered.iter().copied().zip(self.answered_by.iter().copied())
    }

    fn answer(&mut self, at: Timestamp, by: ClockId) {
        let place = self.answered.partition_point(|answered| *answered <= at);
        self.answered.insert(place, at);
        self.answered_by.insert(place, by);
    }

    /// Counted in the hour in which it has ended at the latest, so that an hour that is forgotten after
    /// a day holds nothing younger.
    fn count(&mut self, purpose: Purpose, now: Timestamp) {
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

    /// Whether the day has a call left for this purpose, besides what is kept for others.
    fn has_left(&self, purpose: Purpose, day_max: u32, now: Timestamp) -> bool {
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
    fn day_free_at(&self, purpose: Purpose, day_max: u32, now: Timestamp) -> Timestamp {
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

/// What all organisations together have been granted of the app's minute.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AppMinute {
    /// Counts the writes; 0 if nothing has been written.
    pub revision: u64,
    /// How many calls were granted, by second, the oldest first.
    pub granted: Vec<(Timestamp, u32)>,
}

impl AppMinute {
    /// Grants some calls to an organisation.
    ///
    /// # Errors
    /// When to ask again.
    pub fn grant(&self, now: Timestamp) -> Result<(Self, Grant), Wait> {
        let mut app = self.clone();
        app.granted.retain(|(at, _)| later(*at, GRANT_COUNTS) > now);
        let sum = app.granted.iter().fold(0_u32, |sum, (_, count)| sum.saturating_add(*count));
        if sum.saturating_add(GRANT) > APP_MINUTE_MAX {
            let oldest = app.granted.first().map_or(now, |(at, _)| *at);
            let until = later(oldest, GRANT_COUNTS).max(later(now, MOMENT));
            return Err(Wait { exhausted: Exhausted::AppMinute, until });
        }
        // Those of a second are one, at the latest moment of it.
        let second = Timestamp::from_second(now.as_second().saturating_add(1)).unwrap_or(now);
        match app.granted.iter_mut().find(|(at, _)| *at == second) {
            Some((_, count)) => *count = count.saturating_add(GRANT),
            None => {
                app.granted.push((second, GRANT));
                app.granted.sort_unstable();
            }
        }
        Ok((app, Grant { left: GRANT, until: later(now, GRANT_LASTS) }))
    }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

fn hour_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(HOUR.as_secs())
}

fn month_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date().first_of_month()
}
