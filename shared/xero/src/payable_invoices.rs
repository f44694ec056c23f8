//! What planning needs: the invoices that payments can go to, as they are now.
//!
//! `summaryOnly` would make the answers shorter. The specification says of it only that it leaves out
//! "computation-heavy fields", not which, and what is due on an invoice is computed. It is not used.

use std::collections::{BTreeMap, BTreeSet};

use payments::budget::CallBudget;
use payments::grant::{Grants, Pairs};
use payments::upload::{OpenInvoice, UnreadableInvoice};
use payments::{InvoiceKind, InvoiceStatus, OrganisationId, XeroContactId, XeroInvoiceId};
use serde::Deserialize;
use serde_json::value::RawValue;
use url::form_urlencoded;
use uuid::Uuid;

use crate::client::{Client, SCOPE_INVOICES};
use crate::error::ReadError;
use crate::invoice::payments;
use crate::list::ListName;
use crate::pages::List;
use crate::unreadable::Unreadable;
use crate::wire::{
    Member, object, optional_day, optional_text, required_currency, required_money, required_text,
    schema,
};

/// Longest query, in characters: Xero refuses about 2,048 with an unexplained 404 (facts.md 3.5).
const QUERY_CHARS_MAX: usize = 2_000;

/// Room in it for the parts around the list: its name, the order, the page.
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
    /// contacts at a time. An invoice that cannot be read is named with its contact, and the others are read.
    ///
    /// # Errors
    /// Whenever not all of them could be asked for; see [`ReadError`].
    pub async fn open_invoices_of(
        &self,
        organisation: OrganisationId,
        contacts: &[XeroContactId],
    ) -> Result<OpenInvoices, ReadError> {
        let wanted: BTreeSet<XeroContactId> = contacts.iter().copied().collect();
        let all: Vec<XeroContactId> = wanted.iter().copied().collect();
        let questions: Vec<_> = all.chunks(self.ids_max()).map(<[_]>::to_vec).collect();
        let ask = |contacts: &[XeroContactId]| {
            let ids: Vec<String> = contacts.iter().map(ToString::to_string).collect();
            format!("ContactIDs={}&Statuses=AUTHORISED", ids.join(","))
        };
        let read = |id, raw: &RawValue| {
            let wire: WireOpenInvoice<'_> = object(raw).ok_or(schema("Invoice"))?;
            let contact = contact(wire.contact)?.ok_or(schema("Contact"))?;
            if wanted.contains(&contact) { open_invoice(id, &wire).map(Some) } else { Ok(None) }
        };
        let is_named = |row: &Unreadable| row.contact.is_some();
        let name = |contact: &XeroContactId, row: &mut UnreadableInvoice| {
            row.contact.get_or_insert(*contact);
        };
        let questions = Questions { groups: questions, refusals_max: 0 };
        let mut found = self.ask_all(organisation, questions, (ask, is_named, name), read).await?;
        found.unreadable.retain(|row| row.contact.is_none_or(|contact| wanted.contains(&contact)));
        Ok(found)
    }

    /// Reads the invoices with these numbers, in any status. A number that is not among them
    /// afterwards, nor among those that cannot be read, is in Xero on no invoice.
    ///
    /// A number that contains a comma cannot stand in Xero's comma list and is asked for alone, as an
    /// equality. One that also contains a quote or a backslash, whose escaping Xero does not document,
    /// or that is too long for a query, or whose question Xero refuses, cannot be asked for: it is named as
    /// that, so that its payment alone is held.
    ///
    /// # Errors
    /// Whenever not all of the others could be asked for; see [`ReadError`].
    pub async fn invoices_numbered(
        &self,
        organisation: OrganisationId,
        numbers: &[String],
    ) -> Result<OpenInvoices, ReadError> {
        let wanted: BTreeSet<&str> = numbers.iter().map(String::as_str).collect();
        let (questions, hopeless) = number_questions(&wanted);
        let read = |id, raw: &RawValue| {
            let wire: WireOpenInvoice<'_> = object(raw).ok_or(schema("Invoice"))?;
            let number = optional_text(wire.invoice_number, "InvoiceNumber")?;
            let is_wanted = number.is_some_and(|number| wanted.contains(number.as_str()));
            if is_wanted { open_invoice(id, &wire).map(Some) } else { Ok(None) }
        };
        let ask = |numbers: &[&str]| number_query(numbers);
        let is_named =
            |row: &Unreadable| row.number.as_deref().is_some_and(|number| !number.is_empty());
        let name = |number: &&str, row: &mut UnreadableInvoice| {
            row.number.get_or_insert_with(|| (*number).to_owned());
        };
        let questions = Questions { groups: questions, refusals_max: REFUSALS_MAX };
        let mut found = self.ask_all(organisation, questions, (ask, is_named, name), read).await?;
        found
            .unreadable
            .retain(|row| row.number.as_deref().is_none_or(|number| wanted.contains(number)));
        found.unreadable.extend(hopeless.into_iter().map(|number| UnreadableInvoice {
            number: Some(number.to_owned()),
            ..unknown(NO_QUESTION.to_owned())
        }));
        Ok(found)
    }

    /// Asks all questions. One that Xero refuses as such, or whose answer has an unreadable invoice that does
    /// not say to which of those asked for it belongs, is halved until it is about one of them.
    async fn ask_all<K: Clone>(
        &self,
        organisation: OrganisationId,
        questions: Questions<K>,
        (ask, is_named, name): (
            impl Fn(&[K]) -> String,
            impl Fn(&Unreadable) -> bool,
            impl Fn(&K, &mut UnreadableInvoice),
        ),
        read: impl Fn(Uuid, &RawValue) -> Result<Option<OpenInvoice>, ReadError>,
    ) -> Result<OpenInvoices, ReadError> {
        let mut meter = self.meter();
        let mut found: BTreeMap<Uuid, OpenInvoice> = BTreeMap::new();
        let mut unreadable = Vec::new();
        let mut refusals = 0;
        let mut open: Vec<Vec<K>> = questions.groups.into_iter().rev().collect();
        while let Some(keys) = open.pop() {
            // Numbers hardly ever change, so that the order is the same on every page.
            let query = format!("{}&order=InvoiceNumber%20ASC&", ask(&keys));
            let list = List {
                which: ListName::Invoices,
                query: &query,
                modified_since: None,
                scope: SCOPE_INVOICES,
            };
            let rows = match self.whole_list(organisation, &list, &read, &mut meter).await {
                Ok(rows) => Some(rows),
                Err(ReadError::Invalid { status: 400 | 414 })
                    if refusals < questions.refusals_max =>
                {
                    refusals += 1;
                    None
                }
                Err(error) => return Err(error),
            };
            let is_clear = rows.as_ref().is_some_and(|rows| rows.unreadable.iter().all(&is_named));
            if !is_clear && keys.len() > 1 {
                let (first, second) = keys.split_at(keys.len().div_ceil(2));
                open.push(second.to_vec());
                open.push(first.to_vec());
                continue;
            }
            let named = |mut invoice: UnreadableInvoice| {
                if let [only] = keys.as_slice() {
                    name(only, &mut invoice);
                }
                invoice
            };
            let Some(rows) = rows else {
                unreadable.push(named(unknown(NO_QUESTION.to_owned())));
                continue;
            };
            found.extend(rows.rows);
            // A bill is never paid from here, readable or not.
            let sales = |row: &Unreadable| row.kind.is_none_or(|kind| kind == InvoiceKind::Sales);
            unreadable.extend(rows.unreadable.into_iter().filter(sales).map(|row| {
                named(UnreadableInvoice {
                    id: row.id.map(XeroInvoiceId::new),
                    why: row.why(),
                    number: row.number.filter(|number| !number.is_empty()),
                    contact: row.contact,
                })
            }));
        }
        Ok(OpenInvoices { invoices: found.into_values().collect(), unreadable })
    }
}

