//! The history of an invoice, the newest decision first, a page at a time (EX-24, ST-14).

use aws_sdk_dynamodb::types::AttributeValue;
use payments::{InvoiceNumber, OrganisationId};

use crate::activity_log::{ActivityRow, read};
use crate::discrepancy_work::DiscrepancyPlace;
use crate::error::ReadError;
use crate::rows::invoice_key;
use crate::schema::{ACTIVITY, BY_INVOICE};
use crate::tables::Tables;

/// Most entries on a page.
pub const HISTORY_PAGE_MAX: u32 = 50;

/// A page of what has happened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HistoryPage {
    /// The newest first.
    pub entries: Vec<ActivityRow>,
    /// Before which key the next page begins; none if this was the last one.
    pub before: Option<String>,
    /// How many rows were read.
    pub read: u32,
}

impl Tables {
    /// The history of an invoice, the newest first, before a key of an earlier page if one is given: at
    /// most [`HISTORY_PAGE_MAX`] entries, and no more rows are read. As of a moment ago.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn history(
        &self,
        organisation: OrganisationId,
        number: &InvoiceNumber,
        before: Option<&str>,
    ) -> Result<HistoryPage, ReadError> {
        self.history_under(&invoice_key(organisation, number), before).await
    }

    /// The same of what a discrepancy stands on.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn history_of(
        &self,
        place: &DiscrepancyPlace,
        before: Option<&str>,
    ) -> Result<HistoryPage, ReadError> {
        self.history_under(&place.key_of_rows(), before).await
    }

    async fn history_under(
        &self,
        key: &str,
        before: Option<&str>,
    ) -> Result<HistoryPage, ReadError> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let condition = match before {
            None => "invoice = :invoice",
            Some(_) => "invoice = :invoice AND #at < :before",
        };
        let query = self
            .client()
            .query()
            .table_name(self.name(ACTIVITY))
            .index_name(BY_INVOICE)
            .key_condition_expression(condition)
            .expression_attribute_values(":invoice", text(key))
            .scan_index_forward(false)
            .limit(i32::try_from(HISTORY_PAGE_MAX).unwrap_or(i32::MAX));
        let query = match before {
            None => query,
            Some(before) => query
                .expression_attribute_names("#at", "at")
                .expression_attribute_values(":before", text(before)),
        };
        let answer = query.send().await.map_err(|error| ReadError::unavailable(ACTIVITY, error))?;
        let entries: Vec<_> = answer.items().iter().map(read).collect();
        let more = answer.last_evaluated_key.is_some();
        Ok(HistoryPage {
            before: entries.last().filter(|_| more).map(|last| last.key.clone()),
            entries,
            read: u32::try_from(answer.scanned_count).unwrap_or(0),
        })
    }
}
