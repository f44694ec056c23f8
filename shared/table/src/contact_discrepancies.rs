//! What does not agree about a contact in Xero, where no invoice of ours is concerned.
//!
//! The rows stand in the table of the invoices' discrepancies and in its index of open ones. Their key
//! is `ORG/contact:UUID`, which is no invoice's: no number of ours has a colon after `contact` and an id.

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use jiff::Timestamp;
use payments::upload::OnContact;
use payments::{
    Action, CustomerId, Discrepancy, DiscrepancyKey, InvoiceNumber, Money, OrderId, OrganisationId,
    PaymentId, XeroContactId,
};

use crate::activity::{day, with_discrepancy};
use crate::attributes::{Item, Reader, Writer, instant};
use crate::error::{ReadError, WriteError};
use crate::latest::{Listed, readable};
use crate::rows::{discrepancy_attributes, read_discrepancy};
use crate::schema::{ACTIVITY, DISCREPANCIES};
use crate::tables::{Tables, transact};

/// What stands between the organisation and the contact in the key of a contact's discrepancies.
const CONTACT: &str = "contact:";

/// The index of the open ones.
const OPEN: &str = "open";

/// Why a discrepancy of a contact is opened or closed, and when.
#[derive(Clone, Copy, Debug)]
pub struct ContactBecause {
    /// What set it off: `sweep`, `upload` and so on.
    pub cause: &'static str,
    /// The rule that says so.
    pub rule: &'static str,
    /// When.
    pub now: Timestamp,
}

impl Tables {
    /// The discrepancies of a contact, open, accepted and resolved, read consistently.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn contact_discrepancies(
        &self,
        organisation: OrganisationId,
        contact: XeroContactId,
    ) -> Result<Vec<Discrepancy>, ReadError> {
        let key = contact_key(organisation, contact);
        let rows = self.partition(DISCREPANCIES, "invoice", &key).await?;
        Ok(readable(&rows, "discrepancy", read_discrepancy))
    }

    /// Opens a discrepancy of a contact, with its row of the log in the same transaction. One that is
    /// known already is left as it is, open or resolved; whether this one is new.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn open_contact_discrepancy(
        &self,
        organisation: OrganisationId,
        contact: XeroContactId,
        key: &DiscrepancyKey,
        detail: &str,
        because: ContactBecause,
    ) -> Result<bool, WriteError> {
        let found = Discrepancy::found(key.clone(), detail.to_owned(), because.now);
        let put = Put::builder()
            .table_name(self.name(DISCREPANCIES))
            .set_item(Some(contact_row(organisation, contact, &found)))
            .condition_expression("attribute_not_exists(invoice)");
        self.write_contact_discrepancy(contact, (organisation, &found), transact(put)?, because)
            .await
    }

    /// Opens a discrepancy of a contact, or brings it up to date, with a row of the log in the same transaction if
    /// it is open from now on and was not. One that a person has accepted stays closed while it says the same
    /// (AMB-31).
    ///
    /// # Errors
    /// `Conflict` if it is not what was `known` any more: read and decide again. `Unavailable`.
    pub async fn raise_contact_discrepancy(
        &self,
        organisation: OrganisationId,
        found: &OnContact,
        known: Option<&Discrepancy>,
        because: ContactBecause,
    ) -> Result<(), WriteError> {
        let OnContact { contact, key, detail } = found;
        let Some(known) = known else {
            self.open_contact_discrepancy(organisation, *contact, key, detail, because).await?;
            return Ok(());
        };
        let Some(again) = known.found_again(detail, because.now) else { return Ok(()) };
        let row = contact_row(organisation, *contact, &again);
        let mut rows = vec![self.putting_discrepancy_over(row, known)?];
        if again.is_open() && !known.is_open() {
            let log = activity_row(organisation, *contact, &again, because);
            rows.push(self.put(ACTIVITY, log)?);
        }
        self.commit(DISCREPANCIES, rows).await
    }

    /// The open discrepancies of an organisation's contacts, as of a moment ago. Rows that cannot be read are left
    /// out: the page that lists what is open names them.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn open_about_contacts(
        &self,
        organisation: OrganisationId,
    ) -> Result<Vec<(XeroContactId, Discrepancy)>, ReadError> {
        let prefix = format!("{organisation}/{CONTACT}");
        let mut pages = self
            .client()
            .query()
            .table_name(self.name(DISCREPANCIES))
            .index_name(OPEN)
            .key_condition_expression("open_in = :organisation")
            .filter_expression("begins_with(invoice, :prefix)")
            .expression_attribute_values(
                ":organisation",
                AttributeValue::S(organisation.to_string()),
            )
            .expression_attribute_values(":prefix", AttributeValue::S(prefix))
            .into_paginator()
            .items()
            .send();
        let mut found = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| ReadError::unavailable(DISCREPANCIES, error))?;
            if let Ok(OpenDiscrepancy {
                place: DiscrepancySubject::Contact(contact),
                found: open,
                ..
            }) = read_open(&item)
            {
                found.push((contact, open));
            }
        }
        Ok(found)
    }

    /// An organisation's open discrepancies, of invoices and of contacts, the oldest first, at most `max`; as of a
    /// moment ago.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn list_open_discrepancies(
        &self,
        organisation: OrganisationId,
        max: usize,
    ) -> Result<Listed<OpenDiscrepancy>, ReadError> {
        let whose = organisation.to_string();
        let rows = self.oldest(DISCREPANCIES, Some(OPEN), ("open_in", &whose), max).await?;
        Ok(rows.read_each("invoice", read_open))
    }

    /// Closes a discrepancy of a contact, with its row of the log in the same transaction; whether it was
    /// open until now.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn close_contact_discrepancy(
        &self,
        organisation: OrganisationId,
        contact: XeroContactId,
        known: &Discrepancy,
        because: ContactBecause,
    ) -> Result<bool, WriteError> {
        let mut known = known.clone();
        while known.is_open() {
            let closed = Discrepancy { resolved_at: Some(because.now), ..known.clone() };
            let row = contact_row(organisation, contact, &closed);
            let put = self.putting_discrepancy_over(row, &known)?;
            let of = (organisation, &closed);
            if self.write_contact_discrepancy(contact, of, put, because).await? {
                return Ok(true);
            }
            // A person or the clock may have been faster, which leaves it open.
            let all = self.contact_discrepancies(organisation, contact).await;
            let all = all.map_err(|error| WriteError::Unavailable {
                table: DISCREPANCIES,
                source: Box::new(error),
            })?;
            match all.into_iter().find(|now| now.key == known.key) {
                Some(now) if now != known => known = now,
                _ => return Ok(false),
            }
        }
        Ok(false)
    }

    async fn write_contact_discrepancy(
        &self,
        contact: XeroContactId,
        (organisation, found): (OrganisationId, &Discrepancy),
        put: TransactWriteItem,
        because: ContactBecause,
    ) -> Result<bool, WriteError> {
        let log = activity_row(organisation, contact, found, because);
        match self.commit(DISCREPANCIES, vec![put, self.put(ACTIVITY, log)?]).await {
            Ok(()) => Ok(true),
            Err(WriteError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The key under which everything stands that does not agree about a contact.
pub fn contact_key(organisation: OrganisationId, contact: XeroContactId) -> String {
    format!("{organisation}/{CONTACT}{contact}")
}

fn contact_row(organisation: OrganisationId, contact: XeroContactId, found: &Discrepancy) -> Item {
    let row = Writer::default()
        .text("invoice", contact_key(organisation, contact))
        .text("organisation", organisation)
        .text("xero_contact_id", contact);
    discrepancy_attributes(row, organisation, found)
}

/// What an open discrepancy stands on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DiscrepancySubject {
    /// An invoice, by its number in the business's own system.
    Invoice(InvoiceNumber),
    /// A contact in Xero.
    Contact(XeroContactId),
    /// An order.
    Order(OrderId),
    /// A payment as a whole, by the sender's id.
    Payment(PaymentId),
}

/// As it stands in keys and on pages.
impl std::fmt::Display for DiscrepancySubject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Invoice(number) => write!(f, "{number}"),
            Self::Contact(contact) => write!(f, "contact:{contact}"),
            Self::Order(order) => write!(f, "order:{order}"),
            Self::Payment(payment) => write!(f, "payment:{payment}"),
        }
    }
}

