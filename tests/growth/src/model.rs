//! The virtual clock: schedules, queues, and what they begin.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use payments::sweep::{DailyWork, SyncState, follows};
use payments::upload::Night;
use queue::{ScheduleTask, ScheduledWork, UploadTask};

use crate::closes::closed_before;
use crate::fleet::Member;
use crate::report::Report;
use crate::run::{Kind, Run};
use crate::seals::sealed_before;
use crate::world::{Event, Loop, Plan, Serial, World, later};

/// What an invocation takes that only lists organisations.
const LISTING: SignedDuration = SignedDuration::from_secs(15);

/// Simulates it.
#[must_use]
pub fn simulate(plan: Plan) -> Report {
    let end = later(plan.begin, plan.lasts);
    let begin = plan.begin;
    let mut world = World::new(plan);
    closed_before(&mut world.members, begin);
    sealed_before(&mut world.members, begin);
    world.begin();
    while let Some((now, event)) = world.next() {
        if now >= end {
            break;
        }
        world.happens(event, now);
    }
    world.ended()
}

impl World {
    fn begin(&mut self) {
        let begin = self.plan.begin;
        self.at(begin, Event::Schedule(Kind::Sweep));
        self.at(later(begin, SignedDuration::from_mins(7)), Event::Schedule(Kind::Check));
        self.at(later(begin, SignedDuration::from_mins(11)), Event::Schedule(Kind::Customers));
        // The worst phase: the look comes just before a night is due, and again an interval later.
        let look = SignedDuration::from_mins(14);
        self.at(later(begin, look), Event::Schedule(Kind::Night));
        self.at(later(begin, look), Event::Close);
        self.at(later(begin, look), Event::Seal);
        for work in DailyWork::ALL {
            let daily = &self.plan.product.daily;
            let Some(time) = daily.times.of(*work) else { continue };
            let today = begin.in_tz(&daily.zone).map(|at| at.date());
            let Ok(due) = today.and_then(|day| day.to_datetime(time).in_tz(&daily.zone)) else {
                continue;
            };
            let due = due.timestamp();
            let day = SignedDuration::from_hours(24);
            let first = if due <= begin { later(due, day) } else { due };
            self.at(first, Event::Schedule(Kind::of(*work)));
        }
        if self.plan.events_a_day > 0 {
            self.at(begin, Event::Second);
        }
    }

    fn happens(&mut self, event: Event, now: Timestamp) {
        match event {
            Event::Schedule(kind) => self.schedule(kind, now),
            Event::Step(run) => self.step(run, now),
            Event::Answer(run, pass) => self.answered(run, pass, now),
            Event::Close => self.close(now),
            Event::Seal => self.seal(now),
            Event::Second => self.second(now),
            Event::Ask(pack) => self.ask(pack, now),
            Event::Read(pack, pass) => self.read(pack, pass, now),
        }
    }

    fn ended(mut self) -> Report {
        let never = |one: &&Member| one.sweep.last_success_at.is_none() && !one.is_broken;
        self.report.never = self.members.iter().filter(never).count();
        let failed = |one: &&Member| one.sweep.last_attempt == Some(SyncState::Failed);
        let failing = self.members.iter().filter(failed);
        self.report.failing = failing.map(|one| one.sweep.organisation).collect::<BTreeSet<_>>();
        self.report.waiting = self.flood.waiting();
        self.report
    }

    fn schedule(&mut self, kind: Kind, now: Timestamp) {
        let product = &self.plan.product;
        let (function, memory, every) = match kind {
            Kind::Sweep => ("sweep", product.sweep.memory, product.sweep_every),
            // Both schedules come every `SweepMinutes`.
            Kind::Customers => ("sweep", product.sweep.memory, product.sweep_every),
            Kind::Check => ("sweep", product.sweep.memory, product.check_every),
            Kind::Night => ("upload", product.upload.memory, product.nights_every),
            Kind::Open | Kind::Certificate | Kind::Digest => {
                ("sweep", product.sweep.memory, SignedDuration::from_hours(24))
            }
        };
        self.report.meter.invocation(function, memory, LISTING);
        self.at(later(now, every), Event::Schedule(kind));
        if kind == Kind::Night {
            return self.list_nights(now);
        }
        if kind == Kind::Sweep && self.plan.way == Loop::Serial {
            let until = later(now, self.plan.product.sweep.timeout);
            self.serial = Some(Serial { next: 0, due: now, until });
            return self.go_on_serially(now);
        }
        self.list(kind, now);
    }

