//! Xero's contacts, as the customer sync has read them, and those that are no customer of the business (CC-06).

use std::collections::BTreeMap;

use payments::upload::{ContactRecord, XeroContact};
use payments::{OrganisationId, XeroContactId};

use crate::attributes::{Item, Reader, Writer};
use crate::error::{ReadError, WriteError};
use crate::latest::Listed;
use crate::schema::{CONTACTS, UNKNOWN_CONTACTS};
use crate::tables::Tables;

/// A contact in its row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredContact {
    /// The contact.
    pub record: ContactRecord,
    /// Whether it is among those that no customer of the business is linked with.
    pub is_unknown: bool,
}

impl Tables {
    /// The stored rows of these contacts, read consistently. One that cannot be read is as one that is not there: it is
    /// written again.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn contacts(
        &self,
        organisation: OrganisationId,
        contacts: &[XeroContactId],
    ) -> Result<BTreeMap<XeroContactId, StoredContact>, ReadError> {
        let keys = contacts.iter().map(|id| (organisation.to_string(), id.to_string()));
        let rows = self.many(CONTACTS, ["organisation", "contact"], keys, None).await?;
        let read = rows.iter().filter_map(|item| read_contact(item).ok());
        Ok(read.map(|stored| (stored.record.contact.id, stored)).collect())
    }

    /// Every stored contact of the organisation, read consistently.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn all_contacts(
        &self,
        organisation: OrganisationId,
    ) -> Result<Vec<StoredContact>, ReadError> {
        let rows = self.partition(CONTACTS, "organisation", &organisation.to_string()).await?;
        Ok(rows.iter().filter_map(|item| read_contact(item).ok()).collect())
    }

    /// Stores contacts, over what was known of them. Only the run that has the sync for itself may do so.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn store_contacts(
        &self,
        organisation: OrganisationId,
        contacts: &[StoredContact],
    ) -> Result<(), WriteError> {
        let rows = contacts.iter().map(|stored| contact_row(organisation, stored)).collect();
        self.put_rows(CONTACTS, rows).await
    }

    /// Contacts that no customer of the business is linked with, by name, at most `max`; as of a moment ago (CC-06).
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn unknown_contacts(
        &self,
        organisation: OrganisationId,
        max: usize,
    ) -> Result<Listed<ContactRecord>, ReadError> {
        let whose = organisation.to_string();
        let key = ("unknown_in", whose.as_str());
        let rows = self.oldest(CONTACTS, Some(UNKNOWN_CONTACTS), key, max).await?;
        Ok(rows.read_each("contact", |item| read_contact(item).map(|stored| stored.record)))
    }
}

fn contact_row(organisation: OrganisationId, stored: &StoredContact) -> Item {
    let StoredContact { record, is_unknown } = stored;
    let id = record.contact.id;
    let name = record.contact.name.as_deref().filter(|name| !name.is_empty());
    Writer::default()
        .text("organisation", organisation)
        .text("contact", id)
        .text_if("name", name)
        .text_if("account_number", record.account_number.as_deref())
        .text_if("email", record.email.as_deref())
        .flag("is_active", record.contact.is_active)
        .text_if("merged_into_contact_id", record.contact.merged_into)
        .flag("is_customer", record.is_customer)
        .flag("is_supplier", record.is_supplier)
        .text_if("unknown_in", is_unknown.then_some(organisation))
        .text_if(
            "listed_as",
            is_unknown.then(|| name.map_or_else(|| id.to_string(), str::to_owned)),
        )
        .finish()
}

fn read_contact(item: &Item) -> Result<StoredContact, ReadError> {
    let row = Reader::new(CONTACTS, item);
    let text = |name| row.text_if(name).map(|text| text.map(str::to_owned));
    Ok(StoredContact {
        record: ContactRecord {
            contact: XeroContact {
                id: row.parsed("contact")?,
                name: text("name")?,
                is_active: row.flag("is_active")?,
                merged_into: row.parsed_if("merged_into_contact_id")?,
            },
            account_number: text("account_number")?,
            email: text("email")?,
            is_customer: row.flag("is_customer")?,
            is_supplier: row.flag("is_supplier")?,
        },
        is_unknown: row.has("unknown_in"),
    })
}
