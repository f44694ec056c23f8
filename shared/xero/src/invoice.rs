//! Xero's `Invoice`, with the payments inside of it, as the domain's snapshot.

use std::collections::BTreeMap;

use jiff::Timestamp;
use payments::{
    AppliedCredit, CreditKind, Currency, Figures, InvoiceKind, InvoiceStatus, OrganisationId,
    Snapshot, XeroInvoiceId, XeroPayment, XeroPaymentId, XeroPaymentKind,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::allocations::applied;
use crate::error::ReadError;
use crate::wire::{
    Member, object, optional_day, optional_text, required_currency, required_day, required_instant,
    required_money, required_text, schema, text,
};

/// The answer to `GET /Invoices` and `GET /Invoices/{id}`. Only the list matters; each element
/// stays text, so that an unreadable one does not take its neighbours with it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireInvoices<'a> {
    #[serde(borrow)]
    invoices: Vec<&'a RawValue>,
}

/// The only member that is read of an invoice that was not asked for.
#[derive(Deserialize)]
struct WireId<'a> {
    #[serde(borrow, rename = "InvoiceID")]
    invoice_id: Member<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireInvoice<'a> {
    #[serde(borrow)]
    r#type: Member<'a>,
    #[serde(borrow)]
    status: Member<'a>,
    #[serde(borrow)]
    invoice_number: Member<'a>,
    #[serde(borrow)]
    contact: Member<'a>,
    #[serde(borrow)]
    date: Member<'a>,
    #[serde(borrow)]
    due_date: Member<'a>,
    #[serde(borrow)]
    currency_code: Member<'a>,
    #[serde(borrow)]
    total: Member<'a>,
    #[serde(borrow)]
    amount_paid: Member<'a>,
    #[serde(borrow)]
    amount_credited: Member<'a>,
    #[serde(borrow)]
    amount_due: Member<'a>,
    #[serde(borrow)]
    payments: Member<'a>,
    #[serde(borrow)]
    credit_notes: Member<'a>,
    #[serde(borrow)]
    prepayments: Member<'a>,
    #[serde(borrow)]
    overpayments: Member<'a>,
    #[serde(borrow, rename = "UpdatedDateUTC")]
    updated_date_utc: Member<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireContact<'a> {
    #[serde(borrow)]
    name: Member<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WirePayment<'a> {
    #[serde(borrow, rename = "PaymentID")]
    payment_id: Member<'a>,
    #[serde(borrow)]
    date: Member<'a>,
    #[serde(borrow)]
    amount: Member<'a>,
    #[serde(borrow)]
    reference: Member<'a>,
    #[serde(borrow)]
    payment_type: Member<'a>,
    #[serde(borrow)]
    status: Member<'a>,
}

/// One invoice of an answer, not read yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawInvoice<'a>(&'a RawValue);

/// What could be made of an invoice.
#[derive(Debug)]
pub(crate) enum Reading {
    /// The invoice with all its payments.
    Whole(Snapshot),
    /// The answer leaves the payments out, or they do not add up to `AmountPaid`. Read alone,
    /// the invoice may come in full.
    Thin(Thin),
}

/// An invoice whose payments are not certain to be complete.
#[derive(Debug)]
pub(crate) struct Thin {
    snapshot: Snapshot,
    has_payments: bool,
}

impl Thin {
    /// Takes it as it is, because it was read alone already. Payments that do not add up are the
    /// domain's business (`Snapshot::ties_out`); payments that are left out altogether are only
    /// believed when nothing was paid.
    pub(crate) fn accept(self) -> Result<Snapshot, ReadError> {
        if self.has_payments || self.snapshot.ties_out() {
            Ok(self.snapshot)
        } else {
            Err(schema("Payments"))
        }
    }
}

/// Which invoices an answer contains. An id that stands there twice is left out, as either of
/// the two may be right. `None` when the answer is no list of invoices at all.
pub(crate) fn invoices_by_id(body: &[u8]) -> Option<BTreeMap<XeroInvoiceId, RawInvoice<'_>>> {
    let whole: &RawValue = serde_json::from_slice(body).ok()?;
    let wire: WireInvoices<'_> = object(whole)?;
    let mut by_id: BTreeMap<XeroInvoiceId, Option<RawInvoice<'_>>> = BTreeMap::new();
    for raw in wire.invoices {
        let id = object::<WireId<'_>>(raw).and_then(|wire| text(wire.invoice_id)?.parse().ok());
        if let Some(id) = id {
            by_id.entry(id).and_modify(|twice| *twice = None).or_insert(Some(RawInvoice(raw)));
        }
    }
    Some(by_id.into_iter().filter_map(|(id, raw)| Some((id, raw?))).collect())
}

