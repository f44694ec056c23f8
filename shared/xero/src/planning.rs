//! What planning needs: the invoices that payments can go to, as they are now.
//!
//! `summaryOnly` would make the answers shorter. The specification says of it only that it leaves out
//! "computation-heavy fields", not which, and what is due on an invoice is computed. It is not used.

use std::collections::{BTreeMap, BTreeSet};

use payments::budget::CallBudget;
use payments::grant::{Grants, Pairs};
use payments::upload::OpenInvoice;
use payments::{InvoiceKind, InvoiceStatus, OrganisationId, XeroContactId, XeroInvoiceId};
use serde::Deserialize;
use serde_json::value::RawValue;
use url::form_urlencoded;
use uuid::Uuid;

use crate::client::{Client, SCOPE_INVOICES};
use crate::error::ReadError;
use crate::invoice::payments;
use crate::pages::{List, Which};
use crate::wire::{
    Member, object, optional_day, optional_text, required_currency, required_money, required_text,
    schema,
};

/// Longest query, in characters: Xero refuses about 2,048 with an unexplained 404 (xero.md 3.5).
const QUERY_CHARS_MAX: usize = 2_000;

/// Room in it for what stands beside the list: its name, the order, the page.
const QUERY_CHARS_BESIDE: usize = 120;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireOpenInvoice<'a> {
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
    amount_due: Member<'a>,
    #[serde(borrow)]
    payments: Member<'a>,
}

#[derive(Deserialize)]
struct WireContactId<'a> {
    #[serde(borrow, rename = "ContactID")]
    contact_id: Member<'a>,
}

impl<B: CallBudget, G: Grants + Pairs> Client<B, G> {
    /// Reads the open invoices and bills of these contacts, [`Config::ids_max`](crate::Config)
    /// contacts at a time.
    ///
    /// # Errors
    /// Whenever not all of them could be read; see [`ReadError`].
    pub async fn open_invoices_of(
        &self,
        organisation: OrganisationId,
        contacts: &[XeroContactId],
    ) -> Result<Vec<OpenInvoice>, ReadError> {
        let wanted: BTreeSet<XeroContactId> = contacts.iter().copied().collect();
        let ids: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        let queries = ids.chunks(self.ids_max());
        let queries =
            queries.map(|ids| format!("ContactIDs={}&Statuses=AUTHORISED", ids.join(",")));
        let read = |id, raw: &RawValue| {
            let wire: WireOpenInvoice<'_> = object(raw).ok_or(schema("Invoice"))?;
            let contact = contact(wire.contact)?.ok_or(schema("Contact"))?;
            if wanted.contains(&contact) { open_invoice(id, &wire).map(Some) } else { Ok(None) }
        };
        self.open_invoices(organisation, queries, read).await
    }

    /// Reads the invoices with these numbers, whatever their status. A number that is not among them
    /// afterwards is in Xero on no invoice.
    ///
    /// A number that contains a comma cannot stand in Xero's comma list and is asked for alone, as an
    /// equality. One that also contains a quote or a backslash, whose escaping Xero does not document,
    /// or that is too long for a query, cannot be asked for at all: it is not found, so that its
    /// payment is held and shown.
    ///
    /// # Errors
    /// Whenever not all of them could be read; see [`ReadError`].
    pub async fn invoices_numbered(
        &self,
        organisation: OrganisationId,
        numbers: &[String],
    ) -> Result<Vec<OpenInvoice>, ReadError> {
        let wanted: BTreeSet<&str> = numbers.iter().map(String::as_str).collect();
        let queries = number_queries(&wanted);
        let read = |id, raw: &RawValue| {
            let wire: WireOpenInvoice<'_> = object(raw).ok_or(schema("Invoice"))?;
            let number = optional_text(wire.invoice_number, "InvoiceNumber")?;
            let is_wanted = number.is_some_and(|number| wanted.contains(number.as_str()));
            if is_wanted { open_invoice(id, &wire).map(Some) } else { Ok(None) }
        };
        self.open_invoices(organisation, queries.into_iter(), read).await
    }

    async fn open_invoices(
        &self,
        organisation: OrganisationId,
        queries: impl Iterator<Item = String>,
        read: impl Fn(Uuid, &RawValue) -> Result<Option<OpenInvoice>, ReadError>,
    ) -> Result<Vec<OpenInvoice>, ReadError> {
        let mut meter = self.meter();
        let mut found: BTreeMap<Uuid, OpenInvoice> = BTreeMap::new();
        for query in queries {
            // Numbers hardly ever change, so that the order is the same on every page.
            let query = format!("{query}&order=InvoiceNumber%20ASC&");
            let list = List {
                which: Which::Invoices,
                query: &query,
                modified_since: None,
                scope: SCOPE_INVOICES,
            };
            let rows = self.whole_list(organisation, &list, &read, &mut meter).await?;
            found.extend(rows.rows);
        }
        Ok(found.into_values().collect())
    }
}

