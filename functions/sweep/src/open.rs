//! Whether the open invoices agree: the full sweep of the night. It is gone on with where it was left, and has one
//! page of each side in memory, and of the open invoices the ids. Of what is stored it looks at what is not settled, and
//! at a part of everything else (`rotation`).

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use payments::sweep::{Difference, OpenFigures, OpenWalk, Standing, compare, review};
use payments::upload::{OpenInvoice, UnreadableInvoice};
use payments::{InvoiceKind, InvoiceNumber, XeroInvoiceId};
use queue::{Cause, Changes};
use table::{ChangeContext, WriteError};

use crate::error::RunError;
use crate::run::{Queued, Run, Stop, Work};
use crate::unreadable::SCHEMA;

/// Stored invoices that are read at once.
const STORED_PAGE: i32 = 1_000;

/// Invoices that are asked for by their numbers at once (AMB-39).
const LOOKED_UP_AT_ONCE: usize = 50;

/// How old an unfinished walk may be to be gone on with: what it saw first may be otherwise by then.
const WALK_MAX: SignedDuration = SignedDuration::from_hours(20);

/// A walk that a run has in hand.
pub(crate) struct Walk {
    at: OpenWalk,
    /// The invoices that are open in Xero under the number under which they are stored.
    seen: BTreeSet<XeroInvoiceId>,
    /// Those of them that are not stored yet.
    unstored: Vec<XeroInvoiceId>,
    /// The numbers that are on the queue to be read for the first time.
    new: BTreeSet<InvoiceNumber>,
    pub(crate) queued: Queued,
    /// What of a page is to be put on the queue, in as few messages as possible.
    pub(crate) differing: Queued,
}

impl Walk {
    /// Whether an invoice is on the queue, or will be.
    pub(crate) fn has(&self, invoice: XeroInvoiceId) -> bool {
        self.queued.contains_key(&invoice) || self.differing.contains_key(&invoice)
    }

    /// An invoice is open in Xero.
    fn sees(&mut self, invoice: XeroInvoiceId) {
        if self.seen.insert(invoice) {
            self.unstored.push(invoice);
        }
    }
}

