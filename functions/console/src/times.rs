//! Moments and spans of time in words that people use: in the organisation's zone, and how long ago.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A moment by the wall clock of a zone, and how long ago it is or how long it will be.
pub fn moment(at: Timestamp, zone: &TimeZone, now: Timestamp) -> String {
    let clock = at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string();
    let since = now.duration_since(at);
    if since.abs() < SignedDuration::from_mins(1) {
        // What an order has just done may be a moment later than the page.
        format!("{clock} (just now)")
    } else if since.is_negative() {
        format!("{clock} (in {})", span(since.abs()))
    } else {
        format!("{clock} ({} ago)", span(since))
    }
}

/// The same of a moment that there may not be.
pub fn moment_or(
    at: Option<Timestamp>,
    otherwise: &str,
    zone: &TimeZone,
    now: Timestamp,
) -> String {
    at.map_or_else(|| otherwise.to_owned(), |at| moment(at, zone, now))
}

/// A moment by the wall clock alone, to the second, as rows of a log have it.
pub fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A span of time by its two largest units.
pub fn span(span: SignedDuration) -> String {
    let minutes = span.as_mins();
    let (days, hours) = (minutes.div_euclid(24 * 60), minutes.div_euclid(60).rem_euclid(24));
    match (days, hours, minutes.rem_euclid(60)) {
        (0, 0, 0) => "less than a minute".to_owned(),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (1, hours, _) => format!("1 day {hours} h"),
        (days, hours, _) => format!("{days} days {hours} h"),
    }
}

/// A number of bytes, to the next unit that makes sense, without decimals.
pub fn bytes(count: u64) -> String {
    match count {
        0..10_000 => format!("{count} bytes"),
        10_000..10_000_000 => format!("{} kB", count / 1_000),
        _ => format!("{} MB", count / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_by_the_organisations_clock() {
        let zone = TimeZone::get("Australia/Sydney").unwrap();
        let now = "2026-11-25T11:30:00Z".parse().unwrap();
        let written = |at: &str| moment(at.parse().unwrap(), &zone, now);
        assert_eq!(written("2026-11-25T11:00:00Z"), "2026-11-25 22:00 AEDT (30 min ago)");
        assert_eq!(written("2026-11-25T13:45:00Z"), "2026-11-26 00:45 AEDT (in 2 h 15 min)");
        assert_eq!(written("2026-11-23T10:30:00Z"), "2026-11-23 21:30 AEDT (2 days 1 h ago)");
        assert_eq!(written("2026-11-25T11:30:20Z"), "2026-11-25 22:30 AEDT (just now)");
        assert_eq!(moment_or(None, "never", &zone, now), "never");
    }
}
