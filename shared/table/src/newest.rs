//! The newest rows of a partition, and no more of them than is said: what a page shows costs the same
//! however long the past gets.

use aws_sdk_dynamodb::types::{AttributeValue, Select};

use crate::attributes::Item;
use crate::error::ReadError;
use crate::tables::Tables;

/// The first rows of a partition, in the order in which they were asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Newest<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Whether there are more than were read.
    pub more: bool,
}

impl Newest<Item> {
    /// The rows as something that can be used.
    pub(crate) fn read<T>(
        self,
        read: impl Fn(&Item) -> Result<T, ReadError>,
    ) -> Result<Newest<T>, ReadError> {
        let rows = self.rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Newest { rows, more: self.more })
    }
}

impl Tables {
    /// The last rows of a partition of a table or of an index, the last one first, at most `max`.
    pub(crate) async fn newest(
        &self,
        table: &'static str,
        index: Option<&str>,
        (key, value): (&str, &str),
        max: usize,
    ) -> Result<Newest<Item>, ReadError> {
        let mut rows: Vec<Item> = Vec::new();
        let mut from = None;
        while rows.len() < max {
            let left = max.saturating_sub(rows.len());
            let page = self
                .client()
                .query()
                .table_name(self.name(table))
                .set_index_name(index.map(str::to_owned))
                .key_condition_expression("#key = :value")
                .expression_attribute_names("#key", key)
                .expression_attribute_values(":value", AttributeValue::S(value.to_owned()))
                .scan_index_forward(false)
                .limit(i32::try_from(left).unwrap_or(i32::MAX))
                .set_exclusive_start_key(from.take())
                .send()
                .await
                .map_err(|error| ReadError::unavailable(table, error))?;
            rows.extend(page.items.unwrap_or_default());
            from = page.last_evaluated_key;
            if from.is_none() {
                break;
            }
        }
        Ok(Newest { rows, more: from.is_some() })
    }

    /// How many rows a partition of an index has, counted up to `max` and no further.
    pub(crate) async fn counted_up_to(
        &self,
        table: &'static str,
        index: &str,
        (key, value): (&str, &str),
        max: u32,
    ) -> Result<(u32, bool), ReadError> {
        let mut count: u32 = 0;
        let mut from = None;
        while count < max {
            let left = max.saturating_sub(count);
            let page = self
                .client()
                .query()
                .table_name(self.name(table))
                .index_name(index)
                .key_condition_expression("#key = :value")
                .expression_attribute_names("#key", key)
                .expression_attribute_values(":value", AttributeValue::S(value.to_owned()))
                .select(Select::Count)
                .limit(i32::try_from(left).unwrap_or(i32::MAX))
                .set_exclusive_start_key(from.take())
                .send()
                .await
                .map_err(|error| ReadError::unavailable(table, error))?;
            count = count.saturating_add(u32::try_from(page.count).unwrap_or(0));
            from = page.last_evaluated_key;
            if from.is_none() {
                break;
            }
        }
        Ok((count, from.is_some()))
    }
}
