//! One batch of the `changes` queue.

use access::Xero;
use std::collections::BTreeSet;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use futures_util::StreamExt as _;
use host::batch::{self, BlankId, RecordOutcome};
use host::clock::Clock;
use host::counters::Counters as _;
use host::telemetry;
use jiff::Timestamp;
use payments::OrganisationId;
use queue::{Changes, delay_until};
use table::Tables;

use crate::jobs::{in_order, sort};
use crate::liveness_cache::LivenessCache;
use crate::other_messages::keep;
use crate::tally::Tally;

/// Organisations of a batch that are worked on at the same time. Each has limits of its own at Xero.
const ORGANISATIONS_AT_ONCE: usize = 16;

/// What a batch is worked on with.
pub(crate) struct Handler<'a, C> {
    pub(crate) xero: &'a Xero,
    pub(crate) tables: &'a Tables,
    pub(crate) changes: &'a C,
    pub(crate) heard: &'a LivenessCache,
    pub(crate) clock: &'a Clock,
    /// When the invocation has to be over.
    pub(crate) deadline: Timestamp,
}

impl<C: Changes> Handler<'_, C> {
    /// Works on a batch, and says which records are to come again.
    ///
    /// A record is done when each of its invoices is up to date, parked with its reason, or handed
    /// back to the queue as work of its own. It comes again only if one of these failed.
    ///
    /// # Errors
    /// `BlankId`, see there.
    pub(crate) async fn batch(
        &self,
        event: &SqsEvent,
        tally: &mut Tally,
    ) -> Result<SqsBatchResponse, BlankId> {
        let records = &event.records;
        tally.records = records.len();
        let work = sort(records, self.now());
        let mut again = BTreeSet::new();
        again.extend(keep(self.tables, records, &work, self.now(), tally).await);
        for (position, changes) in work.postponed {
            tally.postponed += changes.invoices.len();
            let delay = delay_until(changes.not_before, self.now());
            if !self.send(changes.pack(), delay).await {
                again.insert(position);
            }
        }
        let organisations = in_order(&work.jobs, self.now());
        let swept = &work.swept;
        let mut done = futures_util::stream::iter(organisations)
            .map(|(organisation, jobs)| async move {
                let mut tally = Tally::default();
                let mut left = self.organisation(*organisation, jobs, records, &mut tally).await;
                if let Some(swept) = swept.get(organisation) {
                    self.imported(*organisation, swept, &mut left).await;
                }
                (left.again, tally)
            })
            .buffer_unordered(ORGANISATIONS_AT_ONCE);
        while let Some((records, of_organisation)) = done.next().await {
            again.extend(records);
            tally.absorb(of_organisation);
        }
        tally.again = again.len();
        batch::answer(records.iter().enumerate().map(|(position, record)| {
            let outcome =
                if again.contains(&position) { RecordOutcome::Again } else { RecordOutcome::Done };
            (record.message_id.as_deref(), outcome)
        }))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

pub(crate) fn log_failure(
    organisation: OrganisationId,
    error: &dyn std::error::Error,
    what: &'static str,
) {
    tracing::error!(xero.tenant_id = %organisation, error = telemetry::chain(error), "{what}");
}
