//! Shadow: what reads of Xero have shown and what would have been done, one row for each invoice; the report of each day;
//! and the two attributes' worth of an organisation's row by which the shadow begins and ends (CM-03, CM-30). Rows expire.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use payments::shadow::{ShadowObservation, ShadowReport};
use payments::{InvoiceNumber, Occurrence, OrganisationId};

use crate::attributes::{Item, Reader, instant};
use crate::disconnections::LogSource;
use crate::error::{ReadError, WriteError};
use crate::schema::SHADOWS;
use crate::shadow_rows::{
    INVOICE, REPORT, observation_row, read_observation, read_report, report_row,
};
use crate::tables::Tables;

/// How long a row is kept after it was written last.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 400);

impl Tables {
    /// The knowledge of an invoice in shadow; `None` if there is none.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn shadow_observation(
        &self,
        organisation: OrganisationId,
        number: &InvoiceNumber,
    ) -> Result<Option<ShadowObservation>, ReadError> {
        let key =
            [("organisation", organisation.to_string()), ("shadow", format!("{INVOICE}{number}"))];
        let row = self.one(SHADOWS, &key).await?;
        row.map(|item| read_observation(organisation, Reader::new(SHADOWS, &item))).transpose()
    }

    /// Stores what is known of an invoice in shadow, unless a later read has been stored meanwhile.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn store_shadow_observation(
        &self,
        observation: &ShadowObservation,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let version = instant(observation.version.updated_at);
        let put = self
            .client()
            .put_item()
            .table_name(self.name(SHADOWS))
            .set_item(Some(expiring(observation_row(observation), now)))
            .condition_expression("attribute_not_exists(shadow) OR updated_at <= :version")
            .expression_attribute_values(":version", AttributeValue::S(version))
            .send()
            .await;
        match put {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Ok(())
            }
            Err(error) => Err(WriteError::unavailable(SHADOWS, error)),
        }
    }

    /// Everything that is known of invoices in shadow. A row that cannot be read is no row less: a comparison without it
    /// would say that nothing differs.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn shadow_observations(
        &self,
        organisation: OrganisationId,
    ) -> Result<Vec<ShadowObservation>, ReadError> {
        let rows = self.shadow_rows_from(organisation, INVOICE, None).await?;
        let read = |item| read_observation(organisation, Reader::new(SHADOWS, item));
        rows.iter().map(read).collect()
    }

    /// Stores the report of a day, in place of an earlier one of the same day.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn store_shadow_report(
        &self,
        report: &ShadowReport,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        self.put_row(SHADOWS, expiring(report_row(report), now)).await
    }

    /// The reports of the last days, the newest first. One that cannot be read is left out.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn shadow_reports(
        &self,
        organisation: OrganisationId,
        max: u16,
    ) -> Result<Vec<ShadowReport>, ReadError> {
        let rows = self.shadow_rows_from(organisation, REPORT, Some(max)).await?;
        let read = |item| read_report(organisation, Reader::new(SHADOWS, item)).ok();
        Ok(rows.iter().filter_map(read).collect())
    }

    /// The rows whose keys begin like this: all, or the last ones.
    async fn shadow_rows_from(
        &self,
        organisation: OrganisationId,
        begins: &str,
        last: Option<u16>,
    ) -> Result<Vec<Item>, ReadError> {
        let mut rows: Vec<Item> = Vec::new();
        let mut from = None;
        loop {
            let page = self
                .client()
                .query()
                .table_name(self.name(SHADOWS))
                .key_condition_expression(
                    "organisation = :organisation AND begins_with(shadow, :begins)",
                )
                .expression_attribute_values(
                    ":organisation",
                    AttributeValue::S(organisation.to_string()),
                )
                .expression_attribute_values(":begins", AttributeValue::S(begins.to_owned()))
                .scan_index_forward(last.is_none())
                .set_limit(last.map(i32::from))
                .consistent_read(true)
                .set_exclusive_start_key(from.take())
                .send()
                .await
                .map_err(|error| ReadError::unavailable(SHADOWS, error))?;
            rows.extend(page.items.unwrap_or_default());
            from = page.last_evaluated_key;
            if from.is_none() || last.is_some_and(|max| rows.len() >= usize::from(max)) {
                return Ok(rows);
            }
        }
    }

    /// From now on everything is decided, and nothing is done. Returns whether that is new.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn enter_shadow(
        &self,
        organisation: OrganisationId,
        said: (&str, &str),
        now: Timestamp,
    ) -> Result<bool, WriteError> {
        let update = self
            .row_of(organisation)
            .update_expression("SET shadow_since = :now")
            .condition_expression(
                "attribute_exists(organisation) AND attribute_not_exists(shadow_since)",
            )
            .expression_attribute_values(":now", AttributeValue::S(instant(now)));
        self.change_organisation(organisation, update, logged(Occurrence::ShadowEntered), said, now)
            .await
    }

    /// From now on decisions are carried out. Returns whether that is new.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn leave_shadow(
        &self,
        organisation: OrganisationId,
        said: (&str, &str),
        now: Timestamp,
    ) -> Result<bool, WriteError> {
        let update = self
            .row_of(organisation)
            .update_expression("REMOVE shadow_since")
            .condition_expression("attribute_exists(shadow_since)");
        self.change_organisation(organisation, update, logged(Occurrence::ShadowLeft), said, now)
            .await
    }
}

fn logged(what: Occurrence) -> LogSource {
    LogSource { what, rule: "CM-30", cause: "console" }
}

/// The same row with the second after which DynamoDB drops it.
fn expiring(mut row: Item, now: Timestamp) -> Item {
    let at = now.saturating_add(KEPT).unwrap_or(now).as_second();
    row.insert("expires_at".to_owned(), AttributeValue::N(at.to_string()));
    row
}
