//! Which days a report covers, by the organisation's calendar, and which instants these are.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

payments::codes! {
    /// How long a period is, and how often reports of it come (SP-27).
    PeriodKind {
        /// Any days that a person has asked for.
        Custom = "custom",
        /// A calendar month.
        Monthly = "monthly",
        /// A calendar quarter.
        Quarterly = "quarterly",
        /// From Monday to Sunday.
        Weekly = "weekly",
    }
}

/// Some days in a row of the organisation's calendar.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ReportPeriod {
    /// How long it is.
    pub kind: PeriodKind,
    /// The first day.
    pub first: Date,
    /// The last day.
    pub last: Date,
}

/// Most days that a person may ask for at once: a year and a day.
pub const DAYS_MAX: i64 = 367;

impl ReportPeriod {
    /// Any days; `None` if the last one comes before the first, or they are more than [`DAYS_MAX`].
    pub fn custom(first: Date, last: Date) -> Option<Self> {
        let days = first.duration_until(last).as_hours() / 24;
        (first <= last && days < DAYS_MAX).then_some(Self { kind: PeriodKind::Custom, first, last })
    }

    /// The week, month or quarter of these days, or else the days themselves; `None` as for [`Self::custom`].
    pub fn of_days(first: Date, last: Date) -> Option<Self> {
        let kinds = [PeriodKind::Weekly, PeriodKind::Monthly, PeriodKind::Quarterly];
        let known = kinds.into_iter().map(|kind| Self::around(kind, first));
        let known = known.into_iter().find(|known| known.first == first && known.last == last);
        known.or_else(|| Self::custom(first, last))
    }

    /// The week, month or quarter with this day in it; of [`PeriodKind::Custom`], the day alone.
    pub fn around(kind: PeriodKind, day: Date) -> Self {
        let first = match kind {
            PeriodKind::Custom => day,
            PeriodKind::Weekly => {
                let back = day.weekday().since(Weekday::Monday);
                day.saturating_sub(Span::new().days(back))
            }
            PeriodKind::Monthly => day.first_of_month(),
            PeriodKind::Quarterly => {
                let back = (day.month() - 1) % 3;
                day.first_of_month().saturating_sub(back.months())
            }
        };
        Self::from(kind, first)
    }

    fn from(kind: PeriodKind, first: Date) -> Self {
        let length = match kind {
            PeriodKind::Custom => 1.day(),
            PeriodKind::Weekly => 7.days(),
            PeriodKind::Monthly => 1.month(),
            PeriodKind::Quarterly => 3.months(),
        };
        Self { kind, first, last: first.saturating_add(length).saturating_sub(1.day()) }
    }

    /// The period after it, of the same kind.
    #[must_use]
    pub fn next(self) -> Self {
        Self::around(self.kind, self.last.saturating_add(1.day()))
    }

    /// Behind which instant it begins, and until which it lasts, by the clock of a time zone.
    pub fn bounds(self, zone: &TimeZone) -> (Timestamp, Timestamp) {
        let midnight = |day: Date| {
            let midnight = day.to_zoned(zone.clone());
            midnight.map_or(Timestamp::MAX, |midnight| midnight.timestamp())
        };
        let until = self.last.saturating_add(1.day());
        (midnight(self.first), midnight(until))
    }

    /// The name of its quarter (`2026-Q4`), if it is one.
    pub fn quarter(self) -> Option<String> {
        let number = (self.first.month() + 2) / 3;
        let is_quarter = self.kind == PeriodKind::Quarterly;
        is_quarter.then(|| format!("{}-Q{number}", self.first.year()))
    }
}

/// `weekly-2026-11-23-2026-11-29`: unique, in the order of time for each kind, and good for a key.
impl fmt::Display for ReportPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.kind, self.first, self.last)
    }
}

/// A text that names no period.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NoPeriod;

impl fmt::Display for NoPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is no period such as weekly-2026-11-23-2026-11-29")
    }
}

impl FromStr for ReportPeriod {
    type Err = NoPeriod;

    fn from_str(text: &str) -> Result<Self, NoPeriod> {
        let (kind, days) = text.split_once('-').ok_or(NoPeriod)?;
        let (first, last) = days.split_at_checked(10).ok_or(NoPeriod)?;
        let day = |text: &str| text.parse::<Date>().map_err(|_| NoPeriod);
        let period = Self {
            kind: PeriodKind::from_code(kind).ok_or(NoPeriod)?,
            first: day(first)?,
            last: day(last.strip_prefix('-').ok_or(NoPeriod)?)?,
        };
        let expected = match period.kind {
            PeriodKind::Custom => Self::custom(period.first, period.last).ok_or(NoPeriod)?,
            kind => Self::around(kind, period.first),
        };
        if period == expected { Ok(period) } else { Err(NoPeriod) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn weeks_months_and_quarters_are_those_of_the_calendar() {
        // SP-27
        for (kind, on, name) in [
            (PeriodKind::Weekly, "2026-11-29", "weekly-2026-11-23-2026-11-29"),
            (PeriodKind::Weekly, "2026-11-30", "weekly-2026-11-30-2026-12-06"),
            (PeriodKind::Monthly, "2028-02-29", "monthly-2028-02-01-2028-02-29"),
            (PeriodKind::Quarterly, "2026-12-31", "quarterly-2026-10-01-2026-12-31"),
            (PeriodKind::Quarterly, "2027-01-01", "quarterly-2027-01-01-2027-03-31"),
        ] {
            let period = ReportPeriod::around(kind, day(on));
            assert_eq!(period.to_string(), name);
            assert_eq!(name.parse(), Ok(period));
            assert_eq!(period.next().first, period.last.tomorrow().unwrap());
        }
        assert_eq!(
            ReportPeriod::around(PeriodKind::Quarterly, day("2026-11-30")).quarter().as_deref(),
            Some("2026-Q4")
        );
        for wrong in
            ["weekly-2026-11-24-2026-11-30", "custom-2026-11-02-2026-11-01", "x", "weekly-é"]
        {
            assert_eq!(wrong.parse::<ReportPeriod>(), Err(NoPeriod), "{wrong}");
        }
    }

    #[test]
    fn a_day_is_as_long_as_the_clocks_say() {
        // SP-27, AMB-20: in Sydney clocks went forward on 4 October 2026.
        let zone = TimeZone::get("Australia/Sydney").unwrap();
        let week = ReportPeriod::around(PeriodKind::Weekly, day("2026-10-04"));
        let (from, until) = week.bounds(&zone);
        assert_eq!(from.to_string(), "2026-09-27T14:00:00Z");
        assert_eq!(until.to_string(), "2026-10-04T13:00:00Z");
    }
}