/// A discrepancy that is open, and what it stands on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpenDiscrepancy {
    /// The invoice or the contact.
    pub place: DiscrepancySubject,
    /// The discrepancy.
    pub found: Discrepancy,
    /// The money that it is about, for lists; no decision rests on it.
    pub amount: Option<Money>,
    /// Whose invoice, order or payment it is, for lists.
    pub customer: Option<CustomerId>,
}

fn read_open(item: &Item) -> Result<OpenDiscrepancy, ReadError> {
    let row = Reader::new(DISCREPANCIES, item);
    let place = if let Some(contact) = row.parsed_if("xero_contact_id")? {
        DiscrepancySubject::Contact(contact)
    } else if let Some(order) = row.parsed_if("order")? {
        DiscrepancySubject::Order(order)
    } else if let Some(payment) = row.parsed_if("payment_id")? {
        DiscrepancySubject::Payment(payment)
    } else {
        DiscrepancySubject::Invoice(row.parsed("invoice_number")?)
    };
    let amount = match row.parsed_if("currency")? {
        Some(currency) => row.money_if("amount", currency)?,
        None => None,
    };
    let customer = row.parsed_if("customer")?;
    Ok(OpenDiscrepancy { place, found: read_discrepancy(item)?, amount, customer })
}

fn activity_row(
    organisation: OrganisationId,
    contact: XeroContactId,
    found: &Discrepancy,
    because: ContactBecause,
) -> Item {
    let key = &found.key;
    let action =
        if found.is_open() { Action::DiscrepancyRaised } else { Action::DiscrepancyResolved };
    let at = instant(because.now);
    let row = Writer::default()
        .text("day", day(organisation, because.now))
        .text("at", format!("{at}#contact:{contact}#{}#{}-{action}", key.kind, key.subject))
        .text("organisation", organisation)
        .text("invoice", contact_key(organisation, contact))
        .text("xero_contact_id", contact)
        .text("cause", because.cause)
        .logged(action)
        .text("rule", because.rule)
        .text("why", format!("{} {}: {}", key.kind, key.subject, found.detail));
    with_discrepancy(row, action, found).finish()
}
