//! How many rows a question has read. What a person asks is bounded, and says what it took.

use aws_sdk_dynamodb::types::AttributeValue;
use payments::{InvoiceNumber, OrganisationId};

use crate::attributes::{Item, Reader};
use crate::error::ReadError;
use crate::tables::Tables;

/// Most rows that one id may lead to: one, unless an invoice was renamed, or a copy came and went.
pub(crate) const ROWS_OF_AN_ID_MAX: i32 = 100;

/// Counts the rows that were read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Meter(u32);

impl Meter {
    pub(crate) fn add(&mut self, rows: usize) {
        self.0 = self.0.saturating_add(u32::try_from(rows).unwrap_or(u32::MAX));
    }

    pub(crate) fn total(self) -> u32 {
        self.0
    }
}

impl Tables {
    /// The rows that an index has of an id, as of a moment ago, at most [`ROWS_OF_AN_ID_MAX`].
    pub(crate) async fn by_id(
        &self,
        table: &'static str,
        index: &str,
        name: &str,
        id: String,
        meter: &mut Meter,
    ) -> Result<Vec<Item>, ReadError> {
        let answer = self
            .client()
            .query()
            .table_name(self.name(table))
            .index_name(index)
            .key_condition_expression("#id = :id")
            .expression_attribute_names("#id", name)
            .expression_attribute_values(":id", AttributeValue::S(id))
            .limit(ROWS_OF_AN_ID_MAX)
            .send()
            .await
            .map_err(|error| ReadError::unavailable(table, error))?;
        let rows = answer.items.unwrap_or_default();
        meter.add(rows.len());
        Ok(rows)
    }
}

/// Whose invoice a row belongs to, by its key alone.
pub(crate) fn owner(row: Reader<'_>) -> Result<(OrganisationId, InvoiceNumber), ReadError> {
    let key = row.text("invoice")?;
    let (organisation, number) =
        key.split_once('/').ok_or_else(|| row.wrong("invoice", "is no key of an invoice"))?;
    let unreadable = || row.wrong("invoice", "cannot be read");
    Ok((organisation.parse().map_err(|_| unreadable())?, number.parse().map_err(|_| unreadable())?))
}
