//! Work that is not done now: back to the queue, parked, or noted and left alone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_lambda_events::sqs::SqsMessage;
use jiff::{SignedDuration, Timestamp};
use payments::OrganisationId;
use queue::{Cause, Changes, InvoiceChange, InvoiceChanges, Message, delay_until};

use crate::handler::{Handler, log_failure};
use crate::jobs::{Job, Jobs, Swept};
use crate::organisation::{Deferred, Left};
use crate::tally::Tally;

impl<C: Changes> Handler<'_, C> {
    /// Keeps an invoice's change for a person, in the form in which it can be sent again.
    pub(crate) async fn park(
        &self,
        organisation: OrganisationId,
        job: &Job,
        reason: &'static str,
        detail: &str,
    ) -> bool {
        let message = Message::Invoices(InvoiceChanges {
            organisation,
            cause: job.cause,
            accepted_at: job.accepted_at(),
            not_before: None,
            invoices: vec![InvoiceChange::new(job.change.id, job.change.event_at)],
        });
        let Ok(body) = message.to_json() else { return false };
        let parked = table::Parked {
            organisation: Some(organisation),
            id: &job.change.id.to_string(),
            by: "mirror",
            reason,
            detail,
            body: body.as_bytes(),
            received_at: job.accepted_at(),
        };
        self.tables
            .park(&parked)
            .await
            .inspect_err(|error| log_failure(organisation, error, "parking failed"))
            .is_ok()
    }

    /// Invoices of an organisation that has the mirror off, or is not set up here (CM-01, CM-47).
    pub(crate) async fn leave(
        &self,
        organisation: OrganisationId,
        jobs: &Jobs,
        records: &[SqsMessage],
        reason: &'static str,
        tally: &mut Tally,
    ) -> BTreeSet<usize> {
        tally.ignored += jobs.len();
        let mut per_record: BTreeMap<usize, (Timestamp, u32)> = BTreeMap::new();
        for (position, accepted_at) in jobs.values().flat_map(|job| &job.records) {
            per_record.entry(*position).or_insert((*accepted_at, 0)).1 += 1;
        }
        let mut again = BTreeSet::new();
        for (position, (accepted_at, count)) in per_record {
            let noted = table::IgnoredEvent {
                organisation: Some(organisation),
                id: records[position].message_id.as_deref().unwrap_or_default(),
                reason,
                what: "invoice events",
                count,
                received_at: accepted_at,
            };
            if let Err(error) = self.tables.note(&noted).await {
                log_failure(organisation, &error, "noting ignored events failed");
                again.insert(position);
            }
        }
        again
    }

    /// Sends invoices back to the queue as work of their own, so that waiting for Xero never uses
    /// up the receives after which SQS gives a message up. Returns what is not done by that.
    pub(crate) async fn hand_back(
        &self,
        organisation: OrganisationId,
        jobs: &Jobs,
        later: Vec<Deferred>,
        tally: &mut Tally,
    ) -> Left {
        tally.handed_back += later.len();
        let mut groups: BTreeMap<(Duration, Cause), Vec<Deferred>> = BTreeMap::new();
        for item in later {
            groups.entry((item.2, jobs[&item.0].cause)).or_default().push(item);
        }
        let mut left = Left::default();
        for ((pause, cause), group) in groups {
            let now = self.now();
            let pause_end = SignedDuration::try_from(pause)
                .ok()
                .and_then(|pause| now.checked_add(pause).ok())
                .filter(|_| !pause.is_zero());
            let jobs_of = || group.iter().map(|(id, _, _)| &jobs[id]);
            let changes = InvoiceChanges {
                organisation,
                cause,
                accepted_at: jobs_of().map(Job::accepted_at).min().unwrap_or(now),
                not_before: pause_end,
                invoices: group.iter().map(|(_, change, _)| *change).collect(),
            };
            if matches!(cause, Cause::Sweep | Cause::Manual) {
                left.sent_back.insert(changes.accepted_at);
            }
            if !self.send(changes.pack(), delay_until(pause_end, now)).await {
                left.again.extend(jobs_of().flat_map(|job| job.records.keys().copied()));
            }
        }
        left
    }

    /// Notes which messages of a sweep are worked off, so that Last Sync moves when nothing of it is left (CC-05).
    /// What could not be noted comes again.
    pub(crate) async fn imported(
        &self,
        organisation: OrganisationId,
        swept: &Swept,
        left: &mut Left,
    ) {
        let done: Vec<_> = swept
            .iter()
            .filter(|(position, at)| !left.again.contains(position) && !left.sent_back.contains(at))
            .map(|(position, at)| (*position, *at))
            .collect();
        for (position, at) in &done {
            if let Err(error) = self.tables.imported(organisation, *at).await {
                log_failure(organisation, &error, "it could not be noted that a sweep is imported");
                left.again.insert(*position);
            }
        }
        if done.is_empty() {
            return;
        }
        if let Err(error) = self.tables.move_last_sync(organisation, self.now()).await {
            log_failure(organisation, &error, "Last Sync could not be moved");
            left.again.extend(done.iter().map(|(position, _)| *position));
        }
    }

    pub(crate) async fn send(&self, messages: Vec<Message>, delay: Duration) -> bool {
        self.changes
            .send(&messages, delay)
            .await
            .inspect_err(|error| {
                tracing::error!(error = %error, problem = %error.problem, "handing back failed");
            })
            .is_ok()
    }
}
