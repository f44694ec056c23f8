//! A refund in Xero's list of payments.

use payments::sweep::Refund;
use payments::{XeroContactId, XeroPaymentId, XeroPaymentKind};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::decimals;
use crate::error::ReadError;
use crate::wire::{Member, object, optional_text, required_day, schema, text};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireRefund<'a> {
    #[serde(borrow)]
    date: Member<'a>,
    #[serde(borrow)]
    amount: Member<'a>,
    #[serde(borrow)]
    status: Member<'a>,
    #[serde(borrow)]
    invoice: Member<'a>,
    #[serde(borrow)]
    credit_note: Member<'a>,
    #[serde(borrow)]
    prepayment: Member<'a>,
    #[serde(borrow)]
    overpayment: Member<'a>,
}

/// The document that was paid back. Lists have it in the place of an invoice, single payments under its own name
/// (calcinai/xero-php#889).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireDocument<'a> {
    #[serde(borrow)]
    contact: Member<'a>,
    #[serde(borrow)]
    currency_code: Member<'a>,
    #[serde(borrow)]
    invoice_number: Member<'a>,
    #[serde(borrow)]
    credit_note_number: Member<'a>,
}

#[derive(Deserialize)]
struct WireContact<'a> {
    #[serde(borrow, rename = "ContactID")]
    contact_id: Member<'a>,
}

/// Reads a row that is a refund; `None` if it does not name the contact.
pub(crate) fn refund(
    id: XeroPaymentId,
    kind: XeroPaymentKind,
    raw: &RawValue,
) -> Result<Option<Refund>, ReadError> {
    let wire: WireRefund<'_> = object(raw).ok_or(schema("Payment"))?;
    let places = [wire.credit_note, wire.prepayment, wire.overpayment, wire.invoice];
    let documents: Vec<WireDocument<'_>> =
        places.into_iter().flatten().filter_map(object).collect();
    let Some(contact) = documents.iter().find_map(contact) else { return Ok(None) };
    // What one place leaves out, another may say.
    let number = documents.iter().find_map(|one| one.credit_note_number.or(one.invoice_number));
    let currency = documents.iter().find_map(|one| one.currency_code);
    Ok(Some(Refund {
        id,
        kind,
        contact,
        document: optional_text(number, "CreditNoteNumber")?.filter(|text| !text.is_empty()),
        amount: wire.amount.and_then(decimals::decimal).ok_or(schema("Amount"))?,
        currency: optional_text(currency, "CurrencyCode")?,
        date: required_day(wire.date, "Date")?,
        deleted: optional_text(wire.status, "Status")?.as_deref() == Some("DELETED"),
    }))
}

fn contact(document: &WireDocument<'_>) -> Option<XeroContactId> {
    let contact: WireContact<'_> = document.contact.and_then(object)?;
    text(contact.contact_id)?.parse().ok()
}
