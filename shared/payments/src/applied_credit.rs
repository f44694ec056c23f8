//! Credit that was applied to an invoice in Xero. It is no payment and is never copied (CM-22, AMB-34).

use jiff::civil::Date;

use crate::ids::XeroCreditId;
use crate::money::Money;
use crate::reason::codes;

codes! {
    /// What the credit comes from.
    CreditKind {
        /// A credit note.
        CreditNote = "credit_note",
        /// Money that was received before there was an invoice.
        Prepayment = "prepayment",
        /// Money that was received beyond what an invoice asked for.
        Overpayment = "overpayment",
    }
}

/// A part of a credit note, a prepayment or an overpayment that was applied to an invoice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AppliedCredit {
    /// What it comes from.
    pub kind: CreditKind,
    /// Xero's id of that document.
    pub credit: XeroCreditId,
    /// Its number, if it has one.
    pub number: Option<String>,
    /// How much of it was applied to this invoice, in the invoice's currency (`AppliedAmount`).
    pub amount: Money,
    /// The date of that document.
    pub date: Option<Date>,
}
