//! The tables of one deployment, and the reads and writes of single rows and transactions.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use payments::OrganisationId;

use crate::attributes::Item;
use crate::error::{ReadError, WriteError};
use crate::schema::ACTIVITY;

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
    pub(crate) fn put(
        &self,
        table: &'static str,
        item: Item,
    ) -> Result<TransactWriteItem, WriteError> {
        transact(Put::builder().table_name(self.name(table)).set_item(Some(item)))
    }

    /// The writing of a row of the log on condition that there is none of its key: one that says who has done what is
    /// never overwritten (XC-27).
    pub(crate) fn add_to_log(&self, item: Item) -> Result<TransactWriteItem, WriteError> {
        let put = Put::builder()
            .table_name(self.name(ACTIVITY))
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#day)")
            .expression_attribute_names("#day", "day");
        transact(put)
    }

    /// The writing of a row on condition that its revision still is the one that was read; 0 means
    /// that there was none.
    pub(crate) fn replace(
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
