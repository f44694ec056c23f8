//! Laws of the caps, under any sequence of what a run may meet.

use jiff::{SignedDuration, Timestamp};
use payments::upload::{
    ATTEMPTS_MAX, ATTEMPTS_WINDOW, GUARD_WINDOW, NEVER_TRIPS_PER_NIGHT, NIGHTLY_MAX, Night,
    ReleasedSlot, SendMode,
};
use proptest::prelude::*;

use super::{DAY, unused};
use crate::uploads::samples::{config, instant, night, zone};

/// What a run of the caps may meet.
#[derive(Clone, Debug)]
enum Step {
    Later(i64),
    Back(i64),
    Nightly(u32),
    Direct(u32),
    GiveBack { which: prop::sample::Index, attempt: bool },
    SwitchOn,
}

fn arb_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0_i64..60 * 3600).prop_map(Step::Later),
        1 => (0_i64..30 * 3600).prop_map(Step::Back),
        4 => (0_u32..260).prop_map(Step::Nightly),
        2 => prop_oneof![1_u32..20, 100_u32..500].prop_map(Step::Direct),
        2 => (any::<prop::sample::Index>(), any::<bool>())
            .prop_map(|(which, attempt)| Step::GiveBack { which, attempt }),
        1 => Just(Step::SwitchOn),
    ]
}

/// One payment that was granted, as a bookkeeper would write it down.
#[derive(Clone, Copy, Debug)]
struct Granted {
    at: Timestamp,
    sending: SendMode,
    slot: bool,
    attempt: bool,
    returned: bool,
}

#[derive(Default)]
struct Book(Vec<Granted>);

impl Book {
    fn slots(&self, admits: impl Fn(&Granted) -> bool) -> u32 {
        let found = self.0.iter().filter(|one| one.slot && admits(one)).count();
        u32::try_from(found).unwrap()
    }

    fn attempts(&self, now: Timestamp) -> u32 {
        let from = now - ATTEMPTS_WINDOW;
        let found = self.0.iter().filter(|one| one.attempt && one.at > from).count();
        u32::try_from(found).unwrap()
    }

    /// The most slots in any 20 hours.
    fn fullest(&self) -> u32 {
        let mut ends: Vec<_> = self.0.iter().map(|one| one.at).collect();
        ends.dedup();
        let in_window = |end: Timestamp| self.slots(|g| g.at <= end && g.at > end - GUARD_WINDOW);
        ends.into_iter().map(in_window).max().unwrap_or(0)
    }
}

