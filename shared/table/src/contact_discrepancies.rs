//! What does not agree about a contact in Xero, where no invoice of ours is concerned.
//!
//! The rows stand in the table of the invoices' discrepancies and in its index of open ones. Their key
//! is `ORG/contact:UUID`, which is no invoice's: no number of ours has a colon after `contact` and an id.

use aws_sdk_dynamodb::types::Put;
use jiff::Timestamp;
use payments::{Action, Discrepancy, DiscrepancyKey, OrganisationId, XeroContactId};

use crate::activity::{day, with_discrepancy};
use crate::attributes::{Item, Writer, instant};
use crate::error::{ReadError, WriteError};
use crate::newest::readable;
use crate::rows::{discrepancy_attributes, read_discrepancy};
use crate::schema::{ACTIVITY, DISCREPANCIES};
use crate::tables::{Tables, transact};

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
        let condition = "attribute_not_exists(invoice)";
        self.write_contact_discrepancy(organisation, contact, &found, condition, because).await
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
        let closed = Discrepancy { resolved_at: Some(because.now), ..known.clone() };
        let condition = "attribute_exists(open_in)";
        self.write_contact_discrepancy(organisation, contact, &closed, condition, because).await
    }

    async fn write_contact_discrepancy(
        &self,
        organisation: OrganisationId,
        contact: XeroContactId,
        found: &Discrepancy,
        condition: &str,
        because: ContactBecause,
    ) -> Result<bool, WriteError> {
        let row = Writer::default()
            .text("invoice", contact_key(organisation, contact))
            .text("organisation", organisation)
            .text("xero_contact_id", contact);
        let put = Put::builder()
            .table_name(self.name(DISCREPANCIES))
            .set_item(Some(discrepancy_attributes(row, organisation, found)))
            .condition_expression(condition);
        let log = activity_row(organisation, contact, found, because);
        let rows = vec![transact(put)?, self.putting(ACTIVITY, log)?];
        match self.commit(DISCREPANCIES, rows).await {
            Ok(()) => Ok(true),
            Err(WriteError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The key under which everything stands that does not agree about a contact.
pub fn contact_key(organisation: OrganisationId, contact: XeroContactId) -> String {
    format!("{organisation}/contact:{contact}")
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
        .text("xero_contact_id", contact)
        .text("cause", because.cause)
        .logged(action)
        .text("rule", because.rule)
        .text("why", format!("{} {}: {}", key.kind, key.subject, found.detail));
    with_discrepancy(row, action, found).finish()
}
