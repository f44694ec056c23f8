//! Xero's contacts, as the customer sync has read them, and those that are no customer of the business (CC-06).

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use payments::upload::{ContactRecord, XeroContact};
use payments::{ContactCredit, CreditBalance, CreditKind, Money, OrganisationId, XeroContactId};

use crate::attributes::{Item, Reader, Writer};
use crate::error::{ReadError, WriteError};
use crate::latest::Listed;
use crate::schema::{CONTACT_CREDITS, CONTACTS, UNKNOWN_CONTACTS};
use crate::tables::Tables;

/// A contact in its row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredContact {
    /// The contact.
    pub record: ContactRecord,
    /// Whether it is among those that no customer of the business is linked with.
    pub is_unknown: bool,
    /// The credit that it has left, as it was read last (ST-25).
    pub credit: ContactCredit,
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

    /// Contacts that have credit left, at most `max`; as of a moment ago (ST-25).
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn contact_credits(
        &self,
        organisation: OrganisationId,
        max: usize,
    ) -> Result<Listed<StoredContact>, ReadError> {
        let whose = organisation.to_string();
        let key = ("credit_in", whose.as_str());
        let rows = self.oldest(CONTACTS, Some(CONTACT_CREDITS), key, max).await?;
        Ok(rows.read_each("contact", read_contact))
    }
}

fn contact_row(organisation: OrganisationId, stored: &StoredContact) -> Item {
    let StoredContact { record, is_unknown, credit } = stored;
    let id = record.contact.id;
    let name = record.contact.name.as_deref().filter(|name| !name.is_empty());
    let mut row = Writer::default();
    if !credit.sums.is_empty() {
        row = row
            .text("credit_in", organisation)
            .value("credit_sums", list(credit.sums.iter().map(|sum| money(*sum, "amount"))))
            .value("credits", list(credit.documents.iter().map(credit_row)));
    }
    row.text("organisation", organisation)
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

fn list(rows: impl Iterator<Item = Writer>) -> AttributeValue {
    AttributeValue::L(rows.map(|row| AttributeValue::M(row.finish())).collect())
}

fn money(of: Money, name: &str) -> Writer {
    Writer::default().number(name, of.amount()).text("currency", of.currency())
}

fn credit_row(credit: &CreditBalance) -> Writer {
    money(credit.remaining, "remaining")
        .text("kind", credit.kind)
        .text("credit", credit.id)
        .text_if("number", credit.number.as_deref())
        .text("date", credit.date)
}

/// A contact without credit, or one that was written before credit was read, has none of these attributes.
fn read_credit(row: &Reader<'_>) -> Result<ContactCredit, ReadError> {
    if !row.has("credit_in") {
        return Ok(ContactCredit::default());
    }
    let sum = |row: Reader<'_>| row.money("amount", row.parsed("currency")?);
    let document = |row: Reader<'_>| {
        Ok(CreditBalance {
            kind: row.code("kind", CreditKind::from_code)?,
            id: row.parsed("credit")?,
            number: row.text_if("number")?.map(str::to_owned),
            date: row.parsed("date")?,
            remaining: row.money("remaining", row.parsed("currency")?)?,
        })
    };
    Ok(ContactCredit {
        sums: row.maps("credit_sums")?.into_iter().map(sum).collect::<Result<_, _>>()?,
        documents: row.maps("credits")?.into_iter().map(document).collect::<Result<_, _>>()?,
    })
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
        credit: read_credit(&row)?,
    })
}
