//! A batch payment, by itself and inside its payments.

use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use super::{Message, Number, Unbooked, day_string, ms_date, ms_day};
use crate::books::{BatchPayment, Organisation, Payment, PaymentStatus};

/// The account of a batch: its id and currency, neither code nor name.
#[derive(Debug, Serialize)]
struct AccountOfBatch {
    #[serde(rename = "AccountID")]
    id: Uuid,
    #[serde(rename = "CurrencyCode", skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
}

/// A batch payment as Xero writes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BatchPaymentOut {
    account: AccountOfBatch,
    #[serde(skip_serializing_if = "String::is_empty")]
    reference: String,
    #[serde(rename = "BatchPaymentID")]
    id: Uuid,
    date_string: String,
    date: String,
    payments: Vec<PaymentOfBatch>,
    #[serde(rename = "Type")]
    kind: &'static str,
    status: &'static str,
    total_amount: Number,
    #[serde(rename = "UpdatedDateUTC")]
    updated_date_utc: String,
    is_reconciled: bool,
}

impl BatchPaymentOut {
    pub(crate) fn new(organisation: &Organisation, batch: &BatchPayment) -> Self {
        let standing = batch.status == PaymentStatus::Authorised;
        let payments = batch.payments.iter().filter(|_| standing);
        let payments = payments.filter_map(|id| organisation.payments.get(id));
        Self {
            account: AccountOfBatch {
                id: batch.account,
                currency: Some(organisation.currency.clone()),
            },
            reference: batch.reference.clone(),
            id: batch.id,
            date_string: day_string(batch.date),
            date: ms_day(batch.date),
            payments: payments.map(|payment| PaymentOfBatch::new(organisation, payment)).collect(),
            kind: batch.kind.batch_type(),
            status: batch.status.as_str(),
            total_amount: Number::money(batch.total),
            updated_date_utc: ms_date(batch.updated),
            is_reconciled: false,
        }
    }
}

/// A payment inside its batch.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PaymentOfBatch {
    invoice: InvoiceOfBatch,
    #[serde(rename = "PaymentID")]
    id: Uuid,
    #[serde(skip_serializing_if = "String::is_empty")]
    reference: String,
    amount: Number,
    bank_amount: Number,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct InvoiceOfBatch {
    #[serde(rename = "InvoiceID")]
    id: Uuid,
    currency_code: String,
    payments: [Uuid; 0],
    credit_notes: [Uuid; 0],
    prepayments: [Uuid; 0],
    overpayments: [Uuid; 0],
    has_errors: bool,
    is_discounted: bool,
    line_items: [Uuid; 0],
}

impl PaymentOfBatch {
    fn new(organisation: &Organisation, payment: &Payment) -> Self {
        let invoice = organisation.invoices.get(&payment.invoice);
        let currency = invoice.map(|invoice| invoice.currency.clone());
        let rate = invoice.and_then(|invoice| invoice.rate).unwrap_or(Decimal::ONE);
        Self {
            invoice: InvoiceOfBatch {
                id: payment.invoice,
                currency_code: currency.unwrap_or_default(),
                payments: [],
                credit_notes: [],
                prepayments: [],
                overpayments: [],
                has_errors: false,
                is_discounted: false,
                line_items: [],
            },
            id: payment.id,
            reference: payment.reference.clone(),
            amount: Number::money(payment.amount),
            bank_amount: Number::money(payment.amount / rate),
        }
    }
}

/// A batch payment inside a payment: in the list, total and `IsReconciled` are strings (facts.md 4.1).
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BatchOfPayment {
    account: AccountOfBatch,
    #[serde(rename = "BatchPaymentID")]
    id: Uuid,
    date: String,
    #[serde(rename = "Type")]
    kind: &'static str,
    status: &'static str,
    total_amount: String,
    #[serde(rename = "UpdatedDateUTC")]
    updated_date_utc: String,
    is_reconciled: &'static str,
}

impl BatchOfPayment {
    pub(crate) fn new(batch: &BatchPayment) -> Self {
        Self {
            account: AccountOfBatch { id: batch.account, currency: None },
            id: batch.id,
            date: ms_day(batch.date),
            kind: batch.kind.batch_type(),
            status: batch.status.as_str(),
            total_amount: format!("{:.2}", batch.total),
            updated_date_utc: ms_date(batch.updated),
            is_reconciled: "false",
        }
    }
}

/// An element that was not recorded, without an identifier (facts.md 4.9).
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BatchPaymentRefused {
    #[serde(rename = "BatchPaymentID", skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    validation_errors: Vec<Message>,
}

impl BatchPaymentRefused {
    pub(crate) fn new(reference: Option<String>, unbooked: Unbooked<'_>) -> Self {
        Self { id: unbooked.id(), reference, validation_errors: unbooked.errors() }
    }
}
