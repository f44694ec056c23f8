//! Orders of a person other than a sweep: a mass change that was stopped goes through, a deleted payment
//! comes back.

use std::time::Duration;

use host::telemetry;
use payments::{InvoiceNumber, OrganisationId, PaymentId, restore};
use queue::{Cause, Changes, InvoiceChange, InvoiceChanges};
use table::{ChangeContext, Races};

use crate::wanted::Said;
use crate::{HandleError, Sweeper};

impl<C: Changes, Q> Sweeper<C, Q> {
    /// Lets a mass change through, and has the invoices looked at again that waited for it. Returns how
    /// many those are.
    pub(crate) async fn approve(
        &self,
        organisation: OrganisationId,
        said: &Said,
    ) -> Result<usize, HandleError> {
        let now = self.clock.now();
        let approved = self.tables.approve_changes(organisation, &said.by, &said.why, now).await;
        let waiting = approved.map_err(|error| tables(&error))?;
        let mut invoices = Vec::with_capacity(waiting.len());
        for number in &waiting {
            let known = self.tables.invoice_header(organisation, number).await;
            let known = known.map_err(|error| tables(&error))?;
            invoices.extend(known.xero.map(|xero| InvoiceChange::new(xero.invoice, None)));
        }
        let changes = InvoiceChanges {
            organisation,
            cause: Cause::Manual,
            accepted_at: now,
            not_before: None,
            invoices,
        };
        let messages = changes.pack();
        if !messages.is_empty() {
            self.changes.send(&messages, Duration::ZERO).await?;
        }
        Ok(waiting.len())
    }

    /// Brings a payment back from its tombstone.
    pub(crate) async fn restore(
        &self,
        organisation: OrganisationId,
        invoice: &InvoiceNumber,
        payment: &PaymentId,
        said: &Said,
    ) -> Result<(), HandleError> {
        let was = self.tables.removed_payment(organisation, invoice, payment).await;
        let Some(was) = was.map_err(|error| tables(&error))? else {
            return Err(HandleError::NoTombstone {
                payment: payment.clone(),
                invoice: invoice.clone(),
            });
        };
        let mut races = Races::default();
        loop {
            let stored = self.tables.invoice(organisation, invoice).await;
            let stored = stored.map_err(|error| tables(&error))?;
            let change = restore(&stored, &was, &said.by, &said.why)?;
            let because = ChangeContext { cause: "console", event_at: None, now: self.clock.now() };
            let written = self.tables.write_invoice(&stored, &change, because).await;
            if races.won(written).map_err(|error| tables(&error))?.is_some() {
                return Ok(());
            }
        }
    }
}

pub(crate) fn tables(error: &dyn std::error::Error) -> HandleError {
    HandleError::Tables(telemetry::chain(error))
}
