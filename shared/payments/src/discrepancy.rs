//! What does not agree between the two sides, found by itself and followed until it agrees.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::case::{Case, Ending};
use crate::reason::codes;

/// How long a discrepancy may stay open, by the wall clock, from its detection (SP-19, AMB-23).
pub const RESOLVE_WITHIN: SignedDuration = SignedDuration::from_hours(48);

codes! {
    /// The kinds that the mirror and the intake raise (rules A7.2). The other kinds belong to the
    /// daily close and to uploading.
    DiscrepancyKind {
        /// A part of an order (tax, shipping) is another one on its invoices or receipts (SP-10).
        ComponentDiffers = "COMPONENT_DIFFERS",
        /// Name of the Xero contact and of the local one (CM-15).
        ContactDiffers = "CONTACT_DIFFERS",
        /// A person has applied a credit note of the provider in Xero, which we do by ourselves (EX-18).
        CreditAppliedByHand = "CREDIT_APPLIED_BY_HAND",
        /// A payment is in another currency than its invoice, so that no figure of it can be right.
        CurrencyDiffers = "CURRENCY_DIFFERS",
        /// The customer of a payment is not the customer of its invoice or order (SP-37).
        CustomerDiffers = "CUSTOMER_DIFFERS",
        /// Xero changed a payment whose copy has been journaled (CM-27, AMB-03).
        JournaledChanged = "JOURNALED_CHANGED",
        /// Xero no longer has a payment whose copy has been journaled (CM-27, AMB-03).
        JournaledDeleted = "JOURNALED_DELETED",
        /// Nothing of an invoice has come in, and the due date has passed (SP-15).
        MissingPayment = "MISSING_PAYMENT",
        /// A Xero payment equals a part of a local payment over several invoices (CM-28, AMB-02).
        MultiInvoiceHeld = "MULTI_INVOICE_HELD",
        /// Xero does not have an invoice of the business's own system, days after its report (AMB-39).
        NotInXero = "NOT_IN_XERO",
        /// More was received locally than the invoice asks for (ST-05).
        Overpaid = "OVERPAID",
        /// A hand-entered payment looks like an imported one, a few days apart (V9).
        PossibleDuplicate = "POSSIBLE_DUPLICATE",
        /// Money went back to the customer in Xero; to be repeated by hand (CM-50).
        RefundInXero = "REFUND_IN_XERO",
        /// Xero's payments do not add up to its AmountPaid (ST-04).
        TieOut = "TIE_OUT",
        /// The invoice totals (CM-18); of an order its total and that of its invoices or receipts (SP-21).
        TotalDiffers = "TOTAL_DIFFERS",
        /// Paid in part, and the due date has passed; or by a payment that is meant to be whole (A7.2).
        Underpaid = "UNDERPAID",
        /// A payment has not come to its end in time: found by the daily close (SP-15).
        Unprocessed = "UNPROCESSED",
        /// An eligible Xero invoice that the business's own system does not have (A1.1 guard 4).
        UnknownInvoice = "UNKNOWN_INVOICE",
        /// A payment, or a part of it, is on no invoice and of no order (SP-11).
        Unlinked = "UNLINKED",
        /// A payment that failed (SP-12).
        FailedPayment = "FAILED_PAYMENT",
        /// A payment we uploaded is no longer in Xero (AMB-08).
        UploadedDeletedInXero = "UPLOADED_DELETED_IN_XERO",
    }
}

/// The discrepancies of an invoice as the facts are now, each with its words.
pub(crate) type FoundDiscrepancies = BTreeMap<DiscrepancyKey, String>;

/// What a discrepancy is about: one per kind and subject on an invoice.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct DiscrepancyKey {
    /// Its kind.
    pub kind: DiscrepancyKind,
    /// The payment it is about; empty if it is the invoice as a whole.
    pub subject: String,
}

impl DiscrepancyKey {
    /// About the invoice as a whole.
    pub fn of_invoice(kind: DiscrepancyKind) -> Self {
        Self { kind, subject: String::new() }
    }