impl RawInvoice<'_> {
    /// Reads it. `fetched_at` is when the call that answered was started.
    pub(crate) fn read(
        self,
        organisation: OrganisationId,
        invoice: XeroInvoiceId,
        fetched_at: Timestamp,
    ) -> Result<Reading, ReadError> {
        let wire: WireInvoice<'_> = object(self.0).ok_or(schema("Invoice"))?;
        let currency = required_currency(wire.currency_code, "CurrencyCode")?;
        let kind = match required_text(wire.r#type, "Type")?.as_str() {
            "ACCREC" => InvoiceKind::Sales,
            "ACCPAY" => InvoiceKind::Bill,
            _ => InvoiceKind::Other,
        };
        let status = required_text(wire.status, "Status")?;
        let status = InvoiceStatus::from_code(&status).ok_or(schema("Status"))?;
        let figures = Figures {
            total: required_money(wire.total, currency, "Total")?,
            paid: required_money(wire.amount_paid, currency, "AmountPaid")?,
            credited: required_money(wire.amount_credited, currency, "AmountCredited")?,
            due: required_money(wire.amount_due, currency, "AmountDue")?,
        };
        let snapshot = Snapshot {
            organisation,
            invoice,
            kind,
            number: optional_text(wire.invoice_number, "InvoiceNumber")?.unwrap_or_default(),
            status,
            contact_name: contact_name(wire.contact)?,
            issued_on: optional_day(wire.date, "Date")?,
            due_on: optional_day(wire.due_date, "DueDate")?,
            figures,
            payments: payments(wire.payments, currency)?,
            allocations: allocations(&wire, currency),
            updated_at: required_instant(wire.updated_date_utc, "UpdatedDateUTC")?,
            fetched_at,
        };
        let has_payments = wire.payments.is_some();
        if has_payments && snapshot.ties_out() {
            Ok(Reading::Whole(snapshot))
        } else {
            Ok(Reading::Thin(Thin { snapshot, has_payments }))
        }
    }
}

fn allocations(wire: &WireInvoice<'_>, currency: Currency) -> Vec<AppliedCredit> {
    let lists = [
        (CreditKind::CreditNote, wire.credit_notes),
        (CreditKind::Prepayment, wire.prepayments),
        (CreditKind::Overpayment, wire.overpayments),
    ];
    lists.into_iter().flat_map(|(kind, list)| applied(kind, list, currency)).collect()
}

fn contact_name(member: Member<'_>) -> Result<Option<String>, ReadError> {
    let Some(raw) = member else { return Ok(None) };
    let wire: WireContact<'_> = object(raw).ok_or(schema("Contact"))?;
    optional_text(wire.name, "Contact.Name")
}

pub(crate) fn payments(
    member: Member<'_>,
    currency: Currency,
) -> Result<Vec<XeroPayment>, ReadError> {
    let Some(raw) = member else { return Ok(Vec::new()) };
    let list: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|_| schema("Payments"))?;
    list.into_iter().map(|raw| payment(raw, currency)).collect()
}

/// Reads a payment. Inside of an invoice Xero leaves its type and its status out (facts.md 4.2):
/// it is then money received, and it stands. A payment has no currency but its invoice's.
fn payment(raw: &RawValue, currency: Currency) -> Result<XeroPayment, ReadError> {
    let wire: WirePayment<'_> = object(raw).ok_or(schema("Payments"))?;
    let id: XeroPaymentId = required_text(wire.payment_id, "Payments.PaymentID")?
        .parse()
        .map_err(|_| schema("Payments.PaymentID"))?;
    // Elements that Xero did not store carry an id of zeros or none.
    if id == XeroPaymentId::new(uuid::Uuid::nil()) {
        return Err(schema("Payments.PaymentID"));
    }
    let kind = match optional_text(wire.payment_type, "Payments.PaymentType")? {
        None => XeroPaymentKind::Received,
        Some(code) => XeroPaymentKind::from_code(&code).unwrap_or(XeroPaymentKind::Other),
    };
    let deleted = match optional_text(wire.status, "Payments.Status")?.as_deref() {
        None | Some("AUTHORISED") => false,
        Some("DELETED") => true,
        Some(_) => return Err(schema("Payments.Status")),
    };
    Ok(XeroPayment {
        id,
        date: required_day(wire.date, "Payments.Date")?,
        amount: required_money(wire.amount, currency, "Payments.Amount")?,
        reference: optional_text(wire.reference, "Payments.Reference")?,
        kind,
        deleted,
    })
}

#[cfg(test)]
mod tests;
