//! A mass change that was stopped goes through.

use std::time::Duration;

use commands::Attribution;
use payments::OrganisationId;
use queue::{Cause, Changes, InvoiceChange, InvoiceChanges};

use crate::error::tables;
use crate::{ExecutionError, Operations};

impl<C: Changes, U, Q, B> Operations<C, U, Q, B> {
    /// Lets a mass change through, and has the invoices looked at again that waited for it. Returns how
    /// many those are.
    pub(crate) async fn approve(
        &self,
        organisation: OrganisationId,
        attribution: &Attribution,
    ) -> Result<usize, ExecutionError> {
        let now = self.clock.now();
        let approved = self
            .tables
            .approve_changes(organisation, attribution.by(), attribution.reason(), now)
            .await;
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
            let sent = self.changes.send(&messages, Duration::ZERO).await;
            sent.map_err(ExecutionError::Queue)?;
        }
        Ok(waiting.len())
    }
}
