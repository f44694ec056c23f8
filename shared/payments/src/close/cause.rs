//! Why something does not reconcile, in a code (SP-15).

use crate::discrepancy::DiscrepancyKind;
use crate::reason::codes;

codes! {
    /// Why an invoice or a payment does not reconcile (SP-15).
    CloseCause {
        /// Xero no longer has what we had put there, or what was journaled.
        DeletedInXero = "DELETED_IN_XERO",
        /// The same money may stand there twice.
        Duplicate = "DUPLICATE",
        /// A payment failed, and no other has taken its place.
        FailedPayment = "FAILED_PAYMENT",
        /// A payment does not go to Xero until a person has solved something.
        Held = "HELD",
        /// Two figures, names or dates differ: of order, invoice, receipt or Xero.
        Mismatch = "MISMATCH",
        /// Nothing was paid, and the due date has passed.
        MissingPayment = "MISSING_PAYMENT",
        /// A payment waits for a night that is over.
        NightMissed = "NIGHT_MISSED",
        /// Xero does not have the invoice.
        NotInXero = "NOT_IN_XERO",
        /// Paid in a way that another hand enters in Xero, such as a bank transfer, and it is not there.
        OtherMethod = "OTHER_METHOD",
        /// More was paid than is asked for.
        Overpayment = "OVERPAYMENT",
        /// A part of the amount was paid, and all of it is due.
        PartPayment = "PART_PAYMENT",
        /// A payment has been pending for too many closes.
        PendingTooLong = "PENDING_TOO_LONG",
        /// Money was given back on one side only.
        Refund = "REFUND",
        /// Xero refused a payment.
        Refused = "REFUSED",
        /// A payment, or a part of it, is on no invoice and of no order.
        Unlinked = "UNLINKED",
    }
    /// The kinds of differences that a close has to resolve (SP-15).
    CauseClass {
        /// Two sides say different things.
        Mismatch = "mismatch",
        /// Money that should be here is not.
        MissingPayment = "missing_payment",
        /// Money that is here has not come to its end.
        Unprocessed = "unprocessed_transaction",
    }
}

impl CloseCause {
    /// The cause that a discrepancy stands for; `None` of one that a close has opened itself, since its payment says why.
    pub fn of(kind: DiscrepancyKind) -> Option<Self> {
        Some(match kind {
            DiscrepancyKind::Unprocessed => return None,
            DiscrepancyKind::Unlinked => Self::Unlinked,
            DiscrepancyKind::FailedPayment => Self::FailedPayment,
            DiscrepancyKind::JournaledDeleted | DiscrepancyKind::UploadedDeletedInXero => {
                Self::DeletedInXero
            }
            DiscrepancyKind::MissingPayment => Self::MissingPayment,
            DiscrepancyKind::MultiInvoiceHeld | DiscrepancyKind::PossibleDuplicate => {
                Self::Duplicate
            }
            DiscrepancyKind::NotInXero => Self::NotInXero,
            DiscrepancyKind::Overpaid => Self::Overpayment,
            DiscrepancyKind::RefundInXero => Self::Refund,
            DiscrepancyKind::Underpaid => Self::PartPayment,
            // Any other kind says that two figures or names differ.
            _ => Self::Mismatch,
        })
    }

    /// Which kind of difference it is.
    pub fn class(self) -> CauseClass {
        match self {
            Self::DeletedInXero
            | Self::Duplicate
            | Self::Mismatch
            | Self::Overpayment
            | Self::Refund => CauseClass::Mismatch,
            Self::FailedPayment | Self::MissingPayment | Self::PartPayment => {
                CauseClass::MissingPayment
            }
            Self::Held
            | Self::NightMissed
            | Self::NotInXero
            | Self::OtherMethod
            | Self::PendingTooLong
            | Self::Refused
            | Self::Unlinked => CauseClass::Unprocessed,
        }
    }
}
