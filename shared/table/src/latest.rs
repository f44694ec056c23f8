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

/// The same, of rows of which each is shown for itself: one that cannot be read does not hide the others.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listed<T> {
    /// The rows that can be read.
    pub rows: Vec<T>,
    /// Those that cannot.
    pub unreadable: Vec<UnreadableRow>,
    /// Whether there are more than were read.
    pub more: bool,
}

/// A row that cannot be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnreadableRow {
    /// Its key, by which a person finds it.
    pub key: String,
    /// The problem: names the table and the attribute, and quotes nothing.
    pub problem: String,
}

impl UnreadableRow {
    /// The row that has its key, or a part of it, in this attribute.
    pub(crate) fn of(item: &Item, key: &str, problem: &ReadError) -> Self {
        let text = item.get(key).and_then(|value| value.as_s().ok());
        let key = text.map_or_else(|| "unknown".to_owned(), Clone::clone);
        Self { key, problem: problem.to_string() }
    }
}

/// The rows that can be read. The others are named in the log by this attribute, and hide none of them (AMB-30).
pub(crate) fn readable<'a, T>(
    rows: impl IntoIterator<Item = &'a Item>,
    key: &str,
    read: impl Fn(&Item) -> Result<T, ReadError>,
) -> Vec<T> {
    let (found, unreadable) = sorted(rows, key, read);
    for row in &unreadable {
        tracing::warn!(row.key = row.key, problem = row.problem, "a row cannot be read");
    }
    found
}

/// The rows that can be read, and those that cannot.
pub(crate) fn sorted<'a, T>(
    rows: impl IntoIterator<Item = &'a Item>,
    key: &str,
    read: impl Fn(&Item) -> Result<T, ReadError>,
) -> (Vec<T>, Vec<UnreadableRow>) {
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    for item in rows {
        match read(item) {
            Ok(row) => found.push(row),
            Err(problem) => unreadable.push(UnreadableRow::of(item, key, &problem)),
        }
    }
    (found, unreadable)
}

/// From which end of a partition rows are read.
#[derive(Clone, Copy)]
enum SortOrder {
    FirstFirst,
    LastFirst,
}

impl Newest<Item> {
    /// The rows as something that can be used, without those that cannot be read: the log names them by this
    /// attribute.
    pub(crate) fn readable<T>(
        self,
        key: &str,
        read: impl Fn(&Item) -> Result<T, ReadError>,
    ) -> Newest<T> {
        Newest { rows: readable(&self.rows, key, read), more: self.more }
    }

    /// The rows as something that can be made of any row.
    pub(crate) fn map<T>(self, read: impl Fn(&Item) -> T) -> Newest<T> {
        Newest { rows: self.rows.iter().map(read).collect(), more: self.more }
    }

    /// Each row for itself; those that cannot be read are named by this attribute of theirs.
    pub(crate) fn read_each<T>(
        self,
        key: &str,
        read: impl Fn(&Item) -> Result<T, ReadError>,
    ) -> Listed<T> {
        let (rows, unreadable) = sorted(&self.rows, key, read);
        Listed { rows, unreadable, more: self.more }
    }
}

impl Tables {
    /// The last rows of a partition of a table or of an index, the last one first, at most `max`.
    pub(crate) async fn newest(
        &self,
        table: &'static str,
        index: Option<&str>,
        of: (&str, &str),
        max: usize,
    ) -> Result<Newest<Item>, ReadError> {
        self.in_order(table, index, of, SortOrder::LastFirst, max).await
    }

    /// The first rows of a partition of a table or of an index, in their order, at most `max`.
    pub(crate) async fn oldest(
        &self,
        table: &'static str,
        index: Option<&str>,
        of: (&str, &str),
        max: usize,
    ) -> Result<Newest<Item>, ReadError> {
        self.in_order(table, index, of, SortOrder::FirstFirst, max).await
    }

    async fn in_order(
        &self,
        table: &'static str,
        index: Option<&str>,
        (key, value): (&str, &str),
        order: SortOrder,
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
                .scan_index_forward(matches!(order, SortOrder::FirstFirst))
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