/// Most questions for numbers that Xero may refuse before that is no matter of the numbers: one bad number among
/// two hundred takes eight.
const REFUSALS_MAX: u32 = 40;

/// Keys in groups that can be asked for together.
struct Questions<K> {
    groups: Vec<Vec<K>>,
    refusals_max: u32,
}

/// Why a number is among what cannot be read although no invoice was seen.
const NO_QUESTION: &str = "Xero takes no question for this number";

/// The invoices that were asked for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct OpenInvoices {
    /// Those that were read.
    pub invoices: Vec<OpenInvoice>,
    /// Those that could not be, each named by what was asked for.
    pub unreadable: Vec<UnreadableInvoice>,
}

fn unknown(why: String) -> UnreadableInvoice {
    UnreadableInvoice { id: None, number: None, contact: None, why }
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

/// Room for the numbers of a query.
const ROOM: usize = QUERY_CHARS_MAX - QUERY_CHARS_BESIDE;

/// These numbers in groups that can be asked for together, each short enough, and those that cannot be asked for.
fn number_questions<'n>(numbers: &BTreeSet<&'n str>) -> (Vec<Vec<&'n str>>, Vec<&'n str>) {
    let (mut alone, mut lists, mut hopeless) = (Vec::new(), Vec::new(), Vec::new());
    let mut list: Vec<&str> = Vec::new();
    for number in numbers {
        let has_comma = number.contains(',');
        let is_blank = number.trim() != *number || number.is_empty();
        let is_quoted = number.contains(['"', '\\']);
        if number_query(&[*number]).len() > ROOM || ((has_comma || is_blank) && is_quoted) {
            hopeless.push(*number);
        } else if has_comma || is_blank {
            alone.push(vec![*number]);
        } else {
            let together: Vec<&str> = list.iter().copied().chain([*number]).collect();
            if number_query(&together).len() > ROOM {
                lists.push(std::mem::take(&mut list));
            }
            list.push(number);
        }
    }
    lists.push(list);
    alone.extend(lists.into_iter().filter(|list| !list.is_empty()));
    (alone, hopeless)
}