impl<C: Changes> Run<'_, C> {
    /// Goes through all open sales invoices of Xero, then through what is stored and not settled, and puts on the queue
    /// what does not agree, what a day has come for (AMB-20), what was judged under other settings (AMB-35), and what
    /// was never read (AMB-39).
    ///
    /// Xero is read first: what is written here in the meantime can only be newer.
    pub(crate) async fn open(&self, work: &mut Work) -> Result<Option<Stop>, RunError> {
        let mut walk = self.walk(work).await?;
        while let Some(place) = walk.at.xero {
            if self.is_over() {
                return self.keep(&mut walk, work, Some(Stop::OutOfTime)).await;
            }
            let read = self.xero.open_invoices_page(self.organisation(), place).await;
            let page = match self.counted(read, &mut work.run)? {
                Ok(page) => page,
                Err(stop) => return self.keep(&mut walk, work, Some(stop)).await,
            };
            self.compare(&page.rows, &mut walk, work).await?;
            // Unreadable invoices are among the open ones all the same.
            for invoice in page.unreadable.iter().filter_map(|row| row.invoice) {
                walk.sees(invoice);
            }
            self.name_unreadable(page.unreadable, &mut walk.queued, &mut work.run).await?;
            walk.at.xero = page.next;
            if page.next.is_some() {
                self.keep(&mut walk, work, None).await?;
            }
        }
        if let Some(stop) = self.unsettled(&mut walk, work).await? {
            return self.keep(&mut walk, work, Some(stop)).await;
        }
        if let Some(stop) = self.rotate(&mut walk, work).await? {
            return self.keep(&mut walk, work, Some(stop)).await;
        }
        if let Some(stop) = self.follow_cutover(work).await? {
            return self.keep(&mut walk, work, Some(stop)).await;
        }
        self.send_differing(&mut walk, work).await?;
        work.state.gone_through(walk.at);
        Ok(None)
    }

    /// Goes through what is stored and not settled.
    async fn unsettled(&self, walk: &mut Walk, work: &mut Work) -> Result<Option<Stop>, RunError> {
        loop {
            if self.is_over() {
                return Ok(Some(Stop::OutOfTime));
            }
            let (of, after) = (self.organisation(), walk.at.after.as_ref());
            let page = self.tables.unsettled_standings(of, after, STORED_PAGE).await?;
            self.name_rows(&page.unreadable, work).await?;
            self.put_into_place(&page.misplaced, work).await?;
            if let Some(stop) = self.look_through(&page.standings, walk, work).await? {
                return Ok(Some(stop));
            }
            match page.next {
                Some(next) => walk.at.after = Some(next),
                None => return Ok(None),
            }
            self.keep(walk, work, None).await?;
        }
    }

    /// Looks through a page of what is stored: what is known here is reviewed, and what is not is asked for.
    pub(crate) async fn look_through(
        &self,
        standings: &[Standing],
        walk: &mut Walk,
        work: &mut Work,
    ) -> Result<Option<Stop>, RunError> {
        self.review(standings, walk, work);
        work.run.count("stored", standings.len());
        self.look_up(standings, walk, work).await
    }

    /// The walk that was left, or a new one.
    async fn walk(&self, work: &Work) -> Result<Walk, RunError> {
        let now = self.now();
        let left = work.state.walk.clone();
        let mut walk = Walk {
            at: OpenWalk::begun(self.settings, now),
            seen: BTreeSet::new(),
            unstored: Vec::new(),
            new: BTreeSet::new(),
            queued: Queued::new(),
            differing: Queued::new(),
        };
        if let Some(at) = left.filter(|at| now.duration_since(at.begun_at) < WALK_MAX) {
            let mut seen = BTreeSet::new();
            for part in 0..at.parts {
                match self.tables.seen(self.organisation(), &at, part).await? {
                    Some(ids) => seen.extend(ids),
                    None => return Ok(walk),
                }
            }
            walk.at = at;
            walk.seen = seen;
        }
        Ok(walk)
    }

    async fn send_differing(&self, walk: &mut Walk, work: &mut Work) -> Result<(), RunError> {
        let differing = std::mem::take(&mut walk.differing);
        self.send(Cause::Sweep, differing, &mut walk.queued, &mut work.run).await
    }

    /// Puts what differs on the queue, and then stores how far the walk has come.
    pub(crate) async fn keep(
        &self,
        walk: &mut Walk,
        work: &mut Work,
        stop: Option<Stop>,
    ) -> Result<Option<Stop>, RunError> {
        self.send_differing(walk, work).await?;
        if !walk.unstored.is_empty() {
            let part = walk.at.parts;
            self.tables.store_seen(self.organisation(), &walk.at, part, &walk.unstored).await?;
            walk.at.parts = part.saturating_add(1);
            walk.unstored.clear();
        }
        work.state.walk = Some(walk.at.clone());
        self.store(work).await?;
        Ok(stop)
    }

    /// Compares a page of open invoices with what is stored of them.
    async fn compare(
        &self,
        open: &[OpenFigures],
        walk: &mut Walk,
        work: &mut Work,
    ) -> Result<(), RunError> {
        let local = |figures: &OpenFigures| self.settings.prefix.to_local(&figures.number).ok();
        let ours: Vec<_> = open.iter().filter_map(|row| Some((local(row)?, row))).collect();
        let numbers = ours.iter().map(|(number, _)| number);
        let standings = self.tables.standings_of(self.organisation(), numbers).await?;
        let standings: BTreeMap<_, _> = standings.iter().map(|row| (&row.number, row)).collect();
        for (number, figures) in &ours {
            let Some(standing) = standings.get(number) else { continue };
            let known = standing.xero.is_some_and(|xero| xero.invoice == figures.invoice);
            if known {
                walk.sees(figures.invoice);
            }
            if let Some(difference) = compare(figures, standing) {
                if difference == Difference::NotReadYet {
                    walk.new.insert(number.clone());
                }
                work.run.count(difference.code(), 1);
                walk.differing.insert(figures.invoice, Some(figures.updated_at));
            }
        }
        work.run.count("open_in_xero", open.len());
        Ok(())
    }

    /// Raises a message for each unreadable stored row: it is compared with nothing, and hides no other (AMB-30).
    pub(crate) async fn name_rows(
        &self,
        rows: &[table::UnreadableRow],
        work: &mut Work,
    ) -> Result<(), RunError> {
        for row in rows {
            let why = format!("invoice {} is not compared with Xero: {}", row.key, row.problem);
            let (organisation, now) = (self.organisation(), self.now());
            let kind = "UNREADABLE_ROW";
            self.tables.raise_message(organisation, kind, &row.key, &why, now).await?;
            work.run.count("unreadable_rows", 1);
        }
        Ok(())
    }

    /// Looks through a page of what is stored.
    fn review(&self, standings: &[Standing], walk: &mut Walk, work: &mut Work) {
        for standing in standings {
            let Some(xero) = standing.xero.filter(|xero| !walk.has(xero.invoice)) else {
                continue;
            };
            let is_open = walk.seen.contains(&xero.invoice);
            let (begun_at, settings) = (walk.at.begun_at, self.settings);
            if let Some(difference) = review(standing, is_open, begun_at, settings, self.now()) {
                work.run.count(difference.code(), 1);
                walk.differing.insert(xero.invoice, None);
            }
        }
    }

    /// Asks Xero by their numbers for the invoices of the business's own system that were never read there: they
    /// may have been paid long ago (AMB-39).
    async fn look_up(
        &self,
        standings: &[Standing],
        walk: &mut Walk,
        work: &mut Work,
    ) -> Result<Option<Stop>, RunError> {
        let never_read =
            |row: &&Standing| row.is_local && row.xero.is_none() && !walk.new.contains(&row.number);
        let awaiting: Vec<_> =
            standings.iter().filter(never_read).map(|row| row.number.clone()).collect();
        let mut missing: u32 = 0;
        for numbers in awaiting.chunks(LOOKED_UP_AT_ONCE) {
            if self.is_over() {
                return Ok(Some(Stop::OutOfTime));
            }
            let asked: Vec<_> =
                numbers.iter().map(|number| self.settings.prefix.to_xero(number)).collect();
            let read = self.xero.invoices_numbered(self.organisation(), &asked).await;
            let found = match self.counted(read, &mut work.run)? {
                Ok(found) => found,
                Err(stop) => return Ok(Some(stop)),
            };
            let is_sales = |invoice: &OpenInvoice| invoice.kind == InvoiceKind::Sales;
            let sales = found.invoices.into_iter().filter(is_sales);
            let mut there = self.told_unreadable(found.unreadable, walk).await?;
            work.run.count("looked_up", numbers.len());
            for invoice in sales {
                if !walk.has(invoice.id) {
                    walk.differing.insert(invoice.id, None);
                    work.run.count("found_by_number", 1);
                }
                there.insert(invoice.number);
            }
            for number in numbers {
                if !there.contains(&self.settings.prefix.to_xero(number)) {
                    missing = missing.saturating_add(1);
                    self.miss(number, work).await?;
                }
            }
        }
        walk.at.awaiting = walk.at.awaiting.saturating_add(missing);
        Ok(None)
    }

    /// Raises a message for each invoice that was asked for and cannot be read: it is there, or may be, and is not
    /// missed. The mirror reads it in full, and parks it with the reason (AMB-30). Returns their numbers.
    async fn told_unreadable(
        &self,
        unreadable: Vec<UnreadableInvoice>,
        walk: &mut Walk,
    ) -> Result<BTreeSet<String>, RunError> {
        let mut numbers = BTreeSet::new();
        for invoice in unreadable {
            let Some(number) = invoice.number else { continue };
            let why = format!("invoice {number} in Xero: {}", invoice.why);
            let (organisation, now) = (self.organisation(), self.now());
            self.tables.raise_message(organisation, SCHEMA, &number, &why, now).await?;
            if let Some(id) = invoice.id.filter(|id| !walk.has(*id)) {
                walk.differing.insert(id, None);
            }
            numbers.insert(number);
        }
        Ok(numbers)
    }

    /// Flags an invoice that Xero does not have, if it is time.
    async fn miss(&self, number: &InvoiceNumber, work: &mut Work) -> Result<(), RunError> {
        let (now, organisation) = (self.now(), self.organisation());
        let stored = self.tables.invoice(organisation, number).await?;
        let Some(change) = payments::not_in_xero(&stored, self.settings, now) else {
            return Ok(());
        };
        let because = ChangeContext { cause: Cause::Sweep.code(), event_at: None, now };
        match self.tables.write_invoice(&stored, &change, because).await {
            Ok(()) => work.run.count("not_in_xero", 1),
            // It is written at this moment: the next night sees what came of it.
            Err(WriteError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}
