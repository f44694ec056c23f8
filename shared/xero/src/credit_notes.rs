//! Credit notes of a supplier, and their allocations: what is written, and what is read (facts.md 4.6).

use std::collections::BTreeSet;

use jiff::civil::Date;
use payments::budget::CallBudget;
use payments::grant::{Grants, Pairs};
use payments::upload::{Stamp, XeroAllocation, XeroCreditNote};
use payments::{Money, OrganisationId, XeroContactId, XeroCreditId, XeroInvoiceId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use url::form_urlencoded;
use uuid::Uuid;

use crate::bills::{BillLine, check_lines};
use crate::bundle::{
    ACCPAYCREDIT, AUTHORISED, Bundle, BundleError, Sent, StampedKind, WireContact, WireInvoice,
    WireLine, check, check_amount, debug_by_stamp, number,
};
use crate::client::{Ask, Client, SCOPE_INVOICES};
use crate::error::{Outage, ReadError};
use crate::list::ListName;
use crate::pages::List;
use crate::unreadable::Unreadable;
use crate::wire::{
    Member, object, optional_text, required_currency, required_day, required_money, required_text,
    schema, text,
};

/// A credit note to be created in Xero.
#[derive(Clone, Eq, PartialEq)]
pub struct CreditNoteToSend {
    /// How it is known again; must stand in `number`.
    pub stamp: Stamp,
    /// Whose it is.
    pub contact: XeroContactId,
    /// Its `CreditNoteNumber`: that of a supplier's need not be unique, and there is no `Reference` (facts.md 4.6).
    pub number: String,
    /// The day of issue.
    pub date: Date,
    /// What the lines add up to, tax included.
    pub amount: Money,
    /// What it consists of; at least one.
    pub lines: Vec<BillLine>,
}

/// A part of a credit note to be applied to a bill.
#[derive(Clone, Eq, PartialEq)]
pub struct AllocationToSend {
    /// What the ledger knows it by. It does not stand in Xero.
    pub stamp: Stamp,
    /// The credit note.
    pub note: XeroCreditId,
    /// The bill.
    pub bill: XeroInvoiceId,
    /// The calendar day.
    pub date: Date,
    /// How much.
    pub amount: Money,
}

debug_by_stamp! { CreditNoteToSend AllocationToSend }

impl Bundle {
    /// A bundle of credit notes for `PUT /CreditNotes`.
    ///
    /// # Errors
    /// If it cannot be sent as it is.
    pub fn of_credit_notes(notes: &[CreditNoteToSend]) -> Result<Self, BundleError> {
        let sent = notes.iter().map(|note| {
            check(&note.stamp, &note.number, note.amount)?;
            check_lines(&note.stamp, note.amount, &note.lines)?;
            Ok(Sent {
                stamp: note.stamp.clone(),
                amount: note.amount,
                invoice: None,
                status: AUTHORISED,
            })
        });
        let wire = notes.iter().map(WireCreditNote::of).collect::<Option<Vec<_>>>();
        let credit_notes = wire.ok_or(BundleError::Json)?;
        Self::of(StampedKind::CreditNotes, sent, &WireCreditNotes { credit_notes })
    }

    /// The bundle of one allocation for `PUT /CreditNotes/{id}/Allocations`.
    ///
    /// # Errors
    /// If it cannot be sent as it is.
    pub fn of_allocation(allocation: &AllocationToSend) -> Result<Self, BundleError> {
        let AllocationToSend { stamp, note, bill, date, amount } = allocation;
        let sent = [check_amount(stamp, *amount).map(|()| Sent {
            stamp: stamp.clone(),
            amount: *amount,
            invoice: Some(*bill),
            status: AUTHORISED,
        })];
        let wire = WireAllocations {
            allocations: [WireAllocation {
                invoice: WireInvoice { invoice_id: bill.to_string() },
                amount: number(*amount).ok_or(BundleError::Json)?,
                date: date.to_string(),
            }],
        };
        Ok(Self::of(StampedKind::Allocations, sent.into_iter(), &wire)?.on_note(*note))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireCreditNotes<'a> {
    credit_notes: Vec<WireCreditNote<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireCreditNote<'a> {
    r#type: &'static str,
    contact: WireContact,
    date: String,
    credit_note_number: &'a str,
    currency_code: &'static str,
    status: &'static str,
    line_amount_types: &'static str,
    line_items: Vec<WireLine<'a>>,
}

impl<'a> WireCreditNote<'a> {
    fn of(note: &'a CreditNoteToSend) -> Option<Self> {
        Some(Self {
            r#type: ACCPAYCREDIT,
            contact: WireContact { contact_id: note.contact.to_string() },
            date: note.date.to_string(),
            credit_note_number: &note.number,
            currency_code: note.amount.currency().code(),
            status: "AUTHORISED",
            line_amount_types: "Inclusive",
            line_items: note.lines.iter().map(BillLine::wire).collect::<Option<_>>()?,
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireAllocations {
    allocations: [WireAllocation; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WireAllocation {
    invoice: WireInvoice,
    amount: Box<RawValue>,
    date: String,
}

/// Credit notes that were read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CreditNotes {
    /// Those that can be read.
    pub notes: Vec<XeroCreditNote>,
    /// Those that cannot. They hide no other (AMB-30).
    pub unreadable: Vec<Unreadable>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireNote<'a> {
    #[serde(borrow, rename = "CreditNoteID")]
    credit_note_id: Member<'a>,
    #[serde(borrow)]
    credit_note_number: Member<'a>,
    #[serde(borrow)]
    r#type: Member<'a>,
    #[serde(borrow)]
    status: Member<'a>,
    #[serde(borrow)]
    contact: Member<'a>,
    #[serde(borrow)]
    date: Member<'a>,
    #[serde(borrow)]
    currency_code: Member<'a>,
    #[serde(borrow)]
    total: Member<'a>,
    #[serde(borrow)]
    remaining_credit: Member<'a>,
    #[serde(borrow)]
    allocations: Member<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireApplied<'a> {
    #[serde(borrow, rename = "AllocationID")]
    allocation_id: Member<'a>,
    #[serde(borrow)]
    amount: Member<'a>,
    #[serde(borrow)]
    invoice: Member<'a>,
}

#[derive(Deserialize)]
struct WireContactId<'a> {
    #[serde(borrow, rename = "ContactID")]
    contact_id: Member<'a>,
}

#[derive(Deserialize)]
struct WireInvoiceId<'a> {
    #[serde(borrow, rename = "InvoiceID")]
    invoice_id: Member<'a>,
}

impl<B: CallBudget, G: Grants + Pairs> Client<B, G> {
    /// Reads the credit notes of these suppliers, in any status, with what is applied of each: one call for each
    /// contact, unless it has more than 1,000.
    ///
    /// # Errors
    /// Whenever not all of them could be read; see [`ReadError`].
    pub async fn credit_notes_of(
        &self,
        organisation: OrganisationId,
        contacts: &BTreeSet<XeroContactId>,
    ) -> Result<CreditNotes, ReadError> {
        let mut found = CreditNotes { notes: Vec::new(), unreadable: Vec::new() };
        for contact in contacts {
            let condition =
                format!("Type==\"{ACCPAYCREDIT}\" AND Contact.ContactID==guid(\"{contact}\")");
            let condition: String = form_urlencoded::byte_serialize(condition.as_bytes()).collect();
            let query = format!("where={}&", condition.replace('+', "%20"));
            let list = List {
                which: ListName::CreditNotes,
                query: &query,
                modified_since: None,
                scope: SCOPE_INVOICES,
            };
            let mut meter = self.meter();
            // A condition that is ignored brings everything there is.
            let read =
                |_, raw: &RawValue| Ok(credit_note(raw)?.filter(|note| note.contact == *contact));
            let rows = self.whole_list(organisation, &list, read, &mut meter).await?;
            found.notes.extend(rows.rows.into_values());
            found.unreadable.extend(rows.unreadable);
        }
        Ok(found)
    }

    /// Reads one credit note; `None` if Xero does not have it.
    ///
    /// # Errors
    /// If it could not be read; see [`ReadError`].
    pub async fn credit_note(
        &self,
        organisation: OrganisationId,
        id: XeroCreditId,
    ) -> Result<Option<XeroCreditNote>, ReadError> {
        let url = self.url(&["CreditNotes", &id.to_string()]);
        let ask = Ask { url, modified_since: None, scope: SCOPE_INVOICES };
        let mut meter = self.meter();
        let answer = match self.ask(organisation, &ask, &mut meter).await {
            Ok(answer) => answer,
            Err(ReadError::NotFound) => return Ok(None),
            Err(error) => return Err(error),
        };
        #[derive(Deserialize)]
        struct Answer<'a> {
            #[serde(borrow, rename = "CreditNotes")]
            credit_notes: Vec<&'a RawValue>,
        }
        let answer: Answer<'_> =
            serde_json::from_slice(&answer.body).map_err(|_| Outage::Unreadable)?;
        let Some(raw) = answer.credit_notes.first() else { return Ok(None) };
        Ok(credit_note(raw)?.filter(|note| note.id == id))
    }
}

/// Reads a supplier's credit note; `None` for one of a customer.
fn credit_note(raw: &RawValue) -> Result<Option<XeroCreditNote>, ReadError> {
    let wire: WireNote<'_> = object(raw).ok_or(schema("CreditNotes"))?;
    if required_text(wire.r#type, "Type")? != ACCPAYCREDIT {
        return Ok(None);
    }
    let id = required_text(wire.credit_note_id, "CreditNoteID")?;
    let contact: WireContactId<'_> = wire.contact.and_then(object).ok_or(schema("Contact"))?;
    let contact = text(contact.contact_id).and_then(|id| id.parse().ok());
    let currency = required_currency(wire.currency_code, "CurrencyCode")?;
    let allocations = wire.allocations.map(RawValue::get).unwrap_or("[]");
    let allocations: Vec<&RawValue> =
        serde_json::from_str(allocations).map_err(|_| schema("Allocations"))?;
    let allocation = |raw: &&RawValue| {
        let wire: WireApplied<'_> = object(raw).ok_or(schema("Allocations"))?;
        let invoice: WireInvoiceId<'_> =
            wire.invoice.and_then(object).ok_or(schema("Allocations.Invoice"))?;
        let id = required_text(wire.allocation_id, "AllocationID")?;
        let bill = required_text(invoice.invoice_id, "Allocations.Invoice.InvoiceID")?;
        Ok(XeroAllocation {
            id: Uuid::parse_str(&id).map_err(|_| schema("AllocationID"))?,
            bill: bill.parse().map_err(|_| schema("Allocations.Invoice.InvoiceID"))?,
            amount: required_money(wire.amount, currency, "Allocations.Amount")?,
        })
    };
    let status = required_text(wire.status, "Status")?;
    Ok(Some(XeroCreditNote {
        id: id.parse().map_err(|_| schema("CreditNoteID"))?,
        number: optional_text(wire.credit_note_number, "CreditNoteNumber")?.unwrap_or_default(),
        contact: contact.ok_or(schema("Contact.ContactID"))?,
        date: required_day(wire.date, "Date")?,
        total: required_money(wire.total, currency, "Total")?,
        remaining: required_money(wire.remaining_credit, currency, "RemainingCredit")?,
        counts: matches!(status.as_str(), "AUTHORISED" | "PAID"),
        allocations: allocations.iter().map(allocation).collect::<Result<_, ReadError>>()?,
    }))
}
