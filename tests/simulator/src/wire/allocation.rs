//! An allocation as the answers to writes show it.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use super::{Message, Number, Unbooked, ms_day};
use crate::books::{Allocation, CreditKind};

/// An allocation in the answer to a `PUT`, with the short forms of both documents, as in the examples.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AllocationWritten {
    #[serde(rename = "AllocationID", skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice: Option<InvoiceShort>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credit_note: Option<CreditNoteShort>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_attribute_string: Option<&'static str>,
    validation_errors: Vec<Message>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct InvoiceShort {
    #[serde(rename = "InvoiceID")]
    id: Uuid,
    has_errors: bool,
    line_items: [(); 0],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct CreditNoteShort {
    #[serde(rename = "CreditNoteID")]
    id: Uuid,
    line_items: [(); 0],
}

impl AllocationWritten {
    /// One that is in the books. Its id may be left out, as in the example of the description (facts.md 4.6).
    pub(crate) fn new(
        kind: CreditKind,
        credit: Uuid,
        allocation: &Allocation,
        with_id: bool,
        own_result: bool,
    ) -> Self {
        let note = CreditNoteShort { id: credit, line_items: [] };
        Self {
            id: with_id.then_some(allocation.id),
            amount: Some(Number::money(allocation.amount)),
            date: Some(ms_day(allocation.date)),
            invoice: Some(InvoiceShort::of(allocation.invoice)),
            credit_note: (kind == CreditKind::CreditNote).then_some(note),
            status_attribute_string: own_result.then_some("OK"),
            validation_errors: Vec::new(),
        }
    }

    /// One that is not: what was sent, without an identifier (facts.md 4.9).
    pub(crate) fn refused(
        unbooked: Unbooked<'_>,
        (invoice, amount, date): (Option<Uuid>, Option<Decimal>, Option<Date>),
        own_result: bool,
    ) -> Self {
        let validation_errors = unbooked.errors();
        let status = if validation_errors.is_empty() { "OK" } else { "ERROR" };
        Self {
            id: unbooked.id(),
            amount: amount.map(Number::money),
            date: date.map(ms_day),
            invoice: invoice.map(InvoiceShort::of),
            credit_note: None,
            status_attribute_string: own_result.then_some(status),
            validation_errors,
        }
    }
}

impl InvoiceShort {
    fn of(id: Uuid) -> Self {
        Self { id, has_errors: false, line_items: [] }
    }
}

/// The answer to a `DELETE`: an allocation by itself, without an envelope, as in the example.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AllocationTaken {
    #[serde(rename = "AllocationID")]
    pub(crate) id: Uuid,
    pub(crate) is_deleted: bool,
}
