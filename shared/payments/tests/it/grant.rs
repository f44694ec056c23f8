//! X-14, FAULT-29: callers come at any time and die at any point; only one renews a grant at a time, and
//! none is lost while Xero takes the old token.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use payments::GrantId;
use payments::grant::{
    ACCESS_MARGIN, GRACE, Grant, GrantEnd, GrantMessage, LEASE, Pair, TokenAction, UNUSED_MAX,
};
use proptest::prelude::*;

/// As the client does: with less left of its lease, nothing is sent.
const SENDING_MAX: SignedDuration = SignedDuration::from_secs(25);
/// Short, so that a case has many renewals.
const ACCESS: SignedDuration = SignedDuration::from_secs(150);

fn start() -> Timestamp {
    "2026-10-05T03:41:25Z".parse().unwrap()
}

fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

fn pair(generation: u64, got_at: Timestamp, lives: SignedDuration) -> Pair {
    Pair {
        generation,
        access_token: "access".into(),
        access_until: got_at + lives,
        got_at,
        refresh_token: "refresh".into(),
    }
}

fn authorised() -> Grant {
    let organisation = "11111111-2222-3333-4444-555555555555".parse().unwrap();
    let id: GrantId = "7b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046".parse().unwrap();
    Grant::new(id).authorised(&pair(1, start(), ACCESS), BTreeSet::from([organisation]))
}

/// Xero's tokens: each with the moment at which it was replaced. Using a replaced one replaces its
/// successors, too: so the last one given is the only one that lasts.
#[derive(Default)]
struct Xero(Vec<Option<Timestamp>>);

impl Xero {
    fn refresh(&mut self, token: usize, now: Timestamp) -> Option<usize> {
        if self.0[token].is_some_and(|replaced| replaced + GRACE <= now) {
            return None;
        }
        for token in &mut self.0 {
            *token = token.or(Some(now));
        }
        self.0.push(None);
        Some(self.0.len() - 1)
    }
}

/// A pair, and which of Xero's tokens its second one is.
#[derive(Clone, Debug)]
struct Kept(Pair, usize);

/// How far a process has come with renewing.
#[derive(Clone, Debug)]
enum Process {
    Idle { spent: Option<u64> },
    Read(Grant, Option<u64>),
    Leased(Grant, Option<u64>),
    Refreshing(Grant, Kept),
    Given(Grant, Kept),
    Saved(Grant, Kept),
}

impl Process {
    fn lease(&self) -> Option<Timestamp> {
        match self {
            Self::Leased(grant, _)
            | Self::Refreshing(grant, _)
            | Self::Given(grant, _)
            | Self::Saved(grant, _) => grant.lease,
            Self::Idle { .. } | Self::Read(..) => None,
        }
    }
}

struct World {
    now: Timestamp,
    row: Grant,
    secret: Kept,
    xero: Xero,
    renewed: usize,
}

impl World {
    fn new() -> Self {
        let secret = Kept(pair(1, start(), ACCESS), 0);
        let xero = Xero(vec![None]);
        Self { now: start(), row: authorised(), secret, xero, renewed: 0 }
    }

    /// The conditional write of the row.
    fn store(&mut self, before: &Grant, after: Grant) -> Option<Grant> {
        if self.row.revision != before.revision {
            return None;
        }
        assert!(after.generation >= self.row.generation, "a generation never comes back");
        self.row = Grant { revision: before.revision + 1, ..after };
        Some(self.row.clone())
    }

