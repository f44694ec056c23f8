//! A credit note, a prepayment or an overpayment, by itself and in an invoice it was applied to.

use serde::Serialize;
use uuid::Uuid;

use super::{
    ContactOut, LineOut, Message, Number, Unbooked, date_string, day_string, ms_date, ms_day,
};
use crate::books::{Allocation, Credit, CreditDocument, CreditKind, Organisation, Payment};

/// The id in the member that is named after its kind.
#[derive(Debug, Default, Serialize)]
pub(super) struct CreditId {
    #[serde(rename = "CreditNoteID", skip_serializing_if = "Option::is_none")]
    credit_note: Option<Uuid>,
    #[serde(rename = "PrepaymentID", skip_serializing_if = "Option::is_none")]
    prepayment: Option<Uuid>,
    #[serde(rename = "OverpaymentID", skip_serializing_if = "Option::is_none")]
    overpayment: Option<Uuid>,
    /// In every example of the latter two, and in no schema.
    #[serde(rename = "ID", skip_serializing_if = "Option::is_none")]
    same_id: Option<Uuid>,
}

impl CreditId {
    fn of(kind: CreditKind, id: Uuid) -> Self {
        let none = Self::default();
        match kind {
            CreditKind::CreditNote => Self { credit_note: Some(id), ..none },
            CreditKind::Prepayment => Self { prepayment: Some(id), same_id: Some(id), ..none },
            CreditKind::Overpayment => Self { overpayment: Some(id), same_id: Some(id), ..none },
        }
    }
}

/// A document of credit as Xero writes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreditOut {
    #[serde(flatten)]
    id: CreditId,
    #[serde(skip_serializing_if = "Option::is_none")]
    credit_note_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency_rate: Option<Number>,
    #[serde(rename = "Type")]
    kind: &'static str,
    /// Of a prepayment not what was given: the number, as the description says (facts.md 4.5).
    reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice_number: Option<String>,
    remaining_credit: Number,
    allocations: Vec<AllocationOut>,
    payments: Vec<RefundOut>,
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
    #[serde(rename = "UpdatedDateUTCString")]
    updated_date_utc_string: String,
    currency_code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_attribute_string: Option<&'static str>,
}

impl CreditOut {
    /// Says `OK` where an element of a batch has its own result.
    pub(crate) fn with_own_result(mut self) -> Self {
        self.status_attribute_string = Some("OK");
        self
    }

    /// `lines` says whether to show them: a list without pages does not; `by_id` adds the rate.
    pub(crate) fn new(
        organisation: &Organisation,
        credit: &CreditDocument,
        lines: bool,
        by_id: bool,
    ) -> Self {
        let contact = organisation.contact(credit.contact);
        let contact_name = contact.map_or("", |contact| contact.name.as_str());
        let transaction =
            credit.bank_transaction.and_then(|id| organisation.bank_transactions.get(&id));
        let of_transaction = transaction.into_iter().flat_map(|found| &found.lines);
        let shown = of_transaction.chain(&credit.lines).filter(|_| lines);
        let refunds = credit.refunds.iter();
        let refunds = refunds.filter_map(|(id, _)| organisation.payments.get(id));
        let (is_note, is_prepayment) =
            (credit.kind == CreditKind::CreditNote, credit.kind == CreditKind::Prepayment);
        Self {
            id: CreditId::of(credit.kind, credit.id),
            credit_note_number: is_note.then(|| credit.number.clone()),
            currency_rate: by_id.then(Number::rate),
            kind: credit.document_type(),
            reference: if is_prepayment { &credit.number } else { &credit.reference }.clone(),
            invoice_number: is_prepayment.then(|| credit.number.clone()),
            remaining_credit: Number::money(credit.remaining()),
            allocations: credit.allocations.iter().map(AllocationOut::from).collect(),
            payments: refunds.map(RefundOut::from).collect(),
            has_attachments: false,
            contact: ContactOut::new(credit.contact, contact_name, true),
            date_string: day_string(credit.date),
            date: ms_day(credit.date),
            status: credit.status(),
            line_amount_types: match transaction {
                Some(found) => found.line_amounts.clone(),
                None if credit.line_amounts.is_empty() => "NoTax".to_owned(),
                None => credit.line_amounts.clone(),
            },
            line_items: shown.map(LineOut::from).collect(),
            sub_total: Number::money(credit.total - credit.tax),
            total_tax: Number::money(credit.tax),
            total: Number::money(credit.total),
            updated_date_utc: ms_date(credit.updated),
            updated_date_utc_string: date_string(credit.updated),
            currency_code: credit.currency.clone(),
            status_attribute_string: None,
        }
    }
}

