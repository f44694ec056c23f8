//! X-09, N7: for all requests, from any number of callers, with any clocks: Xero never sees more calls
//! than it allows; and what can be used is used.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use payments::OrganisationId;
use payments::budget::{
    APP_MINUTE_MAX, APP_PARTS, AppMinute, Budget, CLOCKS_DIFFER_MAX, CallPermit, ClockId, DAY_MAX,
    Exhausted, IN_FLIGHT_MAX, MINUTE_MAX, OPEN_MAX, Purpose, Reserves, Wait, Word,
};
use proptest::prelude::*;

const MINUTE: SignedDuration = SignedDuration::from_secs(60);
const DAY: SignedDuration = SignedDuration::from_hours(24);

fn organisation() -> OrganisationId {
    "11111111-2222-3333-4444-555555555555".parse().unwrap()
}

fn start() -> Timestamp {
    "2026-10-05T03:41:22.518Z".parse().unwrap()
}

fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

fn unused() -> Budget {
    Budget::unused(organisation())
}

/// As the store does it.
fn enter(
    budget: &mut Budget,
    purpose: Purpose,
    day: u32,
    now: Timestamp,
) -> Result<CallPermit, Wait> {
    let (after, pass) = budget.enter(purpose, day, now)?;
    *budget = Budget { revision: budget.revision + 1, ..after };
    Ok(pass)
}

fn leave(budget: &mut Budget, pass: CallPermit, word: Word, now: Timestamp) {
    *budget = Budget { revision: budget.revision + 1, ..budget.leave(pass, word, now) };
}

/// One call that takes no time.
fn call(budget: &mut Budget, purpose: Purpose, day: u32, now: Timestamp) -> Result<(), Wait> {
    let pass = enter(budget, purpose, day, now)?;
    leave(budget, pass, Word::default(), now);
    Ok(())
}

/// Most of these moments that lie within any such stretch of time.
fn most_within(moments: &mut [Timestamp], length: SignedDuration) -> usize {
    moments.sort_unstable();
    let mut window: VecDeque<Timestamp> = VecDeque::new();
    let mut most = 0;
    for moment in moments.iter() {
        window.push_back(*moment);
        while moment.duration_since(window[0]) >= length {
            window.pop_front();
        }
        most = most.max(window.len());
    }
    most
}

#[derive(Clone, Debug)]
enum Step {
    Later(i64),
    Enter(Purpose),
    /// The nth of the open calls is answered; it arrived somewhere on the way, in percent.
    Leave {
        nth: usize,
        arrived: i64,
    },
    /// The nth of the open calls is never reported, and arrives as late as it can.
    Lose(usize),
}

