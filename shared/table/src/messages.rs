//! Messages for the operators, as they are read.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem};
use jiff::Timestamp;
use payments::OrganisationId;

use crate::attributes::{Item, Reader, Writer};
use crate::error::{ReadError, WriteError};
use crate::schema::MESSAGES;
use crate::tables::Tables;

/// A message for the operators.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MessageRow {
    /// What kind: a code.
    pub kind: String,
    /// What it is about: a payment, a day, a setting.
    pub subject: String,
    /// What happened, in words.
    pub why: String,
    /// When it was last raised, in UTC, of fixed width.
    pub raised_at: String,
}

/// All messages of one kind.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MessagesOfKind {
    /// The kind.
    pub kind: String,
    /// How many there are.
    pub count: u32,
    /// Whether there are more than were counted.
    pub more: bool,
    /// Those that were raised last, the newest first, of the first of its kind that were read.
    pub newest: Vec<MessageRow>,
}

/// Rows of a kind that are shown: a kind that has more hides no other.
pub const READ_A_KIND: usize = 20;
/// Rows of a kind that are counted.
const COUNTED_A_KIND: u32 = 500;
/// Kinds that are read. There are about 30.
const KINDS_MAX: usize = 100;

impl Tables {
    /// The messages of an organisation, one kind after the other: however many there are of one, all the
    /// others are found. A row that cannot be read is counted and not shown.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn messages(
        &self,
        organisation: OrganisationId,
    ) -> Result<Vec<MessagesOfKind>, ReadError> {
        let mut kinds = Vec::new();
        let mut before = None;
        while kinds.len() < KINDS_MAX {
            let Some(kind) = self.last_kind(organisation, before.as_deref()).await? else { break };
            kinds.push(self.messages_of(organisation, &kind).await?);
            before = Some(kind);
        }
        Ok(kinds)
    }

    /// The kind of the last message that stands before those of a kind.
    async fn last_kind(
        &self,
        organisation: OrganisationId,
        before: Option<&str>,
    ) -> Result<Option<String>, ReadError> {
        let condition = match before {
            None => "organisation = :organisation",
            Some(_) => "organisation = :organisation AND message < :before",
        };
        let mut query = self
            .client()
            .query()
            .table_name(self.name(MESSAGES))
            .key_condition_expression(condition)
            .expression_attribute_values(":organisation", text(organisation));
        if let Some(before) = before {
            query = query.expression_attribute_values(":before", text(before));
        }
        let page = query
            .scan_index_forward(false)
            .limit(1)
            .send()
            .await
            .map_err(|error| ReadError::unavailable(MESSAGES, error))?;
        let key = page.items().first().and_then(|item| item.get("message")?.as_s().ok());
        Ok(key.map(|key| kind_of(key).to_owned()))
    }

    /// The messages of one kind.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn messages_of(
        &self,
        organisation: OrganisationId,
        kind: &str,
    ) -> Result<MessagesOfKind, ReadError> {
        let query = self
            .client()
            .query()
            .table_name(self.name(MESSAGES))
            .key_condition_expression(
                "organisation = :organisation AND begins_with(message, :kind)",
            )
            .expression_attribute_values(":organisation", text(organisation))
            .expression_attribute_values(":kind", text(kind))
            .limit(i32::try_from(COUNTED_A_KIND).unwrap_or(i32::MAX));
        let mut found =
            MessagesOfKind { kind: kind.to_owned(), count: 0, more: false, newest: vec![] };
        let mut pages = query.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ReadError::unavailable(MESSAGES, error))?;
            // Another kind may begin with the same letters.
            let of_kind = |item: &&Item| {
                let key = item.get("message").and_then(|key| key.as_s().ok());
                key.is_some_and(|key| kind_of(key) == kind)
            };
            for item in page.items().iter().filter(of_kind) {
                found.count = found.count.saturating_add(1);
                if let Ok(row) = read(item) {
                    found.newest.push(row);
                }
            }
            found.newest.sort_by(|a, b| b.raised_at.cmp(&a.raised_at));
            found.newest.truncate(READ_A_KIND);
            found.more = found.count >= COUNTED_A_KIND;
            if found.more {
                break;
            }
        }
        Ok(found)
    }
}

fn text(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

/// The kind in the key of a message.
fn kind_of(key: &str) -> &str {
    key.split('#').next().unwrap_or_default()
}

impl Tables {
    /// Raises a message for the operators that is not about one payment alone. `kind` and `subject` make
    /// it one and the same: raising it again changes only its text and its time.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn raise_message(
        &self,
        organisation: OrganisationId,
        kind: &str,
        subject: &str,
        why: &str,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let row = Writer::default()
            .text("organisation", organisation)
            .text("message", key_of(kind, subject))
            .text("kind", kind)
            .text("subject", subject)
            .text("why", why)
            .instant("raised_at", now);
        self.put_row(MESSAGES, row.finish()).await
    }

    /// Takes a message back whose cause has ended. That it is not there is as well.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn end_message(
        &self,
        organisation: OrganisationId,
        kind: &str,
        subject: &str,
    ) -> Result<(), WriteError> {
        let row = self.message_end(organisation, key_of(kind, subject))?;
        self.commit(MESSAGES, vec![row]).await
    }

    /// Takes a message back, with what has ended its cause. That it is not there is as well.
    pub(crate) fn message_end(
        &self,
        organisation: OrganisationId,
        message: String,
    ) -> Result<TransactWriteItem, WriteError> {
        let delete = Delete::builder()
            .table_name(self.name(MESSAGES))
            .key("organisation", AttributeValue::S(organisation.to_string()))
            .key("message", AttributeValue::S(message))
            .build()
            .map_err(|error| WriteError::Malformed(Box::new(error)))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }
}

/// The key of a message about a subject.
pub(crate) fn key_of(kind: &str, subject: &str) -> String {
    format!("{kind}#{subject}")
}

fn read(item: &Item) -> Result<MessageRow, ReadError> {
    let row = Reader::new(MESSAGES, item);
    let subject = match row.text_if("subject")? {
        Some(subject) => Some(subject),
        None => row.text_if("payment_id")?,
    };
    Ok(MessageRow {
        kind: row.text("kind")?.to_owned(),
        subject: subject.unwrap_or_default().to_owned(),
        why: row.text_if("why")?.unwrap_or_default().to_owned(),
        raised_at: row.text("raised_at")?.to_owned(),
    })
}