fn open_invoice(id: Uuid, wire: &WireOpenInvoice<'_>) -> Result<OpenInvoice, ReadError> {
    let currency = required_currency(wire.currency_code, "CurrencyCode")?;
    let status = required_text(wire.status, "Status")?;
    Ok(OpenInvoice {
        id: XeroInvoiceId::new(id),
        number: optional_text(wire.invoice_number, "InvoiceNumber")?.unwrap_or_default(),
        kind: match required_text(wire.r#type, "Type")?.as_str() {
            "ACCREC" => InvoiceKind::Sales,
            "ACCPAY" => InvoiceKind::Bill,
            _ => InvoiceKind::Other,
        },
        status: InvoiceStatus::from_code(&status).ok_or(schema("Status"))?,
        contact: contact(wire.contact)?,
        issued_on: optional_day(wire.date, "Date")?,
        due_on: optional_day(wire.due_date, "DueDate")?,
        due: required_money(wire.amount_due, currency, "AmountDue")?,
        payments: payments(wire.payments, currency)?,
    })
}

fn contact(member: Member<'_>) -> Result<Option<XeroContactId>, ReadError> {
    let Some(raw) = member else { return Ok(None) };
    let wire: WireContactId<'_> = object(raw).ok_or(schema("Contact"))?;
    let id = required_text(wire.contact_id, "Contact.ContactID")?;
    id.parse().map(Some).map_err(|_| schema("Contact.ContactID"))
}

/// The queries that ask for these numbers, each short enough.
fn number_queries(numbers: &BTreeSet<&str>) -> Vec<String> {
    let room = QUERY_CHARS_MAX.saturating_sub(QUERY_CHARS_BESIDE);
    let mut queries = Vec::new();
    let mut list = String::new();
    for number in numbers.iter().filter(|number| !number.trim().is_empty()) {
        let is_listable = !number.contains(',');
        if !is_listable && number.contains(['"', '\\']) {
            continue;
        }
        let text = if is_listable {
            encoded(number)
        } else {
            encoded(&format!("InvoiceNumber==\"{number}\""))
        };
        if text.len() > room {
            continue;
        }
        if !is_listable {
            queries.push(format!("where={text}"));
            continue;
        }
        if list.len().saturating_add(text.len()) >= room {
            queries.push(format!("InvoiceNumbers={}", std::mem::take(&mut list)));
        }
        if !list.is_empty() {
            list.push(',');
        }
        list.push_str(&text);
    }
    if !list.is_empty() {
        queries.push(format!("InvoiceNumbers={list}"));
    }
    queries
}

/// Encoded for a query; a space as `%20`, which every decoder understands.
fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn queries(numbers: &[&str]) -> Vec<String> {
        number_queries(&numbers.iter().copied().collect())
    }

    #[test]
    fn numbers_are_listed_and_encoded() {
        let listed = queries(&["CM-2", "CM-1", "", "CM-1", "CM 3&x=y", "Č+\""]);
        assert_eq!(listed, ["InvoiceNumbers=CM%203%26x%3Dy,CM-1,CM-2,%C4%8C%2B%22"]);
        assert_eq!(queries(&[]), Vec::<String>::new());
    }

    #[test]
    fn a_number_with_a_comma_is_asked_for_alone() {
        assert_eq!(
            queries(&["CM-1", "CM-1,2"]),
            ["where=InvoiceNumber%3D%3D%22CM-1%2C2%22", "InvoiceNumbers=CM-1"]
        );
        for hopeless in ["CM-1,\"", "CM-1,\\", &"x".repeat(2_000)] {
            assert_eq!(queries(&[hopeless]), Vec::<String>::new(), "{hopeless}");
        }
    }

    proptest! {
        #[test]
        fn law_every_number_is_asked_for_once_in_short_queries(
            numbers in proptest::collection::btree_set("[A-Z0-9 -]{1,60}", 0..200)
        ) {
            let wanted: BTreeSet<&str> = numbers.iter().map(String::as_str).collect();
            let mut asked = Vec::new();
            for query in number_queries(&wanted) {
                prop_assert!(query.len() + "&order=InvoiceNumber%20ASC&page=50&pageSize=1000".len() < QUERY_CHARS_MAX);
                let list = query.strip_prefix("InvoiceNumbers=").unwrap().to_owned();
                asked.extend(list.split(',').map(|number| number.replace("%20", " ")));
            }
            asked.sort();
            let expected: Vec<String> =
                numbers.iter().filter(|number| !number.trim().is_empty()).cloned().collect();
            prop_assert_eq!(asked, expected);
        }
    }
}
