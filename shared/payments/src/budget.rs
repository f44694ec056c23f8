//! How often Xero may be called: 60 times in any minute, five at once, so often in a day; and
//! who may use up what is left.
//!
//! One [`Budget`] per organisation, shared by everything that calls: written before a call is made, on the condition
//! that it is unchanged since it was read, and again when the answer to the call is there. Xero's own count only
//! ever lowers ours.
//!
//! Several machines write it, and their clocks differ. Each moment is judged by the clock that has written it: by
//! itself, or by a later moment of the same clock. So nothing is forgotten early because a clock is ahead of another;
//! where a clock has said nothing since, as long as clocks may differ is waited in addition.
//!
//! A call arrives at Xero at some moment between its start and its answer. So it counts as open from
//! its start, and its minute begins with its answer: whenever it arrived, no sixty-first call can come
//! within sixty seconds of it.

mod clocks;
mod day;

use std::collections::BTreeMap;
use std::future::Future;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

pub use self::clocks::ClockId;
pub use self::day::{DayWord, Hour, Reserves};
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
/// How long a call counts as open if its answer is not reported: longer than a call may take, and than
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
/// In so many parts the app's calls of a minute are counted: one count for all would be written as often as Xero is
/// called, and its writers would lose most races.
pub const APP_PARTS: u32 = 8;
/// The share of the app's minute that live events leave to all other work: one tenth.
const APP_KEPT: u32 = 10;
/// Within which granted calls of the app are to be made.
const GRANT_LASTS: SignedDuration = SignedDuration::from_secs(5);
/// How long a grant counts: a minute from the last moment at which a call of it may arrive. (One that takes
/// more than five seconds to arrive may be one too many. Xero then says so, and nothing is lost.)
const GRANT_COUNTS: SignedDuration = SignedDuration::from_secs(70);

codes! {
    /// What a call is made for. Live events and the night's upload have a share of the day that nothing
    /// else may use up.
    Purpose {
        /// A change that Xero or the business's own system has reported.
        Live = "live",
        /// The business's own payments.
        Upload = "upload",
        /// Work that can wait: the sweep and what it found.
        Sweep = "sweep",
    }
    /// The limit that is used up.
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
    /// The limit that is used up.
    pub exhausted: Exhausted,
    /// When it is worth asking again.
    pub until: Timestamp,
}

/// The right to make one call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CallPermit {
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
    /// The count of calls is not known. Then no call is made: Xero's limits are not to be found out
    /// by breaking them.
    #[error("the count of calls cannot be read or written")]
    Unknown(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Keeps the count of the calls of every organisation.
///
/// An implementation counts a call before it gives the pass, together with all others that count for the
/// same organisation, from every process.
pub trait CallBudget {
    /// Asks for a call.
    fn enter(
        &self,
        organisation: OrganisationId,
        purpose: Purpose,
        now: Timestamp,
    ) -> impl Future<Output = Result<CallPermit, Denied>> + Send;

    /// Reports that the call is over, and what its answer said. A pass that is never reported counts as
    /// open for [`OPEN_MAX`].
    fn leave(
        &self,
        pass: CallPermit,
        word: Word,
        now: Timestamp,
    ) -> impl Future<Output = ()> + Send;
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

/// The bytes fetched in a month. Xero's prices are by them, and a month is one of UTC, since Xero
/// names no time zone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fetched {
    /// The first day of the month.
    pub month: Date,
    /// Bytes of all answers to calls of every kind, and of those that failed as well.
    pub bytes: u64,
}

/// Calls that were taken from the app's minute for this organisation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AppAllotment {
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
    /// The bytes fetched in the month of the last answer.
    pub fetched: Option<Fetched>,
    /// What it has of the app's minute.
    pub grant: Option<AppAllotment>,
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
    ) -> Result<(Self, CallPermit), Wait> {
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
    ) -> Result<(Self, CallPermit), Wait> {
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
            .and_then(|grant| Some(AppAllotment { left: grant.left.checked_sub(1)?, ..grant }));
        let pass =
            CallPermit { organisation: self.organisation, number: self.revision.saturating_add(1) };
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
    pub fn leave(&self, pass: CallPermit, word: Word, now: Timestamp) -> Self {
        self.leave_by(ClockId::default(), pass, word, now)
    }

    /// A call is over.
    #[must_use]
    pub fn leave_by(&self, clock: ClockId, pass: CallPermit, word: Word, now: Timestamp) -> Self {
        let mut budget = self.at_by(clock, now);
        if let Some(place) = budget.open.iter().position(|open| open.number == pass.number) {
            let open = budget.open.remove(place);
            // A clock that has stepped back between the two is not believed.
            let at = if open.by == clock { now.max(open.at) } else { now };
            budget.answer(at, clock);
        }
        // A clock that is behind does not begin an old month again.
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
}

/// In which part of the app's minute an organisation's calls are counted.
pub fn app_part(organisation: OrganisationId) -> u32 {
    organisation
        .to_string()
        .bytes()
        .fold(0, |sum: u32, byte| sum.wrapping_mul(31).wrapping_add(byte.into()))
        % APP_PARTS
}

/// What the organisations of a part have been granted of the app's minute.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AppMinute {
    /// Counts the writes; 0 if nothing has been written.
    pub revision: u64,
    /// How many calls were granted, by second, the oldest first.
    pub granted: Vec<(Timestamp, u32)>,
}

impl AppMinute {
    /// Grants some calls to an organisation: as many as it will make within `GRANT_LASTS` if it goes on as in the last
    /// minute, in which it made so many, this one included. A call granted and not made is lost to all others, and most
    /// organisations make one call now and then.
    ///
    /// # Errors
    /// When to ask again.
    pub fn grant(
        &self,
        in_minute: usize,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<(Self, AppAllotment), Wait> {
        let share = usize::try_from(MINUTE.as_secs() / GRANT_LASTS.as_secs()).unwrap_or(1);
        let wanted = u32::try_from(in_minute.div_ceil(share)).unwrap_or(1).max(1);
        let all = APP_MINUTE_MAX / APP_PARTS;
        // A flood of live events must not keep the sweeps and the nights from their work.
        let most = if purpose == Purpose::Live { all - all / APP_KEPT } else { all };
        let mut app = self.clone();
        app.granted.retain(|(at, _)| later(*at, GRANT_COUNTS) > now);
        let sum = app.granted.iter().fold(0_u32, |sum, (_, count)| sum.saturating_add(*count));
        if sum.saturating_add(wanted) > most {
            let oldest = app.granted.first().map_or(now, |(at, _)| *at);
            let until = later(oldest, GRANT_COUNTS).max(later(now, MOMENT));
            return Err(Wait { exhausted: Exhausted::AppMinute, until });
        }
        // Those of a second are one, at the latest moment of it.
        let second = Timestamp::from_second(now.as_second().saturating_add(1)).unwrap_or(now);
        match app.granted.iter_mut().find(|(at, _)| *at == second) {
            Some((_, count)) => *count = count.saturating_add(wanted),
            None => {
                app.granted.push((second, wanted));
                app.granted.sort_unstable();
            }
        }
        Ok((app, AppAllotment { left: wanted, until: later(now, GRANT_LASTS) }))
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
