//! How many may go (EX-31, EX-32, AMB-09 to AMB-13; N6).

mod laws;

use jiff::{SignedDuration, Timestamp};
use payments::upload::{
    ATTEMPTS_MAX, ATTEMPTS_WINDOW, Caps, Forecast, GUARD_WINDOW, NEVER_TRIPS_PER_NIGHT,
    NIGHTLY_MAX, Night, RESERVATIONS_MAX, ReleasedSlot, SendMode,
};

use crate::uploads::samples::{night, organisation, zone};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

fn unused() -> Caps {
    Caps::unused(organisation())
}

/// Reserves, and writes what is to be written.
fn take(caps: &mut Caps, wanted: u32, sending: SendMode, at: Timestamp) -> u32 {
    let granted = caps.reserve(wanted, sending, NIGHTLY_MAX, at);
    if let Some(after) = granted.caps {
        *caps = after;
    }
    granted.count
}

fn sydney(at: &str) -> Timestamp {
    let local: jiff::civil::DateTime = at.parse().unwrap();
    local.to_zoned(zone("Australia/Sydney")).unwrap().timestamp()
}

fn nightly(at: Timestamp) -> SendMode {
    SendMode::Nightly(Night::of(at, &zone("Australia/Sydney")))
}

#[test]
fn two_hundred_go_in_a_night_and_the_next_one_waits() {
    // EX-31
    let (mut caps, at) = (unused(), sydney("2026-03-10T22:00"));
    assert_eq!(take(&mut caps, 201, nightly(at), at), 200);
    assert_eq!(take(&mut caps, 1, nightly(at + HOUR), at + HOUR), 0);
    assert_eq!(take(&mut caps, 1, nightly(at + DAY), at + DAY), 1);
}

#[test]
fn a_lower_number_a_night_is_kept_and_a_higher_one_is_not() {
    // AMB-09
    let (caps, at) = (unused(), sydney("2026-03-10T22:00"));
    assert_eq!(caps.reserve(300, nightly(at), 129, at).count, 129);
    assert_eq!(caps.reserve(300, nightly(at), 100_000, at).count, 200);
    assert_eq!(caps.reserve(0, nightly(at), 200, at).caps, None);
}

#[test]
fn two_nights_that_touch_at_noon_do_not_get_four_hundred() {
    // N6: no 20 hours hold more than a night's worth.
    let (mut caps, before) = (unused(), sydney("2026-03-11T11:59"));
    let after = sydney("2026-03-11T12:01");
    assert_ne!(nightly(before), nightly(after));
    assert_eq!(take(&mut caps, 200, nightly(before), before), 200);
    assert_eq!(take(&mut caps, 200, nightly(after), after), 0);
    let later = before + GUARD_WINDOW - SignedDuration::from_secs(1);
    assert_eq!(take(&mut caps, 200, nightly(later), later), 0);
    let free = before + GUARD_WINDOW;
    assert_eq!(take(&mut caps, 200, nightly(free), free), 200);
}

#[test]
fn the_night_of_23_hours_is_not_blocked() {
    // FAULT-28. A guard of 24 hours would block it, as it would a run that begins a second early.
    let (first, second) = (sydney("2026-10-03T22:00"), sydney("2026-10-04T22:00"));
    assert_eq!(second.duration_since(first), HOUR * 23);
    let mut caps = unused();
    assert_eq!(take(&mut caps, 200, nightly(first), first), 200);
    assert_eq!(take(&mut caps, 200, nightly(second), second), 200);
    let early = second + DAY - SignedDuration::from_secs(1);
    assert_eq!(take(&mut caps, 200, nightly(early), early), 200);
}