fn arb_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        300 => (0_i64..600).prop_map(Step::Later),
        6 => (20_000_i64..61_000).prop_map(Step::Later),
        1 => Just(Step::Later(3_600_000 * 5)),
        600 => prop::sample::select(Purpose::ALL).prop_map(Step::Enter),
        400 => (0_usize..5, prop_oneof![Just(0_i64), Just(100), 0_i64..=100])
            .prop_map(|(nth, arrived)| Step::Leave { nth, arrived }),
        8 => (0_usize..5).prop_map(Step::Lose),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// N7, whenever between its start and its answer a call arrives at Xero.
    #[test]
    fn law_xero_never_sees_more_calls_than_it_allows(
        day in prop_oneof![20_u32..120, Just(DAY_MAX)],
        steps in prop::collection::vec(arb_step(), 1..1_500),
    ) {
        let (mut budget, mut now) = (unused(), start());
        let mut open: Vec<(CallPermit, Timestamp)> = Vec::new();
        let mut arrived = Vec::new();
        for step in steps {
            match step {
                Step::Later(millis) => {
                    now += SignedDuration::from_millis(millis);
                    // A call ends by itself before it is forgotten: that is the client's time limit.
                    let limit = OPEN_MAX - SignedDuration::from_millis(1);
                    open.retain(|(_, at)| {
                        let alive = *at + limit > now;
                        if !alive {
                            arrived.push(*at + limit);
                        }
                        alive
                    });
                }
                Step::Enter(purpose) => match enter(&mut budget, purpose, day, now) {
                    Ok(pass) => open.push((pass, now)),
                    Err(wait) => prop_assert!(wait.until > now, "{wait} at {now}"),
                },
                Step::Leave { nth, arrived: percent } if nth < open.len() => {
                    let (pass, at) = open.remove(nth);
                    let way = i64::try_from(now.duration_since(at).as_millis()).unwrap();
                    arrived.push(at + SignedDuration::from_millis(way * percent / 100));
                    leave(&mut budget, pass, Word::default(), now);
                }
                Step::Lose(nth) if nth < open.len() => {
                    let (_, at) = open.remove(nth);
                    arrived.push(at + OPEN_MAX - SignedDuration::from_millis(1));
                }
                Step::Leave { .. } | Step::Lose(_) => {}
            }
            prop_assert!(budget.open.len() <= IN_FLIGHT_MAX);
            prop_assert!(open.len() <= IN_FLIGHT_MAX);
        }
        prop_assert!(most_within(&mut arrived, MINUTE) <= MINUTE_MAX);
        prop_assert!(most_within(&mut arrived, DAY) <= usize::try_from(day).unwrap());
    }
}

#[test]
fn the_sixty_first_call_waits_until_the_first_is_a_minute_old() {
    //
    let mut budget = unused();
    for n in 0..60 {
        call(&mut budget, Purpose::Live, DAY_MAX, start() + seconds(n / 2)).unwrap();
    }
    let now = start() + seconds(59);

    let wait = call(&mut budget, Purpose::Live, DAY_MAX, now).unwrap_err();

    assert_eq!(wait, Wait { exhausted: Exhausted::Minute, until: start() + MINUTE });
    call(&mut budget, Purpose::Live, DAY_MAX, wait.until).unwrap();
}

#[test]
fn the_sixth_call_at_once_waits_and_a_call_nobody_reports_is_forgotten_after_half_a_minute() {
    // X-09, FAULT-22: the process that made it is dead.
    let mut budget = unused();
    for _ in 0..5 {
        enter(&mut budget, Purpose::Live, DAY_MAX, start()).unwrap();
    }
    let wait = enter(&mut budget, Purpose::Live, DAY_MAX, start()).unwrap_err();
    assert_eq!(wait.exhausted, Exhausted::Concurrent);

    let late = start() + OPEN_MAX;
    assert!(enter(&mut budget, Purpose::Live, DAY_MAX, late - seconds(1)).is_err());
    enter(&mut budget, Purpose::Live, DAY_MAX, late).unwrap();
    assert_eq!(budget.in_minute(), 6, "its minute begins when it must have arrived");
}

#[test]
fn the_day_keeps_a_share_for_live_events_and_for_the_upload() {
    // FAULT-23: a day of 1,000; the sweep takes all that it gets.
    let (mut budget, mut now, day) = (unused(), start(), 1_000);
    let drain = |budget: &mut Budget, purpose, now: &mut Timestamp| {
        let mut count = 0;
        loop {
            match call(budget, purpose, day, *now) {
                Ok(()) => count += 1,
                Err(Wait { exhausted: Exhausted::Day, until }) => return (count, until),
                Err(wait) => *now = wait.until,
            }
        }
    };
    let (swept, _) = drain(&mut budget, Purpose::Sweep, &mut now);
    let (live, _) = drain(&mut budget, Purpose::Live, &mut now);
    let (uploaded, until) = drain(&mut budget, Purpose::Upload, &mut now);

    assert_eq!(Reserves::of(day), Reserves { live: 200, upload: 50 });
    assert_eq!((swept, live, uploaded), (750, 200, 50));
    assert_eq!(budget.day_used_up_until(day, now), Some(until));
    let waited = until.duration_since(start());
    assert!(waited >= DAY && waited <= DAY + seconds(2 * 3_600), "{waited}");
    assert!(call(&mut budget, Purpose::Upload, day, until - seconds(1)).is_err());
    call(&mut budget, Purpose::Upload, day, until).unwrap();
}

