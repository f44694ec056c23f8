//! Invoices that waited for an action about a customer are read again once it is solved.

use std::time::Duration;

use host::telemetry;
use payments::{CustomerId, OrganisationId};
use queue::{Cause, Changes, InvoiceChange, InvoiceChanges, Uploads};

use crate::error::RunError;
use crate::run::Run;
use crate::{HandleError, Uploader};

impl<Q: Uploads, C: Changes> Uploader<Q, C> {
    /// Has the invoices read again that waited for actions which a run has found to be solved (EX-37).
    pub(crate) async fn look_again_for(&self, run: &Run<'_, Q>) {
        for customer in run.solved.take() {
            let looked = self.look_again(run.organisation(), &customer).await;
            if let Err(error) = looked {
                // The next full sweep finds them.
                let error = telemetry::chain(&error);
                tracing::warn!(error, "invoices that waited for an action were not asked for");
            }
        }
    }

    /// Has the invoices read again that waited for an action that is solved. The next full sweep finds those
    /// that are not asked for here: an invoice that is held back is never settled.
    ///
    /// # Errors
    /// The tables or the queue do not answer.
    pub async fn look_again(
        &self,
        organisation: OrganisationId,
        customer: &CustomerId,
    ) -> Result<(), HandleError> {
        let failed = |error: RunError| HandleError::Run(telemetry::chain(&error));
        let Some(changes) = self.changes.as_ref() else { return Ok(()) };
        let waiting = self.tables.invoices_waiting_for(organisation, customer).await;
        let waiting = waiting.map_err(|error| failed(error.into()))?;
        let looks = InvoiceChanges {
            organisation,
            cause: Cause::Manual,
            accepted_at: self.clock.now(),
            not_before: None,
            invoices: waiting.into_iter().map(|id| InvoiceChange::new(id, None)).collect(),
        };
        let messages = looks.pack();
        if messages.is_empty() {
            return Ok(());
        }
        changes.send(&messages, Duration::ZERO).await.map_err(|error| failed(error.into()))
    }
}
