//! What a run did, for those who ask when something was brought up to date, and what went wrong.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::ids::OrganisationId;
use crate::reason::codes;

codes! {
    /// What a run was about.
    SyncKind {
        /// Everything that changed since the last time.
        Sweep = "sweep",
        /// The open invoices, all of them.
        FullSweep = "full_sweep",
        /// Whether every change of a payment is accounted for.
        Certificate = "certificate",
        /// One invoice that a person asked for.
        Invoice = "invoice",
        /// What changed between two moments that a person named.
        Window = "window",
        /// Xero's contacts, for the business's customers (EX-36).
        Customers = "customers",
        /// An organisation's part of a batch of the queue `changes`.
        Mirror = "mirror",
        /// An organisation's part of a batch of the queue `intake`.
        Intake = "intake",
        /// A round of a night's upload.
        Night = "night",
        /// Payments, and invoices of the provider, that are posted at once.
        Direct = "direct",
    }
    /// What set a run off.
    Trigger {
        /// The clock.
        Schedule = "schedule",
        /// A person (ST-18, CC-12).
        Manual = "manual",
        /// Something that came in.
        Queue = "queue",
    }
    /// How far a run has come.
    SyncState {
        /// It is at work, or its process has ended and that is not noticed yet.
        Running = "running",
        /// It did all that it was to do; that it found nothing new is a success, too (AMB-07).
        Finished = "finished",
        /// It ended in good order before it was through; the next run goes on from there.
        Stopped = "stopped",
        /// Something went wrong. What it has put on the queue by then stays there.
        Failed = "failed",
        /// Its process ended in the middle; the run after it has noticed.
        Interrupted = "interrupted",
    }
}

/// Names a run among those of its organisation; in the order of time as text.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct SyncRunId(String);

