//! The virtual clock: schedules, queues, and runs that call Xero.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};

use jiff::civil::time;
use jiff::{SignedDuration, Timestamp};
use payments::OrganisationId;
use payments::budget::{AppMinute, DAY_MAX, Purpose, Word};
use payments::sweep::{Start, SyncKind, SyncRunId, SyncState, Trigger};
use payments::upload::Night;
use queue::{ScheduleTask, ScheduledWork, UploadTask};

use crate::fleet::{Fleet, Member};
use crate::meter::Meter;

/// Copies of a function at once, as in the template.
const COPIES: usize = 10;
const SWEEP_EVERY: SignedDuration = SignedDuration::from_mins(30);
/// How often nights that are due are looked for.
const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(45);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// An invocation of the sweep.
const INVOCATION: SignedDuration = SignedDuration::from_mins(5);
/// How long one takes that is broken.
const BROKEN: i64 = 30_000;

/// How the work of a schedule is done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Loop {
    /// One message for each organisation.
    Messages,
    /// One invocation goes through all of them, one after the other, in the order of the table.
    Serial,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// The longest time from a schedule to the end of an organisation's work (of a night: to its beginning), by kind.
    pub longest: BTreeMap<&'static str, SignedDuration>,
    /// How often work was not done before the next schedule, broken organisations apart.
    pub missed: u64,
    /// Nights that began.
    pub nights: u64,
    /// Organisations that were never swept.
    pub never: usize,
    /// Those whose last run failed.
    pub failing: Vec<OrganisationId>,
    /// Runs that stopped at a limit of Xero's.
    pub limited: u64,
    /// Xero's side and AWS's.
    pub meter: Meter,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Kind {
    Sweep,
    Check,
    Night,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Run {
    kind: Kind,
    member: usize,
    due: Timestamp,
    calls: u32,
    pause: i64,
    begun: Timestamp,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Event {
    Schedule(Kind),
    Step(Run),
}

struct World {
    way: Loop,
    members: Vec<Member>,
    app: AppMinute,
    events: BinaryHeap<Reverse<(Timestamp, u64, Event)>>,
    number: u64,
    /// Messages of the queue of schedules, and of the queue of uploads.
    waiting: [VecDeque<String>; 2],
    busy: [usize; 2],
    /// Where the serial loop is, and until when it may run.
    serial: Option<(usize, Timestamp, Timestamp)>,
    report: Report,
}

/// Simulates so much time of so many organisations.
#[must_use]
pub fn simulate(fleet: Fleet, way: Loop, begin: Timestamp, lasts: SignedDuration) -> Report {
    let mut members = fleet.members();
    for one in &mut members {
        // What was due before is done.
        let night = Night::of(begin, &one.zone);
        let due = night.due(time(22, 0, 0, 0), &one.zone);
        one.night = due.is_some_and(|due| due <= begin).then_some(night);
    }
    let report = Report { meter: Meter::new(members.len()), ..Report::default() };
    let mut world = World {
        way,
        members,
        app: AppMinute::default(),
        events: BinaryHeap::new(),
        number: 0,
        waiting: [VecDeque::new(), VecDeque::new()],
        busy: [0; 2],
        serial: None,
        report,
    };
    let end = later(begin, lasts);
    world.at(begin, Event::Schedule(Kind::Sweep));
    world.at(later(begin, SignedDuration::from_mins(7)), Event::Schedule(Kind::Check));
    // The worst phase: the look comes just before a night is due, and again an interval later.
    let look = SignedDuration::from_mins(14);
    world.at(later(begin, look), Event::Schedule(Kind::Night));
    while let Some(Reverse((now, _, event))) = world.events.pop() {
        if now >= end {
            break;
        }
        match event {
            Event::Schedule(kind) => world.schedule(kind, now),
            Event::Step(run) => world.step(run, now),
        }
    }
    let never = |one: &&Member| one.sweep.last_success_at.is_none() && !one.is_broken;
    world.report.never = world.members.iter().filter(never).count();
    let failing =
        world.members.iter().filter(|one| one.sweep.last_attempt == Some(SyncState::Failed));
    world.report.failing = failing.map(|one| one.sweep.organisation).collect();
    world.report
}

impl World {
    fn at(&mut self, at: Timestamp, event: Event) {
        self.number += 1;
        self.events.push(Reverse((at, self.number, event)));
    }

    fn schedule(&mut self, kind: Kind, now: Timestamp) {
        self.report.meter.invocations += 1;
        let every = match kind {
            Kind::Sweep => SWEEP_EVERY,
            Kind::Check => HOUR,
            Kind::Night => LOOK_EVERY,
        };
        self.at(later(now, every), Event::Schedule(kind));
        if kind == Kind::Night {
            return self.list_nights(now);
        }
        if kind == Kind::Sweep && self.way == Loop::Serial {
            self.serial = Some((0, now, later(now, INVOCATION)));
            return self.go_on_serially(now);
        }
        // The one that has waited longest first, as the product lists them.
        let mut order: Vec<usize> = (0..self.members.len()).collect();
        order.sort_by_key(|one| self.members[*one].sweep.last_attempt_at);
        let work = if kind == Kind::Sweep { ScheduledWork::Changes } else { ScheduledWork::Check };
        for member in order {
            let organisation = self.members[member].sweep.organisation;
            let task = ScheduleTask::Organisation { work, organisation, scheduled_at: now };
            let text = task.to_json().expect("a task is JSON");
            self.report.meter.message(&text);
            self.waiting[0].push_back(text);
        }
        self.report.meter.requests += self.members.len() as u64 / 10;
        self.receive(now);
    }

    fn list_nights(&mut self, now: Timestamp) {
        for member in 0..self.members.len() {
            let one = &mut self.members[member];
            let night = Night::of(now, &one.zone);
            let due = night.due(time(22, 0, 0, 0), &one.zone).filter(|due| *due <= now);
            let Some(scheduled_at) = due.filter(|_| one.night != Some(night)) else { continue };
            one.night = Some(night);
            let organisation = one.sweep.organisation;
            let task = UploadTask::Night { organisation, scheduled_at, round: 0 };
            let text = task.to_json().expect("a task is JSON");
            self.report.meter.message(&text);
            self.waiting[1].push_back(text);
        }
        self.receive(now);
    }

    fn receive(&mut self, now: Timestamp) {
        for queue in [0, 1] {
            while self.busy[queue] < COPIES {
                let Some(text) = self.waiting[queue].pop_front() else { break };
                self.report.meter.invocations += 1;
                if let Some(run) = read(queue, &text, now).and_then(|run| self.begin(run, now)) {
                    self.busy[queue] += 1;
                    self.at(now, Event::Step(run));
                }
            }
        }
    }

    /// Begins a run, if the rows permit it.
    fn begin(&mut self, mut run: Run, now: Timestamp) -> Option<Run> {
        let one = &mut self.members[run.member];
        // Between nought and one and a half seconds, the same in each simulation.
        let spread = (run.member as i64 * 7_919 + now.as_second()) % 1_500;
        (run.calls, run.pause) = match run.kind {
            _ if one.is_broken => (1, BROKEN),
            Kind::Sweep if one.is_large => (12, 1_000),
            Kind::Sweep => (2, (1_000 + spread) / 2),
            Kind::Check => (1, 800 + spread / 2),
            Kind::Night if one.is_large => (20, 500 + spread),
            Kind::Night => (6, (2_000 + spread) / 6),
        };
        match run.kind {
            Kind::Sweep => {
                if one.sweep.may_start(Trigger::Schedule, Some(run.due), now) != Start::Go {
                    return None;
                }
                one.sweep.revision += 1;
                let id = SyncRunId::new(now, SyncKind::Sweep, one.sweep.revision);
                one.sweep.begin(id, Trigger::Schedule, later(now, INVOCATION + HOUR / 60), now);
            }
            Kind::Night => {
                self.report.nights += 1;
                note(&mut self.report, "night", now.duration_since(run.due));
            }
            Kind::Check => {}
        }
        Some(run)
    }

    fn step(&mut self, mut run: Run, now: Timestamp) {
        if run.calls == 0 {
            return self.end(run, now, SyncState::Finished);
        }
        let one = &mut self.members[run.member];
        if one.budget.needs_grant(now) {
            match self.app.grant(now) {
                Ok((app, grant)) => (self.app, one.budget.grant) = (app, Some(grant)),
                Err(_) => return self.limited(run, now),
            }
        }
        let purpose = if run.kind == Kind::Night { Purpose::Upload } else { Purpose::Sweep };
        let Ok((budget, pass)) = one.budget.enter(purpose, DAY_MAX, now) else {
            return self.limited(run, now);
        };
        let answered = later(now, SignedDuration::from_millis(run.pause.min(1_500)));
        one.budget = budget.leave(pass, Word::default(), answered);
        self.report.meter.call(run.member, now);
        run.calls -= 1;
        let next = later(now, SignedDuration::from_millis(run.pause));
        self.at(next, Event::Step(run));
    }

    fn limited(&mut self, run: Run, now: Timestamp) {
        self.report.limited += 1;
        self.end(run, now, SyncState::Stopped);
    }

    fn end(&mut self, run: Run, now: Timestamp, state: SyncState) {
        self.report.meter.milliseconds +=
            i64::try_from(now.duration_since(run.begun).as_millis()).unwrap_or(i64::MAX);
        let one = &mut self.members[run.member];
        let state = if one.is_broken { SyncState::Failed } else { state };
        let took = now.duration_since(run.due);
        match run.kind {
            Kind::Sweep => {
                if state == SyncState::Finished {
                    one.sweep.read_whole(run.begun);
                }
                one.sweep.end(state, Trigger::Schedule, Some(run.due), true, now);
                note(&mut self.report, "sweep", took);
                self.report.missed += u64::from(took > SWEEP_EVERY && state != SyncState::Failed);
            }
            Kind::Check => {
                note(&mut self.report, "check", took);
                self.report.missed += u64::from(took > HOUR && state != SyncState::Failed);
            }
            Kind::Night => {}
        }
        if run.kind == Kind::Sweep && self.way == Loop::Serial {
            return self.go_on_serially(now);
        }
        let queue = usize::from(run.kind == Kind::Night);
        self.busy[queue] = self.busy[queue].saturating_sub(1);
        self.receive(now);
    }

    /// The old loop: the next organisation of the table, while there is time.
    fn go_on_serially(&mut self, now: Timestamp) {
        let Some((member, due, until)) = self.serial else { return };
        if member >= self.members.len() || now >= until {
            self.serial = None;
            return;
        }
        self.serial = Some((member + 1, due, until));
        let run = Run { kind: Kind::Sweep, member, due, calls: 0, pause: 0, begun: now };
        match self.begin(run, now) {
            Some(run) => self.at(now, Event::Step(run)),
            None => self.go_on_serially(now),
        }
    }
}

/// The run that a message asks for, read as the product reads it.
fn read(queue: usize, text: &str, now: Timestamp) -> Option<Run> {
    let (kind, organisation, due) = if queue == 1 {
        match UploadTask::from_json(text).ok()? {
            UploadTask::Night { organisation, scheduled_at, .. } => {
                (Kind::Night, organisation, scheduled_at)
            }
            UploadTask::Direct { .. } => return None,
        }
    } else {
        let task = ScheduleTask::from_json(text).ok()?;
        let is_check = task.work() == ScheduledWork::Check;
        let kind = if is_check { Kind::Check } else { Kind::Sweep };
        (kind, task.organisation()?, task.scheduled_at())
    };
    let number: uuid::Uuid = organisation.to_string().parse().ok()?;
    let member = usize::try_from(number.as_u128().checked_sub(1)?).ok()?;
    Some(Run { kind, member, due, calls: 0, pause: 0, begun: now })
}

fn note(report: &mut Report, kind: &'static str, took: SignedDuration) {
    let longest = report.longest.entry(kind).or_default();
    *longest = (*longest).max(took);
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(at)
}

impl Report {
    /// How many organisations are named as failing.
    #[must_use]
    pub fn named(&self) -> usize {
        self.failing.iter().collect::<BTreeSet<_>>().len()
    }
}
