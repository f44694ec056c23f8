//! Parked messages: kept, shown, and taken out once they are on their way again.

use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use jiff::Timestamp;
use payments::{OrganisationId, ReplayMark};

use crate::attributes::{Item, Reader, Writer, instant};
use crate::audit::{AuditEntry, audit_row};
use crate::error::{ReadError, WriteError};
use crate::latest::{Newest, readable};
use crate::schema::{ACTIVITY, PARKED};
use crate::tables::{Tables, owner, transact};

/// Most rows that are looked at in one go.
pub const PARKED_MAX: usize = 1_000;

/// Most bytes of a body that are kept in one row: DynamoDB takes 400 KB with everything else.
pub const PARKED_BYTES_MAX: usize = 256 * 1024;

/// The reason of what a person has taken out of a dead-letter queue.
pub const DISCARDED: &str = "discarded";

/// Something that could not be processed, kept in full for a person.
#[derive(Clone, Debug)]
pub struct Parked<'a> {
    /// Whose it is, as far as it is known.
    pub organisation: Option<OrganisationId>,
    /// What makes it one and the same when it is parked twice: a message id, or a digest.
    pub id: &'a str,
    /// Which function parked it.
    pub by: &'static str,
    /// A code, for counting.
    pub reason: &'a str,
    /// The problem, and its place.
    pub detail: &'a str,
    /// The thing itself.
    pub body: &'a [u8],
    /// When it arrived.
    pub received_at: Timestamp,
}

/// Something that is parked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ParkedRow {
    /// Its key: when it arrived, and what makes it one and the same.
    pub parked_at: String,
    /// Which function parked it.
    pub by: String,
    /// Out of which queue a person has taken it, if one has; else `by` says so.
    pub queue: Option<String>,
    /// Why: a code.
    pub reason: String,
    /// The problem, and its place.
    pub detail: String,
    /// The thing itself, if it is text.
    pub body: Option<String>,
    /// How often it has been replayed, to be parked again.
    pub replays: u32,
}

