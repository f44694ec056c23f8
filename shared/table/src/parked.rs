//! What is parked: seen, and taken out once it is on its way again.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem};
use jiff::Timestamp;
use payments::OrganisationId;

use crate::activity::day;
use crate::attributes::{Item, Reader, Writer, instant};
use crate::error::{ReadError, WriteError};
use crate::newest::Newest;
use crate::schema::{ACTIVITY, PARKED};
use crate::tables::Tables;

/// Most rows that are looked at in one go.
pub const PARKED_MAX: usize = 1_000;

/// Something that is parked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ParkedRow {
    /// Its key: when it arrived, and what makes it one and the same.
    pub parked_at: String,
    /// Which function parked it.
    pub by: String,
    /// Why: a code.
    pub reason: String,
    /// What is wrong, and where.
    pub detail: String,
    /// The thing itself, if it is text.
    pub body: Option<String>,
}

impl Tables {
    /// What is parked of an organisation, the oldest first, at most [`PARKED_MAX`].
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn parked(&self, organisation: OrganisationId) -> Result<Vec<ParkedRow>, ReadError> {
        let mut rows = self
            .client()
            .query()
            .table_name(self.name(PARKED))
            .key_condition_expression("organisation = :organisation")
            .expression_attribute_values(
                ":organisation",
                AttributeValue::S(organisation.to_string()),
            )
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut parked = Vec::new();
        while parked.len() < PARKED_MAX {
            let Some(row) = rows.next().await else { break };
            let row = row.map_err(|error| ReadError::unavailable(PARKED, error))?;
            parked.push(read(&row)?);
        }
        Ok(parked)
    }

    /// What was parked last, the newest first, at most `max`.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn newest_parked(
        &self,
        organisation: OrganisationId,
        max: usize,
    ) -> Result<Newest<ParkedRow>, ReadError> {
        let key = organisation.to_string();
        self.newest(PARKED, None, ("organisation", &key), max).await?.read(read)
    }

    /// Takes something out that is on its way again, with a row of the activity log that says by whom.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn unpark(
        &self,
        organisation: OrganisationId,
        row: &ParkedRow,
        by: &str,
        why: &str,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let delete = Delete::builder()
            .table_name(self.name(PARKED))
            .key("organisation", AttributeValue::S(organisation.to_string()))
            .key("parked_at", AttributeValue::S(row.parked_at.clone()))
            .build()
            .map_err(|error| WriteError::Malformed(Box::new(error)))?;
        let log = Writer::default()
            .text("day", day(organisation, now))
            .text("at", format!("{}#replayed#{}", instant(now), row.parked_at))
            .text("organisation", organisation)
            .text("action", "replayed")
            .text("reason", &row.reason)
            .text("by", by)
            .text("why", why);
        let delete = TransactWriteItem::builder().delete(delete).build();
        self.commit(PARKED, vec![delete, self.putting(ACTIVITY, log.finish())?]).await
    }
}

fn read(item: &Item) -> Result<ParkedRow, ReadError> {
    let row = Reader::new(PARKED, item);
    let body = match item.get("body") {
        Some(AttributeValue::S(text)) => Some(text.clone()),
        _ => None,
    };
    Ok(ParkedRow {
        parked_at: row.text("parked_at")?.to_owned(),
        by: row.text("by")?.to_owned(),
        reason: row.text("reason")?.to_owned(),
        detail: row.text("detail")?.to_owned(),
        body,
    })
}
