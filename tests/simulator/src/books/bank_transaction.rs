//! Money received before there is anything to pay: a bank transaction, and the prepayment it makes.
//!
//! Xero keeps both as one: the transaction shows in `/BankTransactions`, what is left of the money
//! in `/Prepayments`, or in `/Overpayments` where a person recorded it as one. Other kinds of bank
//! transactions are not imitated.

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    ContactChoice, CreditDocument, CreditKind, CreditNoteStage, InvoiceDraft, Line, Organisation,
    Refusal, rules::TEXT_LENGTH_MAX,
};
use crate::random::Random;

/// Where a bank transaction is in its life.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum BankTransactionStatus {
    /// It counts.
    Authorised,
    /// It was taken back, and stays in the list.
    Deleted,
    /// It was cancelled, and stays in the list.
    Voided,
}

impl BankTransactionStatus {
    /// Xero's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authorised => "AUTHORISED",
            Self::Deleted => "DELETED",
            Self::Voided => "VOIDED",
        }
    }
}

/// A bank transaction of type RECEIVE-PREPAYMENT or RECEIVE-OVERPAYMENT as it is now.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct BankTransaction {
    /// `BankTransactionID`.
    pub id: Uuid,
    /// Which of the two it makes.
    #[serde(default = "prepayment_kind")]
    pub kind: CreditKind,
    /// `PrepaymentID`, or `OverpaymentID`.
    pub prepayment: Uuid,
    /// `InvoiceNumber` of the prepayment, which is also what it shows as its `Reference`.
    pub number: String,
    /// `Contact.ContactID`.
    pub contact: Uuid,
    /// `BankAccount.AccountID`.
    pub account: Uuid,
    /// `Date`.
    pub date: Date,
    /// `Reference`, empty when there is none.
    pub reference: String,
    /// `LineAmountTypes`.
    pub line_amounts: String,
    /// `LineItems`.
    pub lines: Vec<Line>,
    /// `TotalTax`.
    pub tax: Decimal,
    /// `Total`.
    pub total: Decimal,
    /// `IsReconciled`.
    pub reconciled: bool,
    /// `Status`.
    pub status: BankTransactionStatus,
    /// When it was recorded, by the organisation's own count of time.
    pub recorded: Timestamp,
    /// `UpdatedDateUTC`.
    pub updated: Timestamp,
    /// Place in the order of recording.
    pub serial: u64,
}

/// What every bank transaction was before overpayments were known.
fn prepayment_kind() -> CreditKind {
    CreditKind::Prepayment
}

impl BankTransaction {
    /// The prepayment, or overpayment, that it makes.
    pub(super) fn credit_document(&self, currency: String) -> CreditDocument {
        CreditDocument {
            id: self.prepayment,
            kind: self.kind,
            number: self.number.clone(),
            contact: self.contact,
            reference: self.reference.clone(),
            currency,
            date: self.date,
            tax: self.tax,
            total: self.total,
            of_supplier: false,
            stage: CreditNoteStage::Approved,
            line_amounts: String::new(),
            lines: Vec::new(),
            // A prepayment has no DELETED (facts.md 4.5).
            voided: self.status != BankTransactionStatus::Authorised,
            bank_transaction: Some(self.id),
            allocations: Vec::new(),
            refunds: Vec::new(),
            updated: self.updated,
            serial: self.serial,
        }
    }

    /// The transaction as it was before its last change: `None` when it did not exist then.
    pub(crate) fn before(&self) -> Option<Self> {
        let was = Self {
            status: BankTransactionStatus::Authorised,
            updated: self.recorded,
            ..self.clone()
        };
        (self.status != BankTransactionStatus::Authorised).then_some(was)
    }
}

/// A bank transaction whose fields were read but not yet accepted.
#[derive(Clone, Debug)]
pub(crate) struct BankTransactionDraft {
    pub(crate) kind: CreditKind,
    pub(crate) contact: ContactChoice,
    pub(crate) account: Uuid,
    pub(crate) date: Date,
    pub(crate) reference: String,
    pub(crate) currency: Option<String>,
    pub(crate) line_amounts: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) reconciled: bool,
}

