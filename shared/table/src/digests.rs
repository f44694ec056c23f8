//! What the digest of the morning rests on, and its row in the log.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use payments::digest::Morning;
use payments::joint_digest::{ALL_ORGANISATIONS, JointDigest, LastDigest};
use payments::morning_close::CloseState;
use payments::{Occurrence, OrganisationId, RESOLVE_WITHIN};

use crate::activity::day;
use crate::attributes::{Item, Reader, Writer, instant};
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
        let said = (morning.verdict(), morning.close.state(), morning.text());
        self.put_row(ACTIVITY, digest_row(organisation, said, scheduled_at)).await
    }

    /// Writes the digest of all organisations into the log, where it stands like that of an organisation of its own.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn log_joint_digest(
        &self,
        joint: &JointDigest,
        scheduled_at: Timestamp,
    ) -> Result<(), WriteError> {
        let verdict = if joint.is_well { WELL } else { "look" };
        let said = (verdict, None, joint.text.clone());
        self.put_row(ACTIVITY, digest_row(ALL_ORGANISATIONS, said, scheduled_at)).await
    }

    /// The latest of these digests of each organisation.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn last_digests(
        &self,
        wanted: &[(OrganisationId, Timestamp)],
    ) -> Result<BTreeMap<OrganisationId, LastDigest>, ReadError> {
        let keys = wanted.iter().map(|(of, at)| (day(*of, *at), digest_key(*at)));
        let mut rows = self.many(ACTIVITY, ["day", "at"], keys, None).await?;
        rows.sort_by_key(|row| row.get("at").and_then(|at| at.as_s().ok()).cloned());
        let mut found = BTreeMap::new();
        for row in &rows {
            // One that cannot be read is none, and hides no other (AMB-30).
            found.extend(read_digest(Reader::new(ACTIVITY, row)).ok());
        }
        Ok(found)
    }
}

fn read_digest(row: Reader<'_>) -> Result<(OrganisationId, LastDigest), ReadError> {
    let digest = LastDigest {
        is_well: row.text("reason")? == WELL,
        // A code of a later version is none.
        close: row.text_if("close_state")?.and_then(CloseState::from_code),
        text: row.text("why")?.to_owned(),
    };
    Ok((row.parsed("organisation")?, digest))
}

/// The verdict of a morning on which no further look is needed.
const WELL: &str = "well";

fn digest_row(
    organisation: OrganisationId,
    (verdict, close, text): (&str, Option<CloseState>, String),
    scheduled_at: Timestamp,
) -> Item {
    Writer::default()
        .text("day", day(organisation, scheduled_at))
        .text("at", digest_key(scheduled_at))
        .text("organisation", organisation)
        .text("cause", "schedule")
        .logged(Occurrence::MorningDigest)
        .text("rule", "CC-20")
        .text("reason", verdict)
        .text("why", text)
        .text_if("close_state", close)
        .finish()
}