#[test]
fn what_xero_says_is_left_only_ever_lowers_the_budget() {
    let mut budget = unused();
    let word = |minute, day| Word { minute_left: minute, day_left: day, ..Word::default() };
    let pass = enter(&mut budget, Purpose::Live, DAY_MAX, start()).unwrap();
    leave(&mut budget, pass, word(Some(60), Some(9_999)), start());
    assert_eq!((budget.in_minute(), budget.day_left(DAY_MAX, start())), (1, DAY_MAX - 1));

    // Another tool with our credentials has made fifty calls.
    let pass = enter(&mut budget, Purpose::Live, DAY_MAX, start()).unwrap();
    leave(&mut budget, pass, word(Some(8), Some(300)), start());
    assert_eq!((budget.in_minute(), budget.day_left(DAY_MAX, start())), (52, 300));
    call(&mut budget, Purpose::Live, DAY_MAX, start()).unwrap();
    assert_eq!(budget.day_left(DAY_MAX, start()), 299);
    // An hour later that says nothing any more.
    assert_eq!(budget.day_left(DAY_MAX, start() + seconds(3_600)), DAY_MAX - 3);
}

#[test]
fn what_was_fetched_is_counted_by_the_month() {
    //
    let mut budget = unused();
    let mut fetch = |bytes, at: &str| {
        let at = at.parse().unwrap();
        let pass = enter(&mut budget, Purpose::Sweep, DAY_MAX, at).unwrap();
        leave(&mut budget, pass, Word { bytes, ..Word::default() }, at);
        budget.clone()
    };
    fetch(1_000, "2026-11-01T00:00:00Z");
    let november = fetch(234, "2026-11-30T23:59:58Z");
    let at = |text: &str| text.parse().unwrap();
    assert_eq!(november.fetched_this_month(at("2026-11-30T23:59:59Z")), 1_234);
    assert_eq!(november.fetched_this_month(at("2026-12-01T00:00:00Z")), 0);
    fetch(50, "2026-12-01T00:00:00Z");
    // A clock that is behind: its answer belongs to the month that has begun.
    let december = fetch(7, "2026-11-30T23:59:59Z");
    assert_eq!(december.fetched_this_month(at("2026-12-01T00:00:00Z")), 57);
}

#[test]
fn nobody_calls_before_the_moment_that_xero_names() {
    // FAULT-18: Retry-After of twenty hours.
    let mut budget = unused();
    let pass = enter(&mut budget, Purpose::Live, DAY_MAX, start()).unwrap();
    let twenty_hours = SignedDuration::from_hours(20);
    let turned_away = Some((Exhausted::Day, Some(twenty_hours)));
    leave(&mut budget, pass, Word { turned_away, ..Word::default() }, start());

    let until = start() + twenty_hours;
    assert_eq!(budget.day_used_up_until(DAY_MAX, start()), Some(until));
    assert_eq!(budget.day_used_up_until(DAY_MAX, until), None);
    for purpose in Purpose::ALL {
        let wait = enter(&mut budget, *purpose, DAY_MAX, until - seconds(1)).unwrap_err();
        assert_eq!(wait, Wait { exhausted: Exhausted::Day, until });
    }
    enter(&mut budget, Purpose::Live, DAY_MAX, until).unwrap();
}

#[test]
fn a_shorter_wait_does_not_take_back_a_longer_one() {
    let mut budget = unused();
    let passes: Vec<_> =
        (0..2).map(|_| enter(&mut budget, Purpose::Live, DAY_MAX, start()).unwrap()).collect();
    for (pass, wait) in passes.into_iter().zip([600, 5]) {
        let turned_away = Some((Exhausted::Minute, Some(seconds(wait))));
        leave(&mut budget, pass, Word { turned_away, ..Word::default() }, start());
    }
    assert!(enter(&mut budget, Purpose::Live, DAY_MAX, start() + seconds(599)).is_err());
}

