//! What the operators are told, as it is read.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem};
use payments::OrganisationId;

use crate::attributes::{Item, Reader};
use crate::error::{ReadError, WriteError};
use crate::newest::Newest;
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

impl Tables {
    /// The messages of an organisation that was last raised first, of at most `max` that are read. They
    /// stand in the order of their kinds, so that all of them have to be read to know the newest.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn messages(
        &self,
        organisation: OrganisationId,
        max: usize,
    ) -> Result<Newest<MessageRow>, ReadError> {
        let key = organisation.to_string();
        let mut found =
            self.newest(MESSAGES, None, ("organisation", &key), max).await?.read(read)?;
        found.rows.sort_by(|a, b| b.raised_at.cmp(&a.raised_at));
        Ok(found)
    }
}

impl Tables {
    /// Takes a message back, with what has ended its cause. That it is not there is as well.
    pub(crate) fn ending_message(
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