proptest! {
    #![proptest_config(config())]

    /// EX-31, EX-32, N6: in every course of events, clocks that step back included, no night and no 20
    /// hours hold more than 200, and exactly what is left is granted.
    #[test]
    fn law_the_caps_hold_and_grant_exactly_what_is_left(
        steps in prop::collection::vec(arb_step(), 1..60),
        nightly_max in prop_oneof![Just(200), 1_u32..=200],
        name in prop::sample::select(&["Australia/Sydney", "Europe/London", "Pacific/Kiritimati"][..]),
    ) {
        let zone = zone(name);
        let (mut caps, mut book) = (unused(), Book::default());
        let mut now = instant("2026-09-25T10:00:00Z");
        let mut latest = now;
        for step in steps {
            match step {
                Step::Later(seconds) => now += SignedDuration::from_secs(seconds),
                // A clock may be wrong for a day or two, not for a week.
                Step::Back(seconds) => {
                    let back = now - SignedDuration::from_secs(seconds);
                    now = back.max(latest - DAY * 2);
                }
                Step::Nightly(wanted) => {
                    let tonight = Night::of(now, &zone);
                    let sending = SendMode::Nightly(tonight);
                    let of_night = book.slots(|one| one.sending == sending);
                    let lately = book.slots(|one| one.at > now - GUARD_WINDOW);
                    let left = nightly_max.saturating_sub(of_night).min(200 - lately.min(200));
                    let attempts_left = ATTEMPTS_MAX.saturating_sub(book.attempts(now));
                    let on = caps.disabled.is_none();
                    let granted = caps.reserve(wanted, sending, nightly_max, now);
                    let fits = wanted.min(left);
                    prop_assert_eq!(granted.count, if on { fits.min(attempts_left) } else { 0 });
                    let after = granted.caps.unwrap_or_else(|| caps.clone());
                    let trips = on && fits > 0 && attempts_left == 0;
                    prop_assert_eq!(after.disabled.is_some(), !on || trips);
                    caps = after;
                    write_down(&mut book, granted.count, sending, now);
                }
                Step::Direct(wanted) => {
                    let granted = caps.reserve(wanted, SendMode::Direct, nightly_max, now);
                    prop_assert_eq!(granted.count, wanted, "direct posts always go");
                    let over = book.attempts(now) + wanted > ATTEMPTS_MAX;
                    let was_off = caps.disabled.is_some();
                    caps = granted.caps.unwrap();
                    prop_assert_eq!(caps.disabled.is_some(), was_off || over);
                    write_down(&mut book, wanted, SendMode::Direct, now);
                }
                Step::GiveBack { which, attempt } => {
                    let kept = |one: &Granted| !one.returned && one.at > latest - DAY * 29;
                    let open: Vec<_> = (0..book.0.len()).filter(|i| kept(&book.0[*i])).collect();
                    if open.is_empty() { continue; }
                    let one = &mut book.0[open[which.index(open.len())]];
                    let (sending, reserved_at) = (one.sending, one.at);
                    caps = caps.give_back(ReleasedSlot { sending, reserved_at, slot: true, attempt });
                    (one.slot, one.returned) = (false, true);
                    one.attempt &= !attempt;
                }
                Step::SwitchOn => caps = caps.on(),
            }
            latest = latest.max(now);
            let tonight = Night::of(now, &zone);
            let of_night = book.slots(|one| one.sending == SendMode::Nightly(tonight));
            prop_assert_eq!(caps.used_in(tonight), of_night);
            prop_assert!(of_night <= nightly_max);
            prop_assert_eq!(caps.attempts(now), book.attempts(now));
            prop_assert!(book.fullest() <= NIGHTLY_MAX);
            prop_assert!(caps.reservations.is_sorted_by_key(|made| made.at));
        }
    }

    /// AMB-09: one run a night, hours earlier or later than due, over every clock change: the pace that
    /// is offered never reaches the limit.
    #[test]
    fn law_the_pace_that_never_trips_never_trips(
        jitters in prop::collection::vec(-11 * 3600_i32..11 * 3600, 400),
        name in prop::sample::select(
            &["Australia/Sydney", "Europe/London", "America/New_York", "Asia/Kathmandu"][..],
        ),
        first in 0_u32..365,
    ) {
        let zone = zone(name);
        let mut caps = unused();
        for (n, jitter) in (first..).zip(jitters) {
            let tonight = night("2026-01-01").plus(n);
            let due = tonight.date().at(23, 30, 0, 0).to_zoned(zone.clone()).unwrap().timestamp();
            let at = due + SignedDuration::from_secs(i64::from(jitter));
            let granted = caps.reserve(500, SendMode::Nightly(tonight), NEVER_TRIPS_PER_NIGHT, at);
            // Runs that lie less than 20 hours apart share 200 (N6).
            prop_assert!(granted.count > 0);
            if let Some(after) = granted.caps {
                caps = after;
            }
            prop_assert!(caps.disabled.is_none());
            prop_assert!(caps.attempts(at) < ATTEMPTS_MAX);
        }
    }
}

fn write_down(book: &mut Book, count: u32, sending: SendMode, at: Timestamp) {
    let slot = sending != SendMode::Direct;
    let one = Granted { at, sending, slot, attempt: true, returned: false };
    book.0.extend(std::iter::repeat_n(one, usize::try_from(count).unwrap()));
}