    /// The key that its text stands for.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, subject) = text.split_once('#')?;
        Some(Self { kind: DiscrepancyKind::from_code(kind)?, subject: subject.to_owned() })
    }

    /// The figures, with the kind and the subject in front.
    pub fn sentence(&self, detail: &str) -> String {
        match self.subject.as_str() {
            "" => format!("{}: {detail}", self.kind),
            subject => format!("{} {subject}: {detail}", self.kind),
        }
    }

    /// About one payment.
    pub fn about(kind: DiscrepancyKind, subject: impl ToString) -> Self {
        Self { kind, subject: subject.to_string() }
    }
}

/// As it stands in tables and orders: the kind, `#`, and what it is about.
impl std::fmt::Display for DiscrepancyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}#{}", self.kind, self.subject)
    }
}

/// Something that does not agree.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Discrepancy {
    /// What it is about.
    pub key: DiscrepancyKey,
    /// The figures, and what a person can do about it.
    pub detail: String,
    /// When it was first found; kept when it comes back.
    pub detected_at: Timestamp,
    /// Since when it is back, if it was over before.
    pub reopened: Option<Reopened>,
    /// When the facts agreed again.
    pub resolved_at: Option<Timestamp>,
    /// What a person has accepted, if a person has.
    pub accepted: Option<Acceptance>,
    /// Who works on it, and how far that is.
    pub case: Case,
}

/// A discrepancy that came back after it was over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reopened {
    /// When it last came back: its 48 hours run from here (A7.1).
    pub at: Timestamp,
    /// How often it has come back.
    pub count: u32,
}

/// A person's word that something may stay as it is (AMB-31). It holds for the facts that it was given on,
/// and for no others.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Acceptance {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// The figures that were accepted: the discrepancy's detail at that moment.
    pub facts: String,
    /// Whether it may stay as it is, or was dealt with.
    pub ending: Ending,
}

impl Discrepancy {
    /// A discrepancy that is found for the first time.
    pub fn found(key: DiscrepancyKey, detail: String, now: Timestamp) -> Self {
        Self {
            key,
            detail,
            detected_at: now,
            reopened: None,
            resolved_at: None,
            accepted: None,
            case: Case::default(),
        }
    }

    /// The same as it is found now: `None` if nothing of it is new. One that was over is back; one that a person has
    /// accepted is open again only if its figures are others (AMB-31).
    pub fn found_again(&self, detail: &str, now: Timestamp) -> Option<Self> {
        let mut again = self.clone();
        again.resolved_at = None;
        detail.clone_into(&mut again.detail);
        if !self.is_open() && again.is_open() {
            again.reopen(now);
        }
        (again != *self).then_some(again)
    }

    /// What does not agree, in a sentence.
    pub fn sentence(&self) -> String {
        self.key.sentence(&self.detail)
    }

    /// Whether the facts still disagree, accepted or not.
    pub fn stands(&self) -> bool {
        self.resolved_at.is_none()
    }

    /// Whether the facts disagree and a person has to look: an accepted one is closed while its facts stay
    /// as they were when it was accepted.
    pub fn is_open(&self) -> bool {
        self.stands() && self.acceptance().is_none()
    }

    /// The acceptance that closes it, if one does.
    pub fn acceptance(&self) -> Option<&Acceptance> {
        self.accepted.as_ref().filter(|accepted| self.stands() && accepted.facts == self.detail)
    }

    /// Since when it is open: since it was found, or since it last came back.
    pub fn since(&self) -> Timestamp {
        self.reopened.map_or(self.detected_at, |reopened| reopened.at)
    }

    /// Until when it is to be resolved (SP-18, A7.1).
    pub fn due_at(&self) -> Timestamp {
        self.since().saturating_add(RESOLVE_WITHIN).unwrap_or(self.since())
    }

    /// It is open again, and is to be resolved within 48 hours from now.
    pub(crate) fn reopen(&mut self, now: Timestamp) {
        let count = self.reopened.map_or(0, |reopened| reopened.count).saturating_add(1);
        self.reopened = Some(Reopened { at: now, count });
        // Its 48 hours run again, and so do their steps.
        self.case.step = None;
    }
}
