//! The contacts of an organisation, by all that a customer may be found by (EX-36).

use std::collections::{BTreeMap, BTreeSet};

use super::contact::{XeroContact, XeroContacts};
use crate::ids::XeroContactId;

/// A contact as the customer sync keeps it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ContactRecord {
    /// Which, its name, and whether it takes documents.
    pub contact: XeroContact,
    /// `AccountNumber`, which a user may edit.
    pub account_number: Option<String>,
    /// `EmailAddress`.
    pub email: Option<String>,
    /// Whether Xero has sales invoices of it.
    pub is_customer: bool,
    /// Whether Xero has bills of it.
    pub is_supplier: bool,
}

impl ContactRecord {
    /// Whether it is a customer in Xero that the business may not know (CC-06): in use, and not only a supplier.
    pub const fn may_be_customer(&self) -> bool {
        self.contact.is_active && (self.is_customer || !self.is_supplier)
    }
}

/// Without regard to case and blanks.
pub(super) fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The contacts of an organisation, by all that a customer may be found by.
#[derive(Debug, Default)]
pub struct Directory {
    pub(super) contacts: XeroContacts,
    pub(super) account_numbers: BTreeMap<XeroContactId, String>,
    pub(super) names: BTreeMap<XeroContactId, String>,
    pub(super) by_account_number: BTreeMap<String, Vec<XeroContactId>>,
    pub(super) by_name: BTreeMap<String, Vec<XeroContactId>>,
    pub(super) by_email: BTreeMap<String, Vec<XeroContactId>>,
}

impl Directory {
    /// Of these contacts. The one that stands for the payment provider is no customer's (EX-13).
    pub fn new(records: &[ContactRecord], merchant: Option<XeroContactId>) -> Self {
        let mut directory = Self::default();
        directory.contacts.take([], records.iter().map(|record| record.contact.clone()), []);
        for record in records.iter().filter(|record| Some(record.contact.id) != merchant) {
            let id = record.contact.id;
            if let Some(number) = blank_is_none(record.account_number.as_deref()) {
                directory.by_account_number.entry(number.to_owned()).or_default().push(id);
                directory.account_numbers.insert(id, number.to_owned());
            }
            if let Some(name) = blank_is_none(record.contact.name.as_deref()) {
                directory.names.insert(id, name.to_owned());
                if record.contact.is_active {
                    directory.by_name.entry(folded(name)).or_default().push(id);
                }
            }
            if let Some(email) = blank_is_none(record.email.as_deref())
                && record.contact.is_active
            {
                directory.by_email.entry(folded(email)).or_default().push(id);
            }
        }
        directory
    }

    /// Adds contacts that were asked for by their ids: one that is not among those read is not in Xero.
    pub fn take(
        &mut self,
        asked: &[XeroContactId],
        read: impl IntoIterator<Item = XeroContact>,
        unreadable: impl IntoIterator<Item = (XeroContactId, String)>,
    ) {
        self.contacts.take(asked.iter().copied(), read, unreadable);
    }

    /// Those of these contacts, and of the ones that they were merged into, that are not known.
    pub fn unknown(&self, wanted: &BTreeSet<XeroContactId>) -> Vec<XeroContactId> {
        self.contacts.not_asked(wanted)
    }

    pub(super) fn named(&self, id: XeroContactId) -> String {
        let name = self.names.get(&id).map_or("without a name", String::as_str);
        format!("{name:?} ({id})")
    }
}

pub(super) fn blank_is_none(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}