#[test]
fn the_attempt_after_4000_switches_off_and_direct_posts_go_on() {
    // EX-32, AMB-12, AMB-13
    let (mut caps, start) = (unused(), sydney("2026-05-01T22:00"));
    for days in 0..20 {
        let at = start + DAY * days;
        assert_eq!(take(&mut caps, 200, nightly(at), at), 200);
    }
    let at = start + DAY * 20;
    assert_eq!((caps.attempts(at), caps.disabled.is_some()), (ATTEMPTS_MAX, false));
    assert_eq!(take(&mut caps, 200, nightly(at), at), 0);
    assert_eq!(caps.disabled.as_ref().map(|off| off.at), Some(at));

    // Off stays off, even when there is room again, until a person switches it on.
    let later = at + DAY * 31;
    assert_eq!(caps.reserve(5, nightly(later), 200, later).count, 0);
    assert_eq!(take(&mut caps, 3, SendMode::Direct, at + HOUR), 3);
    assert_eq!(caps.attempts(at + HOUR), ATTEMPTS_MAX + 3);

    // Switching it on resets nothing: the next attempt of a night switches it off again.
    let mut caps = caps.on();
    assert_eq!(caps.attempts(at + HOUR), ATTEMPTS_MAX + 3);
    assert_eq!(take(&mut caps, 1, nightly(at + HOUR), at + HOUR), 0);
    assert!(caps.disabled.is_some());
    let mut caps = caps.on();
    assert_eq!(take(&mut caps, 9, nightly(later), later), 9);
}

#[test]
fn as_many_as_are_left_of_4000_are_granted_and_then_none() {
    // EX-32: exactly 4,000 is allowed.
    let (mut caps, at) = (unused(), sydney("2026-05-01T22:00"));
    assert_eq!(take(&mut caps, 3_990, SendMode::Direct, at), 3_990);
    assert_eq!(take(&mut caps, 50, nightly(at), at), 10);
    assert!(caps.disabled.is_none());
    assert_eq!(take(&mut caps, 40, nightly(at), at), 0);
    assert!(caps.disabled.is_some());
}

#[test]
fn a_direct_post_that_is_one_too_many_goes_and_switches_the_nights_off() {
    // AMB-13, AMB-10: counted like any other, and never held back.
    let (mut caps, at) = (unused(), sydney("2026-05-01T22:00"));
    take(&mut caps, ATTEMPTS_MAX, SendMode::Direct, at);
    assert!(caps.disabled.is_none());
    assert_eq!(take(&mut caps, 1, SendMode::Direct, at), 1);
    assert!(caps.disabled.is_some());
}

#[test]
fn direct_posts_take_no_slot_of_the_night() {
    // AMB-10
    let (mut caps, at) = (unused(), sydney("2026-05-01T22:00"));
    take(&mut caps, 500, SendMode::Direct, at);
    assert_eq!(take(&mut caps, 200, nightly(at), at), 200);
}

#[test]
fn attempts_leave_the_window_after_30_times_24_hours() {
    // AMB-12: rolling, to the second, and not by the calendar.
    let (mut caps, at) = (unused(), sydney("2026-09-20T22:00"));
    take(&mut caps, 7, nightly(at), at);
    let second = SignedDuration::from_secs(1);
    assert_eq!(caps.attempts(at + ATTEMPTS_WINDOW - second), 7);
    assert_eq!(caps.attempts(at + ATTEMPTS_WINDOW), 0);
}

#[test]
fn a_clock_that_was_a_day_ahead_loses_nothing() {
    let (mut caps, start) = (unused(), sydney("2026-05-01T22:00"));
    take(&mut caps, 7, nightly(start), start);
    let at = start + ATTEMPTS_WINDOW - HOUR;
    take(&mut caps, 1, SendMode::Direct, at + DAY);
    assert_eq!(caps.attempts(at), 8);
}

#[test]
fn what_nothing_came_of_is_given_back_for_its_own_night_only() {
    let (mut caps, at) = (unused(), sydney("2026-03-10T22:00"));
    let SendMode::Nightly(tonight) = nightly(at) else { panic!() };
    take(&mut caps, 2, nightly(at), at);
    take(&mut caps, 3, nightly(at), at + HOUR);
    take(&mut caps, 1, SendMode::Direct, at + HOUR);
    let freed =
        |sending, attempt| ReleasedSlot { sending, reserved_at: at + HOUR, slot: true, attempt };

    // A refusal frees the slot; it was an attempt (AMB-11).
    let after = caps.give_back(freed(nightly(at), false));
    assert_eq!((after.used_in(tonight), after.attempts(at + HOUR)), (4, 6));
    assert_eq!(after.reservations[0], caps.reservations[0]);
    // A payment that was never sent was no attempt.
    let after = caps.give_back(freed(nightly(at), true));
    assert_eq!((after.used_in(tonight), after.attempts(at + HOUR)), (4, 5));
    // A direct post has no slot to give: the night's stay used.
    let after = caps.give_back(freed(SendMode::Direct, true));
    assert_eq!((after.used_in(tonight), after.attempts(at + HOUR)), (5, 5));
}

