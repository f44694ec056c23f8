//! The work of a batch for one organisation, as a row in the sync log (CC-09).

use aws_lambda_events::sqs::SqsMessage;
use payments::OrganisationId;
use payments::sweep::{SyncKind, SyncRun, Trigger};
use queue::Changes;

use crate::handler::{Handler, log_failure};
use crate::jobs::Jobs;
use crate::tally::Tally;

impl<C: Changes> Handler<'_, C> {
    /// An organisation's part of a batch that begins now.
    pub(crate) fn begun(
        &self,
        organisation: OrganisationId,
        jobs: &Jobs,
        records: &[SqsMessage],
    ) -> SyncRun {
        // Calls spent before do not count for this run.
        let _ = self.xero.take_spent(organisation);
        // Batches run side by side, but no message is in two of them.
        let first = jobs.values().flat_map(|job| job.records.keys()).min();
        let id = first.and_then(|first| records.get(*first)?.message_id.as_deref());
        let (kind, trigger) = (SyncKind::Mirror, Trigger::Queue);
        SyncRun::begun(organisation, kind, trigger, host::batch::serial(id), self.now())
    }

    /// Writes the row of a run that is over. What it did is done, whether or not that succeeds.
    pub(crate) async fn record(&self, mut run: SyncRun, again: usize, tally: &mut Tally) {
        let spent = self.xero.take_spent(run.organisation);
        (tally.calls, tally.bytes) = (spent.calls, spent.bytes);
        tally.add_to(&mut run);
        run.count("records_again", again);
        let run = run.over(self.now());
        if let Err(error) = self.tables.record_run(&run).await {
            log_failure(run.organisation, &error, "the row of a run could not be written");
        }
    }
}
