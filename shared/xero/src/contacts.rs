//! Contacts by their ids: whether they are in use, and into which others they were merged (EX-37).

use std::collections::BTreeSet;

use payments::budget::CallBudget;
use payments::grant::{Grants, Pairs};
use payments::upload::XeroContact;
use payments::{OrganisationId, XeroContactId};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::client::Client;
use crate::config::IDS_MAX_LIMIT;
use crate::error::{Outage, ReadError};
use crate::list::ListName;
use crate::pages::List;
use crate::wire::{Member, object, optional_text, required_text, schema};

/// What reading contacts needs (facts.md 2.3).
const SCOPE_CONTACTS: &str = "accounting.contacts.read";

/// The status of a contact that takes documents.
const ACTIVE: &str = "ACTIVE";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireContact<'a> {
    #[serde(borrow)]
    name: Member<'a>,
    #[serde(borrow)]
    contact_status: Member<'a>,
    #[serde(borrow, rename = "MergedToContactID")]
    merged_to_contact_id: Member<'a>,
}

/// The contacts that were asked for. One that is in neither list is not in Xero.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FoundContacts {
    /// Those that were read, archived ones included.
    pub contacts: Vec<XeroContact>,
    /// Those that could not be, and why (AMB-30).
    pub unreadable: Vec<(XeroContactId, String)>,
}

impl<B: CallBudget, G: Grants + Pairs> Client<B, G> {
    /// Reads contacts by their ids, archived ones included, 50 in a call. A question that Xero refuses as such is
    /// halved until it is about one contact, which then cannot be read.
    ///
    /// # Errors
    /// Whenever not all of the others could be asked for; see [`ReadError`].
    pub async fn contacts(
        &self,
        organisation: OrganisationId,
        ids: &[XeroContactId],
    ) -> Result<FoundContacts, ReadError> {
        let wanted: Vec<XeroContactId> =
            ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let mut meter = self.meter();
        let mut found = FoundContacts::default();
        let mut questions: Vec<Vec<_>> =
            wanted.chunks(IDS_MAX_LIMIT).rev().map(<[_]>::to_vec).collect();
        while let Some(asked) = questions.pop() {
            let texts: Vec<String> = asked.iter().map(ToString::to_string).collect();
            let query = format!("IDs={}&includeArchived=true&", texts.join(","));
            let list = List {
                which: ListName::Contacts,
                query: &query,
                modified_since: None,
                scope: SCOPE_CONTACTS,
            };
            match self.whole_list(organisation, &list, contact, &mut meter).await {
                Ok(rows) => {
                    // A row without an id may be any of those that are not among the others.
                    let nameless = rows.unreadable.iter().find(|row| row.id.is_none());
                    let why = nameless.map(crate::Unreadable::why);
                    let seen = |id: &XeroContactId| {
                        let is_it = |row: &crate::Unreadable| row.id == Some(id.uuid());
                        rows.rows.contains_key(&id.uuid()) || rows.unreadable.iter().any(is_it)
                    };
                    if let Some(why) = why {
                        let unseen = asked.iter().filter(|id| !seen(id));
                        found.unreadable.extend(unseen.map(|id| (*id, why.clone())));
                    }
                    let named = rows.unreadable.iter().filter_map(|row| Some((row.id?, row.why())));
                    let named = named.map(|(id, why)| (XeroContactId::new(id), why));
                    found.unreadable.extend(named.filter(|(id, _)| asked.contains(id)));
                    found.contacts.extend(rows.rows.into_values());
                }
                Err(error) if is_about_the_question(&error) => {
                    let (first, second) = asked.split_at(asked.len().div_ceil(2));
                    match first {
                        [only] if second.is_empty() => {
                            found.unreadable.push((*only, "Xero takes no question for it".into()));
                        }
                        _ => questions.extend([second.to_vec(), first.to_vec()]),
                    }
                }
                Err(error) => return Err(error),
            }
        }
        found.contacts.retain(|contact| wanted.contains(&contact.id));
        Ok(found)
    }
}

/// Whether Xero refuses what was asked, or finds it too long (facts.md 3.5).
fn is_about_the_question(error: &ReadError) -> bool {
    matches!(
        error,
        ReadError::Invalid { status: 400 | 414 }
            | ReadError::Unavailable { cause: Outage::Status(404), .. }
    )
}

fn contact(id: Uuid, raw: &RawValue) -> Result<Option<XeroContact>, ReadError> {
    let wire: WireContact<'_> = object(raw).ok_or(schema("Contact"))?;
    let merged_into = match optional_text(wire.merged_to_contact_id, "MergedToContactID")? {
        None => None,
        Some(text) => {
            let into = Uuid::parse_str(&text).map_err(|_| schema("MergedToContactID"))?;
            (!into.is_nil()).then(|| XeroContactId::new(into))
        }
    };
    Ok(Some(XeroContact {
        id: XeroContactId::new(id),
        name: optional_text(wire.name, "Name")?,
        is_active: required_text(wire.contact_status, "ContactStatus")? == ACTIVE,
        merged_into,
    }))
}
