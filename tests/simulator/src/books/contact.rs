//! Whom documents are for or from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A contact as it is now.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Contact {
    /// `ContactID`.
    pub id: Uuid,
    /// `Name`.
    pub name: String,
    /// Whether its `ContactStatus` is ARCHIVED: nothing new can be written for it.
    pub archived: bool,
    /// `MergedToContactID`.
    #[serde(default)]
    pub merged_into: Option<Uuid>,
    /// `AccountNumber`.
    #[serde(default)]
    pub account_number: Option<String>,
    /// `EmailAddress`.
    #[serde(default)]
    pub email: Option<String>,
    /// `UpdatedDateUTC`.
    pub updated: Timestamp,
    /// Place in the order of creation.
    pub serial: u64,
}

impl Contact {
    /// Xero's word for its state.
    #[must_use]
    pub fn status(&self) -> &'static str {
        if self.archived { "ARCHIVED" } else { "ACTIVE" }
    }
}

/// The contacts of an organisation. Names are unique among those in use (facts.md 4.7).
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(from = "Saved", into = "Vec<Contact>")]
pub(crate) struct Contacts {
    by_id: BTreeMap<Uuid, Contact>,
    in_use: BTreeMap<String, Uuid>,
}

/// What a state file holds: the ids by name in version 1, the contacts themselves since.
#[derive(Deserialize)]
#[serde(untagged)]
enum Saved {
    Contacts(Vec<Contact>),
    IdsByName(BTreeMap<String, Uuid>),
}

impl From<Saved> for Contacts {
    fn from(saved: Saved) -> Self {
        let mut contacts = Self::default();
        match saved {
            Saved::Contacts(saved) => saved.into_iter().for_each(|contact| contacts.put(contact)),
            Saved::IdsByName(saved) => {
                for (name, id) in saved {
                    contacts.add(id, name, Timestamp::UNIX_EPOCH);
                }
            }
        }
        contacts
    }
}

impl From<Contacts> for Vec<Contact> {
    fn from(contacts: Contacts) -> Self {
        contacts.by_id.into_values().collect()
    }
}

impl Contacts {
    pub(crate) fn get(&self, id: Uuid) -> Option<&Contact> {
        self.by_id.get(&id)
    }

    /// The contact in use with this name.
    pub(crate) fn named(&self, name: &str) -> Option<Uuid> {
        self.in_use.get(name).copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Contact> {
        self.by_id.values()
    }

    pub(super) fn add(&mut self, id: Uuid, name: String, updated: Timestamp) {
        let serial = u64::try_from(self.by_id.len()).unwrap_or(u64::MAX).saturating_add(1);
        self.put(Contact {
            id,
            name,
            archived: false,
            merged_into: None,
            account_number: None,
            email: None,
            updated,
            serial,
        });
    }

    /// Takes a contact out of use; `false` when there is no such contact.
    pub(super) fn archive(&mut self, id: Uuid, updated: Timestamp) -> bool {
        let Some(contact) = self.by_id.get_mut(&id) else {
            return false;
        };
        contact.archived = true;
        contact.updated = updated;
        self.in_use.retain(|_, known| *known != id);
        true
    }

    /// Takes an archived contact into use again; `false` when there is no such contact.
    pub(super) fn restore(&mut self, id: Uuid, updated: Timestamp) -> bool {
        let Some(contact) = self.by_id.get(&id).cloned() else {
            return false;
        };
        self.put(Contact { archived: false, merged_into: None, updated, ..contact });
        true
    }

    /// Gives a contact another name; `false` when there is no such contact.
    pub(super) fn rename(&mut self, id: Uuid, name: &str, updated: Timestamp) -> bool {
        let Some(mut contact) = self.by_id.get(&id).cloned() else {
            return false;
        };
        self.in_use.retain(|_, known| *known != id);
        name.clone_into(&mut contact.name);
        contact.updated = updated;
        self.put(contact);
        true
    }

    /// Gives a contact an account number and an e-mail address; `false` when there is no such contact.
    pub(super) fn describe(
        &mut self,
        id: Uuid,
        (account_number, email): (Option<String>, Option<String>),
        updated: Timestamp,
    ) -> bool {
        let Some(contact) = self.by_id.get_mut(&id) else {
            return false;
        };
        (contact.account_number, contact.email) = (account_number, email);
        contact.updated = updated;
        true
    }

    /// Archives a contact in favour of another one.
    pub(super) fn merge(&mut self, from: Uuid, into: Uuid, updated: Timestamp) {
        self.archive(from, updated);
        if let Some(contact) = self.by_id.get_mut(&from) {
            contact.merged_into = Some(into);
        }
    }

    fn put(&mut self, contact: Contact) {
        if !contact.archived {
            self.in_use.insert(contact.name.clone(), contact.id);
        }
        self.by_id.insert(contact.id, contact);
    }
}
