//! What the full sweep of the night does with invoices that are settled: a thirtieth of all that are stored is looked at
//! in each night, so that nothing is forgotten. A change of a settled invoice comes by a webhook, and by the sweep of what
//! changed; what both have lost is found here.

use std::collections::BTreeMap;

use payments::sweep::{OpenFigures, Rotation, Standing, compare_settled};
use payments::{InvoiceNumber, XeroInvoiceId};
use queue::Changes;
use table::Misplaced;

use crate::error::RunError;
use crate::open::Walk;
use crate::run::{Run, Stop, Work};

/// Stored invoices that are read at once, of the first rotation, which asks Xero for none of them.
const COUNTED_PAGE: u32 = 1_000;
/// The same of all others: five calls of Xero.
const COMPARED_PAGE: u32 = 200;

impl<C: Changes> Run<'_, C> {
    /// Goes through today's part of all that is stored.
    pub(crate) async fn rotate(
        &self,
        walk: &mut Walk,
        work: &mut Work,
    ) -> Result<Option<Stop>, RunError> {
        let today = self.settings.today(self.now());
        loop {
            let rotation = work.state.rotation.clone().unwrap_or_else(|| Rotation::first(today));
            let max = if rotation.compares() { COMPARED_PAGE } else { COUNTED_PAGE };
            let max = i32::try_from(rotation.due(today, max)).unwrap_or(i32::MAX);
            if max == 0 {
                return Ok(None);
            }
            if self.is_over() {
                return Ok(Some(Stop::OutOfTime));
            }
            let (of, after) = (self.organisation(), rotation.after.as_ref());
            let page = self.tables.standings(of, after, max).await?;
            // Those in the index were named by the night already.
            let unlisted = |key: &str| page.misplaced.iter().any(|row| row.number.as_str() == key);
            let mut unreadable = page.unreadable.clone();
            unreadable.retain(|row| unlisted(&row.key));
            self.name_rows(&unreadable, work).await?;
            self.put_into_place(&page.misplaced, work).await?;
            if let Some(stop) =
                self.look_at_all(&page.standings, &page.misplaced, walk, work).await?
            {
                return Ok(Some(stop));
            }
            let rows = page.standings.len().saturating_add(page.unreadable.len());
            work.run.count("in_rotation", rows);
            let rows = u32::try_from(rows).unwrap_or(u32::MAX);
            work.state.rotation = Some(rotation.gone_through(rows, page.next, today));
            self.keep(walk, work, None).await?;
        }
    }

    /// Looks at rows that the night has not looked at: those that were not in the index, and those that are settled.
    async fn look_at_all(
        &self,
        standings: &[Standing],
        misplaced: &[Misplaced],
        walk: &mut Walk,
        work: &mut Work,
    ) -> Result<Option<Stop>, RunError> {
        let is_missed = |number: &InvoiceNumber| {
            misplaced.iter().any(|row| row.is_unsettled && row.number == *number)
        };
        let missed: Vec<_> =
            standings.iter().filter(|row| is_missed(&row.number)).cloned().collect();
        if let Some(stop) = self.look_through(&missed, walk, work).await? {
            return Ok(Some(stop));
        }
        let compares = work.state.rotation.as_ref().is_some_and(Rotation::compares);
        let settled: Vec<_> = standings.iter().filter(|row| !row.is_unsettled()).collect();
        if compares { self.compare_settled(&settled, walk, work).await } else { Ok(None) }
    }

    /// Asks Xero for settled invoices by their ids, and puts on the queue what it shows otherwise.
    async fn compare_settled(
        &self,
        settled: &[&Standing],
        walk: &mut Walk,
        work: &mut Work,
    ) -> Result<Option<Stop>, RunError> {
        let by_id = |row: &&&Standing| row.xero.is_some_and(|xero| !walk.has(xero.invoice));
        let settled: Vec<_> = settled.iter().filter(by_id).collect();
        let ids: Vec<_> = settled.iter().filter_map(|row| Some(row.xero?.invoice)).collect();
        let read = self.xero.figures_of(self.organisation(), &ids).await;
        let (figures, unreadable) = match self.counted(read, &mut work.run)? {
            Ok(read) => read,
            Err(stop) => return Ok(Some(stop)),
        };
        self.name_unreadable(unreadable, &mut walk.queued, &mut work.run).await?;
        let figures: BTreeMap<XeroInvoiceId, OpenFigures> =
            figures.into_iter().map(|row| (row.invoice, row)).collect();
        for (standing, id) in
            settled.iter().zip(&ids).filter(|(_, id)| !walk.queued.contains_key(id))
        {
            let shown = figures.get(id);
            if let Some(difference) = compare_settled(shown, standing, self.settings) {
                work.run.count(difference.code(), 1);
                walk.differing.insert(*id, shown.map(|figures| figures.updated_at));
            }
        }
        work.run.count("settled_compared", ids.len());
        Ok(None)
    }

    /// Gives invoices their places in the index of what is unsettled.
    pub(crate) async fn put_into_place(
        &self,
        misplaced: &[Misplaced],
        work: &mut Work,
    ) -> Result<(), RunError> {
        for row in misplaced {
            self.tables.put_into_place(self.organisation(), row).await?;
        }
        work.run.count("put_into_place", misplaced.len());
        Ok(())
    }
}
