//! A payment in the lengths in which Xero shows it.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use super::{
    AccountOut, BatchOfPayment, CreditOfRefund, InvoiceForm, InvoiceOut, Message, Number, Unbooked,
    date_string, ms_date, ms_day,
};
use crate::books::{CreditKind, Invoice, InvoiceKind, Organisation, Payment};

/// How much of a payment an answer shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PaymentForm {
    /// In a list.
    Listed,
    /// By its id.
    Full,
    /// Just recorded or deleted.
    Written,
}

/// `PaymentType`, which says what the payment is of.
pub(crate) fn payment_type(organisation: &Organisation, payment: &Payment) -> &'static str {
    let invoice = organisation.invoices.get(&payment.invoice);
    match (payment.credit, invoice.map(|invoice| invoice.kind)) {
        (Some(credit), _) => credit.refund_type(),
        (None, Some(InvoiceKind::Accpay)) => "ACCPAYPAYMENT",
        (None, _) => "ACCRECPAYMENT",
    }
}

/// A payment as Xero writes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PaymentOut {
    #[serde(rename = "PaymentID")]
    id: Uuid,
    #[serde(rename = "BatchPaymentID", skip_serializing_if = "Option::is_none")]
    batch_payment_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch_payment: Option<BatchOfPayment>,
    date: String,
    bank_amount: Number,
    amount: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    currency_rate: Number,
    payment_type: &'static str,
    status: &'static str,
    #[serde(rename = "UpdatedDateUTC")]
    updated_date_utc: String,
    #[serde(rename = "UpdatedDateUTCString")]
    updated_date_utc_string: String,
    has_account: bool,
    is_reconciled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice: Option<InvoiceOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credit_note: Option<CreditOfRefund>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prepayment: Option<CreditOfRefund>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overpayment: Option<CreditOfRefund>,
    has_validation_errors: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_attribute_string: Option<&'static str>,
}

impl PaymentOut {
    /// `invoice` is the one it is for, in the state that the answer is to show; a refund has none.
    pub(crate) fn new(
        organisation: &Organisation,
        payment: &Payment,
        invoice: Option<&Invoice>,
        form: PaymentForm,
    ) -> Self {
        let invoice_form = match form {
            PaymentForm::Listed => InvoiceForm::OfListedPayment,
            PaymentForm::Full => InvoiceForm::OfPayment,
            PaymentForm::Written => InvoiceForm::OfWrittenPayment,
        };
        let listed = form == PaymentForm::Listed;
        let rate = invoice.and_then(|invoice| invoice.rate);
        let account = organisation.account(payment.account);
        let credit = payment.credit.and(organisation.credit_documents.get(&payment.invoice));
        let nested = |kind| {
            let credit = credit.filter(|credit| credit.kind == kind)?;
            Some(CreditOfRefund::new(organisation, credit))
        };
        let batch = payment.batch.and_then(|batch| organisation.batch_payments.get(&batch));
        Self {
            id: payment.id,
            batch_payment_id: payment.batch,
            batch_payment: batch.map(BatchOfPayment::new),
            date: ms_day(payment.date),
            // In the bank's currency, which is that of the books.
            bank_amount: Number::money(rate.map_or(payment.amount, |rate| payment.amount / rate)),
            amount: Number::money(payment.amount),
            // The list shows an empty one, the single payment leaves it out.
            reference: (listed || !payment.reference.is_empty()).then(|| payment.reference.clone()),
            currency_rate: Number::rate_of(rate),
            payment_type: payment_type(organisation, payment),
            status: payment.status.as_str(),
            updated_date_utc: ms_date(payment.updated),
            updated_date_utc_string: date_string(payment.updated),
            has_account: true,
            is_reconciled: payment.reconciled,
            account: account.map(|account| AccountOut::new(account, !listed)),
            invoice: match credit {
                Some(credit) => Some(InvoiceOut::of_credit(organisation, credit)),
                None => invoice.map(|found| InvoiceOut::new(organisation, found, invoice_form)),
            },
            // The list of the description has a credit note in the place of the invoice only.
            credit_note: nested(CreditKind::CreditNote).filter(|_| !listed),
            prepayment: nested(CreditKind::Prepayment),
            overpayment: nested(CreditKind::Overpayment),
            has_validation_errors: false,
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
pub(crate) struct PaymentRefused {
    #[serde(rename = "PaymentID", skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    has_account: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<AccountOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) invoice: Option<InvoiceNamed>,
    has_validation_errors: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_attribute_string: Option<&'static str>,
    validation_errors: Vec<Message>,
}

impl PaymentRefused {
    /// `own_result` adds the word that each element has with `summarizeErrors=false`.
    pub(crate) fn new(unbooked: Unbooked<'_>, own_result: bool) -> Self {
        let errors = unbooked.errors();
        let status = if errors.is_empty() { "OK" } else { "ERROR" };
        Self {
            id: unbooked.id(),
            date: None,
            amount: None,
            reference: None,
            has_account: false,
            account: None,
            invoice: None,
            has_validation_errors: !errors.is_empty(),
            status_attribute_string: own_result.then_some(status),
            validation_errors: errors,
        }
    }

    pub(crate) fn dated(mut self, date: Option<Date>, amount: Option<Decimal>) -> Self {
        self.date = date.map(ms_day);
        // Echoed only when two decimals can hold it; the echo must not seem to round.
        self.amount = amount.filter(|amount| amount.normalize().scale() <= 2).map(Number::money);
        self
    }
}

/// The invoice as the sender named it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct InvoiceNamed {
    #[serde(rename = "InvoiceID", skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) invoice_number: Option<String>,
}
