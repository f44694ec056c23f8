//! Which night an instant belongs to.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

/// The hour, by the wall clock, at which one night ends and the next one begins.
const NOON: i8 = 12;

/// A night: from noon to noon by the wall clock of the organisation's time zone, named after the
/// day on which it begins.
///
/// The wall clock is asked, not the instant shifted by twelve hours: on the days on which the clocks
/// change those two differ by an hour. Clocks change at night, so that a night has 23, 24 or 25
/// hours, and every instant has exactly one night.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Night(Date);

impl Night {
    /// The night of an instant.
    pub fn of(instant: Timestamp, zone: &TimeZone) -> Self {
        let local = instant.to_zoned(zone.clone()).datetime();
        if local.hour() < NOON {
            // The first representable day has no yesterday, and no payment is made on it.
            return Self(local.date().yesterday().unwrap_or(local.date()));
        }
        Self(local.date())
    }

    /// The day on which it begins.
    pub fn date(self) -> Date {
        self.0
    }

    /// When its upload is due, if that is to be at this time of the clock.
    pub fn due(self, at: Time, zone: &TimeZone) -> Option<Timestamp> {
        let day = if at.hour() < NOON { self.0.tomorrow().ok()? } else { self.0 };
        day.to_datetime(at).to_zoned(zone.clone()).ok().map(|due| due.timestamp())
    }

    /// The night that many nights later.
    pub fn plus(self, nights: u32) -> Self {
        let days = jiff::Span::new().try_days(i64::from(nights));
        Self(days.and_then(|days| self.0.checked_add(days)).unwrap_or(Date::MAX))
    }
}

/// The night that begins on this day.
impl From<Date> for Night {
    fn from(day: Date) -> Self {
        Self(day)
    }
}

impl fmt::Display for Night {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Night {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}
