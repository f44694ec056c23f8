//! Whether the open invoices agree: the full sweep of the night.

use payments::sweep::tie_out;
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
        let open = match self.counted(read, &mut work.run)? {
            Ok(open) => open,
            Err(stop) => return Ok(Some(stop)),
        };
        let standings = self.tables.standings(self.organisation()).await?;
        let differing = tie_out(&open, &standings, self.settings, self.now());
        work.run.count("open_in_xero", open.len());
        work.run.count("stored", standings.len());
        let mut invoices = Queued::new();
        for (invoice, (difference, event_at)) in differing {
            work.run.count(difference.code(), 1);
            invoices.insert(invoice, event_at);
        }
        self.send(Cause::Sweep, invoices, &mut Queued::new(), &mut work.run).await?;
        Ok(None)
    }
}
