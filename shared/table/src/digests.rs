//! What the digest of the morning rests on, and its row in the log.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use payments::digest::Morning;
use payments::{Occurrence, OrganisationId, RESOLVE_WITHIN};

use crate::activity::day;
use crate::attributes::{Reader, Writer, instant};
use crate::error::{ReadError, WriteError};
use crate::schema::{ACTIVITY, DISCREPANCIES};
use crate::tables::Tables;

/// The discrepancies that are open.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct OpenDiscrepancies {
    /// How many.
    pub count: u32,
    /// Since when the oldest of them is open: since it was found, or since it last came back.
    pub oldest: Option<Timestamp>,
    /// How many of them are open for more than 48 hours (SP-19).
    pub late: u32,
    /// How many of them have no owner (SP-36).
    pub without_owner: u32,
}

fn digest_key(scheduled_at: Timestamp) -> String {
    format!("{}#digest", instant(scheduled_at))
}

impl Tables {
    /// Counts an organisation's open discrepancies, as of a moment ago.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn open_discrepancies(
        &self,
        organisation: OrganisationId,
        now: Timestamp,
    ) -> Result<OpenDiscrepancies, ReadError> {
        let mut open = OpenDiscrepancies::default();
        let mut pages = self
            .client()
            .query()
            .table_name(self.name(DISCREPANCIES))
            .index_name("open")
            .key_condition_expression("open_in = :organisation")
            .expression_attribute_values(
                ":organisation",
                AttributeValue::S(organisation.to_string()),
            )
            .expression_attribute_names("#owner", "owner")
            .projection_expression("detected_at, reopened_at, #owner")
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ReadError::unavailable(DISCREPANCIES, error))?;
            open.count = open.count.saturating_add(u32::try_from(page.count).unwrap_or(0));
            // The index is in the order in which they were first found, and one that came back is younger.
            for item in page.items() {
                let row = Reader::new(DISCREPANCIES, item);
                let since = row.parsed_if("reopened_at")?.or(row.parsed_if("detected_at")?);
                let is_late = |since: Timestamp| now.duration_since(since) > RESOLVE_WITHIN;
                open.late = open.late.saturating_add(u32::from(since.is_some_and(is_late)));
                let is_free = u32::from(!row.has("owner"));
                open.without_owner = open.without_owner.saturating_add(is_free);
                open.oldest = open.oldest.into_iter().chain(since).min();
            }
        }
        Ok(open)
    }

    /// Whether the digest of this schedule was written.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn has_digest(
        &self,
        organisation: OrganisationId,
        scheduled_at: Timestamp,
    ) -> Result<bool, ReadError> {
        let key = [("day", day(organisation, scheduled_at)), ("at", digest_key(scheduled_at))];
        Ok(self.one(ACTIVITY, &key).await?.is_some())
    }

    /// Writes the morning's digest into the log. The row of one schedule is one row, however often the
    /// schedule comes, so that it is announced once.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn log_digest(
        &self,
        organisation: OrganisationId,
        morning: &Morning<'_>,
        scheduled_at: Timestamp,
    ) -> Result<(), WriteError> {
        let row = Writer::default()
            .text("day", day(organisation, scheduled_at))
            .text("at", digest_key(scheduled_at))
            .text("organisation", organisation)
            .text("cause", "schedule")
            .logged(Occurrence::MorningDigest)
            .text("rule", "CC-20")
            .text("reason", morning.verdict())
            .text("why", morning.text());
        self.put_row(ACTIVITY, row.finish()).await
    }
}
