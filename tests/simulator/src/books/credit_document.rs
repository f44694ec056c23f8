//! What a customer has in hand, or what a supplier gives back: a credit note, a prepayment or an overpayment, what
//! of it was applied to invoices and what of it went back.

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    BankTransactionStatus, Change, Credit, CreditNoteStage, InvoiceKind, InvoiceStatus, Line,
    Organisation, Payment, PaymentStatus, Refusal, rules::MONEY_DECIMALS,
};
use crate::random::Random;

/// Which of Xero's three documents of credit it is. Of suppliers only credit notes are imitated.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditKind {
    /// `ACCRECCREDIT`, or `ACCPAYCREDIT` of a supplier.
    #[default]
    CreditNote,
    /// `RECEIVE-PREPAYMENT`.
    Prepayment,
    /// `RECEIVE-OVERPAYMENT`.
    Overpayment,
}

impl CreditKind {
    /// `Type` of the document itself.
    #[must_use]
    pub fn document_type(self) -> &'static str {
        match self {
            Self::CreditNote => "ACCRECCREDIT",
            Self::Prepayment => "RECEIVE-PREPAYMENT",
            Self::Overpayment => "RECEIVE-OVERPAYMENT",
        }
    }

    /// `PaymentType` of the payment that pays it back (facts.md 4.3).
    #[must_use]
    pub fn refund_type(self) -> &'static str {
        match self {
            Self::CreditNote => "ARCREDITPAYMENT",
            Self::Prepayment => "ARPREPAYMENTPAYMENT",
            Self::Overpayment => "AROVERPAYMENTPAYMENT",
        }
    }

    /// `Invoice.Type` in a payment that pays it back, where it stands in the place of an invoice.
    #[must_use]
    pub fn type_as_invoice(self) -> &'static str {
        match self {
            Self::CreditNote => "ACCRECCREDIT",
            Self::Prepayment => "ARPREPAYMENT",
            Self::Overpayment => "AROVERPAYMENT",
        }
    }
}

/// A part of a credit that was applied to an invoice.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Allocation {
    /// `AllocationID`.
    pub id: Uuid,
    /// `Invoice.InvoiceID`.
    pub invoice: Uuid,
    /// `Amount`.
    pub amount: Decimal,
    /// `Date`.
    pub date: Date,
}

/// A credit note, a prepayment or an overpayment as it is now.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct CreditDocument {
    /// `CreditNoteID`, `PrepaymentID` or `OverpaymentID`.
    pub id: Uuid,
    /// Which of the three.
    pub kind: CreditKind,
    /// Its number; an overpayment has none.
    pub number: String,
    /// `Contact.ContactID`.
    pub contact: Uuid,
    /// The reference it was given. A prepayment shows its number in that place.
    pub reference: String,
    /// `CurrencyCode`.
    pub currency: String,
    /// `Date`.
    pub date: Date,
    /// `TotalTax`.
    pub tax: Decimal,
    /// `Total`.
    pub total: Decimal,
    /// Whether it is a supplier's, `ACCPAYCREDIT`.
    #[serde(default)]
    pub of_supplier: bool,
    /// How far its approval has come.
    #[serde(default)]
    pub stage: CreditNoteStage,
    /// `LineAmountTypes` of a credit note that was written with lines.
    #[serde(default)]
    pub line_amounts: String,
    /// `LineItems`, likewise.
    #[serde(default)]
    pub lines: Vec<Line>,
    /// Whether its `Status` is VOIDED.
    pub voided: bool,
    /// The bank transaction that made it; a credit note has none.
    pub bank_transaction: Option<Uuid>,
    /// `Allocations`.
    pub allocations: Vec<Allocation>,
    /// The payments that paid it back and are not deleted, with their amounts.
    pub refunds: Vec<(Uuid, Decimal)>,
    /// `UpdatedDateUTC`.
    pub updated: Timestamp,
    /// Place in the order of creation.
    pub serial: u64,
}

