//! The tables of one deployment, and the reads and writes that are not about one invoice.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use jiff::Timestamp;
use payments::{Action, OrganisationId};

use crate::activity::day;
use crate::attributes::{Item, Writer, instant};
use crate::error::{ReadError, WriteError};
use crate::messages::key_of;
use crate::parked::{parked_key, parked_row};
use crate::schema::{ACTIVITY, MESSAGES, PARKED};

/// DynamoDB takes so many actions in a transaction.
pub(crate) const TRANSACTION_ROWS_MAX: usize = 100;

/// Who stands as the owner of what belongs to no organisation that is known.
pub(crate) const UNKNOWN_OWNER: &str = "unknown";

/// Access to the tables.
#[derive(Clone, Debug)]
pub struct Tables {
    client: Client,
    prefix: String,
}

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

/// Something that was seen and deliberately left alone.
#[derive(Clone, Debug)]
pub struct Noted<'a> {
    /// Whose it is, as far as it is known.
    pub organisation: Option<OrganisationId>,
    /// What makes it one and the same when it is noted twice.
    pub id: &'a str,
    /// Why it was left alone.
    pub reason: &'a str,
    /// What it was, without content.
    pub what: &'a str,
    /// How many there were.
    pub count: u32,
    /// When it arrived.
    pub received_at: Timestamp,
}

impl Tables {
    /// Tables whose names begin with `prefix` (empty locally, the stack's name when deployed).
    pub fn new(client: Client, prefix: impl Into<String>) -> Self {
        Self { client, prefix: prefix.into() }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn name(&self, table: &str) -> String {
        format!("{}{table}", self.prefix)
    }

    /// One row, read consistently.
    pub(crate) async fn one(
        &self,
        table: &'static str,
        key: &[(&str, String)],
    ) -> Result<Option<Item>, ReadError> {
        let key = key.iter().map(|(name, id)| ((*name).to_owned(), AttributeValue::S(id.clone())));
        let answer = self
            .client
            .get_item()
            .table_name(self.name(table))
            .set_key(Some(key.collect()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| ReadError::unavailable(table, error))?;
        Ok(answer.item)
    }

    /// All rows of a partition, read consistently.
    pub(crate) async fn partition(
        &self,
        table: &'static str,
        key: &str,
        value: &str,
    ) -> Result<Vec<Item>, ReadError> {
        let mut pages = self
            .client
            .query()
            .table_name(self.name(table))
            .key_condition_expression("#key = :value")
            .expression_attribute_names("#key", key)
            .expression_attribute_values(":value", AttributeValue::S(value.to_owned()))
            .consistent_read(true)
            .into_paginator()
            .send();
        let mut items = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ReadError::unavailable(table, error))?;
            items.extend(page.items.unwrap_or_default());
        }
        Ok(items)
    }

    /// Keeps something that could not be processed. Parking it again changes nothing.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn park(&self, parked: &Parked<'_>) -> Result<(), WriteError> {
        self.put_row(PARKED, parked_row(parked, &parked_key(parked)).finish()).await
    }

    /// Records in the activity log that something was left alone. Noting it again changes nothing.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn note(&self, noted: &Noted<'_>) -> Result<(), WriteError> {
        let (date, at) = (noted.received_at.strftime("%Y-%m-%d"), instant(noted.received_at));
        let row = Writer::default()
            .text(
                "day",
                noted.organisation.map_or_else(
                    || format!("unknown/{date}"),
                    |organisation| day(organisation, noted.received_at),
                ),
            )
            .text("at", format!("{at}#{}", noted.id))
            .text("organisation", owner(noted.organisation))
            .logged(Action::Ignored)
            .text("reason", noted.reason)
            .text("what", noted.what)
            .number("count", noted.count);
        self.put_row(ACTIVITY, row.finish()).await
    }

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

    /// Writes rows in one transaction. The SDK gives it a token, and keeps the token when it tries
    /// again: an answer that was lost on the way is then the answer that there was, and no conflict
    /// with ourselves. A single conditional row is written like this for the same reason.
    pub(crate) async fn commit(
        &self,
        table: &'static str,
        rows: Vec<TransactWriteItem>,
    ) -> Result<(), WriteError> {
        self.client
            .transact_write_items()
            .set_transact_items(Some(rows))
            .send()
            .await
            .map_err(|error| WriteError::of_transaction(table, error))?;
        Ok(())
    }

    /// The writing of a row, over any that was there before.
    pub(crate) fn putting(
        &self,
        table: &'static str,
        item: Item,
    ) -> Result<TransactWriteItem, WriteError> {
        transact(Put::builder().table_name(self.name(table)).set_item(Some(item)))
    }

    /// The writing of a row on condition that its revision still is the one that was read; 0 means
    /// that there was none.
    pub(crate) fn putting_over(
        &self,
        table: &'static str,
        item: Item,
        read: u64,
    ) -> Result<TransactWriteItem, WriteError> {
        let put = Put::builder().table_name(self.name(table)).set_item(Some(item));
        transact(match read {
            0 => put.condition_expression("attribute_not_exists(organisation)"),
            read => put
                .condition_expression("revision = :read")
                .expression_attribute_values(":read", AttributeValue::N(read.to_string())),
        })
    }

    pub(crate) async fn put_row(&self, table: &'static str, item: Item) -> Result<(), WriteError> {
        self.client
            .put_item()
            .table_name(self.name(table))
            .set_item(Some(item))
            .send()
            .await
            .map_err(|error| WriteError::unavailable(table, error))?;
        Ok(())
    }
}

pub(crate) fn owner(organisation: Option<OrganisationId>) -> String {
    organisation.map_or_else(|| UNKNOWN_OWNER.to_owned(), |organisation| organisation.to_string())
}

pub(crate) fn transact(
    put: aws_sdk_dynamodb::types::builders::PutBuilder,
) -> Result<TransactWriteItem, WriteError> {
    let put = put.build().map_err(|error| WriteError::Malformed(Box::new(error)))?;
    Ok(TransactWriteItem::builder().put(put).build())
}
