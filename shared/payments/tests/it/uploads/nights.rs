//! Which night (EX-31, FAULT-28).

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use payments::upload::Night;
use proptest::prelude::*;

use crate::uploads::samples::{config, instant, zone};

/// Both halves of the earth, with clock changes and without; half and three quarters of an hour; the
/// first and the last to see a day; a change of half an hour, and one at midnight.
const ZONES: &[&str] = &[
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Europe/London",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Santiago",
    "America/Havana",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Tongatapu",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "UTC",
];

/// The tempting mistake: twelve hours off the instant instead of a look at the wall clock.
fn twelve_hours_off(instant: Timestamp, zone: &TimeZone) -> Date {
    (instant - SignedDuration::from_hours(12)).to_zoned(zone.clone()).date()
}

/// Zone, instant in UTC, night, and what is special about it.
const VECTORS: &[(&str, &str, &str, &str)] = &[
    ("UTC", "2026-03-10T11:59:59.999Z", "2026-03-09", "11:59: still the night before"),
    ("UTC", "2026-03-10T12:00:00Z", "2026-03-10", "noon: the next night"),
    ("UTC", "2026-03-10T12:01:00Z", "2026-03-10", "12:01"),
    ("UTC", "2026-03-11T00:00:00Z", "2026-03-10", "midnight does not end a night"),
    ("Australia/Sydney", "2026-03-10T11:00:00Z", "2026-03-10", "22:00, when it is due"),
    // Sydney: forward on Sunday 4 October 2026, 02:00 becomes 03:00; back on Sunday 5 April, 03:00 to 02:00.
    ("Australia/Sydney", "2026-10-04T00:59:00Z", "2026-10-03", "11:59 at the end of 23 hours"),
    ("Australia/Sydney", "2026-10-04T01:00:00Z", "2026-10-04", "noon after 23 hours"),
    ("Australia/Sydney", "2026-10-03T16:30:00Z", "2026-10-03", "03:30; there was no 02:30"),
    ("Australia/Sydney", "2026-04-05T01:59:00Z", "2026-04-04", "11:59 at the end of 25 hours"),
    ("Australia/Sydney", "2026-04-05T02:00:00Z", "2026-04-05", "noon after 25 hours"),
    ("Australia/Sydney", "2026-04-04T15:30:00Z", "2026-04-04", "02:30 for the first time"),
    ("Australia/Sydney", "2026-04-04T16:30:00Z", "2026-04-04", "02:30 for the second time"),
    // London: forward on 29 March 2026 at 01:00, back on 25 October at 02:00.
    ("Europe/London", "2026-03-29T10:59:00Z", "2026-03-28", "11:59 in summer time"),
    ("Europe/London", "2026-03-29T11:00:00Z", "2026-03-29", "noon in summer time"),
    ("Europe/London", "2026-10-25T11:59:00Z", "2026-10-24", "11:59 in winter time"),
    ("Europe/London", "2026-10-25T12:00:00Z", "2026-10-25", "noon in winter time"),
    // New York: forward on 8 March 2026, back on 1 November.
    ("America/New_York", "2026-03-08T15:59:00Z", "2026-03-07", "11:59 after the hour that was not"),
    ("America/New_York", "2026-03-08T16:00:00Z", "2026-03-08", "noon"),
    (
        "America/New_York",
        "2026-11-01T16:59:00Z",
        "2026-10-31",
        "11:59 after the hour that came twice",
    ),
    ("America/New_York", "2026-11-01T17:00:00Z", "2026-11-01", "noon"),
    // Santiago changes at midnight: on 6 September 2026 the day begins at 01:00, and Saturday 4 April
    // has its last hour twice.
    ("America/Santiago", "2026-09-06T14:59:00Z", "2026-09-05", "11:59 of a day without midnight"),
    ("America/Santiago", "2026-09-06T15:00:00Z", "2026-09-06", "noon"),
    ("America/Santiago", "2026-04-05T03:30:00Z", "2026-04-04", "23:30 for the second time"),
    ("America/Santiago", "2026-04-05T15:59:00Z", "2026-04-04", "11:59"),
    ("America/Santiago", "2026-04-05T16:00:00Z", "2026-04-05", "noon"),
    ("America/Sao_Paulo", "2026-11-01T14:59:00Z", "2026-10-31", "11:59; Brazil changes no more"),
    ("America/Sao_Paulo", "2026-11-01T15:00:00Z", "2026-11-01", "noon"),
    (
        "Asia/Kathmandu",
        "2026-06-15T06:14:00Z",
        "2026-06-14",
        "11:59, three quarters of an hour off",
    ),
    ("Asia/Kathmandu", "2026-06-15T06:15:00Z", "2026-06-15", "noon"),
    ("Asia/Kolkata", "2026-06-15T06:29:00Z", "2026-06-14", "11:59, half an hour off"),
    ("Asia/Kolkata", "2026-06-15T06:30:00Z", "2026-06-15", "noon"),
    ("Pacific/Auckland", "2026-09-26T22:59:00Z", "2026-09-26", "11:59 at the end of 23 hours"),
    ("Pacific/Auckland", "2026-09-26T23:00:00Z", "2026-09-27", "noon"),
    ("Pacific/Auckland", "2026-04-04T23:59:00Z", "2026-04-04", "11:59 at the end of 25 hours"),
    ("Pacific/Auckland", "2026-04-05T00:00:00Z", "2026-04-05", "noon"),
    ("Pacific/Tongatapu", "2026-12-31T22:59:00Z", "2026-12-31", "11:59 on New Year's Day, UTC+13"),
    ("Pacific/Tongatapu", "2026-12-31T23:00:00Z", "2027-01-01", "noon on New Year's Day"),
    ("Pacific/Kiritimati", "2026-12-31T21:59:00Z", "2026-12-31", "11:59 on New Year's Day, UTC+14"),
    ("Pacific/Kiritimati", "2026-12-31T22:00:00Z", "2027-01-01", "noon on New Year's Day"),
    ("Pacific/Pago_Pago", "2027-01-01T22:59:00Z", "2026-12-31", "11:59 on New Year's Day, UTC-11"),
    ("Pacific/Pago_Pago", "2027-01-01T23:00:00Z", "2027-01-01", "noon on New Year's Day"),
    ("Europe/London", "2028-02-29T11:59:00Z", "2028-02-28", "11:59 on the leap day"),
    ("Europe/London", "2028-02-29T12:00:00Z", "2028-02-29", "noon on the leap day"),
    ("Europe/London", "2028-03-01T11:59:00Z", "2028-02-29", "the leap day's night ends"),
    ("Europe/London", "2028-03-01T12:00:00Z", "2028-03-01", "and the next begins"),
];

