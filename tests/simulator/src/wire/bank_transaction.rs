//! A bank transaction in the lengths in which Xero shows it.

use jiff::civil::Date;
use serde::Serialize;
use uuid::Uuid;

use super::{
    AccountOut, ContactNamed, ContactOut, LineOut, Message, Number, Unbooked, day_string, ms_date,
    ms_day,
};
use crate::books::{BankTransaction, CreditKind, Organisation};

/// How much of a bank transaction an answer shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum BankTransactionForm {
    /// In a list without pages: no lines.
    Listed,
    /// On a page.
    Paged,
    /// By its id, or just recorded.
    Full,
}

/// A bank transaction as Xero writes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BankTransactionOut {
    #[serde(rename = "BankTransactionID")]
    id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    bank_account: Option<AccountOut>,
    #[serde(rename = "Type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    is_reconciled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency_rate: Option<Number>,
    #[serde(rename = "PrepaymentID", skip_serializing_if = "Option::is_none")]
    prepayment: Option<Uuid>,
    #[serde(rename = "OverpaymentID", skip_serializing_if = "Option::is_none")]
    overpayment: Option<Uuid>,
    has_attachments: bool,
    contact: ContactOut,
    date_string: String,
    date: String,
    status: &'static str,
    line_amount_types: String,
    line_items: Vec<LineOut>,
    sub_total: Number,
    total_tax: Number,
    total: Number,
    #[serde(rename = "UpdatedDateUTC")]
    updated_date_utc: String,
    currency_code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_attribute_string: Option<&'static str>,
}

impl BankTransactionOut {
    pub(crate) fn new(
        organisation: &Organisation,
        transaction: &BankTransaction,
        form: BankTransactionForm,
    ) -> Self {
        let full = form == BankTransactionForm::Full;
        let lines = transaction.lines.iter();
        let lines = lines.map(|line| LineOut::with_account(organisation, line));
        let account = organisation.account(transaction.account);
        let contact = organisation.contact(transaction.contact);
        let contact_name = contact.map_or("", |contact| contact.name.as_str());
        Self {
            id: transaction.id,
            bank_account: account.map(|account| AccountOut::new(account, true)),
            kind: transaction.kind.document_type(),
            // The single one shows an empty one, the list leaves it out.
            reference: (full || !transaction.reference.is_empty())
                .then(|| transaction.reference.clone()),
            is_reconciled: transaction.reconciled,
            currency_rate: full.then(Number::rate),
            prepayment: (transaction.kind == CreditKind::Prepayment)
                .then_some(transaction.prepayment),
            overpayment: (transaction.kind == CreditKind::Overpayment)
                .then_some(transaction.prepayment),
            has_attachments: false,
            contact: ContactOut::new(transaction.contact, contact_name, true),
            date_string: day_string(transaction.date),
            date: ms_day(transaction.date),
            status: transaction.status.as_str(),
            line_amount_types: transaction.line_amounts.clone(),
            line_items: match form {
                BankTransactionForm::Listed => Vec::new(),
                BankTransactionForm::Paged | BankTransactionForm::Full => lines.collect(),
            },
            sub_total: Number::money(transaction.total - transaction.tax),
            total_tax: Number::money(transaction.tax),
            total: Number::money(transaction.total),
            updated_date_utc: ms_date(transaction.updated),
            currency_code: organisation.currency.clone(),
            status_attribute_string: None,
        }
    }

    /// Says `OK` where an element of a batch has its own result.
    pub(crate) fn with_own_result(mut self) -> Self {
        self.status_attribute_string = Some("OK");
        self
    }
}

/// An element that was not recorded: what was sent, without an identifier (facts.md 4.9).
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BankTransactionRefused {
    #[serde(rename = "BankTransactionID", skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    #[serde(rename = "Type", skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contact: Option<ContactNamed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bank_account: Option<AccountOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_string: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    line_items: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    status_attribute_string: Option<&'static str>,
    validation_errors: Vec<Message>,
}

impl BankTransactionRefused {
    /// `own_result` adds the word that each element has with `summarizeErrors=false`.
    pub(crate) fn new(unbooked: Unbooked<'_>, date: Option<Date>, own_result: bool) -> Self {
        let validation_errors = unbooked.errors();
        let status = if validation_errors.is_empty() { "OK" } else { "ERROR" };
        Self {
            id: unbooked.id(),
            kind: None,
            contact: None,
            bank_account: None,
            date_string: date.map(day_string),
            date: date.map(ms_day),
            reference: None,
            line_items: [],
            status_attribute_string: own_result.then_some(status),
            validation_errors,
        }
    }
}
