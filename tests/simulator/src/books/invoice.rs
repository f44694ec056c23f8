//! An invoice or a bill, and what follows from the money applied to it.

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::CreditKind;

/// A sale or a bill.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum InvoiceKind {
    /// Accounts receivable: an invoice sent to a customer.
    Accrec,
    /// Accounts payable: a bill from a supplier.
    Accpay,
}

impl InvoiceKind {
    /// Xero's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accrec => "ACCREC",
            Self::Accpay => "ACCPAY",
        }
    }

    /// `Type` of a batch payment of such documents.
    pub(crate) fn batch_type(self) -> &'static str {
        match self {
            Self::Accrec => "RECBATCH",
            Self::Accpay => "PAYBATCH",
        }
    }
}

/// Where an invoice is in its life.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum InvoiceStatus {
    /// Not yet in the books.
    Draft,
    /// Waiting for approval.
    Submitted,
    /// A draft that was thrown away.
    Deleted,
    /// Approved, with something still due.
    Authorised,
    /// Nothing is due any more.
    Paid,
    /// Approved once and then cancelled.
    Voided,
}

impl InvoiceStatus {
    /// Xero's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Submitted => "SUBMITTED",
            Self::Deleted => "DELETED",
            Self::Authorised => "AUTHORISED",
            Self::Paid => "PAID",
            Self::Voided => "VOIDED",
        }
    }
}

/// One line of an invoice.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Line {
    /// `LineItemID`.
    pub id: Uuid,
    /// The item sold.
    pub description: String,
    /// How many.
    pub quantity: Decimal,
    /// Price of one.
    pub unit_amount: Decimal,
    /// Price of all.
    pub amount: Decimal,
    /// Tax on all.
    pub tax: Decimal,
    /// Code of the revenue or expense account.
    pub account_code: String,
    /// `TaxType`, if the line names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_type: Option<String>,
}

/// A part of a credit note, a prepayment or an overpayment that was applied to an invoice.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Credit {
    /// `CreditNoteID`, `PrepaymentID` or `OverpaymentID`.
    pub id: Uuid,
    /// Which of the three.
    #[serde(default)]
    pub kind: CreditKind,
    /// `AllocationID`.
    #[serde(default)]
    pub allocation: Uuid,
    /// Its number; an overpayment has none.
    pub number: String,
    /// How much of it was applied.
    pub amount: Decimal,
    /// When.
    pub date: Date,
}

/// An invoice or a bill as it is now.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Invoice {
    /// `InvoiceID`.
    pub id: Uuid,
    /// `InvoiceNumber`.
    pub number: String,
    /// `Type`.
    pub kind: InvoiceKind,
    /// `Contact.ContactID`.
    pub contact: Uuid,
    /// `Contact.Name`.
    pub contact_name: String,
    /// `Reference`, of sales only.
    pub reference: String,
    /// `CurrencyCode`.
    pub currency: String,
    /// `CurrencyRate`: how much of its currency one unit of the books' currency is; 1 if nothing is said.
    #[serde(default)]
    pub rate: Option<Decimal>,
    /// `Date`.
    pub date: Date,
    /// `DueDate`.
    pub due_date: Date,
    /// `LineAmountTypes`.
    pub line_amounts: String,
    /// `LineItems`.
    pub lines: Vec<Line>,
    /// `TotalTax`.
    pub tax: Decimal,
    /// `Total`.
    pub total: Decimal,
    /// `Status`.
    pub status: InvoiceStatus,
    /// `AmountPaid`.
    pub amount_paid: Decimal,
    /// `AmountCredited`.
    pub amount_credited: Decimal,
    /// `AmountDue`.
    pub amount_due: Decimal,
    /// `FullyPaidOnDate`.
    pub fully_paid_on: Option<Date>,
    /// The payments that are not deleted, oldest first.
    pub payments: Vec<Uuid>,
    /// The credits applied.
    pub credits: Vec<Credit>,
    /// `UpdatedDateUTC`.
    pub updated: Timestamp,
    /// Place in the order of creation, which is the order of an unsorted list.
    pub serial: u64,
}

