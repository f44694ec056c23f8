//! Money that went back to a customer in Xero. Xero shows it in its list of payments and in no invoice:
//! as a payment of the credit note, prepayment or overpayment that it pays back (CM-50, AMB-38).

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::discrepancy::{Discrepancy, DiscrepancyKey, DiscrepancyKind};
use crate::ids::{XeroContactId, XeroPaymentId};
use crate::invoice::XeroPaymentKind;

/// A refund as a row of Xero's payments shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refund {
    /// Its `PaymentID`.
    pub id: XeroPaymentId,
    /// What it pays back.
    pub kind: XeroPaymentKind,
    /// Whose credit it was. The row says of which document, and not on which invoice that was earned.
    pub contact: XeroContactId,
    /// The number of that document; an overpayment has none.
    pub document: Option<String>,
    /// How much.
    pub amount: Decimal,
    /// The document's currency, where the row says it.
    pub currency: Option<String>,
    /// The calendar day.
    pub date: Date,
    /// Whether it was deleted in Xero.
    pub deleted: bool,
}

/// What a refund asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RefundStep {
    /// Its discrepancy is to be opened.
    Open,
    /// Its discrepancy is to be closed.
    Close,
    /// Nothing changes: its discrepancy, if it has one, stands.
    Nothing,
}

impl Refund {
    /// The discrepancy that says it, on its contact.
    pub fn key(&self) -> DiscrepancyKey {
        DiscrepancyKey::about(DiscrepancyKind::RefundInXero, self.id)
    }

    /// The figures, and what a person can do about it.
    pub fn detail(&self) -> String {
        let of = match self.kind {
            XeroPaymentKind::OverpaymentRefund => "an overpayment",
            XeroPaymentKind::PrepaymentRefund => "a prepayment",
            _ => "a credit note",
        };
        let number = self.document.as_ref().map(|number| format!(" {number}")).unwrap_or_default();
        let currency = self.currency.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
        format!(
            "{}{currency} of {} went back, of {of}{number}; repeat it locally",
            self.amount, self.date
        )
    }

    /// The step to take, by what stands in the table. A refund is never edited, so that a discrepancy
    /// that was resolved, by its deletion or by a person, stays so.
    pub fn step(&self, known: Option<&Discrepancy>) -> RefundStep {
        match (self.deleted, known.map(Discrepancy::is_open)) {
            (false, None) => RefundStep::Open,
            (true, Some(true)) => RefundStep::Close,
            (false, Some(_)) | (true, None | Some(false)) => RefundStep::Nothing,
        }
    }
}