#[test]
fn every_vector_has_its_night() {
    for (name, at, expected, what) in VECTORS {
        let night = Night::of(instant(at), &zone(name));
        assert_eq!(night.to_string(), *expected, "{name} {at}: {what}");
    }
}

/// The vectors would catch the mistake, in every zone in which clocks change.
#[test]
fn twelve_hours_off_the_instant_is_wrong_on_the_days_on_which_clocks_change() {
    let zones_caught: Vec<_> = VECTORS
        .iter()
        .filter(|(name, at, expected, _)| {
            twelve_hours_off(instant(at), &zone(name)).to_string() != *expected
        })
        .map(|(name, ..)| *name)
        .collect();
    for name in [
        "Australia/Sydney",
        "Europe/London",
        "America/New_York",
        "America/Santiago",
        "Pacific/Auckland",
    ] {
        assert!(zones_caught.contains(&name), "{name} would not catch it");
    }
    for name in ["Asia/Kathmandu", "Pacific/Tongatapu", "America/Sao_Paulo", "UTC"] {
        assert!(!zones_caught.contains(&name), "{name} has no clock changes");
    }
}

/// The instant at which a night begins: the first at which the wall clock says noon.
fn begins(night: Night, zone: &TimeZone) -> Timestamp {
    night.date().at(12, 0, 0, 0).to_zoned(zone.clone()).unwrap().timestamp()
}