    /// One step of a process, in the order in which the client makes them.
    fn step(&mut self, process: Process) -> Process {
        let idle = Process::Idle { spent: None };
        match process {
            Process::Idle { spent } => Process::Read(self.row.clone(), spent),
            Process::Read(grant, spent) => match grant.turn(spent, self.now) {
                TokenAction::Renew(leased) => match self.store(&grant, leased) {
                    Some(leased) => Process::Leased(leased, spent),
                    None => Process::Idle { spent },
                },
                TokenAction::Take => {
                    assert!(self.secret.0.generation >= grant.generation);
                    idle
                }
                TokenAction::Wait(_) | TokenAction::Paused(_) => Process::Idle { spent },
                TokenAction::Dead(dead) => panic!("{dead:?}"),
            },
            Process::Leased(grant, spent) => {
                let kept = self.secret.clone();
                let is_new = spent.is_none_or(|spent| kept.0.generation > spent);
                if is_new && kept.0.serves(self.now) {
                    Process::Saved(grant, kept)
                } else {
                    Process::Refreshing(grant, kept)
                }
            }
            Process::Refreshing(grant, from) => {
                if grant.lease.unwrap().duration_since(self.now) < SENDING_MAX {
                    return idle;
                }
                let token = self.xero.refresh(from.1, self.now).expect("no grant is lost");
                let next = pair(from.0.generation + 1, self.now, ACCESS);
                Process::Given(grant, Kept(next, token))
            }
            Process::Given(grant, next) => {
                if self.secret.0.generation < next.0.generation {
                    self.secret = next.clone();
                    return Process::Saved(grant, next);
                }
                Process::Saved(grant, self.secret.clone())
            }
            Process::Saved(grant, kept) => {
                assert!(self.secret.0.generation >= kept.0.generation, "kept before it is used");
                match self.store(&grant, grant.saved(&kept.0)) {
                    Some(_) => {
                        self.renewed += 1;
                        idle
                    }
                    None => Process::Idle { spent: Some(kept.0.generation) },
                }
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Event {
    Step(usize),
    Dies(usize),
    Later(i64),
}

fn arb_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        12 => (0_usize..4).prop_map(Event::Step),
        1 => (0_usize..4).prop_map(Event::Dies),
        3 => (0_i64..70).prop_map(Event::Later),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

    /// However four processes interleave and die, one renews at a time; and as long as the old token works,
    /// the next one gets in, now and for ever after.
    #[test]
    fn law_one_renews_at_a_time_and_no_grant_is_lost(
        events in prop::collection::vec(arb_event(), 0..150),
    ) {
        let mut world = World::new();
        let mut processes = vec![Process::Idle { spent: None }; 4];
        for event in events {
            match event {
                Event::Step(n) => {
                    let process = std::mem::replace(&mut processes[n], Process::Idle { spent: None });
                    processes[n] = world.step(process);
                }
                Event::Dies(n) => processes[n] = Process::Idle { spent: None },
                // Not longer than the old token works.
                Event::Later(by) if world.now + seconds(by) < start() + GRACE - LEASE * 2 => {
                    world.now += seconds(by);
                }
                Event::Later(_) => {}
            }
            let holders = processes.iter().filter_map(Process::lease);
            prop_assert!(holders.filter(|until| *until > world.now).count() <= 1);
            prop_assert!(world.row.generation <= world.secret.0.generation);
        }
        // All go on to their end, or are dead; a new one comes after the last lease.
        for process in processes {
            let mut process = process;
            for _ in 0..20 {
                process = world.step(process);
            }
        }
        world.now += LEASE;
        for _ in 0..3 {
            let mut process = Process::Idle { spent: None };
            for _ in 0..20 {
                process = world.step(process);
            }
            prop_assert!(world.secret.0.serves(world.now));
            prop_assert_eq!(world.row.lease.filter(|until| *until > world.now), None);
            world.now += days(1);
        }
        prop_assert!(world.renewed > 0);
    }
}

#[test]
fn a_token_is_taken_until_shortly_before_its_end_and_then_renewed_by_one() {
    let grant = authorised();
    let over = start() + ACCESS - ACCESS_MARGIN;
    assert_eq!(grant.turn(None, over - seconds(1)), TokenAction::Take);
    let TokenAction::Renew(leased) = grant.turn(None, over) else { panic!() };
    assert_eq!(leased.turn(None, over), TokenAction::Wait(over + LEASE));
    assert_eq!(leased.lease_for_writing(over), None);
    assert!(matches!(leased.turn(None, over + LEASE), TokenAction::Renew(_)));
    let renewed = leased.saved(&pair(2, over, ACCESS));
    assert_eq!((renewed.turn(None, over), renewed.lease), (TokenAction::Take, None));
}

#[test]
fn a_token_that_was_refused_is_renewed_once_for_all_who_had_it() {
    let grant = authorised();
    let TokenAction::Renew(leased) = grant.turn(Some(1), start()) else { panic!() };
    let renewed = leased.saved(&pair(2, start(), ACCESS));
    assert_eq!(renewed.turn(Some(1), start()), TokenAction::Take);
    assert!(matches!(renewed.turn(Some(2), start()), TokenAction::Renew(_)));
}

#[test]
fn pauses_double_and_leave_several_tries_while_the_old_token_works() {
    let over = start() + ACCESS;
    let (mut grant, mut now, mut tries) = (authorised(), over, 0);
    while now < over + GRACE {
        let TokenAction::Renew(leased) = grant.turn(None, now) else { panic!("{grant:?}") };
        grant = leased.failed(now);
        let until = grant.failing.unwrap().until;
        assert_eq!(grant.turn(None, now), TokenAction::Paused(until));
        assert!(until.duration_since(now) <= SignedDuration::from_mins(5), "{grant:?}");
        (now, tries) = (until, tries + 1);
    }
    assert!((9..15).contains(&tries), "{tries}");
    assert_eq!(grant.failing.unwrap().since, over);
    assert_eq!(grant.saved(&pair(2, now, ACCESS)).failing, None);
}

#[test]
fn what_is_dead_stays_dead_is_told_once_and_comes_back_by_a_user_alone() {
    let grant = authorised();
    let dead = grant.ended(GrantEnd::InvalidGrant, start());
    let (kind, why) = grant.message(&dead).unwrap();
    assert_eq!(kind, GrantMessage::Lost);
    assert!(why.contains("invalid_grant"), "{why}");
    let again = dead.ended(GrantEnd::SecretMissing, start() + days(1));
    assert_eq!((again.dead, dead.message(&again)), (dead.dead, None));
    for spent in [None, Some(9)] {
        for at in [start(), start() + days(100)] {
            assert_eq!(dead.turn(spent, at), TokenAction::Dead(dead.dead.unwrap()));
        }
    }
    let leased = dead.lease_for_writing(start()).unwrap();
    let back = leased.authorised(&pair(2, start(), ACCESS), grant.organisations.clone());
    assert_eq!(
        (back.turn(None, start()), back.message(&dead).is_some()),
        (TokenAction::Take, true)
    );
}

#[test]
fn warnings_come_14_7_and_1_days_before_the_end_and_each_once() {
    let mut grant = authorised();
    let mut given = Vec::new();
    for day in 0..=61 {
        let now = start() + days(day);
        if let Some(left) = grant.warning(now) {
            let warned = grant.warned(left);
            assert_eq!(grant.message(&warned).unwrap().0, GrantMessage::Expires);
            assert_eq!(warned.warning(now), None);
            given.push((day, left));
            grant = warned;
        }
    }
    assert_eq!(given, [(46, 14), (53, 7), (59, 1)]);
    assert_eq!(grant.ends_at(), start() + UNUSED_MAX);
    // A caller that looks rarely gets the last one only; and a use ends them all.
    assert_eq!(authorised().warning(start() + days(59)), Some(1));
    let used = grant.saved(&pair(2, start() + days(59), ACCESS));
    assert_eq!((used.warned, used.warning(start() + days(59))), (None, None));
    assert_eq!(used.ended(GrantEnd::InvalidGrant, start()).warning(start() + days(200)), None);
}