/// A credit note that was not accepted: what was sent, without an identifier (facts.md 4.9).
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreditNoteRefused {
    #[serde(rename = "CreditNoteID", skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    #[serde(rename = "Type", skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) credit_note_number: Option<String>,
    has_errors: bool,
    line_items: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    status_attribute_string: Option<&'static str>,
    validation_errors: Vec<Message>,
}

impl CreditNoteRefused {
    /// `own_result` adds the word that each element has with `summarizeErrors=false`.
    pub(crate) fn new(unbooked: Unbooked<'_>, own_result: bool) -> Self {
        let validation_errors = unbooked.errors();
        let has_errors = !validation_errors.is_empty();
        Self {
            id: unbooked.id(),
            kind: None,
            credit_note_number: None,
            has_errors,
            line_items: [],
            status_attribute_string: own_result.then_some(if has_errors { "ERROR" } else { "OK" }),
            validation_errors,
        }
    }
}

/// A part of a credit that was applied.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AllocationOut {
    #[serde(rename = "AllocationID")]
    id: Uuid,
    amount: Number,
    date: String,
    invoice: InvoiceId,
}

#[derive(Debug, Serialize)]
struct InvoiceId {
    #[serde(rename = "InvoiceID")]
    id: Uuid,
}

impl From<&Allocation> for AllocationOut {
    fn from(allocation: &Allocation) -> Self {
        Self {
            id: allocation.id,
            amount: Number::money(allocation.amount),
            date: ms_day(allocation.date),
            invoice: InvoiceId { id: allocation.invoice },
        }
    }
}

/// A refund inside the document that it paid back.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct RefundOut {
    #[serde(rename = "PaymentID")]
    id: Uuid,
    date: String,
    amount: Number,
    reference: String,
    has_account: bool,
    has_validation_errors: bool,
}

impl From<&Payment> for RefundOut {
    fn from(payment: &Payment) -> Self {
        Self {
            id: payment.id,
            date: ms_day(payment.date),
            amount: Number::money(payment.amount),
            reference: payment.reference.clone(),
            has_account: false,
            has_validation_errors: false,
        }
    }
}

/// A credit inside the invoice it was applied to.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AppliedCredit {
    #[serde(flatten)]
    id: CreditId,
    #[serde(skip_serializing_if = "Option::is_none")]
    credit_note_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    has_errors: Option<bool>,
    applied_amount: Number,
    date_string: String,
    date: String,
    line_items: [(); 0],
    total: Number,
}

impl AppliedCredit {
    pub(super) fn new(organisation: &Organisation, credit: &Credit) -> Self {
        let is_note = credit.kind == CreditKind::CreditNote;
        let document = organisation.credit_documents.get(&credit.id);
        Self {
            id: CreditId::of(credit.kind, credit.id),
            credit_note_number: is_note.then(|| credit.number.clone()),
            has_errors: is_note.then_some(false),
            applied_amount: Number::money(credit.amount),
            date_string: day_string(document.map_or(credit.date, |document| document.date)),
            date: ms_day(document.map_or(credit.date, |document| document.date)),
            line_items: [],
            total: Number::money(document.map_or(credit.amount, |document| document.total)),
        }
    }
}

/// A document of credit in a payment that paid it back.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreditOfRefund {
    #[serde(flatten)]
    id: CreditId,
    #[serde(skip_serializing_if = "Option::is_none")]
    credit_note_number: Option<String>,
    contact: ContactOut,
    line_items: [(); 0],
    currency_code: String,
}

impl CreditOfRefund {
    pub(super) fn new(organisation: &Organisation, credit: &CreditDocument) -> Self {
        let contact = organisation.contact(credit.contact);
        let name = contact.map_or("", |contact| contact.name.as_str());
        let is_note = credit.kind == CreditKind::CreditNote;
        Self {
            id: CreditId::of(credit.kind, credit.id),
            credit_note_number: is_note.then(|| credit.number.clone()),
            contact: ContactOut::new(credit.contact, name, true),
            line_items: [],
            currency_code: credit.currency.clone(),
        }
    }
}
