//! An invoice in the several lengths in which Xero shows it.

use serde::Serialize;
use uuid::Uuid;

use super::{
    AppliedCredit, ContactOut, LineOut, Message, Number, date_string, day_string, messages,
    ms_date, ms_day,
};
use crate::books::{CreditDocument, CreditKind, Invoice, InvoiceKind, Organisation, Payment};

/// How much of an invoice an answer shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum InvoiceForm {
    /// By id, on a page, or after a write.
    Full,
    /// In a list without pages: no lines, but payments (facts.md 3.5).
    Listed,
    /// With `summaryOnly`: neither lines nor payments.
    Summary,
    /// Inside a payment of a list.
    OfListedPayment,
    /// Inside a payment read by its id.
    OfPayment,
    /// Inside a payment that was just written or deleted.
    OfWrittenPayment,
}

impl InvoiceForm {
    fn has_amounts(self) -> bool {
        self != Self::OfListedPayment
    }

    fn is_a_document(self) -> bool {
        matches!(self, Self::Full | Self::Listed | Self::Summary)
    }

    fn has_full_contact(self) -> bool {
        matches!(self, Self::Full | Self::Listed | Self::OfListedPayment)
    }

    fn has_lines(self) -> bool {
        matches!(self, Self::Full | Self::OfPayment | Self::OfWrittenPayment)
    }

    fn has_payments(self) -> bool {
        matches!(self, Self::Full | Self::Listed | Self::OfPayment)
    }
}

/// An invoice as Xero writes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct InvoiceOut {
    #[serde(rename = "Type")]
    kind: &'static str,
    #[serde(rename = "InvoiceID")]
    id: Uuid,
    invoice_number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payments: Option<Vec<TrimmedPayment>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credit_notes: Option<Vec<AppliedCredit>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prepayments: Option<Vec<AppliedCredit>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overpayments: Option<Vec<AppliedCredit>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_due: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_paid: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_credited: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_to_contact: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency_rate: Option<Number>,
    has_errors: bool,
    is_discounted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    has_attachments: Option<bool>,
    contact: ContactOut,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_string: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_date_string: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_amount_types: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_items: Option<Vec<LineOut>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_total: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_tax: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Number>,
    #[serde(rename = "UpdatedDateUTC", skip_serializing_if = "Option::is_none")]
    updated_date_utc: Option<String>,
    #[serde(rename = "UpdatedDateUTCString", skip_serializing_if = "Option::is_none")]
    updated_date_utc_string: Option<String>,
    currency_code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fully_paid_on_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_attribute_string: Option<&'static str>,
}

impl InvoiceOut {
    pub(crate) fn new(organisation: &Organisation, invoice: &Invoice, form: InvoiceForm) -> Self {
        let amount = |value| form.has_amounts().then(|| Number::money(value));
        let date = |text: String| form.has_amounts().then_some(text);
        let payments = || {
            let live = invoice.payments.iter();
            let found = live.filter_map(|payment| organisation.payments.get(payment));
            found.map(|payment| TrimmedPayment::new(payment, invoice)).collect()
        };
        // Of what was applied, documents show each, and other answers an empty list.
        let credits = |kind| match form {
            InvoiceForm::Summary => None,
            InvoiceForm::Full | InvoiceForm::Listed => {
                let applied = invoice.credits.iter().filter(|credit| credit.kind == kind);
                Some(applied.map(|credit| AppliedCredit::new(organisation, credit)).collect())
            }
            _ => Some(Vec::new()),
        };
        Self {
            kind: invoice.kind.as_str(),
            id: invoice.id,
            invoice_number: invoice.number.clone(),
            reference: (invoice.kind == InvoiceKind::Accrec && form.has_amounts())
                .then(|| invoice.reference.clone()),
            payments: match form {
                _ if form.has_payments() => Some(payments()),
                InvoiceForm::OfListedPayment => Some(Vec::new()),
                _ => None,
            },
            credit_notes: credits(CreditKind::CreditNote).filter(|_| {
                !matches!(form, InvoiceForm::OfPayment | InvoiceForm::OfWrittenPayment)
            }),
            prepayments: credits(CreditKind::Prepayment),
            overpayments: credits(CreditKind::Overpayment),
            amount_due: amount(invoice.amount_due),
            amount_paid: amount(invoice.amount_paid),
            amount_credited: form.is_a_document().then(|| Number::money(invoice.amount_credited)),
            sent_to_contact: form.has_amounts().then_some(false),
            currency_rate: form.has_amounts().then(|| Number::rate_of(invoice.rate)),
            has_errors: false,
            is_discounted: false,
            has_attachments: form.is_a_document().then_some(false),
            contact: ContactOut::new(
                invoice.contact,
                &invoice.contact_name,
                form.has_full_contact(),
            ),
            date_string: date(day_string(invoice.date)),
            date: date(ms_day(invoice.date)),
            due_date_string: date(day_string(invoice.due_date)),
            due_date: date(ms_day(invoice.due_date)),
            status: form.has_amounts().then(|| invoice.status.as_str()),
            line_amount_types: form.has_amounts().then(|| invoice.line_amounts.clone()),
            line_items: match form {
                InvoiceForm::Summary => None,
                _ if form.has_lines() => Some(invoice.lines.iter().map(LineOut::from).collect()),
                _ => Some(Vec::new()),
            },
            sub_total: amount(invoice.total - invoice.tax),
            total_tax: amount(invoice.tax),
            total: amount(invoice.total),
            updated_date_utc: date(ms_date(invoice.updated)),
            updated_date_utc_string: date(date_string(invoice.updated)),
            currency_code: invoice.currency.clone(),
            fully_paid_on_date: invoice.fully_paid_on.map(ms_day).and_then(date),
            status_attribute_string: None,
        }
    }