impl CreditDocument {
    /// `Type`.
    #[must_use]
    pub fn document_type(&self) -> &'static str {
        if self.of_supplier { "ACCPAYCREDIT" } else { self.kind.document_type() }
    }

    /// `RemainingCredit`.
    #[must_use]
    pub fn remaining(&self) -> Decimal {
        if self.voided {
            return Decimal::ZERO;
        }
        let applied: Decimal = self.allocations.iter().map(|part| part.amount).sum();
        let paid_back: Decimal = self.refunds.iter().map(|(_, amount)| *amount).sum();
        self.total - applied - paid_back
    }

    /// `Status`.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match self.voided {
            true => "VOIDED",
            false if self.stage != CreditNoteStage::Approved => self.stage.as_str(),
            false if self.remaining().is_zero() => "PAID",
            false => "AUTHORISED",
        }
    }
}

/// A credit to record, as a person would in Xero.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewCredit {
    /// Which of the three documents.
    pub kind: CreditKind,
    /// Its date.
    pub date: Date,
    /// How much. A string in JSON.
    pub amount: Decimal,
    /// Free text.
    #[serde(default)]
    pub reference: String,
}

impl Organisation {
    /// A document of credit by its id.
    pub(crate) fn credit(&self, id: Uuid) -> Result<&CreditDocument, Refusal> {
        self.credit_documents
            .get(&id)
            .ok_or_else(|| Refusal::because(format!("there is no credit {id}")))
    }

    /// The one place where a document of credit changes: keeps what it was, and stamps it.
    pub(super) fn change_credit(
        &mut self,
        id: Uuid,
        at: Timestamp,
        alter: impl FnOnce(&mut CreditDocument),
    ) -> Result<(), Refusal> {
        let document = self
            .credit_documents
            .get_mut(&id)
            .ok_or_else(|| Refusal::because(format!("there is no credit {id}")))?;
        let was = document.clone();
        alter(document);
        document.updated = at;
        self.earlier_credits.insert(id, Some(was));
        Ok(())
    }

    /// Puts a new document of credit into the books.
    pub(super) fn put_credit(&mut self, document: CreditDocument) {
        self.earlier_credits.insert(document.id, None);
        self.credit_documents.insert(document.id, document);
    }

    /// The document as it was before its last change: `None` when it did not exist then.
    pub(crate) fn credit_before(&self, document: &CreditDocument) -> Option<CreditDocument> {
        match self.earlier_credits.get(&document.id) {
            Some(earlier) => earlier.clone(),
            None => Some(document.clone()),
        }
    }

    /// Writes a credit note for a contact, of which nothing is applied yet.
    pub(crate) fn write_credit_note(
        &mut self,
        contact: Uuid,
        currency: String,
        wanted: NewCredit,
        ids: &mut Random,
        now: Timestamp,
    ) -> Result<Uuid, Refusal> {
        objections_to_amount(wanted.amount)?;
        let at = self.tick(now);
        let id = ids.uuid();
        let serial = self.next_serial();
        self.put_credit(CreditDocument {
            id,
            kind: CreditKind::CreditNote,
            number: format!("CN-{serial:04}"),
            contact,
            reference: wanted.reference,
            currency,
            date: wanted.date,
            tax: Decimal::ZERO,
            total: wanted.amount,
            of_supplier: false,
            stage: CreditNoteStage::Approved,
            line_amounts: String::new(),
            lines: Vec::new(),
            voided: false,
            bank_transaction: None,
            allocations: Vec::new(),
            refunds: Vec::new(),
            updated: at,
            serial,
        });
        Ok(id)
    }

    /// Applies a part of a credit to an invoice, which raises what the invoice says is credited.
    pub(crate) fn allocate(
        &mut self,
        credit: Uuid,
        invoice: Uuid,
        (amount, date): (Decimal, Date),
        ids: &mut Random,
        now: Timestamp,
    ) -> Result<(Uuid, Change), Refusal> {
        let document = self.credit(credit)?.clone();
        let objections = self.objections_to_allocation(&document, invoice, amount);
        if !objections.is_empty() {
            return Err(Refusal(objections));
        }
        let at = self.tick(now);
        let id = ids.uuid();
        self.change_credit(credit, at, |document| {
            document.allocations.push(Allocation { id, invoice, amount, date });
        })?;
        let change = self.change(invoice, at, |invoice| {
            invoice.credits.push(Credit {
                id: credit,
                kind: document.kind,
                allocation: id,
                number: document.number,
                amount,
                date,
            });
        })?;
        Ok((id, change))
    }