    /// Leaves a message for each organisation, the one that has waited longest first, as the product lists them.
    fn list(&mut self, kind: Kind, now: Timestamp) {
        let zone = self.plan.product.daily.zone.clone();
        let concerns = |one: &Member| {
            kind.daily().is_none_or(|work| follows(work, &one.settings, Some(&zone)))
        };
        let mut order: Vec<usize> =
            (0..self.members.len()).filter(|one| concerns(&self.members[*one])).collect();
        order.sort_by_key(|one| self.members[*one].sweep.last_attempt_at);
        for member in order {
            let organisation = self.members[member].sweep.organisation;
            let work = kind.work();
            let task = ScheduleTask::Organisation { work, organisation, scheduled_at: now };
            self.leave(0, task.to_json().expect("a task is JSON"));
        }
        self.receive(now);
    }

    fn list_nights(&mut self, now: Timestamp) {
        let at = self.plan.product.night_at;
        for member in 0..self.members.len() {
            let one = &mut self.members[member];
            let zone = &one.settings.zone;
            let night = Night::of(now, zone);
            let due = night.due(at, zone).filter(|due| *due <= now);
            let Some(scheduled_at) = due.filter(|_| one.night != Some(night)) else { continue };
            one.night = Some(night);
            let organisation = one.sweep.organisation;
            let task = UploadTask::Night { organisation, scheduled_at, round: 0 };
            self.leave(1, task.to_json().expect("a task is JSON"));
        }
        self.receive(now);
    }

    fn leave(&mut self, queue: usize, text: String) {
        self.report.meter.message(&text);
        self.waiting[queue].push_back(text);
    }

    /// Begins as many runs as there are copies, each with a message of its own.
    pub(crate) fn receive(&mut self, now: Timestamp) {
        let copies = [self.plan.product.sweep.copies, self.plan.product.upload.copies];
        for queue in [0, 1] {
            while self.busy[queue] < copies[queue] {
                let Some(text) = self.waiting[queue].pop_front() else { break };
                let run = task(queue, &text, now);
                match run.and_then(|run| self.begun(run, now)) {
                    Some(run) => {
                        self.busy[queue] += 1;
                        self.at(now, Event::Step(run));
                    }
                    None => {
                        let function = if queue == 1 { "upload" } else { "sweep" };
                        self.report.meter.invocation(
                            function,
                            256,
                            SignedDuration::from_millis(50),
                        );
                    }
                }
            }
        }
    }
}

/// The run that a message asks for, read as the product reads it.
fn task(queue: usize, text: &str, now: Timestamp) -> Option<Run> {
    let (kind, organisation, due) = if queue == 1 {
        match UploadTask::from_json(text).ok()? {
            UploadTask::Night { organisation, scheduled_at, .. } => {
                (Kind::Night, organisation, scheduled_at)
            }
            UploadTask::Direct { .. } => return None,
        }
    } else {
        let task = ScheduleTask::from_json(text).ok()?;
        let kind = match task.work() {
            ScheduledWork::Changes => Kind::Sweep,
            ScheduledWork::Check => Kind::Check,
            ScheduledWork::Open => Kind::Open,
            ScheduledWork::Certificate => Kind::Certificate,
            ScheduledWork::Digest => Kind::Digest,
            ScheduledWork::Customers => Kind::Customers,
        };
        (kind, task.organisation()?, task.scheduled_at())
    };
    let number: uuid::Uuid = organisation.to_string().parse().ok()?;
    let member = usize::try_from(number.as_u128().checked_sub(1)?).ok()?;
    Some(Run::new(kind, member, due, now))
}
