//! The function's answer to its caller.

use aws_lambda_events::sqs::BatchItemFailure;
use commands::reply::{ConnectionHealth, OrganisationSweep, RunSummary, SweepOutcome};
use payments::OrganisationId;
use payments::sweep::{StartDecision, SyncRun, SyncState};
use serde::Serialize;

use crate::run::Outcome;

/// The answer to an invocation.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// One for each organisation. Counts only: no names, no amounts.
    pub sweeps: Vec<OrganisationSweep>,
    /// The health of the connections, if that was asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<ConnectionHealth>,
    /// For how many organisations a schedule has put a message on the queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listed: Option<usize>,
    /// The answer to messages of that queue: none of them is to come again.
    #[serde(rename = "batchItemFailures", skip_serializing_if = "Option::is_none")]
    pub batch_item_failures: Option<Vec<BatchItemFailure>>,
}

impl Answer {
    pub(crate) const fn of(sweeps: Vec<OrganisationSweep>) -> Self {
        Self { sweeps, connections: Vec::new(), listed: None, batch_item_failures: None }
    }
}

pub(crate) fn swept(organisation: OrganisationId, outcome: &Outcome) -> OrganisationSweep {
    let (outcome, why, run) = match outcome {
        Outcome::Ran(run, _) => (ended(run.state), run.problem.clone(), Some(run)),
        Outcome::NotRun(start, run) => {
            let outcome = match start {
                StartDecision::Running => SweepOutcome::AnotherRunIsAtIt,
                StartDecision::Cooling => SweepOutcome::AskedAMomentAgo,
                StartDecision::Go | StartDecision::Done => SweepOutcome::AlreadyDone,
            };
            (outcome, None, run.as_ref())
        }
    };
    OrganisationSweep { organisation, outcome, why, run: run.map(|run| summary(run)) }
}

/// There was no time for it: nothing was asked of Xero, and nothing was written down.
pub(crate) fn not_reached(organisation: OrganisationId) -> OrganisationSweep {
    let why = "the invocation's time was over; it is among the first in the next one";
    not_run(organisation, SweepOutcome::Stopped, why.to_owned())
}

pub(crate) const fn not_run(
    organisation: OrganisationId,
    outcome: SweepOutcome,
    why: String,
) -> OrganisationSweep {
    OrganisationSweep { organisation, outcome, why: Some(why), run: None }
}

pub(crate) const fn failed(organisation: OrganisationId, why: String) -> OrganisationSweep {
    not_run(organisation, SweepOutcome::Failed, why)
}

/// Why a sweep failed, if it did.
pub(crate) fn failure(sweep: &OrganisationSweep) -> Option<&str> {
    sweep.why.as_deref().filter(|_| sweep.outcome == SweepOutcome::Failed)
}

const fn ended(state: SyncState) -> SweepOutcome {
    match state {
        SyncState::Running => SweepOutcome::Running,
        SyncState::Finished => SweepOutcome::Finished,
        SyncState::Stopped => SweepOutcome::Stopped,
        SyncState::Failed => SweepOutcome::Failed,
        SyncState::Interrupted => SweepOutcome::Interrupted,
    }
}

fn summary(run: &SyncRun) -> RunSummary {
    RunSummary {
        run: run.id.to_string(),
        kind: run.kind.code().to_owned(),
        state: run.state.code().to_owned(),
        started_at: run.started_at,
        ended_at: run.ended_at,
        counts: run.counts.clone(),
        errors: run.errors.clone(),
        calls: run.calls,
    }
}