/// The query for these numbers: a list, or of one that a list would cut or trim an equality.
fn number_query(numbers: &[&str]) -> String {
    match numbers {
        [number] if number.contains(',') || number.trim() != *number || number.is_empty() => {
            format!("where={}", encoded(&format!("InvoiceNumber==\"{number}\"")))
        }
        numbers => {
            let numbers: Vec<String> = numbers.iter().map(|number| encoded(number)).collect();
            format!("InvoiceNumbers={}", numbers.join(","))
        }
    }
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
        let (questions, _) = number_questions(&numbers.iter().copied().collect());
        questions.iter().map(|numbers| number_query(numbers)).collect()
    }

    #[test]
    fn numbers_are_listed_and_encoded() {
        let listed = queries(&["CM-2", "CM-1", "CM-1", "CM 3&x=y", "CM-(4)", "Č+\""]);
        assert_eq!(listed, ["InvoiceNumbers=CM%203%26x%3Dy,CM-%284%29,CM-1,CM-2,%C4%8C%2B%22"]);
        assert_eq!(queries(&[]), Vec::<String>::new());
    }

    #[test]
    fn a_number_with_a_comma_is_asked_for_alone() {
        assert_eq!(
            queries(&["CM-1", "CM-1,2"]),
            ["where=InvoiceNumber%3D%3D%22CM-1%2C2%22", "InvoiceNumbers=CM-1"]
        );
        // The number with a blank at its end is another one, and a list may be trimmed.
        assert_eq!(queries(&["CM-1 "]), ["where=InvoiceNumber%3D%3D%22CM-1%20%22"]);
        for hopeless in ["CM-1,\"", "CM-1,\\", &"x".repeat(2_000)] {
            let (questions, cannot) = number_questions(&BTreeSet::from(["CM-2", hopeless]));
            assert_eq!((questions, cannot), (vec![vec!["CM-2"]], vec![hopeless]));
        }
    }

    proptest! {
        #[test]
        fn law_every_number_is_asked_for_once_in_short_queries(
            numbers in proptest::collection::btree_set("[A-Z0-9 -]{1,60}", 0..200)
        ) {
            let wanted: BTreeSet<&str> = numbers.iter().map(String::as_str).collect();
            let mut asked = Vec::new();
            let (questions, hopeless) = number_questions(&wanted);
            prop_assert_eq!(hopeless, Vec::<&str>::new());
            for numbers in questions {
                let query = number_query(&numbers);
                prop_assert!(query.len() + "&order=InvoiceNumber%20ASC&page=50&pageSize=1000".len() < QUERY_CHARS_MAX);
                asked.extend(numbers.into_iter().map(str::to_owned));
            }
            asked.sort();
            let expected: Vec<String> = numbers.iter().cloned().collect();
            prop_assert_eq!(asked, expected);
        }
    }
}
