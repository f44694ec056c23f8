//! The simulated world: its organisations, the events that are still to come, and the calls to Xero.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use payments::budget::{APP_PARTS, AppMinute, CallPermit, DAY_MAX, Purpose, Wait, Word, app_part};
use payments::upload::Night;

use crate::fleet::{Fleet, Member};
use crate::flood::{Flood, Pack};
use crate::meter::Meter;
use crate::past::FullSweep;
use crate::report::Report;
use crate::run::{Kind, Run};
use crate::template::Product;

/// How the work of a schedule is done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Loop {
    /// One message for each organisation.
    Messages,
    /// One invocation goes through all of them, one after the other, in the order of the table.
    Serial,
}

/// The simulated part.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The organisations.
    pub fleet: Fleet,
    /// How the work of a schedule is done.
    pub way: Loop,
    /// Which stored invoices a full sweep looks at.
    pub full_sweep: FullSweep,
    /// The product's settings.
    pub product: Product,
    /// Events of webhooks in a day.
    pub events_a_day: u64,
    /// When it begins.
    pub begin: Timestamp,
    /// How long it lasts.
    pub lasts: SignedDuration,
}

#[derive(Debug)]
pub(crate) enum Event {
    /// A schedule comes.
    Schedule(Kind),
    /// A run makes its next call, or ends.
    Step(Run),
    /// Xero has answered a run.
    Answer(Run, CallPermit),
    /// The schedule of the closes comes.
    Close,
    /// The schedule of the seals comes.
    Seal,
    /// A second in which webhooks arrive.
    Second,
    /// The mirror asks for some invoices of an organisation.
    Ask(Pack),
    /// Xero has answered it.
    Read(Pack, CallPermit),
}

struct Entry(Timestamp, u64, Event);

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.0, self.1).cmp(&(other.0, other.1))
    }
}

/// The serial loop: which organisation is next, for which schedule, and until when it may run.
#[derive(Clone, Copy)]
pub(crate) struct Serial {
    pub(crate) next: usize,
    pub(crate) due: Timestamp,
    pub(crate) until: Timestamp,
}

pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) members: Vec<Member>,
    app: Vec<AppMinute>,
    events: BinaryHeap<Reverse<Entry>>,
    number: u64,
    /// Messages of the queue of schedules, and of the queue of uploads.
    pub(crate) waiting: [VecDeque<String>; 2],
    pub(crate) busy: [usize; 2],
    pub(crate) serial: Option<Serial>,
    pub(crate) flood: Flood,
    pub(crate) report: Report,
}

pub(crate) fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(at)
}

impl World {
    /// The world in which a plan begins: nothing happens yet.
    pub(crate) fn new(plan: Plan) -> Self {
        let begin = plan.begin;
        let mut members = plan.fleet.members(begin);
        for one in &mut members {
            let night = Night::of(begin, &one.settings.zone);
            let due = night.due(plan.product.night_at, &one.settings.zone);
            one.night = due.is_some_and(|due| due <= begin).then_some(night);
        }
        let report = Report { meter: Meter::new(members.len()), ..Report::default() };
        Self {
            flood: Flood::new(plan.fleet),
            plan,
            members,
            app: vec![AppMinute::default(); APP_PARTS as usize],
            events: BinaryHeap::new(),
            number: 0,
            waiting: [VecDeque::new(), VecDeque::new()],
            busy: [0; 2],
            serial: None,
            report,
        }
    }

    /// The next event, and its time.
    pub(crate) fn next(&mut self) -> Option<(Timestamp, Event)> {
        self.events.pop().map(|Reverse(Entry(at, _, event))| (at, event))
    }

    pub(crate) fn at(&mut self, at: Timestamp, event: Event) {
        self.number += 1;
        self.events.push(Reverse(Entry(at, self.number, event)));
    }

    /// Asks for a call to Xero, as the product does.
    pub(crate) fn enter(
        &mut self,
        member: usize,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<CallPermit, Wait> {
        let one = &mut self.members[member];
        if one.budget.needs_grant(now) {
            // Nothing is taken from the app for a call that is not allowed anyway.
            let (allowed, _) = one.budget.enter(purpose, DAY_MAX, now)?;
            let part = &mut self.app[app_part(one.budget.organisation) as usize];
            let (app, grant) = part.grant(allowed.in_minute(), purpose, now)?;
            (*part, one.budget.grant) = (app, Some(grant));
        }
        let (budget, pass) = one.budget.enter(purpose, DAY_MAX, now)?;
        one.budget = budget;
        self.report.meter.call(member, now);
        Ok(pass)
    }

    pub(crate) fn left(&mut self, member: usize, pass: CallPermit, now: Timestamp) {
        let one = &mut self.members[member];
        one.budget = one.budget.leave(pass, Word::default(), now);
    }
}