#[test]
fn operators_are_told_once_at_75_and_90_and_95_percent() {
    // AMB-09
    let (mut caps, start) = (unused(), sydney("2026-05-01T22:00"));
    let mut warned = Vec::new();
    for step in 0..40 {
        let at = start + HOUR * step;
        let granted = caps.reserve(100, SendMode::Direct, 200, at);
        warned.extend(granted.warn.map(|percent| (caps.attempts(at) + 100, percent)));
        caps = granted.caps.unwrap();
    }
    assert_eq!(warned, [(3000, 75), (3600, 90), (3800, 95)]);
    // After the attempts have gone down, it begins again.
    let later = start + ATTEMPTS_WINDOW + DAY;
    assert_eq!(caps.reserve(10, SendMode::Direct, 200, later).warn, None);
    let again = caps.reserve(10, SendMode::Direct, 200, later).caps.unwrap();
    assert_eq!(again.reserve(1_500, SendMode::Direct, 200, later).warn, Some(75));
}

#[test]
fn a_pace_of_133_a_night_is_switched_off_in_the_31st() {
    // AMB-09 says that 133 can never trip. Thirty nights of it are 3,990, but a 31st run lies within
    // 30 times 24 hours of the first as soon as it begins a second earlier, or clocks went forward.
    let runs = |start: &str, nights: i32, pace, hurry: SignedDuration| {
        let (mut caps, mut tripped) = (unused(), None);
        let first = sydney(start);
        for n in 0..nights {
            let local = first.to_zoned(zone("Australia/Sydney")).datetime();
            let local = local.checked_add(jiff::Span::new().days(n)).unwrap();
            let mut at = local.to_zoned(zone("Australia/Sydney")).unwrap().timestamp();
            at -= hurry * i32::from(n > 0);
            let granted = caps.reserve(pace, nightly(at), pace, at);
            caps = granted.caps.unwrap();
            if caps.disabled.is_some() {
                tripped = tripped.or(Some(n + 1));
            } else if granted.count < pace {
                // The 4,000th went; the next attempt will be one too many.
                tripped = tripped.or(Some(n + 1));
            }
        }
        tripped
    };
    let (none, second) = (SignedDuration::ZERO, SignedDuration::from_secs(1));
    assert_eq!(runs("2026-06-01T22:00", 90, 133, none), None, "exactly 24 hours apart");
    assert_eq!(runs("2026-06-01T22:00", 90, 133, second), Some(31), "a second earlier");
    assert_eq!(runs("2026-09-20T22:00", 90, 133, none), Some(31), "clocks went forward");
    assert_eq!(runs("2026-09-20T22:00", 90, NEVER_TRIPS_PER_NIGHT, second), None);
    assert_eq!(NEVER_TRIPS_PER_NIGHT, 129);
}

#[test]
fn full_nights_trip_in_the_21st() {
    // AMB-09
    let (mut caps, first) = (unused(), sydney("2026-05-01T22:00"));
    let tonight = night("2026-05-01");
    take(&mut caps, 200, nightly(first), first);
    let forecast = Forecast::after(&caps, tonight, 200, 5_000, 200, first);
    assert_eq!(forecast.trips_in, Some(tonight.plus(20)), "the 21st of them");
    assert_eq!((forecast.nights_to_clear, forecast.clears_in), (25, tonight.plus(25)));
    assert_eq!((forecast.attempts, forecast.never_trips_per_night), (200, 129));
    // It comes true.
    for n in 1..=20 {
        let at = first + DAY * n;
        let granted = take(&mut caps, 200, nightly(at), at);
        assert_eq!(granted, if n < 20 { 200 } else { 0 }, "night {}", n + 1);
    }
    assert!(caps.disabled.is_some());
}

