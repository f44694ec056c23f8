//! What does not agree between the two sides, found by itself and followed until it agrees.

use jiff::{SignedDuration, Timestamp};

use crate::reason::codes;

/// How long a discrepancy may stay open, by the wall clock, from its detection (SP-19, AMB-23).
pub const RESOLVE_WITHIN: SignedDuration = SignedDuration::from_hours(48);

codes! {
    /// The kinds that the mirror and the intake raise (rules A7.2). The other kinds belong to the
    /// daily close and to uploading.
    DiscrepancyKind {
        /// Name of the Xero contact and of the local one (CM-15).
        ContactDiffers = "CONTACT_DIFFERS",
        /// Xero changed a payment whose copy has been journaled (CM-27, AMB-03).
        JournaledChanged = "JOURNALED_CHANGED",
        /// Xero no longer has a payment whose copy has been journaled (CM-27, AMB-03).
        JournaledDeleted = "JOURNALED_DELETED",
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
        /// The invoice totals (CM-18).
        TotalDiffers = "TOTAL_DIFFERS",
        /// Paid in part, and the due date has passed (A7.2).
        Underpaid = "UNDERPAID",
        /// An eligible Xero invoice that the business's own system does not have (A1.1 guard 4).
        UnknownInvoice = "UNKNOWN_INVOICE",
        /// A payment that failed (SP-12).
        FailedPayment = "FAILED_PAYMENT",
        /// A payment we uploaded is no longer in Xero (AMB-08).
        UploadedDeletedInXero = "UPLOADED_DELETED_IN_XERO",
    }
}

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

    /// About one payment.
    pub fn about(kind: DiscrepancyKind, subject: impl ToString) -> Self {
        Self { kind, subject: subject.to_string() }
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
    /// When the facts agreed again.
    pub resolved_at: Option<Timestamp>,
}

impl Discrepancy {
    /// Whether the facts still disagree.
    pub fn is_open(&self) -> bool {
        self.resolved_at.is_none()
    }

    /// Until when it is to be resolved.
    pub fn due_at(&self) -> Timestamp {
        self.detected_at.saturating_add(RESOLVE_WITHIN).unwrap_or(self.detected_at)
    }
}
