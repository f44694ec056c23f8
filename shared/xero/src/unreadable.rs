//! Rows of Xero's lists that cannot be read. Each harms itself only: the others are read, and it is named (AMB-30).

use std::fmt;

use payments::{InvoiceKind, XeroContactId, XeroInvoiceId, XeroPaymentKind};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::error::ReadError;
use crate::list::ListName;
use crate::wire::{Member, object, text};

/// A row that could not be read, with what can be read of it all the same.
#[derive(Clone, Eq, PartialEq)]
pub struct Unreadable {
    /// Xero's name of the list: `Invoices`, `Payments` and so on.
    pub list: &'static str,
    /// The row's own id; `None` if not even that can be read.
    pub id: Option<Uuid>,
    /// The invoice that it is, or is on.
    pub invoice: Option<XeroInvoiceId>,
    /// The number of that; empty if an invoice has none, `None` if it is not known.
    pub number: Option<String>,
    /// What kind of document that is.
    pub kind: Option<InvoiceKind>,
    /// Whose it is.
    pub contact: Option<XeroContactId>,
    /// Xero's name of the member that is missing or not what it should be.
    pub field: &'static str,
    /// The row as Xero has sent it, to be kept for a person. Never for a log.
    pub body: String,
}

/// N9: no amounts and no names.
impl fmt::Debug for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unreadable")
            .field("list", &self.list)
            .field("id", &self.id)
            .field("field", &self.field)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireNames<'a> {
    #[serde(borrow)]
    r#type: Member<'a>,
    #[serde(borrow)]
    payment_type: Member<'a>,
    #[serde(borrow)]
    invoice_number: Member<'a>,
    #[serde(borrow)]
    contact: Member<'a>,
    #[serde(borrow)]
    invoice: Member<'a>,
}

#[derive(Deserialize)]
struct WireInvoice<'a> {
    #[serde(borrow, rename = "InvoiceID")]
    invoice_id: Member<'a>,
    #[serde(borrow, rename = "InvoiceNumber")]
    invoice_number: Member<'a>,
}

#[derive(Deserialize)]
struct WireContactId<'a> {
    #[serde(borrow, rename = "ContactID")]
    contact_id: Member<'a>,
}

impl Unreadable {
    /// The known part of a row that is not what it should be.
    ///
    /// # Errors
    /// The error if the row is not the cause.
    pub(crate) fn of(
        which: ListName,
        id: Option<Uuid>,
        raw: &RawValue,
        error: ReadError,
    ) -> Result<Self, ReadError> {
        let ReadError::Schema { field } = error else { return Err(error) };
        let contact =
            |contact| text(object::<WireContactId<'_>>(contact)?.contact_id)?.parse().ok();
        let unnamed = Self {
            list: which.name(),
            id,
            invoice: None,
            number: None,
            kind: None,
            contact: None,
            field,
            body: raw.get().to_owned(),
        };
        let Some(names) = object::<WireNames<'_>>(raw) else { return Ok(unnamed) };
        let unnamed = Self { contact: names.contact.and_then(contact), ..unnamed };
        Ok(match which {
            ListName::Invoices => unnamed.invoice(&names),
            ListName::Payments => unnamed.payment(&names),
            ListName::BankTransactions
            | ListName::Contacts
            | ListName::CreditNotes
            | ListName::Overpayments
            | ListName::Prepayments => unnamed,
        })
    }

    fn invoice(self, names: &WireNames<'_>) -> Self {
        let kind = |code: String| match code.as_str() {
            "ACCREC" => InvoiceKind::Sales,
            "ACCPAY" => InvoiceKind::Bill,
            _ => InvoiceKind::Other,
        };
        Self {
            invoice: self.id.map(XeroInvoiceId::new),
            number: names.invoice_number.map_or(Some(String::new()), |number| text(Some(number))),
            kind: text(names.r#type).map(kind),
            ..self
        }
    }

    /// What only money received is on is an invoice of sales.
    fn payment(self, names: &WireNames<'_>) -> Self {
        let code = text(names.payment_type);
        let kind = code.as_deref().map(XeroPaymentKind::from_code);
        if kind.flatten().is_some_and(XeroPaymentKind::is_refund) {
            // A refund concerns us, from every kind of document (CM-50).
            return self;
        }
        if kind.is_some_and(|kind| kind != Some(XeroPaymentKind::Received)) {
            return Self { kind: Some(InvoiceKind::Other), ..self };
        }
        let of = names.invoice.and_then(object::<WireInvoice<'_>>);
        let id = of.as_ref().and_then(|of| text(of.invoice_id)?.parse().ok());
        let number = of.and_then(|of| text(of.invoice_number));
        Self { invoice: id, number, kind: Some(InvoiceKind::Sales), ..self }
    }

    /// The problem, without an amount or a name.
    pub fn why(&self) -> String {
        let error = ReadError::Schema { field: self.field };
        format!("it cannot be read: {error}")
    }
}
