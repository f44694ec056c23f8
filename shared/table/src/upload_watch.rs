//! What `upload` remembers of an organisation from one hour to the next, in the row of its connection: attributes of
//! its own, which nothing else writes.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use jiff::civil::Date;
use payments::OrganisationId;
use payments::upload::{Line, Skip, Upload};

use crate::attributes::instant;
use crate::error::{ReadError, WriteError};
use crate::schema::{BY_LINE, CONNECTIONS, UPLOADS};
use crate::tables::Tables;
use crate::upload_rows::line_key;
use crate::upload_rows::read_upload;

/// Rows that are looked at in one call.
const LOOKED_AT: i32 = 1_000;

/// A page of payments that the start date keeps back.
#[derive(Debug)]
pub struct KeptBack {
    /// Those that can be read.
    pub uploads: Vec<Upload>,
    /// Where the next page begins; `None` if there is none.
    pub next: Option<crate::uploads::Cursor>,
}

impl Tables {
    /// It is known until then which prepayments were deleted in Xero, which let us look.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn saw_prepayments(
        &self,
        organisation: OrganisationId,
        until: Timestamp,
    ) -> Result<(), WriteError> {
        let update = "SET prepayments_seen_until = :value REMOVE prepayments_refused_at";
        self.watch(organisation, update, instant(until)).await
    }

    /// Xero does not let us at its bank transactions; the first time counts.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn prepayments_refused(
        &self,
        organisation: OrganisationId,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let update = "SET prepayments_refused_at = if_not_exists(prepayments_refused_at, :value)";
        self.watch(organisation, update, instant(now)).await
    }

    /// It is known until then which money was deleted in Xero that a person has called the same as a payment.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn saw_same_money(
        &self,
        organisation: OrganisationId,
        until: Timestamp,
    ) -> Result<(), WriteError> {
        self.watch(organisation, "SET same_money_seen_until = :value", instant(until)).await
    }

    /// By this start date, in short, payments are kept back from now on, and none by an earlier one (AMB-35).
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn judged_by_start(
        &self,
        organisation: OrganisationId,
        start: &str,
    ) -> Result<(), WriteError> {
        self.watch(organisation, "SET judged_start = :value", start.to_owned()).await
    }

    /// The payments that do not go since a person has said that they are the same as others, and that stand in the
    /// line of all that do not go: they were written there before they had a line of their own.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn said_same_among_skipped(
        &self,
        organisation: OrganisationId,
    ) -> Result<Vec<Upload>, ReadError> {
        let line = line_key(organisation, Line::Skipped);
        let mut rows = self
            .client()
            .query()
            .table_name(self.name(UPLOADS))
            .index_name(BY_LINE)
            .key_condition_expression("line = :line")
            .filter_expression("attribute_exists(same_as)")
            .expression_attribute_values(":line", AttributeValue::S(line))
            .into_paginator()
            .items()
            .send();
        let mut found = Vec::new();
        while let Some(item) = rows.next().await {
            let item = item.map_err(|error| ReadError::unavailable(UPLOADS, error))?;
            found.extend(read_upload(&item).ok());
        }
        Ok(found)
    }

    async fn watch(
        &self,
        organisation: OrganisationId,
        update: &str,
        value: String,
    ) -> Result<(), WriteError> {
        let update = self
            .connection_update(organisation)
            .update_expression(update)
            .expression_attribute_values(":value", AttributeValue::S(value));
        update.send().await.map_err(|error| WriteError::unavailable(CONNECTIONS, error))?;
        Ok(())
    }

    /// The payments dated from that day on that do not go because of the start date, as of a moment ago, the
    /// oldest first. A row that cannot be read is left out, and hides no other.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn kept_back_by_start(
        &self,
        organisation: OrganisationId,
        from: Date,
        after: Option<crate::uploads::Cursor>,
    ) -> Result<KeptBack, ReadError> {
        let text = AttributeValue::S;
        let page = self
            .client()
            .query()
            .table_name(self.name(UPLOADS))
            .index_name(BY_LINE)
            .key_condition_expression("line = :line AND due_order >= :from")
            .filter_expression("reason IN (:before, :on)")
            .expression_attribute_values(":line", text(line_key(organisation, Line::Skipped)))
            .expression_attribute_values(":from", text(from.to_string()))
            .expression_attribute_values(":before", text(Skip::BeforeStartDate.code().to_owned()))
            .expression_attribute_values(":on", text(Skip::OnStartDate.code().to_owned()))
            .limit(LOOKED_AT)
            .set_exclusive_start_key(after.map(|cursor| cursor.0))
            .send()
            .await
            .map_err(|error| ReadError::unavailable(UPLOADS, error))?;
        let uploads = page.items().iter().filter_map(|item| read_upload(item).ok()).collect();
        let next = page.last_evaluated_key.map(crate::uploads::Cursor);
        Ok(KeptBack { uploads, next })
    }
}
