//! Which days have a close, when it is, and which instants it covers.

use std::collections::BTreeSet;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::settings::Settings;

/// Most holidays that the settings may list: with them, a business day is never more than about a year and a half away.
pub const HOLIDAYS_MAX: usize = 366;

/// Days that are looked at for the next business day: more than the longest row of holidays and weekends.
const LOOKED_AT_MAX: usize = 1_000;

/// How long after its end a day is closed: by then everything that came in time is in the log. A row that comes later is
/// late, and opens the day again.
pub const GRACE: SignedDuration = SignedDuration::from_mins(15);

/// How long after its end a close is late: a schedule comes every half hour.
pub const OVERDUE_AFTER: SignedDuration = SignedDuration::from_hours(2);

/// When an organisation closes its days.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CloseSettings {
    /// The time of the clock, in the organisation's time zone. Not before 04:00, so that it exists on every day.
    pub at: Time,
    /// Weekdays on which there is no business; the close after them covers them.
    pub holidays: BTreeSet<Date>,
    /// What of the settings makes no sense, and what stands in its place: a mistake in them stops nothing. Quotes no values.
    pub mistakes: Vec<String>,
}

impl CloseSettings {
    /// When a day is closed unless the organisation says otherwise.
    pub const AT: Time = Time::constant(18, 0, 0, 0);
}

impl Default for CloseSettings {
    fn default() -> Self {
        Self { at: Self::AT, holidays: BTreeSet::new(), mistakes: Vec::new() }
    }
}

/// The business days of an organisation: Monday to Friday, without its holidays.
#[derive(Clone, Copy, Debug)]
pub struct Calendar<'a> {
    zone: &'a TimeZone,
    close: &'a CloseSettings,
}

impl<'a> Calendar<'a> {
    /// The calendar of these settings.
    pub const fn of(settings: &'a Settings) -> Self {
        Self { zone: &settings.zone, close: &settings.close }
    }

    /// Whether a day has a close.
    pub fn is_business_day(self, day: Date) -> bool {
        let is_weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        !is_weekend && !self.close.holidays.contains(&day)
    }

    /// The first business day after a day.
    pub fn next(self, day: Date) -> Date {
        self.first(day, |day| day.tomorrow().unwrap_or(day))
    }

    /// The last business day before a day.
    pub fn previous(self, day: Date) -> Date {
        self.first(day, |day| day.yesterday().unwrap_or(day))
    }

    fn first(self, day: Date, step: impl Fn(Date) -> Date) -> Date {
        let mut day = step(day);
        for _ in 0..LOOKED_AT_MAX {
            if self.is_business_day(day) {
                break;
            }
            day = step(day);
        }
        day
    }

    /// When a day is closed. Where the clock shows that time twice, the first time counts.
    pub fn closes_at(self, day: Date) -> Timestamp {
        let at = day.to_datetime(self.close.at).to_zoned(self.zone.clone());
        at.map_or(Timestamp::MAX, |at| at.timestamp())
    }

    /// The business day to which an instant belongs: the first one that is closed at that instant or later. A close
    /// covers everything since the close before, weekends and holidays included.
    pub fn day_of(self, instant: Timestamp) -> Date {
        let day = instant.to_zoned(self.zone.clone()).date();
        if self.is_business_day(day) && instant <= self.closes_at(day) {
            return day;
        }
        self.next(day)
    }

    /// The first business day that is to be closed behind the last one that was, and when it ends; `None` while its time has
    /// not come. Where none was closed yet, nothing was missed before the last one.
    pub fn due(self, last: Option<Date>, now: Timestamp) -> Option<(Date, Timestamp)> {
        let settled = now.saturating_sub(GRACE).unwrap_or(now);
        let day = match last {
            Some(last) => self.next(last),
            None => self.last_closed(settled),
        };
        let closes_at = self.closes_at(day);
        (closes_at <= settled).then_some((day, closes_at))
    }

    /// The business days that are due and not closed, at most `max`, the oldest first.
    pub fn all_due(self, last: Option<Date>, now: Timestamp, max: usize) -> Vec<Date> {
        let mut days = Vec::new();
        let mut next = self.due(last, now);
        while let Some((day, _)) = next
            && days.len() < max
        {
            days.push(day);
            next = self.due(Some(day), now);
        }
        days
    }

    /// The last business day whose close has passed.
    pub fn last_closed(self, now: Timestamp) -> Date {
        self.previous(self.day_of(now))
    }
}