#[test]
fn a_clock_that_is_behind_only_makes_us_slower() {
    // FAULT-23
    let mut budget = unused();
    for _ in 0..60 {
        call(&mut budget, Purpose::Live, DAY_MAX, start()).unwrap();
    }
    let behind = start() - seconds(120);
    let wait = call(&mut budget, Purpose::Live, DAY_MAX, behind).unwrap_err();
    assert_eq!(wait.until, start() + MINUTE);
}

#[test]
fn the_app_gives_ten_thousand_calls_a_minute_to_all_organisations_together() {
    // in eight parts, of which live events leave a tenth to all other work.
    let (mut app, mut granted) = (AppMinute::default(), 0);
    for (purpose, all) in [
        (Purpose::Live, APP_MINUTE_MAX / APP_PARTS * 9 / 10),
        (Purpose::Sweep, APP_MINUTE_MAX / APP_PARTS),
    ] {
        let wait = loop {
            match app.grant(12, purpose, start()) {
                Ok((after, grant)) => {
                    app = after;
                    granted += grant.left;
                }
                Err(wait) => break wait,
            }
        };
        assert_eq!((granted, wait.exhausted), (all, Exhausted::AppMinute));
        let early = app.grant(1, purpose, start() + MINUTE);
        assert!(early.is_err(), "a call may be made some seconds after its grant");
        assert!(app.grant(1, purpose, wait.until).is_ok());
    }
    assert_eq!(app.granted.len(), 1, "by second");
}

#[test]
fn an_organisation_gets_as_many_of_the_apps_calls_as_it_will_make_in_the_time_that_they_last() {
    // most make one now and then, and one that works makes five in five seconds.
    for (in_minute, granted) in [(0, 1), (1, 1), (12, 1), (13, 2), (60, 5), (61, 6)] {
        let (_, grant) = AppMinute::default().grant(in_minute, Purpose::Live, start()).unwrap();
        assert_eq!(grant.left, granted, "{in_minute}");
    }
    let mut budget = unused();
    assert!(budget.needs_grant(start()));
    budget.grant = Some(AppMinute::default().grant(60, Purpose::Live, start()).unwrap().1);
    for n in 1..=5 {
        assert!(!budget.needs_grant(start()), "call {n}");
        let pass = call(&mut budget, Purpose::Live, DAY_MAX, start()).unwrap();
        budget = budget.leave(pass, Word::default(), start());
    }
    assert!(budget.needs_grant(start()), "the sixth");
}

#[test]
fn fifty_thousand_invoices_are_drained_within_one_and_a_fifth_of_the_least_time() {
    // 1,250 calls of 0.8 s by fifty consumers, each of which comes back when the budget says so.
    let calls = 50_000 / 40;
    let took = SignedDuration::from_millis(800);
    let mut budget = unused();
    let mut todo = calls;
    let mut events: BTreeMap<(Timestamp, usize), Option<CallPermit>> =
        (0..50).map(|consumer| ((start(), consumer), None)).collect();
    let (mut arrived, mut ended) = (Vec::new(), start());
    while let Some(((now, consumer), pass)) = events.pop_first() {
        if let Some(pass) = pass {
            leave(&mut budget, pass, Word::default(), now);
            ended = ended.max(now);
        }
        if todo == 0 {
            continue;
        }
        match enter(&mut budget, Purpose::Live, DAY_MAX, now) {
            Ok(pass) => {
                todo -= 1;
                arrived.push(now);
                events.insert((now + took, consumer), Some(pass));
            }
            Err(wait) => drop(events.insert((wait.until, consumer), None)),
        }
    }

    let floor = MINUTE * 20 + took * 10;
    let real = ended.duration_since(start());
    let ratio = real.as_secs_f64() / floor.as_secs_f64();
    let in_a_minute = most_within(&mut arrived, MINUTE);
    let minutes = real.as_secs_f64() / 60.0;
    let used = f64::from(calls) / (minutes.ceil() * 60.0);
    println!(
        "{calls} calls in {minutes:.1} min, {ratio:.3} of the floor; at most {in_a_minute} in a minute; \
         {:.1} % of the minutes used",
        used * 100.0
    );
    assert_eq!(arrived.len(), usize::try_from(calls).unwrap());
    assert!(ratio <= 1.2, "{ratio}");
    assert!(in_a_minute <= MINUTE_MAX && used >= 0.9, "{used}");
}