/// Over eight years and every zone: nights follow one another without a gap, have 23 to 25 hours, and
/// the runs that are due in them are one each.
#[test]
fn nights_lie_side_by_side_and_have_23_to_25_hours() {
    for name in ZONES {
        let zone = zone(name);
        let mut night = Night::of(instant("2024-01-01T00:00:00Z"), &zone);
        let mut lengths = std::collections::BTreeSet::new();
        for _ in 0..8 * 365 {
            let (next, begin) = (night.plus(1), begins(night, &zone));
            let end = begins(next, &zone);
            let last = end - SignedDuration::from_nanos(1);
            assert_eq!(Night::of(begin, &zone), night, "{name}");
            assert_eq!(Night::of(last, &zone), night, "{name}");
            assert_eq!(Night::of(end, &zone), next, "{name}");
            lengths.insert(end.duration_since(begin).as_mins());
            night = next;
        }
        let (shortest, longest) = (*lengths.first().unwrap(), *lengths.last().unwrap());
        assert!(shortest >= 23 * 60 && longest <= 25 * 60, "{name}: {lengths:?}");
    }
}

/// A schedule at 02:30 has a day without it; the times that may be chosen exist on every day.
#[test]
fn a_time_that_may_be_chosen_exists_once_on_every_day() {
    let zone = zone("Australia/Sydney");
    let skipped = date(2026, 10, 4).at(2, 30, 0, 0);
    assert!(zone.to_ambiguous_zoned(skipped).is_ambiguous());
    for name in ZONES {
        let zone = crate::uploads::samples::zone(name);
        let mut day = date(2024, 1, 1);
        for _ in 0..8 * 365 {
            for hour in 4..24 {
                let time = jiff::civil::time(hour, 0, 0, 0);
                assert!(payments::upload::UploadSettings::always_exists(time));
                // Santiago and Havana turn back to 23:00: that hour is there twice, but it is there.
                let there = zone.to_ambiguous_zoned(day.to_datetime(time));
                assert!(!there.is_ambiguous() || hour == 23, "{name} {day} {hour}");
            }
            day = day.checked_add(1.day()).unwrap();
        }
    }
    assert!(!payments::upload::UploadSettings::always_exists(jiff::civil::time(2, 30, 0, 0)));
}

#[test]
fn a_night_is_written_as_the_day_on_which_it_begins() {
    let night = Night::of(instant("2026-03-10T12:00:00Z"), &TimeZone::UTC);
    assert_eq!((night.to_string().as_str(), night.date()), ("2026-03-10", date(2026, 3, 10)));
    assert_eq!("2026-03-10".parse::<Night>().unwrap(), night);
    assert_eq!(night.plus(22).to_string(), "2026-04-01");
    assert!("tonight".parse::<Night>().is_err());
}

proptest! {
    #![proptest_config(config())]

    /// A night's upload is due within that night, at the chosen time by the wall clock.
    #[test]
    fn law_a_night_is_due_within_itself(
        name in prop::sample::select(ZONES),
        days in 0_u32..3_000,
        (hour, minute) in (4_i8..24, 0_i8..60),
    ) {
        let (zone, at) = (zone(name), jiff::civil::time(hour, minute, 0, 0));
        let night = crate::uploads::samples::night("2024-01-01").plus(days);
        let due = night.due(at, &zone).unwrap();
        prop_assert_eq!(Night::of(due, &zone), night);
        prop_assert_eq!(due.to_zoned(zone).time(), at);
    }

    /// Every instant has one night, later instants never an earlier one; and the mistake of taking
    /// twelve hours off is never off by more than the hour of a clock change.
    #[test]
    fn law_nights_are_monotone(
        name in prop::sample::select(ZONES),
        seconds in 1_735_689_600_i64..1_900_000_000,
        later in 0_i64..200_000,
    ) {
        let zone = zone(name);
        let one = Timestamp::from_second(seconds).unwrap();
        let two = Timestamp::from_second(seconds + later).unwrap();
        let (first, second) = (Night::of(one, &zone), Night::of(two, &zone));
        prop_assert!(first <= second);
        // 23 hours at least: in less than that, no night is passed over.
        prop_assert!(later > 23 * 3600 || second <= first.plus(1));
        prop_assert!(later < 25 * 3600 || second > first);
        prop_assert!(begins(first, &zone) <= one && one < begins(first.plus(1), &zone));
        if twelve_hours_off(one, &zone) != first.date() {
            let from_noon = one.duration_since(begins(first, &zone)).abs();
            let to_noon = one.duration_since(begins(first.plus(1), &zone)).abs();
            prop_assert!(from_noon.min(to_noon) <= SignedDuration::from_hours(1));
        }
    }
}