impl SyncRunId {
    /// The run that began then; `serial` separates runs that began in the same microsecond.
    pub fn new(started_at: Timestamp, kind: SyncKind, serial: u64) -> Self {
        Self(format!("{}#{kind}-{serial}", started_at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")))
    }

    /// One that was written before.
    pub const fn known(text: String) -> Self {
        Self(text)
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SyncRunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One run over one organisation: its row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SyncRun {
    /// Whose books.
    pub organisation: OrganisationId,
    /// Which run.
    pub id: SyncRunId,
    /// What it was about.
    pub kind: SyncKind,
    /// What set it off.
    pub trigger: Trigger,
    /// Who wanted it, if a person did.
    pub by: Option<String>,
    /// And why.
    pub why: Option<String>,
    /// Which invoice, or which window, if not everything.
    pub subject: Option<String>,
    /// How far it has come.
    pub state: SyncState,
    /// The time that its schedule carried, if it had one.
    pub scheduled_at: Option<Timestamp>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// What it saw and did, by outcome.
    pub counts: BTreeMap<String, u32>,
    /// What went wrong, by class (A7.3).
    pub errors: BTreeMap<String, u32>,
    /// In words, what went wrong or why it stopped. Never names or amounts.
    pub problem: Option<String>,
    /// Calls of Xero's API.
    pub calls: u32,
    /// Bytes of the answers to them.
    pub bytes: u64,
    /// How long what it brought took to be visible; `None` if it brought nothing, or the start is not known.
    pub latency: Option<Latency>,
}

/// How long changes took from their event until they were visible (SP-09), in milliseconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Latency {
    /// How many changes.
    pub count: u32,
    /// Half of them took this long at most.
    pub p50_ms: u64,
    /// 95 % of them took this long at most.
    pub p95_ms: u64,
    /// The slowest one.
    pub max_ms: u64,
    /// How many took longer than [`VISIBLE_WITHIN`].
    pub late: u32,
}

/// Longest a change may take from its event until it is visible (SP-09).
pub const VISIBLE_WITHIN: SignedDuration = SignedDuration::from_mins(5);

impl Latency {
    /// Of these durations, in any order; `None` of none. An event that lies in the future, by another's
    /// clock, took no time.
    pub fn of(durations: impl IntoIterator<Item = SignedDuration>) -> Option<Self> {
        let mut all: Vec<_> =
            durations.into_iter().map(|took| took.max(SignedDuration::ZERO)).collect();
        all.sort_unstable();
        let slowest = *all.last()?;
        let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
        // The nearest rank: a duration that there was, and no mean of two.
        let percentile = |percent: usize| {
            let rank = all.len().saturating_mul(percent).div_ceil(100);
            all.get(rank.saturating_sub(1)).copied().unwrap_or(slowest)
        };
        let late = all.iter().filter(|took| **took > VISIBLE_WITHIN).count();
        Some(Self {
            count,
            p50_ms: milliseconds(percentile(50)),
            p95_ms: milliseconds(percentile(95)),
            max_ms: milliseconds(slowest),
            late: u32::try_from(late).unwrap_or(u32::MAX),
        })
    }
}

fn milliseconds(duration: SignedDuration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl SyncRun {
    /// A run that begins, and has done nothing yet; see [`SyncRunId::new`] for `serial`.
    pub fn begun(
        organisation: OrganisationId,
        kind: SyncKind,
        trigger: Trigger,
        serial: u64,
        now: Timestamp,
    ) -> Self {
        Self {
            organisation,
            id: SyncRunId::new(now, kind, serial),
            kind,
            trigger,
            by: None,
            why: None,
            subject: None,
            state: SyncState::Running,
            scheduled_at: None,
            started_at: now,
            ended_at: None,
            counts: BTreeMap::new(),
            errors: BTreeMap::new(),
            problem: None,
            calls: 0,
            bytes: 0,
            latency: None,
        }
    }

    /// The same run, over now: failed if something went wrong, in spite of all that it did.
    #[must_use]
    pub fn over(self, now: Timestamp) -> Self {
        let state = if self.errors.is_empty() { SyncState::Finished } else { SyncState::Failed };
        Self { state, ended_at: Some(now), ..self }
    }

    /// Counts `more` under a name.
    pub fn count(&mut self, outcome: &str, more: usize) {
        if more > 0 {
            add(&mut self.counts, outcome, u32::try_from(more).unwrap_or(u32::MAX));
        }
    }

    /// Adds what was spent at Xero: calls, and bytes of the answers.
    pub fn spent(&mut self, calls: u32, bytes: u64) {
        self.calls = self.calls.saturating_add(calls);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// How many were counted under a name.
    pub fn counted(&self, outcome: &str) -> u32 {
        self.counts.get(outcome).copied().unwrap_or(0)
    }

    /// Counts something that went wrong, and keeps its words; the last ones stand.
    pub fn went_wrong(&mut self, class: &str, problem: String) {
        self.failed(class, 1);
        self.problem = Some(problem);
    }

    /// Counts what went wrong.
    pub fn failed(&mut self, class: &str, count: usize) {
        if count > 0 {
            add(&mut self.errors, class, u32::try_from(count).unwrap_or(u32::MAX));
        }
    }
}

fn add(counts: &mut BTreeMap<String, u32>, name: &str, more: u32) {
    let count = counts.entry(name.to_owned()).or_default();
    *count = count.saturating_add(more);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(all: &[i64]) -> Option<Latency> {
        Latency::of(all.iter().map(|seconds| SignedDuration::from_secs(*seconds)))
    }

    #[test]
    fn latencies_are_durations_that_there_were() {
        // SP-09: p50, p95, max and count over five minutes; an empty period has none.
        assert_eq!(seconds(&[]), None);
        let of = |count, p50_ms, p95_ms, max_ms, late| {
            Some(Latency { count, p50_ms, p95_ms, max_ms, late })
        };
        assert_eq!(seconds(&[7]), of(1, 7_000, 7_000, 7_000, 0));
        assert_eq!(seconds(&[9, 1]), of(2, 1_000, 9_000, 9_000, 0));
        let hundred: Vec<i64> = (1..=100).rev().collect();
        assert_eq!(seconds(&hundred), of(100, 50_000, 95_000, 100_000, 0));
        // Five minutes are in time, and a moment more is not. Another's clock may be ahead of ours.
        assert_eq!(seconds(&[300, 301, -20]), of(3, 300_000, 301_000, 301_000, 1));
    }

    #[test]
    fn a_run_is_over_as_a_failure_if_anything_went_wrong() {
        let organisation = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046".parse().unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let run = SyncRun::begun(organisation, SyncKind::Intake, Trigger::Queue, 7, now);
        let mut failed = run.clone();
        failed.failed("Tables", 0);
        assert_eq!(failed, run);
        failed.failed("Tables", 2);
        assert_eq!(run.over(now).state, SyncState::Finished);
        assert_eq!(failed.over(now).state, SyncState::Failed);
    }
}
