//! One report: stored rows in, decision, rows out.
//!
//! Each step can be repeated. A report that was interrupted comes again, finds what is done, does
//! the rest, and asks for another look at Xero wherever the answer to the last look is gone.

use std::collections::BTreeSet;
use std::time::Duration;

use host::clock::Clock;
use jiff::Timestamp;
use payments::feed::FeedReport;
use payments::upload::{
    Admission, Customer, Line, ProviderInvoice, Upload, admit, admit_bill, record_customer,
    uploaded_deleted,
};
use payments::{
    Change, Discrepancy, DiscrepancyKey, DiscrepancyKind, InvoiceNumber, NoticeReport, Order,
    PaymentStatus, Receipt, Refusal, Reported, Settings, StoredInvoice, Warning, XeroInvoiceId,
    is_news, journaling_warning, record_invoice, record_journaling, record_part, removed_warning,
    report, warnings,
};
use queue::{Cause, Changes, InvoiceChange, InvoiceChanges, SendError};
use table::{ChangeContext, ContactBecause, Races, ReadError, Tables, WriteError};

use crate::contract::{InvoiceReport, Journaling, Report};

/// What became of a report.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Recorded {
    /// Whether anything was new.
    pub(crate) changed: bool,
    /// How many warnings it raised.
    pub(crate) warnings: usize,
    /// How many invoices are to be looked at again in Xero.
    pub(crate) looks: usize,
    /// Whether its payment waits to be posted at once (EX-01, EX-10), so that the function that posts it has
    /// to be woken: for this report, or for an earlier one that was interrupted before that.
    pub(crate) direct: bool,
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
    #[error("asking for another look at the invoices failed")]
    Send(#[from] SendError),
}

impl Failure {
    /// The class under which it is counted in the sync log.
    pub(crate) const fn class(&self) -> &'static str {
        match self {
            Self::Refused(_) => "Validation",
            Self::Read(_) | Self::Write(_) => "Tables",
            Self::Send(_) => "Queue",
        }
    }
}

/// What reports of one organisation are recorded with.
pub(crate) struct Recorder<'a, C> {
    pub(crate) tables: &'a Tables,
    pub(crate) changes: &'a C,
    pub(crate) settings: &'a Settings,
    pub(crate) clock: &'a Clock,
    /// When the report was sent.
    pub(crate) sent_at: Option<Timestamp>,
    /// When what it says has happened, as far as that is known.
    pub(crate) event_at: Option<Timestamp>,
}