    /// A document of credit in the place of an invoice, as a refund has it (calcinai/xero-php#889).
    pub(super) fn of_credit(organisation: &Organisation, credit: &CreditDocument) -> Self {
        let contact = organisation.contact(credit.contact);
        let contact_name = contact.map_or("", |contact| contact.name.as_str());
        Self {
            kind: credit.kind.type_as_invoice(),
            id: credit.id,
            invoice_number: credit.number.clone(),
            reference: None,
            payments: Some(Vec::new()),
            credit_notes: Some(Vec::new()),
            prepayments: Some(Vec::new()),
            overpayments: Some(Vec::new()),
            amount_due: None,
            amount_paid: None,
            amount_credited: None,
            sent_to_contact: None,
            currency_rate: None,
            has_errors: false,
            is_discounted: false,
            has_attachments: None,
            contact: ContactOut::new(credit.contact, contact_name, true),
            date_string: None,
            date: None,
            due_date_string: None,
            due_date: None,
            status: None,
            line_amount_types: None,
            line_items: Some(Vec::new()),
            sub_total: None,
            total_tax: None,
            total: None,
            updated_date_utc: None,
            updated_date_utc_string: None,
            currency_code: credit.currency.clone(),
            fully_paid_on_date: None,
            status_attribute_string: None,
        }
    }

    /// Says `OK` where an element of a batch has its own result.
    pub(crate) fn with_own_result(mut self) -> Self {
        self.status_attribute_string = Some("OK");
        self
    }
}

/// A payment inside its invoice: no status, account or type (facts.md 4.2).
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct TrimmedPayment {
    #[serde(rename = "PaymentID")]
    id: Uuid,
    date: String,
    amount: Number,
    #[serde(skip_serializing_if = "String::is_empty")]
    reference: String,
    currency_rate: Number,
    has_account: bool,
    has_validation_errors: bool,
}

impl TrimmedPayment {
    fn new(payment: &Payment, invoice: &Invoice) -> Self {
        Self {
            id: payment.id,
            date: ms_day(payment.date),
            amount: Number::money(payment.amount),
            reference: payment.reference.clone(),
            currency_rate: Number::rate_of(invoice.rate),
            has_account: false,
            has_validation_errors: false,
        }
    }
}

/// An element that was not accepted: what was sent, without an identifier (facts.md 4.9).
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct InvoiceRefused {
    #[serde(rename = "Type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(rename = "InvoiceID")]
    id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice_number: Option<String>,
    has_errors: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_attribute_string: Option<&'static str>,
    validation_errors: Vec<Message>,
}

impl InvoiceRefused {
    pub(crate) fn new(
        kind: Option<InvoiceKind>,
        id: Option<Uuid>,
        number: Option<String>,
        errors: &[String],
        own_result: bool,
    ) -> Self {
        let status = if errors.is_empty() { "OK" } else { "ERROR" };
        Self {
            kind: kind.map(InvoiceKind::as_str),
            id: id.unwrap_or(Uuid::nil()),
            invoice_number: number,
            has_errors: !errors.is_empty(),
            status_attribute_string: own_result.then_some(status),
            validation_errors: messages(errors),
        }
    }
}
