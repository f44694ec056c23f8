//! The function's answer to its caller.

use std::collections::BTreeMap;

use aws_lambda_events::sqs::BatchItemFailure;
use jiff::Timestamp;
use payments::sweep::{Start, SyncRun};
use payments::{GrantId, OrganisationId, XeroInvoiceId};
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
    /// Parked work that is on its queue again, or would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay: Option<ReplayAnswer>,
    /// The discrepancy that may stay as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
    /// Discrepancies on which an order was carried out, and the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work: Option<WorkAnswer>,
    /// The payment that is back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored: Option<String>,
    /// Messages that are in a dead-letter queue, or on its queue again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redrive: Option<RedriveAnswer>,
    /// The message that was taken out of a dead-letter queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discard: Option<DiscardAnswer>,
    /// Where a user of Xero lets us in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorise: Option<AuthoriseAnswer>,
    /// What a user of Xero has granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect: Option<ConnectAnswer>,
    /// For how many organisations a schedule has put a message on the queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listed: Option<usize>,
    /// The answer to messages of that queue: none of them is to come again.
    #[serde(rename = "batchItemFailures", skip_serializing_if = "Option::is_none")]
    pub batch_item_failures: Option<Vec<BatchItemFailure>>,
}

impl Answer {
    pub(crate) const fn of(sweeps: Vec<SweepAnswer>) -> Self {
        Self {
            sweeps,
            connections: Vec::new(),
            approved: None,
            replay: None,
            accepted: None,
            work: None,
            restored: None,
            redrive: None,
            discard: None,
            authorise: None,
            connect: None,
            listed: None,
            batch_item_failures: None,
        }
    }
}

/// What became of an order about discrepancies.
#[derive(Debug, Serialize)]
pub struct WorkAnswer {
    /// Those on which it was carried out.
    pub(crate) done: Vec<String>,
    /// Those on which it was not.
    pub(crate) refused: Vec<RefusedAnswer>,
}

/// A discrepancy on which an order was not carried out.
#[derive(Debug, Serialize)]
pub(crate) struct RefusedAnswer {
    pub(crate) discrepancy: String,
    pub(crate) why: String,
}

/// What became of a wish to replay.
#[derive(Debug, Default, Serialize)]
pub struct ReplayAnswer {
    /// Whether this was only a look.
    pub(crate) preview: bool,
    /// How many are on the queue again, or would be.
    pub(crate) replayed: usize,
    /// How many stay: they would be parked again, or cannot be done again from here.
    pub(crate) left: usize,
    /// How many there was no time for. Ask again.
    #[serde(skip_serializing_if = "is_nothing")]
    pub(crate) not_reached: usize,
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
    /// Only if it is asked for by its `parked_at`.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) only_if_named: bool,
}

/// What became of a wish to redrive. Ids and counts only: no names, no amounts.
#[derive(Debug, Serialize)]
pub struct RedriveAnswer {
    pub(crate) queue: &'static str,
    /// Whether this was only a look.
    pub(crate) preview: bool,
    /// How many are on their queue again.
    pub(crate) redriven: usize,
    /// How many are in the dead-letter queue now, as far as SQS knows.
    pub(crate) left: u32,
    /// Those that were looked at, or are on their queue again.
    pub(crate) letters: Vec<LetterAnswer>,
    /// Why that is not all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<String>,
}

/// A message of a dead-letter queue.
#[derive(Debug, Serialize)]
pub(crate) struct LetterAnswer {
    pub(crate) message: String,
    pub(crate) organisation: Option<OrganisationId>,
    pub(crate) kind: String,
    pub(crate) subject: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) invoices: Vec<XeroInvoiceId>,
    /// Of decisions that were not announced: when the first of them was written, about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rows_from: Option<Timestamp>,
    /// When the last of them was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rows_to: Option<Timestamp>,
    pub(crate) sent_at: Option<Timestamp>,
    /// Then SQS forgets it.
    pub(crate) kept_until: Option<Timestamp>,
    /// How often it was received, looks included.
    pub(crate) receives: u32,
}

/// A message that was taken out.
#[derive(Debug, Serialize)]
pub struct DiscardAnswer {
    pub(crate) discarded: LetterAnswer,
    /// Whose rows of the table `parked` it stands among: an organisation's, or `unknown`.
    pub(crate) parked_under: String,
    /// How many are in the dead-letter queue now, as far as SQS knows.
    pub(crate) left: u32,
}

/// Where a user lets us in.
#[derive(Debug, Serialize)]
pub struct AuthoriseAnswer {
    /// The address, for the user's browser.
    pub(crate) url: String,
    /// The grant that comes of it.
    pub(crate) grant: GrantId,
    /// Until when the user has to be back.
    pub(crate) until: Timestamp,
}

/// What a user has granted.
#[derive(Debug, Serialize)]
pub struct ConnectAnswer {
    pub(crate) grant: GrantId,
    /// The organisations that the user has chosen and that are mirrored or set up here.
    pub(crate) signed_up: Vec<OrganisationId>,
    /// The others: `sign_up` is what they need next.
    pub(crate) may_be_signed_up: Vec<OrganisationId>,
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
    pub(crate) why: String,
    #[serde(rename = "cure")]
    pub(crate) remedy: &'static str,
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

    /// There was no time for it: nothing was asked of Xero, and nothing was written down.
    pub(crate) fn not_reached(organisation: OrganisationId) -> Self {
        let why = "the invocation's time was over; it is among the first in the next one";
        Self { outcome: "stopped", ..Self::not_now(organisation, why.to_owned()) }
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

const fn is_nothing(count: &usize) -> bool {
    *count == 0
}

const fn is_false(flag: &bool) -> bool {
    !*flag
}
