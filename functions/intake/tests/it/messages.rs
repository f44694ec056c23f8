//! Messages as the business's own system sends them.

use serde_json::{Value, json};

pub(crate) const ORGANISATION: &str = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046";

pub(crate) fn invoice(number: &str, revision: u64, total: &str) -> Value {
    json!({
        "version": 1, "type": "invoice", "organisation": ORGANISATION,
        "number": number, "revision": revision,
        "total": {"amount": total, "currency": "AUD"},
        "issued_on": "2026-03-02", "terms": {"days_after_issue": 30},
        "contact": {"company": "Harbour Ferries Pty Ltd"},
    })
}

pub(crate) fn payment(id: &str, revision: u64, amount: &str, parts: &[(&str, &str)]) -> Value {
    let parts: Vec<_> = parts
        .iter()
        .map(|(invoice, amount)| json!({"invoice": invoice, "amount": amount}))
        .collect();
    json!({
        "version": 1, "type": "payment", "organisation": ORGANISATION,
        "id": id, "revision": revision,
        "amount": {"amount": amount, "currency": "AUD"},
        "date": "2026-03-09", "method": "bank_transfer", "transaction_id": format!("T-{id}"),
        "status": "confirmed", "reference": "thanks",
        "entered_at": "2026-03-09T14:05:11.123456789+11:00",
        "allocations": parts,
    })
}

pub(crate) fn journaling(invoice: &str, copy: &str, revision: u64, journaled: bool) -> Value {
    json!({
        "version": 1, "type": "journaling", "organisation": ORGANISATION,
        "invoice": invoice, "payment": copy, "revision": revision, "journaled": journaled,
    })
}

pub(crate) fn customer(id: &str, revision: u64, name: &str, contact: Option<&str>) -> Value {
    let mut message = json!({
        "version": 1, "type": "customer", "organisation": ORGANISATION,
        "customer": id, "revision": revision, "name": name,
    });
    if let Some(contact) = contact {
        message["xero_contact_id"] = json!(contact);
    }
    message
}

/// A payment that is uploaded in the night (EX-03).
pub(crate) fn bpay(id: &str, revision: u64, amount: &str) -> Value {
    with(with(payment(id, revision, amount, &[]), "/method", "bpay"), "/customer", "C-1")
}

/// A payment that is posted at once to the invoice that it names (EX-01).
pub(crate) fn pay_now(id: &str, revision: u64, amount: &str, invoice: &str) -> Value {
    let message = payment(id, revision, amount, &[(invoice, amount)]);
    with(with(message, "/method", "card"), "/channel", "pay_now")
}

/// An invoice of the provider, with one fee (EX-12).
pub(crate) fn provider_invoice(id: &str, revision: u64, amount: &str) -> Value {
    json!({
        "version": 1, "type": "provider_invoice", "organisation": ORGANISATION,
        "id": id, "revision": revision, "number": format!("PI {id}"), "issued_on": "2026-03-09",
        "total": {"amount": amount, "currency": "AUD"},
        "fees": [{"kind": "processing", "amount": amount}],
    })
}

/// An order that names these invoices.
pub(crate) fn order(id: &str, revision: u64, total: &str, invoices: &[&str]) -> Value {
    json!({
        "version": 1, "type": "order", "organisation": ORGANISATION,
        "id": id, "revision": revision, "placed_at": "2026-03-09T01:00:00Z",
        "components": {"currency": "AUD", "goods": total, "total": total}, "invoices": invoices,
    })
}

/// The same message with one value replaced.
pub(crate) fn with(mut message: Value, pointer: &str, value: impl Into<Value>) -> Value {
    let (object, member) = pointer.rsplit_once('/').unwrap();
    message.pointer_mut(object).unwrap()[member] = value.into();
    message
}
