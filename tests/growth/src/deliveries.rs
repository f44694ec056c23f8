//! Deliveries: the webhook puts each event on the queue `changes`, and the mirror takes them in batches.
//!
//! Pessimistic: each event is a delivery of its own, about an invoice of its own.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use payments::budget::{CallPermit, Purpose};

use crate::flood::{Invocation, Message, Pack};
use crate::world::{Event, World, later};

/// Organisations of a batch that the mirror works on at the same time, and invoices of a call (`functions/mirror`).
const AT_ONCE: usize = 16;
const PACK: u64 = 40;
/// Changes that have waited for longer come before all others, as there.
const LONG: SignedDuration = SignedDuration::from_mins(2);
/// What must be left of an invocation for a pack to be begun.
const RESERVE: SignedDuration = SignedDuration::from_secs(30);
/// The longest delay of SQS.
const DELAY_MAX: SignedDuration = SignedDuration::from_secs(900);
/// Requests that AWS lets a copy behind a function URL take in a second.
const URL_REQUESTS_A_COPY: u64 = 10;
/// How long a delivery takes, and the writing of what a call has read.
const DELIVERY: SignedDuration = SignedDuration::from_millis(60);
const WRITING: SignedDuration = SignedDuration::from_millis(250);
/// How soon Xero repeats a delivery that was turned away.
const REPEATED_AFTER: SignedDuration = SignedDuration::from_secs(60);
/// How many events come in each hour of the day, as parts of 240.
const HOURS: [u64; 24] =
    [7, 6, 6, 6, 7, 8, 9, 10, 11, 12, 13, 14, 14, 14, 13, 12, 12, 11, 11, 10, 10, 9, 8, 7];

impl World {
    /// A second of webhooks.
    pub(crate) fn second(&mut self, now: Timestamp) {
        self.at(later(now, SignedDuration::from_secs(1)), Event::Second);
        let hour = usize::try_from(now.as_second().rem_euclid(86_400) / 3_600).unwrap_or(0);
        let parts = self.plan.events_a_day * HOURS[hour] + self.flood.rest;
        // A day has 3,600 seconds of each of 240 parts.
        let arriving = parts / (3_600 * 240);
        self.flood.rest = parts % (3_600 * 240);
        let mut free = self.plan.product.webhook_copies * URL_REQUESTS_A_COPY;
        for _ in 0..arriving {
            let sender = self.flood.chance(self.flood.senders.len());
            let member = self.flood.senders[sender];
            self.deliver(Message { member, count: 1, since: now }, &mut free, now);
        }
        while self.flood.turned_away.front().is_some_and(|(at, _)| *at <= now) && free > 0 {
            let Some((_, message)) = self.flood.turned_away.pop_front() else { break };
            self.deliver(message, &mut free, now);
        }
        self.take(now);
        self.hear();
    }

    fn deliver(&mut self, message: Message, free: &mut u64, now: Timestamp) {
        if *free == 0 {
            self.report.turned_away += 1;
            let again = later(now, REPEATED_AFTER);
            return self.flood.turned_away.push_back((again, message));
        }
        *free -= 1;
        self.report.meter.invocation("webhook", self.plan.product.webhook_memory, DELIVERY);
        self.report.meter.messages_alone(1);
        self.flood.queue.push_back((now, message));
    }

    /// The mirror takes batches, as long as it has copies.
    fn take(&mut self, now: Timestamp) {
        while self.flood.delayed.peek().is_some_and(|Reverse((at, _))| *at <= now) {
            let Some(Reverse((_, message))) = self.flood.delayed.pop() else { break };
            self.flood.queue.push_back((now, message));
        }
        let mirror = self.plan.product.mirror;
        while self.flood.busy < mirror.copies {
            let is_old = |(at, _): &(Timestamp, Message)| later(*at, mirror.window) <= now;
            let is_full = self.flood.queue.len() >= mirror.batch;
            if !is_full && !self.flood.queue.front().is_some_and(is_old) {
                return;
            }
            let count = self.flood.queue.len().min(mirror.batch);
            let mut jobs: BTreeMap<usize, Message> = BTreeMap::new();
            for (_, message) in self.flood.queue.drain(..count) {
                let of_member = jobs.entry(message.member);
                let job = of_member.or_insert(Message { count: 0, ..message });
                job.count += message.count;
                job.since = job.since.min(message.since);
            }
            let mut jobs: Vec<_> = jobs.into_values().collect();
            let old = now.saturating_sub(LONG).unwrap_or(now);
            jobs.sort_by_key(|job| (job.since > old, job.count));
            let invocation = Invocation { begun: now, jobs: jobs.into(), running: 0 };
            self.flood.busy += 1;
            self.flood.invocations.push(invocation);
            let number = self.flood.invocations.len() - 1;
            for _ in 0..AT_ONCE {
                self.next_job(number, now);
            }
        }
    }

    fn next_job(&mut self, invocation: usize, now: Timestamp) {
        let of = &mut self.flood.invocations[invocation];
        if let Some(left) = of.jobs.pop_front() {
            of.running += 1;
            return self.at(now, Event::Ask(Pack { invocation, left }));
        }
        if of.running == 0 && self.flood.busy > 0 {
            let took = now.duration_since(of.begun);
            // So that it ends once.
            of.running = usize::MAX;
            self.flood.busy -= 1;
            self.report.meter.invocation("mirror", self.plan.product.mirror.memory, took);
            self.take(now);
        }
    }

    pub(crate) fn ask(&mut self, pack: Pack, now: Timestamp) {
        let mirror = self.plan.product.mirror;
        let deadline = later(self.flood.invocations[pack.invocation].begun, mirror.timeout);
        if deadline.duration_since(now) < RESERVE {
            return self.hand_back(pack, now, now);
        }
        match self.enter(pack.left.member, Purpose::Live, now) {
            Ok(pass) => {
                let spread = (pack.left.member as i64 * 7_919 + now.as_second()) % 1_100;
                let answered = later(now, SignedDuration::from_millis(400 + spread));
                self.at(answered, Event::Read(pack, pass));
            }
            Err(wait) => self.hand_back(pack, wait.until, now),
        }
    }

    /// An invoice that cannot be asked for now goes back to the queue, with a delay.
    fn hand_back(&mut self, pack: Pack, until: Timestamp, now: Timestamp) {
        let until = until.clamp(now, later(now, DELAY_MAX));
        self.flood.delayed.push(Reverse((until, pack.left)));
        self.report.meter.messages_alone(1);
        self.job_is_over(pack.invocation, now);
    }

    fn job_is_over(&mut self, invocation: usize, now: Timestamp) {
        self.flood.invocations[invocation].running -= 1;
        self.next_job(invocation, now);
    }

    pub(crate) fn read(&mut self, mut pack: Pack, pass: CallPermit, now: Timestamp) {
        self.left(pack.left.member, pass, now);
        let read = pack.left.count.min(PACK);
        let took = later(now, WRITING).duration_since(pack.left.since);
        self.report.note("event", took, read);
        self.flood.unheard += read;
        if took > SignedDuration::from_mins(5) {
            self.report.late += read;
        }
        pack.left.count -= read;
        match pack.left.count {
            0 => self.job_is_over(pack.invocation, now),
            _ => self.at(later(now, WRITING), Event::Ask(pack)),
        }
    }
}