impl Invoice {
    /// Works out what is due, and with it the status, from the money applied: `(amount, date)` each.
    pub(crate) fn settle(&mut self, paid: &[(Decimal, Date)]) {
        self.amount_paid = paid.iter().map(|(amount, _)| *amount).sum();
        self.amount_credited = self.credits.iter().map(|credit| credit.amount).sum();
        self.fully_paid_on = None;
        match self.status {
            // A cancelled document owes nothing, and its total does not matter.
            InvoiceStatus::Voided | InvoiceStatus::Deleted => self.amount_due = Decimal::ZERO,
            InvoiceStatus::Draft | InvoiceStatus::Submitted => self.amount_due = self.total,
            InvoiceStatus::Authorised | InvoiceStatus::Paid => {
                self.amount_due = self.total - self.amount_paid - self.amount_credited;
                if self.amount_due.is_zero() {
                    self.status = InvoiceStatus::Paid;
                    let credited = self.credits.iter().map(|credit| credit.date);
                    let dates = paid.iter().map(|(_, date)| *date).chain(credited);
                    self.fully_paid_on = Some(dates.max().unwrap_or(self.date));
                } else {
                    self.status = InvoiceStatus::Authorised;
                }
            }
        }
    }

    /// Whether it no longer stands.
    pub(crate) fn is_dead(&self) -> bool {
        matches!(self.status, InvoiceStatus::Deleted | InvoiceStatus::Voided)
    }

    /// Whether money has been applied to it, which freezes most of it.
    pub(crate) fn has_money_applied(&self) -> bool {
        !self.payments.is_empty() || !self.credits.is_empty()
    }
}

/// An authorised invoice or bill to put into the books, as a person would in Xero.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewInvoice {
    /// Whose books.
    pub organisation: Uuid,
    /// `InvoiceNumber`; unique among sales.
    pub number: String,
    /// Whom it is for, or from; the contact is made when it is new.
    pub contact_name: String,
    /// The amount to pay, tax included. A string in JSON.
    pub total: Decimal,
    /// ISO 4217 code.
    pub currency: String,
    /// When it was issued.
    pub date: Date,
    /// When it is to be paid.
    pub due_date: Date,
    /// Sale or bill.
    pub kind: InvoiceKind,
}

/// An invoice whose fields were read but not yet accepted.
#[derive(Clone, Debug)]
pub(crate) struct InvoiceDraft {
    pub(crate) kind: InvoiceKind,
    /// `None` lets the organisation count on.
    pub(crate) number: Option<String>,
    pub(crate) contact: ContactChoice,
    pub(crate) reference: String,
    pub(crate) currency: Option<String>,
    pub(crate) date: Date,
    pub(crate) due_date: Option<Date>,
    pub(crate) line_amounts: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) status: InvoiceStatus,
}

impl InvoiceDraft {
    /// What the lines add up to: tax, and the total with it.
    pub(crate) fn totals(line_amounts: &str, lines: &[Line]) -> (Decimal, Decimal) {
        let amounts: Decimal = lines.iter().map(|line| line.amount).sum();
        let tax: Decimal = lines.iter().map(|line| line.tax).sum();
        match line_amounts {
            "Inclusive" => (tax, amounts),
            "NoTax" => (Decimal::ZERO, amounts),
            _ => (tax, amounts + tax),
        }
    }
}

/// The two ways of naming a contact that the simulator understands.
#[derive(Clone, Debug)]
pub(crate) enum ContactChoice {
    Known(Uuid),
    Named(String),
    Missing,
}

/// What an update wants to be different; `None` leaves a field alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct InvoiceEdit {
    pub(crate) status: Option<InvoiceStatus>,
    pub(crate) number: Option<String>,
    pub(crate) reference: Option<String>,
    pub(crate) date: Option<Date>,
    pub(crate) due_date: Option<Date>,
    pub(crate) line_amounts: Option<String>,
    pub(crate) lines: Option<Vec<Line>>,
}

impl InvoiceEdit {
    /// Whether it asks for more than another status.
    pub(crate) fn changes_the_money(&self) -> bool {
        self.lines.is_some() || self.line_amounts.is_some() || self.date.is_some()
    }
}
