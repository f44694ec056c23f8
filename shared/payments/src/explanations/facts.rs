//! The stored facts about one payment, wherever it stands.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::discrepancy::{Discrepancy, DiscrepancyKind};
use crate::ids::{InvoiceNumber, PaymentId, XeroPaymentId};
use crate::mass_change::Brake;
use crate::payment::{HeldPayment, NOTE_TAKEN_BACK, Payment, Tombstone};
use crate::reason::Ignored;
use crate::reports::Receipt;
use crate::stored::StoredInvoice;
use crate::upload::{Caps, Customer, Placed, Upload};

/// Which payment is asked about.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Subject {
    /// By an id of the business's own system, or that of a copy.
    Ours(PaymentId),
    /// By Xero's `PaymentID`.
    Xero(XeroPaymentId),
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ours(id) => id.fmt(f),
            Self::Xero(id) => id.fmt(f),
        }
    }
}

/// A report that could not be processed, and is kept for a person.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ParkedReport {
    /// Its key: when it arrived, and what makes it one and the same.
    pub parked_at: String,
    /// Which function parked it.
    pub by: String,
    /// Why: a code.
    pub reason: String,
    /// The fault, and where it is.
    pub detail: String,
}

/// A payment's part on an invoice.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The invoice.
    pub invoice: &'a StoredInvoice,
    /// The part.
    pub payment: &'a Payment,
}

/// A payment's part that was removed from an invoice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RemovedRow {
    /// From which invoice.
    pub invoice: InvoiceNumber,
    /// What it was, when it was removed and why.
    pub tombstone: Tombstone,
}

/// Everything that is stored about one payment. A fact that is not there is left out; the code that
/// reads it from the tables leaves nothing out that is there.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Which payment.
    pub subject: Subject,
    /// The invoices it stands on, is held on, or was removed from, with all that belongs to them.
    pub invoices: Vec<Arc<StoredInvoice>>,
    /// Where it was removed, the latest last.
    pub removed: Vec<RemovedRow>,
    /// What the business's own system reported of it.
    pub receipt: Option<Receipt>,
    /// Its row in the ledger of uploads.
    pub upload: Option<Upload>,
    /// Who paid.
    pub customer: Option<Customer>,
    /// What the organisation has used of its caps.
    pub caps: Option<Caps>,
    /// The brake on mass changes.
    pub brake: Option<Brake>,
    /// A report about it that could not be processed.
    pub parked: Option<ParkedReport>,
    /// Why the mirror leaves its invoice alone altogether.
    pub ignored: Option<Ignored>,
}

impl Facts {
    /// Of a payment of which nothing is known.
    pub fn none(subject: Subject) -> Self {
        Self {
            subject,
            invoices: Vec::new(),
            removed: Vec::new(),
            receipt: None,
            upload: None,
            customer: None,
            caps: None,
            brake: None,
            parked: None,
            ignored: None,
        }
    }

    /// Its parts on invoices, in the order in which those were given.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.invoices.iter().flat_map(|invoice| {
            let of_it = invoice.payments.iter().filter(|payment| self.is_about(payment));
            of_it.map(move |payment| Row { invoice, payment })
        })
    }

    /// Where it is held: known from Xero, and without a copy.
    pub fn held(&self) -> Option<(&StoredInvoice, &HeldPayment)> {
        let Subject::Xero(id) = self.subject else { return None };
        self.invoices.iter().find_map(|invoice| {
            let held = invoice.held.iter().find(|held| held.payment.id == id)?;
            Some((&**invoice, held))
        })
    }

    /// Its latest removal.
    pub fn tombstone(&self) -> Option<&RemovedRow> {
        self.removed.iter().rfind(|removed| self.is_about(&removed.tombstone.payment))
    }

    /// The discrepancies that are about it and stand, accepted ones included, with their invoices.
    pub fn discrepancies(&self) -> impl Iterator<Item = (&StoredInvoice, &Discrepancy)> {
        let names = self.names();
        self.invoices.iter().flat_map(move |invoice| {
            let names = names.clone();
            let about_it = move |found: &&Discrepancy| names.contains(&found.key.subject);
            invoice.standing_discrepancies().filter(about_it).map(move |found| (&**invoice, found))
        })
    }

    /// Whether a part that we uploaded was deleted in Xero (AMB-08).
    pub fn deleted_in_xero_after_upload(&self) -> bool {
        self.discrepancies()
            .any(|(_, found)| found.key.kind == DiscrepancyKind::UploadedDeletedInXero)
    }

    /// Whether it was uploaded, failed or was refunded, and is in Xero no longer on any of its invoices
    /// (AMB-32).
    pub fn is_taken_back(&self) -> bool {
        let note = Some(NOTE_TAKEN_BACK);
        let mut rows = self.rows().peekable();
        rows.peek().is_some() && rows.all(|row| row.payment.note.as_deref() == note)
    }

    /// Those of its invoices whose changes wait until a person has looked.
    pub fn waiting_for_approval(&self) -> impl Iterator<Item = &InvoiceNumber> {
        let brake = self.brake.as_ref();
        let waits = move |number: &InvoiceNumber| {
            brake.is_some_and(|brake| brake.waiting.contains_key(number))
        };
        self.invoices.iter().map(|invoice| &invoice.number).filter(move |number| waits(number))
    }

    /// Its ids in Xero: those that its parts are linked with, and that our own sending has proven.
    pub fn xero_payments(&self) -> BTreeSet<XeroPaymentId> {
        let linked = self.rows().filter_map(|row| row.payment.link);
        let placed = self.upload.iter().flat_map(|upload| &upload.parts).filter_map(|part| {
            match part.placed {
                Some(Placed::Payment(id)) => Some(id),
                _ => None,
            }
        });
        let asked = match self.subject {
            Subject::Xero(id) => Some(id),
            Subject::Ours(_) => None,
        };
        linked.chain(placed).chain(asked).collect()
    }

    /// What anything about it may be called: our ids, and Xero's.
    fn names(&self) -> BTreeSet<String> {
        let ours = self.rows().map(|row| row.payment.id.to_string());
        let xero = self.xero_payments().into_iter().map(|id| id.to_string());
        ours.chain(xero).chain([self.subject.to_string()]).collect()
    }

    fn is_about(&self, payment: &Payment) -> bool {
        match &self.subject {
            Subject::Ours(id) => payment.id == *id,
            Subject::Xero(id) => payment.link == Some(*id),
        }
    }
}
