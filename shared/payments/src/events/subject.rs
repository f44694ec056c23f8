//! The subject of an event: the payment, invoice, customer or discrepancy that it is about.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::log_entry::TEXT_CHARS_MAX;
use crate::ids::{
    CustomerId, InvoiceNumber, OrderId, PaymentId, XeroContactId, XeroInvoiceId, XeroPaymentId,
};
use crate::money::Money;

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Subject {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) close: Option<Close>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seal: Option<Seal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) report: Option<Report>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) night: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) invoice: Option<Invoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) contact: Option<Contact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payment: Option<Payment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) provider_invoice: Option<ProviderInvoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) discrepancy: Option<Discrepancy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) adjustment: Option<Adjustment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) notice: Option<Notice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) customer: Option<Customer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) order: Option<Order>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Close {
    pub(super) day: Date,
    pub(super) revision: u64,
    pub(super) reconciled: u64,
    pub(super) in_transit: u64,
    pub(super) not_reconciled: u64,
}

/// A report, or an audit, by its period and its checksum.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Report {
    pub(super) period: String,
    pub(super) checksum: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Seal {
    pub(super) day: Date,
    pub(super) checksum: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) previous: Option<String>,
    pub(super) rows: u64,
    pub(super) late: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Invoice {
    pub(super) number: InvoiceNumber,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) xero_invoice_id: Option<XeroInvoiceId>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Contact {
    pub(super) xero_contact_id: XeroContactId,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Payment {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<PaymentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) xero_payment_id: Option<XeroPaymentId>,
    #[serde(flatten)]
    pub(super) money: Figures,
    pub(super) date: Date,
    pub(super) origin: &'static str,
    pub(super) method: String,
    pub(super) transaction_id: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct ProviderInvoice {
    pub(super) id: String,
    pub(super) number: String,
    #[serde(flatten)]
    pub(super) money: Figures,
    pub(super) issued_on: Date,
}

/// An amount is text, so that no reader's JSON library makes a float of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Figures {
    pub(super) amount: String,
    pub(super) currency: &'static str,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Discrepancy {
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) about: Option<String>,
    pub(super) detected_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reopened_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reopened_count: Option<u32>,
    pub(super) due_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Adjustment {
    pub(super) record: &'static str,
    #[serde(flatten)]
    pub(super) money: Option<Figures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payment: Option<PaymentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to_invoice: Option<InvoiceNumber>,
}

/// Its words are whole: half a notice is none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Notice {
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) steps: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) customer: Option<CustomerId>,
    pub(super) subject: String,
    pub(super) text: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Customer {
    pub(super) id: CustomerId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) blocked: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Order {
    pub(super) id: OrderId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) progress: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) received: Option<Figures>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) components: Vec<ComponentFigures>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) receipts: Vec<String>,
}

/// A component on which the documents of an order do not agree.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct ComponentFigures {
    pub(super) component: &'static str,
    pub(super) order: Figures,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) invoices: Option<Figures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) receipts: Option<Figures>,
}

impl Figures {
    pub(super) fn of(amount: Money) -> Self {
        Self { amount: amount.amount().to_string(), currency: amount.currency().code() }
    }
}

/// The beginning of a text; none of one that is empty.
pub(super) fn text(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(|text| text.chars().take(TEXT_CHARS_MAX).collect())
}
