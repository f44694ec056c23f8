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
    /// How the connections are, if that was asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<ConnectionAnswer>,
    /// How many invoices a mass change had stopped; they are on the queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved: Option<usize>,
    /// What was parked, and is on the queue again or would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay: Option<ReplayAnswer>,
    /// The payment that is back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored: Option<String>,
}

impl Answer {
    pub(crate) const fn of(sweeps: Vec<SweepAnswer>) -> Self {
        Self { sweeps, connections: Vec::new(), approved: None, replay: None, restored: None }
    }
}

/// What became of a wish to replay.
#[derive(Debug, Default, Serialize)]
pub struct ReplayAnswer {
    /// Whether this was only a look.
    pub(crate) preview: bool,
    /// How many are on the queue again, or would be.
    pub(crate) replayed: usize,
    /// How many cannot be done again from here: nobody can read them, or the sender has to send them.
    pub(crate) left: usize,
    /// The same by reason.
    pub(crate) reasons: BTreeMap<String, usize>,
    /// The first of them.
    pub(crate) first: Vec<ReplayedAnswer>,
}

/// Something that was parked.
#[derive(Debug, Serialize)]
pub(crate) struct ReplayedAnswer {
    pub(crate) parked_at: String,
    pub(crate) reason: String,
    pub(crate) detail: String,
    pub(crate) can_be_replayed: bool,
}

/// How the connection of one organisation is.
#[derive(Debug, Serialize)]
pub struct ConnectionAnswer {
    pub(crate) organisation: OrganisationId,
    pub(crate) status: &'static str,
    pub(crate) troubles: Vec<TroubleAnswer>,
}

/// Something that is wrong, and what to do about it.
#[derive(Debug, Serialize)]
pub(crate) struct TroubleAnswer {
    pub(crate) what: &'static str,
    pub(crate) class: &'static str,
    pub(crate) cure: &'static str,
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