#[test]
fn a_forecast_in_exact_figures() {
    // U11: 201 payments, 200 go, one night clears the rest.
    let (mut caps, at) = (unused(), sydney("2026-05-01T22:00"));
    take(&mut caps, 200, nightly(at), at);
    let tonight = night("2026-05-01");
    let expect = |sent, waiting, max| {
        let forecast = Forecast::after(&caps, tonight, sent, waiting, max, at);
        (forecast.nights_to_clear, forecast.clears_in.to_string(), forecast.trips_in)
    };
    assert_eq!(expect(0, 1, 200), (1, "2026-05-02".to_owned(), None));
    assert_eq!(expect(0, 0, 200), (0, "2026-05-01".to_owned(), None));
    assert_eq!(expect(0, 401, 200), (3, "2026-05-04".to_owned(), None));
    assert_eq!(expect(0, 401, 1_000).0, 3, "no night takes more than 200");
    assert_eq!(expect(129, 401, 129), (4, "2026-05-05".to_owned(), None));
    // Tonight's 200 and 29 times 131 are 3,999; before the 30th, tonight leaves the window.
    assert_eq!(expect(131, 0, 200).2, None);
    assert_eq!(expect(132, 0, 200).2, Some(tonight.plus(29)));
}

/// However many reservations there are, they are kept in a bounded row, and what that costs is at most
/// a few hours longer, never a count too low.
#[test]
fn many_reservations_are_kept_as_few_and_never_count_for_less() {
    // (posts a day, of which every so many is a night's): the second never has two alike side by side.
    for (a_day, every) in [(131, 1_000), (131, 2), (600, 3)] {
        let (mut caps, mut true_times) = (unused(), Vec::new());
        let start = sydney("2026-08-20T12:00");
        let apart = SignedDuration::from_secs(86_400 / a_day);
        for n in 0..i32::try_from(a_day).unwrap() * 45 {
            let at = start + apart * n;
            let sending = if n % every == 1 { nightly(at) } else { SendMode::Direct };
            if take(&mut caps, 1, sending, at) == 1 {
                true_times.push((at, sending));
            }
            assert!(caps.reservations.len() <= RESERVATIONS_MAX);
            if n % 997 != 0 {
                continue;
            }
            let since = |window| true_times.iter().filter(move |(made, _)| *made > at - window);
            let count = |window| u32::try_from(since(window).count()).unwrap();
            assert!(caps.attempts(at) >= count(ATTEMPTS_WINDOW));
            assert!(caps.attempts(at) <= count(ATTEMPTS_WINDOW + HOUR * 4), "carried along");
            let slots =
                |window| since(window).filter(|(_, made)| *made != SendMode::Direct).count();
            assert!(caps.used_lately(at) >= u32::try_from(slots(GUARD_WINDOW)).unwrap());
            let SendMode::Nightly(tonight) = nightly(at) else { panic!() };
            let used = true_times.iter().filter(|(_, made)| *made == SendMode::Nightly(tonight));
            assert_eq!(caps.used_in(tonight), u32::try_from(used.count()).unwrap());
        }
        if a_day == 131 {
            assert!(caps.disabled.is_none(), "131 a day are 3,930 in 30 days");
        }
    }
}

#[test]
fn what_was_merged_can_still_be_given_back() {
    let (mut caps, start) = (unused(), sydney("2026-08-20T12:00"));
    let run = start + HOUR * 10;
    take(&mut caps, 40, nightly(run), run);
    take(&mut caps, 40, nightly(run), run + SignedDuration::from_mins(20));
    for n in 0..1_200 {
        take(&mut caps, 1, SendMode::Direct, run + HOUR + SignedDuration::from_mins(10) * n);
    }
    let SendMode::Nightly(tonight) = nightly(run) else { panic!() };
    let of_night = |caps: &Caps| caps.reservations.iter().filter(|r| r.night.is_some()).count();
    assert_eq!((caps.used_in(tonight), of_night(&caps)), (80, 1));
    let back = ReleasedSlot { sending: nightly(run), reserved_at: run, slot: true, attempt: false };
    assert_eq!(caps.give_back(back).used_in(tonight), 79);
}