impl<C: Changes> Recorder<'_, C> {
    /// Takes in a report.
    pub(crate) async fn record(&self, report: &Report) -> Result<Recorded, Failure> {
        let mut races = Races::default();
        loop {
            let because = ChangeContext {
                cause: Cause::Intake.code(),
                event_at: self.event_at,
                now: self.clock.now(),
            };
            let recorded = match report {
                Report::Invoice(report) => self.invoice(report, because).await,
                Report::Payment(receipt) => self.payment(receipt, because).await,
                Report::Journaling(journaling) => self.journaling(journaling, because).await,
                Report::Customer(customer) => self.customer(customer, because.now).await,
                Report::ProviderInvoice(invoice) | Report::ProviderCredit(invoice) => {
                    self.provider_invoice(invoice, because).await
                }
                Report::Order(order) => self.order(order, because.now).await,
                Report::Notice(report) => self.notice(report, because.now).await,
                Report::Feed(report) => self.feed(report, because.now).await,
            };
            match recorded {
                Err(Failure::Write(error)) => races.lost(error)?,
                recorded => return recorded,
            }
        }
    }

    async fn invoice(
        &self,
        report: &InvoiceReport,
        because: ChangeContext,
    ) -> Result<Recorded, Failure> {
        let stored = self.stored(&report.invoice.number).await?;
        let mut change = record_invoice(&stored, &report.invoice, because.now)?;
        if let Some(change) = &mut change {
            change.after.customer.clone_from(&report.customer);
        }
        let changed = change.is_some();
        let look = self.write(&stored, change, because).await?;
        let looks = self.look_again(look.into_iter().collect()).await?;
        Ok(Recorded { changed, looks, ..Recorded::default() })
    }

    /// All refusals are found before anything is written. The receipt is written last: it says that
    /// all parts are there and all looks asked for, and it takes the place of the one by which the
    /// invoices of the version before are known.
    async fn payment(
        &self,
        incoming: &Receipt,
        because: ChangeContext,
    ) -> Result<Recorded, Failure> {
        let now = because.now;
        let known = self.tables.receipt(incoming.organisation, &incoming.id).await?;
        let (accepted, latest, invoices) = match (report(known.as_ref(), incoming)?, &known) {
            (Reported::AlreadyKnown, Some(known)) => (false, known, concerned(known, incoming)),
            (Reported::AlreadyKnown, None) => (false, incoming, BTreeSet::new()),
            (Reported::Accepted(invoices), _) => (true, incoming, invoices),
        };
        let mut invoices = invoices;
        invoices.extend(self.uploaded_onto(latest).await?);
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
        self.tell_contact(latest, because.now).await?;
        let mut raised = Vec::new();
        if accepted {
            raised = warnings(known.as_ref(), incoming, self.settings, self.sent(now));
            raised.extend(removed_warning(incoming, &removed));
        }
        let kept = self.keep(known.as_ref(), latest, accepted, raised, now).await?;
        Ok(Recorded { changed: changed || kept.changed, looks, ..kept })
    }

    /// What the customer's contact in Xero says of a payment that was not taken, or was given back: one that failed is
    /// flagged there as long as it names no invoice (SP-12). Where no contact is known, the warning is all there is.
    async fn tell_contact(&self, receipt: &Receipt, now: Timestamp) -> Result<(), Failure> {
        let Some(customer) = &receipt.customer else { return Ok(()) };
        if receipt.status.counts() {
            return Ok(());
        }
        let organisation = receipt.organisation;
        let known = self.tables.customer(organisation, customer).await?;
        let Some(contact) = known.and_then(|known| known.contact) else { return Ok(()) };
        let failed = DiscrepancyKey::about(DiscrepancyKind::FailedPayment, &receipt.id);
        let because = ContactBecause { cause: Cause::Intake.code(), rule: "SP-12", now };
        let stays = receipt.status == PaymentStatus::Failed && receipt.allocations.is_empty();
        if stays {
            let why = format!(
                "{} of {} failed, and it names no invoice; ask for it again, or accept this",
                receipt.amount, receipt.date
            );
            let tables = self.tables;
            tables.open_contact_discrepancy(organisation, contact, &failed, &why, because).await?;
        }
        // A prepayment that is gone in Xero: both sides agree now (AMB-32). And what failed stands on its invoices,
        // once it names any.
        let deleted = uploaded_deleted(&receipt.id);
        let over = |found: &&Discrepancy| {
            found.stands() && (found.key == deleted || (found.key == failed && !stays))
        };
        let all = self.tables.contact_discrepancies(organisation, contact).await?;
        for open in all.iter().filter(over) {
            self.tables.close_contact_discrepancy(organisation, contact, open, because).await?;
        }
        Ok(())
    }

    /// The invoices on which our upload of the payment stands, also those that the report does not name: a night spreads
    /// a payment that names none. The index lags by a moment: of an invoice that was renumbered in this very moment,
    /// the next report or read finds it.
    async fn uploaded_onto(&self, receipt: &Receipt) -> Result<BTreeSet<InvoiceNumber>, ReadError> {
        let mut numbers = BTreeSet::new();
        let Some(upload) = self.tables.upload(receipt.organisation, &receipt.id).await? else {
            return Ok(numbers);
        };
        for id in upload.invoices_in_xero() {
            numbers.extend(self.tables.numbers_of(receipt.organisation, id).await?);
        }
        Ok(numbers)
    }

    /// Writes a receipt if it is new, and in the same transaction what becomes of the payment's
    /// upload and the warnings of both. A receipt that is known, but has no upload or one of an
    /// older revision, was written by a version of ours that knew nothing of uploads: that is made
    /// up for.
    ///
    /// The upload is read as late as here, because others write it as well.
    async fn keep(
        &self,
        known: Option<&Receipt>,
        latest: &Receipt,
        accepted: bool,
        mut raised: Vec<Warning>,
        now: Timestamp,
    ) -> Result<Recorded, Failure> {
        let before = self.tables.upload(latest.organisation, &latest.id).await?;
        let Admission { upload, warning } = admit(before.as_ref(), latest, now);
        let after = upload.as_deref();
        raised.extend(warning);
        let changed = accepted || after.is_some();
        if changed {
            let written = after.map(|after| (before.as_ref(), after));
            self.tables.store_receipt(known, latest, &raised, written, now).await?;
        }
        let direct = after.or(before.as_ref()).and_then(Upload::line) == Some(Line::Direct);
        Ok(Recorded { changed, warnings: raised.len(), looks: 0, direct })
    }

    async fn customer(&self, incoming: &Customer, now: Timestamp) -> Result<Recorded, Failure> {
        let known = self.tables.customer(incoming.organisation, &incoming.id).await?;
        let after = record_customer(known.as_ref(), incoming)
            .map_err(|error| Refusal::RevisionReused { revision: error.revision })?;
        if let Some(after) = &after {
            self.tables.store_customer(known.as_ref(), after, None, now).await?;
        }
        // Also when it comes again: what waited may not have been asked for the first time.
        let is_free = after.as_ref().or(known.as_ref()).is_some_and(|one| one.blocked.is_none());
        let mut looks = 0;
        if is_free && incoming.contact.is_some() {
            let waiting = self.tables.invoices_waiting_for(incoming.organisation, &incoming.id);
            looks = self.look_again(waiting.await?).await?;
        }
        Ok(Recorded { changed: after.is_some(), looks, ..Recorded::default() })
    }

    /// A provider's invoice is known by its row in the ledger of uploads alone: it is no payment, so that it
    /// has no receipt and stands on no invoice of the business (EX-12).
    async fn provider_invoice(
        &self,
        incoming: &ProviderInvoice,
        because: ChangeContext,
    ) -> Result<Recorded, Failure> {
        let before = self.tables.upload(incoming.organisation, &incoming.id).await?;
        let Admission { upload, warning } = admit_bill(before.as_ref(), incoming, because.now)?;
        let after = upload.as_deref();
        let raised: Vec<Warning> = warning.into_iter().collect();
        // Before the row: after it, nothing would show that the warning is still missing.
        self.tables.warn(incoming.organisation, &raised, because.now).await?;
        if let Some(after) = after {
            self.tables.write_uploads(&[(before.as_ref(), after)], None, because).await?;
        }
        // What a credit note in Xero is applied to may be news (EX-17).
        let line = after.or(before.as_ref()).and_then(Upload::line);
        let direct = matches!(line, Some(Line::Direct | Line::Credit));
        Ok(Recorded { changed: after.is_some(), warnings: raised.len(), looks: 0, direct })
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

    async fn order(&self, incoming: &Order, now: Timestamp) -> Result<Recorded, Failure> {
        let known = self.tables.order(incoming.organisation, &incoming.id).await?;
        let changed = is_news(known.as_ref().map(|known| &known.order), incoming)?;
        if changed {
            self.tables.store_order(known.as_ref(), incoming, now).await?;
        }
        Ok(Recorded { changed, ..Recorded::default() })
    }

    async fn notice(&self, incoming: &NoticeReport, now: Timestamp) -> Result<Recorded, Failure> {
        let known = self.tables.notice(incoming.organisation, &incoming.id).await?;
        let known = known.ok_or_else(|| Refusal::UnknownNotice { notice: incoming.id.clone() })?;
        let after = known.after(incoming)?;
        if let Some(after) = &after {
            self.tables.store_notice_report(&known, after, now).await?;
        }
        Ok(Recorded { changed: after.is_some(), ..Recorded::default() })
    }

    /// Also an empty import is one. An earlier report that comes late is no news (CC-27).
    async fn feed(&self, incoming: &FeedReport, now: Timestamp) -> Result<Recorded, Failure> {
        let known = self.tables.feed_report(incoming.organisation, &incoming.source).await?;
        let changed = match &known {
            Some(known) if known.revision == incoming.revision && known != incoming => {
                return Err(Refusal::RevisionReused { revision: incoming.revision }.into());
            }
            Some(known) => known.revision < incoming.revision,
            None => true,
        };
        if changed {
            self.tables.store_feed_report(known.as_ref(), incoming, now).await?;
        }
        Ok(Recorded { changed, ..Recorded::default() })
    }

    async fn journaling(
        &self,
        journaling: &Journaling,
        because: ChangeContext,
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
        // Before the change: after it, nothing would show that the warning is still missing.
        self.tables.warn(*organisation, &raised, because.now).await?;
        let look = self.write(&stored, change, because).await?;
        let looks = self.look_again(look.into_iter().collect()).await?;
        Ok(Recorded { changed, warnings: raised.len(), looks, direct: false })
    }

    async fn stored(&self, number: &InvoiceNumber) -> Result<StoredInvoice, ReadError> {
        self.tables.invoice(self.settings.organisation, number).await
    }

    /// Writes a change, if there is one. Returns the invoice if it is to be looked at in Xero
    /// again: because of this change, or because of an earlier one that was not answered yet,
    /// perhaps because we were interrupted before we could ask.
    async fn write(
        &self,
        stored: &StoredInvoice,
        change: Option<Change>,
        because: ChangeContext,
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
            accepted_at: self.clock.now(),
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
