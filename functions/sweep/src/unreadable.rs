//! Rows of Xero's lists that cannot be read: each is named, and ends nothing for the others (AMB-30).

use payments::InvoiceKind;
use payments::sweep::{Concern, Seen, SyncRun, concern};
use queue::{Cause, Changes};
use table::PARKED_MAX;
use xero::Unreadable;

use crate::error::RunError;
use crate::run::{Queued, Run};

/// What messages about them are called.
pub(crate) const SCHEMA: &str = "SCHEMA";

impl<C: Changes> Run<'_, C> {
    /// Counts these rows, names those that concern us in a message each, and lets the mirror read their invoices in
    /// full: it parks what it cannot read either. Returns those that concern us.
    pub(crate) async fn name_unreadable(
        &self,
        rows: Vec<Unreadable>,
        queued: &mut Queued,
        run: &mut SyncRun,
    ) -> Result<Vec<Unreadable>, RunError> {
        let mut ours = Vec::new();
        if rows.is_empty() {
            return Ok(ours);
        }
        run.count("unreadable", rows.len());
        let mut invoices = Queued::new();
        for row in rows {
            if !self.is_ours(&row).await? {
                continue;
            }
            let (subject, why) = named(&row);
            let organisation = self.organisation();
            self.tables.raise_message(organisation, SCHEMA, &subject, &why, self.now()).await?;
            invoices.extend(row.invoice.map(|invoice| (invoice, None)));
            ours.push(row);
        }
        // An invoice that is parked already waits for a person.
        let parked = self.tables.newest_parked(Some(self.organisation()), PARKED_MAX).await?;
        invoices.retain(|invoice, _| {
            let id = invoice.to_string();
            !parked.rows.iter().any(|row| row.parked_at.contains(&id))
        });
        self.send(Cause::Sweep, invoices, queued, run).await?;
        Ok(ours)
    }

    /// Whether it may be about an invoice of ours. A row that may be one counts as one.
    async fn is_ours(&self, row: &Unreadable) -> Result<bool, RunError> {
        let kind = row.kind.unwrap_or(InvoiceKind::Sales);
        let Some(invoice) = row.invoice else { return Ok(kind == InvoiceKind::Sales) };
        let seen = Seen { invoice, kind, number: row.number.clone(), updated_at: None };
        match concern(&seen, self.settings) {
            Concern::Ours => Ok(true),
            Concern::OursBefore(_) => self.was_ours(invoice).await,
            Concern::Nobody(_) => Ok(false),
        }
    }
}

/// What a message says of a row, and by what it is known again.
pub(crate) fn named(row: &Unreadable) -> (String, String) {
    let id = row.id.map_or_else(|| "without an id".to_owned(), |id| id.to_string());
    let number = row.number.as_deref().filter(|number| !number.is_empty());
    let on = number.map(|number| format!(" ({number})")).unwrap_or_default();
    (id.clone(), format!("{} {id}{on} in Xero: {}; all others were read", row.list, row.why()))
}
