//! What the function answers to whoever invoked it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use payments::OrganisationId;
use payments::sweep::{Start, SyncRun};
use serde::Serialize;

use crate::run::Outcome;

/// The answer to an invocation.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// One for each organisation.
    pub sweeps: Vec<SweepAnswer>,
    /// How many invoices a mass change had stopped; they are on the queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved: Option<usize>,
    /// The payment that is back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored: Option<String>,
}

impl Answer {
    pub(crate) const fn of(sweeps: Vec<SweepAnswer>) -> Self {
        Self { sweeps, approved: None, restored: None }
    }
}

/// What became of the sweep of one organisation. Counts only: no names, no amounts.
#[derive(Debug, Serialize)]
pub struct SweepAnswer {
    organisation: OrganisationId,
    /// `finished`, `stopped`, `failed`, `another_run_is_at_it`, `asked_a_moment_ago`, `already_done` or
    /// `not_now`.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// The run that was made; or the one that is at it, or was last.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<RunAnswer>,
}

/// A run in short; the table `sync_runs` has it in full.
#[derive(Debug, Serialize)]
struct RunAnswer {
    run: String,
    kind: &'static str,
    state: &'static str,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    counts: BTreeMap<String, u32>,
    errors: BTreeMap<String, u32>,
    calls: u32,
}

impl SweepAnswer {
    pub(crate) fn new(organisation: OrganisationId, outcome: &Outcome) -> Self {
        let (outcome, why, run) = match outcome {
            Outcome::Ran(run, _) => (run.state.code(), run.problem.clone(), Some(run)),
            Outcome::NotRun(start, run) => {
                let outcome = match start {
                    Start::Running => "another_run_is_at_it",
                    Start::Cooling => "asked_a_moment_ago",
                    Start::Go | Start::Done => "already_done",
                };
                (outcome, None, run.as_ref())
            }
        };
        Self { organisation, outcome, why, run: run.map(|run| RunAnswer::from(&**run)) }
    }

    pub(crate) const fn not_now(organisation: OrganisationId, why: String) -> Self {
        Self { organisation, outcome: "not_now", why: Some(why), run: None }
    }

    pub(crate) const fn failed(organisation: OrganisationId, why: String) -> Self {
        Self { organisation, outcome: "failed", why: Some(why), run: None }
    }

    /// Why it failed, if it did.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.why.as_deref().filter(|_| self.outcome == "failed")
    }
}

impl From<&SyncRun> for RunAnswer {
    fn from(run: &SyncRun) -> Self {
        Self {
            run: run.id.to_string(),
            kind: run.kind.code(),
            state: run.state.code(),
            started_at: run.started_at,
            ended_at: run.ended_at,
            counts: run.counts.clone(),
            errors: run.errors.clone(),
            calls: run.calls,
        }
    }
}
