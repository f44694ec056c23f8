//! The reports of one organisation in a batch, as a row in the sync log (CC-09).

use aws_lambda_events::sqs::SqsMessage;
use host::telemetry;
use jiff::Timestamp;
use payments::OrganisationId;
use payments::sweep::{SyncKind, SyncRun, Trigger};
use queue::{Changes, Uploads};

use crate::handler::Handler;
use crate::share::Share;

impl<C: Changes, U: Uploads> Handler<'_, C, U> {
    /// Writes the row of a part of a batch that is over. What it did is done, whether or not that succeeds.
    pub(crate) async fn record(
        &self,
        organisation: OrganisationId,
        share: &Share,
        records: &[SqsMessage],
        began: Timestamp,
    ) {
        // Batches run side by side, but no message is in two of them.
        let first = share.positions.iter().min().and_then(|first| records.get(*first));
        let serial = host::batch::serial(first.and_then(|first| first.message_id.as_deref()));
        let (kind, trigger) = (SyncKind::Intake, Trigger::Queue);
        let mut run = SyncRun::begun(organisation, kind, trigger, serial, began);
        share.tally.add_to(&mut run);
        let run = run.over(self.clock.now());
        if let Err(error) = self.tables.record_run(&run).await {
            tracing::error!(
                xero.tenant_id = %organisation,
                error = telemetry::chain(&error),
                "the row of a run could not be written"
            );
        }
    }
}