impl Organisation {
    /// What stands in the way of this bank transaction.
    pub(crate) fn objections_to_bank_transaction(
        &self,
        draft: &BankTransactionDraft,
    ) -> Vec<String> {
        let mut objections = Vec::new();
        objections.extend(self.contact_objection(&draft.contact));
        match self.account(draft.account) {
            None => objections.push("The BankAccount could not be found".to_owned()),
            Some(account) if !account.is_bank() => {
                objections.push("The BankAccount must be an account of type BANK".to_owned());
            }
            Some(account) if account.archived => {
                objections.push("The BankAccount has been archived".to_owned());
            }
            Some(_) => {}
        }
        if let Some(currency) = draft.currency.as_ref().filter(|code| **code != self.currency) {
            objections.push(format!(
                "The currency {currency} is not the currency of the bank account, {}",
                self.currency
            ));
        }
        objections.extend(self.line_objections(draft.kind, &draft.lines));
        if InvoiceDraft::totals(&draft.line_amounts, &draft.lines).1 <= Decimal::ZERO {
            objections.push("The total for this document must be greater than zero".to_owned());
        }
        if draft.reference.chars().count() > TEXT_LENGTH_MAX {
            objections.push("Reference cannot be longer than 255 characters".to_owned());
        }
        objections.extend(self.lock_objection(draft.date));
        objections
    }

    fn line_objections(&self, kind: CreditKind, lines: &[Line]) -> Vec<String> {
        let mut objections = Vec::new();
        if lines.is_empty() {
            objections.push("One or more line items must be specified".to_owned());
        }
        for line in lines {
            if line.quantity <= Decimal::ZERO {
                objections.push("Quantity must be greater than zero".to_owned());
            }
            if line.unit_amount.is_zero() {
                objections.push("UnitAmount must not be zero".to_owned());
            }
            // The one line of an overpayment has no account (facts.md 4.5).
            if kind == CreditKind::Prepayment {
                objections.extend(self.line_objection(line));
            }
        }
        objections
    }

    /// Records a bank transaction, and with it a prepayment.
    pub(crate) fn add_bank_transaction(
        &mut self,
        draft: BankTransactionDraft,
        ids: &mut Random,
        now: Timestamp,
    ) -> Result<Uuid, Refusal> {
        let objections = self.objections_to_bank_transaction(&draft);
        if !objections.is_empty() {
            return Err(Refusal(objections));
        }
        let (contact, _) = self.take_contact(draft.contact, ids, now);
        let at = self.tick(now);
        let (id, prepayment) = (ids.uuid(), ids.uuid());
        let (serial, number) = self.next_free_number();
        let (tax, total) = InvoiceDraft::totals(&draft.line_amounts, &draft.lines);
        let transaction = BankTransaction {
            id,
            kind: draft.kind,
            prepayment,
            number,
            contact,
            account: draft.account,
            date: draft.date,
            reference: draft.reference,
            line_amounts: draft.line_amounts,
            lines: draft.lines,
            tax,
            total,
            reconciled: draft.reconciled,
            status: BankTransactionStatus::Authorised,
            recorded: at,
            updated: at,
            serial,
        };
        self.put_credit(transaction.credit_document(self.currency.clone()));
        self.bank_transactions.insert(id, transaction);
        Ok(id)
    }

    /// Takes a bank transaction back, or cancels it, as a person does in Xero.
    pub(crate) fn end_bank_transaction(
        &mut self,
        id: Uuid,
        status: BankTransactionStatus,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let transaction = self
            .bank_transactions
            .get(&id)
            .ok_or_else(|| Refusal::because(format!("there is no bank transaction {id}")))?;
        let credit = self.credit(transaction.prepayment)?;
        if !credit.allocations.is_empty() || !credit.refunds.is_empty() {
            return Err(Refusal::because("the bank transaction has allocations or refunds"));
        }
        let at = self.tick(now);
        let transaction = self
            .bank_transactions
            .get_mut(&id)
            .ok_or_else(|| Refusal::because(format!("there is no bank transaction {id}")))?;
        if transaction.status != BankTransactionStatus::Authorised {
            return Err(Refusal::because(format!(
                "the bank transaction is {} already",
                transaction.status.as_str()
            )));
        }
        transaction.status = status;
        transaction.updated = at;
        let credit = transaction.prepayment;
        self.change_credit(credit, at, |credit| credit.voided = true)
    }

    /// Prepayments are numbered in the same sequence as sales, so a number may be taken.
    fn next_free_number(&mut self) -> (u64, String) {
        loop {
            let serial = self.next_serial();
            let number = format!("INV-{serial:04}");
            if self.invoices_numbered(&number).next().is_none() {
                return (serial, number);
            }
        }
    }
}
