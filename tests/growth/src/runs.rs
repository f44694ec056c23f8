//! The runs of organisations: the calls of each, one after the other, and what comes after them.

use jiff::{SignedDuration, Timestamp};
use payments::budget::{CallPermit, Purpose};
use payments::sweep::{
    DailyWork, StartDecision, SweepKind, SweepState, SyncRunId, SyncState, Trigger,
};

use crate::past::Past;
use crate::run::{Kind, Run};
use crate::world::{Event, Loop, Serial, World, later};

/// How long a call takes whose organisation is broken, before it is given up.
const BROKEN: i64 = 30_000;
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

impl World {
    /// The row of a sweep.
    fn state(&mut self, member: usize, kind: SweepKind) -> &mut SweepState {
        let one = &mut self.members[member];
        match kind {
            SweepKind::Changes => &mut one.sweep,
            SweepKind::Open => &mut one.open,
            SweepKind::Certificate => &mut one.certificate,
            SweepKind::Customers => &mut one.customers,
        }
    }

    /// Begins a run, if the rows permit it.
    pub(crate) fn begun(&mut self, mut run: Run, now: Timestamp) -> Option<Run> {
        let one = &self.members[run.member];
        // Between nought and one and a half seconds, the same in each simulation.
        let spread = (run.member as i64 * 7_919 + now.as_second()) % 1_500;
        (run.calls, run.pause) = match run.kind {
            _ if one.is_broken => (1, BROKEN),
            Kind::Open => {
                let past = Past::of(one.is_large);
                let calls = past.calls(self.plan.full_sweep).max(1);
                let pause = if one.is_large { 1_200 } else { (1_000 + spread) / 2 };
                // A thousand rows take some thirty milliseconds.
                let reading = past.rows(self.plan.full_sweep) * 30 / 1_000 / u64::from(calls);
                (calls, pause + i64::try_from(reading).unwrap_or(i64::MAX))
            }
            Kind::Sweep if one.is_large => (12, 1_000),
            Kind::Certificate if one.is_large => (6, 1_000),
            // A page of contacts that changed, and all customers compared.
            Kind::Customers if one.is_large => (3, 4_000),
            Kind::Sweep => (2, (1_000 + spread) / 2),
            Kind::Certificate | Kind::Check | Kind::Digest | Kind::Customers => {
                (1, 800 + spread / 2)
            }
            Kind::Night if one.is_large => (20, 500 + spread),
            Kind::Night => (6, (2_000 + spread) / 6),
        };
        let lease = later(now, self.plan.product.sweep.timeout + MINUTE);
        if let Some((kind, of_run)) = run.kind.sweep() {
            let state = self.state(run.member, kind);
            if state.may_start(Trigger::Schedule, Some(run.due), now) != StartDecision::Go {
                return None;
            }
            state.revision += 1;
            let id = SyncRunId::new(now, of_run, state.revision);
            state.begin(id, Trigger::Schedule, lease, now);
        }
        if run.kind == Kind::Night {
            self.report.note("night", now.duration_since(run.due), 1);
        }
        Some(run)
    }

    pub(crate) fn step(&mut self, mut run: Run, now: Timestamp) {
        if run.calls == 0 {
            return self.end(run, now, SyncState::Finished);
        }
        let purpose = if run.kind == Kind::Night { Purpose::Upload } else { Purpose::Sweep };
        match self.enter(run.member, purpose, now) {
            Ok(pass) => {
                run.calls -= 1;
                let answered = later(now, SignedDuration::from_millis(run.pause));
                self.at(answered, Event::Answer(run, pass));
            }
            Err(_) => {
                self.report.limited += 1;
                self.end(run, now, SyncState::Stopped);
            }
        }
    }

    pub(crate) fn answered(&mut self, run: Run, pass: CallPermit, now: Timestamp) {
        self.left(run.member, pass, now);
        self.step(run, now);
    }

    fn end(&mut self, run: Run, now: Timestamp, state: SyncState) {
        let (is_broken, took) = (self.members[run.member].is_broken, now.duration_since(run.due));
        let state = if is_broken { SyncState::Failed } else { state };
        if let Some((kind, _)) = run.kind.sweep() {
            let row = self.state(run.member, kind);
            if state == SyncState::Finished {
                row.read_whole(run.begun);
            }
            row.end(state, Trigger::Schedule, Some(run.due), true, now);
        }
        if run.kind == Kind::Open && state == SyncState::Finished {
            let past = Past::of(self.members[run.member].is_large);
            self.report.rows_swept += past.rows(self.plan.full_sweep);
            self.report.units_swept += past.units(self.plan.full_sweep);
        }
        if run.kind == Kind::Digest {
            self.members[run.member].digest_for = Some(run.due);
        }
        if !is_broken && run.kind != Kind::Night {
            self.report.note(run.kind.name(), took, 1);
            let most = match run.kind {
                Kind::Sweep | Kind::Customers => self.plan.product.sweep_every,
                _ => SignedDuration::from_hours(1),
            };
            self.report.missed += u64::from(took > most);
        }
        if run.is_of_sweep
            && let Some(next) = self.of_its_day(run, now)
        {
            return self.at(now, Event::Step(next));
        }
        self.over(run, now);
    }

    /// Work due by the organisation's own clock is done by the same invocation, as the product does it.
    fn of_its_day(&mut self, sweep: Run, now: Timestamp) -> Option<Run> {
        let one = &self.members[sweep.member];
        let own_due = |work| self.plan.product.daily.own_due(work, &one.settings, now);
        let mut next = None;
        for work in DailyWork::ALL {
            let Some(due) = own_due(*work) else { continue };
            let is_due = match work {
                DailyWork::FullSweep => one.open.is_due(&one.settings, Some(due), now),
                DailyWork::Certificate => one.certificate.is_due(&one.settings, Some(due), now),
                DailyWork::Digest => one.digest_for < Some(due),
            };
            if is_due && !one.is_broken {
                next = Some((Kind::of(*work), due));
                break;
            }
        }
        let (kind, due) = next?;
        let run = Run {
            invoked: sweep.invoked,
            is_of_sweep: true,
            ..Run::new(kind, sweep.member, due, now)
        };
        self.begun(run, now)
    }

    /// The invocation is over, and its copy takes the next message.
    fn over(&mut self, run: Run, now: Timestamp) {
        let took = now.duration_since(run.invoked);
        let (function, memory) = match run.kind {
            Kind::Night => ("upload", self.plan.product.upload.memory),
            _ => ("sweep", self.plan.product.sweep.memory),
        };
        if run.is_of_sweep && self.plan.way == Loop::Serial {
            return self.go_on_serially(now);
        }
        self.report.meter.invocation(function, memory, took);
        let queue = usize::from(run.kind == Kind::Night);
        self.busy[queue] = self.busy[queue].saturating_sub(1);
        self.receive(now);
    }

    /// The old loop: the next organisation of the table, while there is time.
    pub(crate) fn go_on_serially(&mut self, now: Timestamp) {
        let Some(Serial { next, due, until }) = self.serial else { return };
        if next >= self.members.len() || now >= until {
            self.serial = None;
            return;
        }
        self.serial = Some(Serial { next: next + 1, due, until });
        match self.begun(Run::new(Kind::Sweep, next, due, now), now) {
            Some(run) => self.at(now, Event::Step(run)),
            None => self.go_on_serially(now),
        }
    }
}