/// Hosts with clocks of their own.
#[derive(Clone, Debug)]
enum Tick {
    Later(i64),
    /// This host makes so many calls, one after the other, as far as it may.
    Calls(usize, usize),
}

fn arb_tick() -> impl Strategy<Value = Tick> {
    prop_oneof![
        3 => (0_i64..61_000).prop_map(Tick::Later),
        1 => (61_000_i64..400_000).prop_map(Tick::Later),
        6 => (0_usize..3, 1_usize..70).prop_map(|(host, calls)| Tick::Calls(host, calls)),
    ]
}

/// Makes one call by this clock, which takes no time.
fn call_by(budget: &mut Budget, clock: ClockId, now: Timestamp) -> bool {
    let Ok((after, pass)) = budget.enter_by(clock, Purpose::Live, DAY_MAX, now) else {
        return false;
    };
    *budget = Budget { revision: budget.revision + 1, ..after };
    let after = budget.leave_by(clock, pass, Word::default(), now);
    *budget = Budget { revision: budget.revision + 1, ..after };
    true
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// N7, FAULT-23: hosts whose clocks differ by up to two minutes either way. Counted by the true time.
    #[test]
    fn law_hosts_whose_clocks_differ_make_no_more_calls_in_a_minute_than_one(
        skews in prop::array::uniform3(-120_i64..=120),
        ticks in prop::collection::vec(arb_tick(), 1..60),
    ) {
        let (mut budget, mut now) = (unused(), start());
        let mut arrived = Vec::new();
        for tick in ticks {
            match tick {
                Tick::Later(millis) => now += SignedDuration::from_millis(millis),
                Tick::Calls(host, calls) => for _ in 0..calls {
                    let clock = ClockId(u64::try_from(host).unwrap());
                    if call_by(&mut budget, clock, now + seconds(skews[host])) {
                        arrived.push(now);
                    }
                },
            }
        }
        prop_assert!(most_within(&mut arrived, MINUTE) <= MINUTE_MAX);
    }
}

#[test]
fn two_hosts_that_take_turns_use_the_whole_minute_whatever_their_clocks_say() {
    // FAULT-22: what is sure is forgotten at once, since both go on.
    let (mut budget, mut now) = (unused(), start());
    let mut made = 0;
    for second in 0..600_usize {
        let host = second % 2;
        let skew = if host == 0 { seconds(100) } else { seconds(-100) };
        for _ in 0..3 {
            made += usize::from(call_by(
                &mut budget,
                ClockId(u64::try_from(host).unwrap()),
                now + skew,
            ));
        }
        now += seconds(1);
    }
    assert!(made >= 540, "{made} in ten minutes");
}

#[test]
fn what_a_host_has_used_that_is_gone_is_free_when_no_clock_can_say_otherwise() {
    let (mut budget, now) = (unused(), start());
    for _ in 0..MINUTE_MAX {
        assert!(call_by(&mut budget, ClockId(1), now));
    }
    assert!(!call_by(&mut budget, ClockId(2), now + MINUTE));
    assert!(call_by(&mut budget.clone(), ClockId(1), now + MINUTE), "its own clock knows");
    assert!(call_by(&mut budget, ClockId(2), now + MINUTE + CLOCKS_DIFFER_MAX));
}
