//! Whether the open invoices agree: the full sweep of the night.

use std::collections::BTreeSet;

use payments::sweep::{Difference, tie_out};
use queue::{Cause, Changes};

use crate::error::RunError;
use crate::run::{Queued, Run, Stop, Work};

impl<C: Changes> Run<'_, C> {
    /// Reads all open sales invoices, compares them with what is stored, and puts on the queue what does not
    /// agree, and what a day has come for (AMB-20).
    ///
    /// Xero is read first: what is written here in the meantime can only be newer.
    pub(crate) async fn open(&self, work: &mut Work) -> Result<Option<Stop>, RunError> {
        if self.is_over() {
            return Ok(Some(Stop::OutOfTime));
        }
        let read = self.xero.open_sales_invoices(self.organisation()).await;
        let (open, unreadable) = match self.counted(read, &mut work.run)? {
            Ok(read) => read,
            Err(stop) => return Ok(Some(stop)),
        };
        let (standings, rows) = self.tables.standings(self.organisation()).await?;
        for row in rows {
            let why = format!("invoice {} is not compared with Xero: {}", row.key, row.problem);
            let organisation = self.organisation();
            let kind = "UNREADABLE_ROW";
            self.tables.raise_message(organisation, kind, &row.key, &why, self.now()).await?;
            work.run.count("unreadable_rows", 1);
        }
        let mut differing = tie_out(&open, &standings, self.settings, self.now());
        // It is among the open ones all the same.
        let is_open: BTreeSet<_> = unreadable.iter().filter_map(|row| row.invoice).collect();
        differing.retain(|invoice, (difference, _)| {
            *difference != Difference::NoLongerOpen || !is_open.contains(invoice)
        });
        work.run.count("open_in_xero", open.len());
        work.run.count("stored", standings.len());
        let mut invoices = Queued::new();
        for (invoice, (difference, event_at)) in differing {
            work.run.count(difference.code(), 1);
            invoices.insert(invoice, event_at);
        }
        let mut queued = Queued::new();
        self.send(Cause::Sweep, invoices, &mut queued, &mut work.run).await?;
        self.name_unreadable(unreadable, &mut queued, &mut work.run).await?;
        Ok(None)
    }
}