impl Tables {
    /// Keeps something that could not be processed. Parking it again changes nothing.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn park(&self, parked: &Parked<'_>) -> Result<(), WriteError> {
        self.put_row(PARKED, parked_row(parked, &parked_key(parked)).finish()).await
    }

    /// Keeps something that came with the mark of a replay under the key that it was parked with before, so
    /// that it is one row. A mark on another body than that row's is none of ours, and what bears it is kept
    /// as what it is. Parking it again changes nothing.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn park_again(
        &self,
        parked: &Parked<'_>,
        mark: Option<&ReplayMark>,
    ) -> Result<(), WriteError> {
        let Some(mark) = mark else { return self.park(parked).await };
        let row = parked_row(parked, &mark.parked_at).number("replays", mark.replays).finish();
        let Some(body) = row.get("body").cloned() else { return self.park(parked).await };
        let put = self
            .put_parked(row)
            .condition_expression("attribute_not_exists(parked_at) OR body = :body")
            .expression_attribute_values(":body", body);
        match self.commit(PARKED, vec![transact(put)?]).await {
            Err(WriteError::Conflict) => self.park(parked).await,
            done => done,
        }
    }

    /// Keeps what a person takes out of a dead-letter queue, with who and why, and a row of the activity log.
    /// Doing it again changes nothing. `parked.by` is the function that does that; `queue` is where it was.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn park_discarded(
        &self,
        parked: &Parked<'_>,
        queue: &str,
        order: &AuditEntry<'_>,
    ) -> Result<(), WriteError> {
        let row = parked_row(parked, &parked_key(parked))
            .text("queue", queue)
            .text("discarded_by", order.by)
            .text("why", order.why);
        let rows = vec![
            self.put(PARKED, row.finish())?,
            self.put(ACTIVITY, audit_row(parked.organisation, order))?,
        ];
        self.commit(PARKED, rows).await
    }

    /// The parked rows of an organisation, or of no known one; the oldest first, at most [`PARKED_MAX`].
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn parked(
        &self,
        organisation: Option<OrganisationId>,
    ) -> Result<Vec<ParkedRow>, ReadError> {
        let mut rows = self
            .client()
            .query()
            .table_name(self.name(PARKED))
            .key_condition_expression("organisation = :organisation")
            .expression_attribute_values(":organisation", AttributeValue::S(owner(organisation)))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut parked = Vec::new();
        while parked.len() < PARKED_MAX {
            let Some(row) = rows.next().await else { break };
            let row = row.map_err(|error| ReadError::unavailable(PARKED, error))?;
            parked.extend(readable([&row], "parked_at", read));
        }
        Ok(parked)
    }

    /// The rows parked last, the newest first, at most `max`.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn newest_parked(
        &self,
        organisation: Option<OrganisationId>,
        max: usize,
    ) -> Result<Newest<ParkedRow>, ReadError> {
        let key = owner(organisation);
        let found = self.newest(PARKED, None, ("organisation", &key), max).await?;
        Ok(found.readable("parked_at", read))
    }

    /// Takes something out that is on its way again, with a row of the activity log that says by whom. If it
    /// has come back already and was parked again, that row stays: it is what there is of it.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn unpark(
        &self,
        organisation: Option<OrganisationId>,
        row: &ParkedRow,
        order: &AuditEntry<'_>,
    ) -> Result<(), WriteError> {
        let delete = Delete::builder()
            .table_name(self.name(PARKED))
            .key("organisation", AttributeValue::S(owner(organisation)))
            .key("parked_at", AttributeValue::S(row.parked_at.clone()));
        let delete = match row.replays {
            0 => delete.condition_expression("attribute_not_exists(replays)"),
            read => delete
                .condition_expression("replays = :read")
                .expression_attribute_values(":read", AttributeValue::N(read.to_string())),
        };
        let delete = delete.build().map_err(|error| WriteError::Malformed(Box::new(error)))?;
        let delete = TransactWriteItem::builder().delete(delete).build();
        let log = audit_row(organisation, order);
        match self.commit(PARKED, vec![delete, self.put(ACTIVITY, log.clone())?]).await {
            Err(WriteError::Conflict) => self.put_row(ACTIVITY, log).await,
            done => done,
        }
    }

    fn put_parked(&self, row: Item) -> PutBuilder {
        Put::builder().table_name(self.name(PARKED)).set_item(Some(row))
    }
}

/// A body in parts that fit into a row; one, unless it is larger than [`PARKED_BYTES_MAX`].
pub fn in_parts(body: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = body;
    while rest.len() > PARKED_BYTES_MAX {
        let (part, left) = rest.split_at(rest.floor_char_boundary(PARKED_BYTES_MAX));
        parts.push(part);
        rest = left;
    }
    parts.push(rest);
    parts
}

pub(crate) fn parked_key(parked: &Parked<'_>) -> String {
    format!("{}#{}", instant(parked.received_at), parked.id)
}

pub(crate) fn parked_row(parked: &Parked<'_>, key: &str) -> Writer {
    let row = Writer::default()
        .text("organisation", owner(parked.organisation))
        .text("parked_at", key)
        .text("by", parked.by)
        .text("reason", parked.reason)
        .text("detail", parked.detail);
    // Text is kept as text, because a person will read it in the console.
    match std::str::from_utf8(parked.body) {
        Ok(text) => row.text("body", text),
        Err(_) => row.bytes("body", parked.body),
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
        queue: row.text_if("queue")?.map(str::to_owned),
        reason: row.text("reason")?.to_owned(),
        detail: row.text("detail")?.to_owned(),
        body,
        replays: row.number_if("replays")?.unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_cut_between_characters_and_nothing_of_it_is_lost() {
        let body = "€".repeat(200_000);
        let parts = in_parts(&body);
        assert_eq!(parts.len(), 3);
        assert!(parts.iter().all(|part| part.len() <= PARKED_BYTES_MAX));
        assert_eq!(parts.concat(), body);
        assert_eq!(in_parts(""), [""]);
        assert_eq!(in_parts(&"x".repeat(PARKED_BYTES_MAX)).len(), 1);
    }
}