    /// What stands in the way of an allocation, in Xero's words where users have reported them (facts.md 4.6).
    fn objections_to_allocation(
        &self,
        document: &CreditDocument,
        invoice: Uuid,
        amount: Decimal,
    ) -> Vec<String> {
        let mut objections = Vec::new();
        let mut object = |message: &str| objections.push(message.to_owned());
        if let Err(refusal) = objections_to_amount(amount) {
            return refusal.0;
        }
        let Some(found) = self.invoices.get(&invoice) else {
            object("Invoice could not be found");
            return objections;
        };
        match found.status {
            InvoiceStatus::Authorised => {}
            InvoiceStatus::Paid => {
                object("The invoice you are trying to allocate to has already been paid off");
            }
            _ => object("Credits can only be applied to Authorised documents"),
        }
        if !matches!(document.status(), "AUTHORISED" | "PAID") {
            object("Credit Note must be authorised before it can be allocated");
        }
        if amount > found.amount_due || amount > document.remaining() {
            object("Credit Note cannot be allocated as amount is greater than amount outstanding");
        }
        if document.of_supplier != (found.kind == InvoiceKind::Accpay) {
            object("Credit Note cannot be allocated to an incorrect invoice type");
        }
        if found.contact != document.contact {
            object("Credit Note cannot be allocated to an invoice of another contact");
        }
        objections
    }

    /// Takes an allocation back.
    pub(crate) fn deallocate(
        &mut self,
        credit: Uuid,
        allocation: Uuid,
        now: Timestamp,
    ) -> Result<Change, Refusal> {
        let document = self.credit(credit)?;
        let mut allocations = document.allocations.iter();
        let invoice =
            allocations
                .find(|known| known.id == allocation)
                .map(|known| known.invoice)
                .ok_or_else(|| Refusal::because(format!("there is no allocation {allocation}")))?;
        let at = self.tick(now);
        self.change_credit(credit, at, |document| {
            document.allocations.retain(|known| known.id != allocation);
        })?;
        self.change(invoice, at, |invoice| {
            invoice.credits.retain(|known| known.allocation != allocation);
        })
    }

    /// Voids a credit of which nothing is applied or paid back.
    pub(crate) fn void_credit(&mut self, credit: Uuid, now: Timestamp) -> Result<(), Refusal> {
        let document = self.credit(credit)?;
        if document.voided {
            return Err(Refusal::because("the credit is VOIDED already"));
        }
        if !document.allocations.is_empty() || !document.refunds.is_empty() {
            return Err(Refusal::because("the credit has allocations or refunds"));
        }
        if let Some(transaction) = document.bank_transaction {
            return self.end_bank_transaction(transaction, BankTransactionStatus::Voided, now);
        }
        let at = self.tick(now);
        self.change_credit(credit, at, |document| document.voided = true)
    }

    /// Pays a part of a credit back: a payment that no invoice shows.
    pub(crate) fn refund(
        &mut self,
        credit: Uuid,
        (amount, date): (Decimal, Date),
        reference: String,
        ids: &mut Random,
        now: Timestamp,
    ) -> Result<Uuid, Refusal> {
        let document = self.credit(credit)?;
        let (kind, left) = (document.kind, document.remaining());
        objections_to_amount(amount)?;
        if amount > left {
            return Err(Refusal::because(format!("{left} is left of the credit, not {amount}")));
        }
        let account = self.bank_account().map_or(Uuid::nil(), |account| account.id);
        let at = self.tick(now);
        let id = ids.uuid();
        let payment = Payment {
            id,
            invoice: credit,
            credit: Some(kind),
            batch: None,
            account,
            date,
            amount,
            reference,
            reconciled: false,
            status: PaymentStatus::Authorised,
            recorded: at,
            updated: at,
            serial: self.next_serial(),
        };
        self.payments.insert(id, payment);
        self.change_credit(credit, at, |document| document.refunds.push((id, amount)))?;
        Ok(id)
    }
}

pub(super) fn objections_to_amount(amount: Decimal) -> Result<(), Refusal> {
    let is_money = amount > Decimal::ZERO && amount.normalize().scale() <= MONEY_DECIMALS;
    match is_money {
        true => Ok(()),
        false => Err(Refusal::because(format!("{amount} is no amount of money"))),
    }
}
