//! What a run did, for those who ask when something was brought up to date, and what went wrong.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;

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
    }
    /// What set a run off.
    Trigger {
        /// The clock.
        Schedule = "schedule",
        /// A person (ST-18, CC-12).
        Manual = "manual",
    }
    /// How far a run has come.
    SyncState {
        /// It is at work, or its process has ended and nobody has noticed yet.
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
    /// The run that began then; `serial` tells apart what began in the same microsecond.
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
    /// Bytes of the answers that were read, as far as they were counted.
    pub bytes: u64,
}

impl SyncRun {
    /// Counts `more` under a name.
    pub fn count(&mut self, outcome: &str, more: usize) {
        if more > 0 {
            add(&mut self.counts, outcome, u32::try_from(more).unwrap_or(u32::MAX));
        }
    }

    /// How many were counted under a name.
    pub fn counted(&self, outcome: &str) -> u32 {
        self.counts.get(outcome).copied().unwrap_or(0)
    }

    /// Counts something that went wrong, and keeps its words; the last ones stand.
    pub fn went_wrong(&mut self, class: &str, problem: String) {
        add(&mut self.errors, class, 1);
        self.problem = Some(problem);
    }
}

fn add(counts: &mut BTreeMap<String, u32>, name: &str, more: u32) {
    let count = counts.entry(name.to_owned()).or_default();
    *count = count.saturating_add(more);
}
