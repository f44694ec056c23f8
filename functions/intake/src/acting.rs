//! One report: stored rows in, decision, rows out.
//!
//! Each step can be repeated. A report that was interrupted comes again, finds what is done, does
//! the rest, and asks for another look at Xero wherever the answer to the last look is gone.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use payments::{
    Change, InvoiceNumber, LocalInvoice, Receipt, Refusal, Reported, Settings, StoredInvoice,
    Warning, XeroInvoiceId, journaling_warning, record_invoice, record_journaling, record_part,
    removed_warning, report, warnings,
};
use queue::{Cause, Changes, InvoiceChange, InvoiceChanges, SendError};
use table::{Because, ReadError, Tables, WriteError};

use crate::contract::{Journaling, Report};

/// How often a lost race is tried again at once. Each time somebody else has won, so that there
/// is progress; more than this means that the queue should calm things down.
const RACES_MAX: u32 = 8;

/// What became of a report.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Recorded {
    /// Whether anything was new.
    pub(crate) changed: bool,
    /// How many warnings it raised.
    pub(crate) warnings: usize,
    /// How many invoices are to be looked at again in Xero.
    pub(crate) looks: usize,
}

/// Why a report was not taken in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the report contradicts what is known")]
    Refused(#[from] Refusal),
    #[error("reading what is stored failed")]
    Read(#[from] ReadError),
    #[error("writing failed")]
    Write(#[from] WriteError),
    #[error("lost the race for the same rows {RACES_MAX} times in a row")]
    Races,
    #[error("asking for another look at the invoices failed")]
    Send(#[from] SendError),
}

/// What reports of one organisation are recorded with.
pub(crate) struct Recorder<'a, C> {
    pub(crate) tables: &'a Tables,
    pub(crate) changes: &'a C,
    pub(crate) settings: &'a Settings,
    pub(crate) clock: fn() -> Timestamp,
    /// When the report was sent.
    pub(crate) sent_at: Option<Timestamp>,
}

impl<C: Changes> Recorder<'_, C> {
    /// Takes in a report.
    pub(crate) async fn record(&self, report: &Report) -> Result<Recorded, Failure> {
        for _ in 0..RACES_MAX {
            let because = Because {
                cause: Cause::Intake.code(),
                event_at: self.sent_at,
                now: (self.clock)(),
            };
            let recorded = match report {
                Report::Invoice(report) => self.invoice(&report.invoice, because).await,
                Report::Payment(receipt) => self.payment(receipt, because).await,
                Report::Journaling(journaling) => self.journaling(journaling, because).await,
            };
            match recorded {
                Err(Failure::Write(WriteError::Conflict)) => {}
                recorded => return recorded,
            }
        }
        Err(Failure::Races)
    }

    async fn invoice(
        &self,
        incoming: &LocalInvoice,
        because: Because,
    ) -> Result<Recorded, Failure> {
        let stored = self.stored(&incoming.number).await?;
        let change = record_invoice(&stored, incoming, because.now)?;
        let changed = change.is_some();
        let look = self.write(&stored, change, because).await?;
        let looks = self.look_again(look.into_iter().collect()).await?;
        Ok(Recorded { changed, warnings: 0, looks })
    }

    /// All refusals are found before anything is written. The receipt is written last: it says that
    /// all parts are there and all looks asked for, and it takes the place of the one by which the
    /// invoices of the version before are known.
    async fn payment(&self, incoming: &Receipt, because: Because) -> Result<Recorded, Failure> {
        let now = because.now;
        let known = self.tables.receipt(incoming.organisation, &incoming.id).await?;
        let (accepted, latest, invoices) = match (report(known.as_ref(), incoming)?, &known) {
            (Reported::AlreadyKnown, Some(known)) => (false, known, concerned(known, incoming)),
            (Reported::AlreadyKnown, None) => (false, incoming, BTreeSet::new()),
            (Reported::Accepted(invoices), _) => (true, incoming, invoices),
        };
        let mut removed = Vec::new();
        let mut parts = Vec::with_capacity(invoices.len());
        for number in invoices {
            let stored = self.stored(&number).await?;
            if self.removed_with_its_original(&stored, latest).await? {
                removed.push(number);
            } else {
                let change = record_part(&stored, latest, now)?;
                parts.push((stored, change));
            }
        }
        let mut changed = accepted;
        let mut looks = Vec::new();
        for (stored, change) in parts {
            changed |= change.is_some();
            looks.extend(self.write(&stored, change, because).await?);
        }
        let looks = self.look_again(looks).await?;
        let mut raised = Vec::new();
        if accepted {
            raised = warnings(known.as_ref(), incoming, self.settings, self.sent(now));
            raised.extend(removed_warning(incoming, &removed));
            self.tables.store_receipt(known.as_ref(), incoming, &raised, now).await?;
        }
        Ok(Recorded { changed, warnings: raised.len(), looks })
    }

    /// Whether this payment was on the invoice, was matched with a Xero payment, and went with it
    /// when that was deleted (CM-35). It must not come back by a report about something else of
    /// it: what took its place in Xero may be here already, and the money would count twice.
    async fn removed_with_its_original(
        &self,
        stored: &StoredInvoice,
        receipt: &Receipt,
    ) -> Result<bool, ReadError> {
        let has_part = receipt.allocations.iter().any(|part| part.invoice == stored.number);
        if !has_part || stored.payment(&receipt.id).is_some() {
            return Ok(false);
        }
        let last = self.tables.removed_by(stored.organisation, &stored.number, &receipt.id).await?;
        Ok(last.as_deref() == Some("mirror"))
    }

    async fn journaling(
        &self,
        journaling: &Journaling,
        because: Because,
    ) -> Result<Recorded, Failure> {
        let Journaling { organisation, invoice, payment, revision, journaled } = journaling;
        let stored = self.stored(invoice).await?;
        let change = record_journaling(&stored, payment, *revision, *journaled, because.now)?;
        let changed = change.is_some();
        let raised: Vec<Warning> = (changed && *journaled)
            .then(|| journaling_warning(payment, self.settings, self.sent(because.now)))
            .flatten()
            .into_iter()
            .collect();
        // Before the change: after it, nothing would tell that the warning is still missing.
        self.tables.warn(*organisation, &raised, because.now).await?;
        let look = self.write(&stored, change, because).await?;
        let looks = self.look_again(look.into_iter().collect()).await?;
        Ok(Recorded { changed, warnings: raised.len(), looks })
    }

    async fn stored(&self, number: &InvoiceNumber) -> Result<StoredInvoice, ReadError> {
        self.tables.invoice(self.settings.organisation, number).await
    }

    /// Writes a change, if there is one. Returns the invoice if it is to be looked at in Xero
    /// again: because of this change, or because of an earlier one that nobody has answered yet,
    /// perhaps because we were interrupted before we could ask.
    async fn write(
        &self,
        stored: &StoredInvoice,
        change: Option<Change>,
        because: Because,
    ) -> Result<Option<XeroInvoiceId>, WriteError> {
        if let Some(change) = &change {
            self.tables.write_invoice(stored, change, because).await?;
        }
        let open = change.is_some() || stored.settled.is_none();
        Ok(stored.xero.as_ref().filter(|_| open).map(|xero| xero.invoice))
    }

    async fn look_again(&self, invoices: Vec<XeroInvoiceId>) -> Result<usize, SendError> {
        let looks = invoices.len();
        let changes = InvoiceChanges {
            organisation: self.settings.organisation,
            cause: Cause::Intake,
            // Only a look that starts after the write has seen it.
            accepted_at: (self.clock)(),
            not_before: None,
            invoices: invoices.into_iter().map(|id| InvoiceChange::new(id, None)).collect(),
        };
        if looks > 0 {
            self.changes.send(&changes.pack(), Duration::ZERO).await?;
        }
        Ok(looks)
    }

    fn sent(&self, now: Timestamp) -> Timestamp {
        self.sent_at.unwrap_or(now)
    }
}

/// The invoices of an old report that may have been interrupted, and those of the latest one.
fn concerned(known: &Receipt, incoming: &Receipt) -> BTreeSet<InvoiceNumber> {
    let both = known.allocations.iter().chain(&incoming.allocations);
    both.map(|part| part.invoice.clone()).collect()
}
