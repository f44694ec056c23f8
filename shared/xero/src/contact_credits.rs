//! Credit that contacts have left: credit notes, prepayments and overpayments of customers (ST-25).

use std::collections::BTreeMap;

use payments::budget::CallBudget;
use payments::grant::{Grants, Pairs};
use payments::{CreditBalance, CreditKind, OrganisationId, XeroContactId, XeroCreditId};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::client::{Client, SCOPE_INVOICES, SCOPE_PAYMENTS};
use crate::error::ReadError;
use crate::list::ListName;
use crate::pages::List;
use crate::unreadable::Unreadable;
use crate::wire::{
    Member, object, optional_text, required_currency, required_day, required_money, required_text,
    schema, text,
};

/// The status of documents with remaining credit; one that is used up is PAID (facts.md 4.6).
const STATUS: &str = "AUTHORISED";

/// The documents that were found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FoundCredits {
    /// Those of which something is left, by contact.
    pub credits: BTreeMap<XeroContactId, Vec<CreditBalance>>,
    /// Rows that could not be read. They are in no sum.
    pub unreadable: Vec<Unreadable>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireCredit<'a> {
    #[serde(borrow)]
    r#type: Member<'a>,
    #[serde(borrow)]
    status: Member<'a>,
    #[serde(borrow)]
    credit_note_number: Member<'a>,
    #[serde(borrow)]
    invoice_number: Member<'a>,
    #[serde(borrow)]
    contact: Member<'a>,
    #[serde(borrow)]
    date: Member<'a>,
    #[serde(borrow)]
    currency_code: Member<'a>,
    #[serde(borrow)]
    remaining_credit: Member<'a>,
}

#[derive(Deserialize)]
struct WireContact<'a> {
    #[serde(borrow, rename = "ContactID")]
    contact_id: Member<'a>,
}

impl<B: CallBudget, G: Grants + Pairs> Client<B, G> {
    /// Reads all customers' documents of which something is left: three calls, unless there are more than 1,000 of a kind.
    ///
    /// # Errors
    /// Whenever not all of them could be read; see [`ReadError`].
    pub async fn contact_credits(
        &self,
        organisation: OrganisationId,
    ) -> Result<FoundCredits, ReadError> {
        let mut found = FoundCredits::default();
        let mut meter = self.meter();
        for (kind, which, scope) in [
            (CreditKind::CreditNote, ListName::CreditNotes, SCOPE_INVOICES),
            (CreditKind::Prepayment, ListName::Prepayments, SCOPE_PAYMENTS),
            (CreditKind::Overpayment, ListName::Overpayments, SCOPE_PAYMENTS),
        ] {
            let query = "where=Status%3D%3D%22AUTHORISED%22&";
            let list = List { which, query, modified_since: None, scope };
            let read = |id, raw: &RawValue| credit(kind, id, raw);
            let rows = self.whole_list(organisation, &list, read, &mut meter).await?;
            for (contact, credit) in rows.rows.into_values() {
                found.credits.entry(contact).or_default().push(credit);
            }
            found.unreadable.extend(rows.unreadable);
        }
        Ok(found)
    }
}

/// A customer's document of which something is left. A condition that is ignored brings others as well.
fn credit(
    kind: CreditKind,
    id: Uuid,
    raw: &RawValue,
) -> Result<Option<(XeroContactId, CreditBalance)>, ReadError> {
    let wire: WireCredit<'_> = object(raw).ok_or(schema("CreditNotes"))?;
    let of_customer = match kind {
        CreditKind::CreditNote => "ACCRECCREDIT",
        CreditKind::Prepayment => "RECEIVE-PREPAYMENT",
        CreditKind::Overpayment => "RECEIVE-OVERPAYMENT",
    };
    if required_text(wire.r#type, "Type")? != of_customer
        || required_text(wire.status, "Status")? != STATUS
    {
        return Ok(None);
    }
    let contact: WireContact<'_> = wire.contact.and_then(object).ok_or(schema("Contact"))?;
    let contact = text(contact.contact_id).and_then(|id| id.parse().ok());
    let currency = required_currency(wire.currency_code, "CurrencyCode")?;
    let number = wire.credit_note_number.or(wire.invoice_number);
    let credit = CreditBalance {
        kind,
        id: XeroCreditId::new(id),
        number: optional_text(number, "CreditNoteNumber")?.filter(|number| !number.is_empty()),
        date: required_day(wire.date, "Date")?,
        remaining: required_money(wire.remaining_credit, currency, "RemainingCredit")?,
    };
    let contact = contact.ok_or(schema("Contact.ContactID"))?;
    Ok(credit.remaining.is_positive().then_some((contact, credit)))
}
