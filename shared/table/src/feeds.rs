//! Feeds: as the settings name them, and what each has said of its last import (CC-27).

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use payments::OrganisationId;
use payments::feed::{FEEDS_MAX, FeedKind, FeedReport, FeedSchedule, FeedSettings, is_source};

use crate::attributes::{Item, Reader, Writer, instant};
use crate::daily_time::{read_time, time_text};
use crate::error::{ReadError, WriteError};
use crate::schema::{FEEDS, ORGANISATIONS};
use crate::tables::{Tables, transact};

/// What the key begins with of the row that says when the last receipt of a source was taken in. No source has such a name.
const RECEIVED: &str = "received#";

/// The feeds that a person has written into an organisation's row. What makes no sense is said, and left out.
pub(crate) fn read_feed_settings(row: Reader<'_>) -> FeedSettings {
    let mut settings = FeedSettings::default();
    let Ok(entries) = row.entries("feeds") else {
        settings.mistakes.push("feeds is no map of sources: no feed is known".to_owned());
        return settings;
    };
    let mut wrong = 0_usize;
    for (source, value) in entries {
        let AttributeValue::M(item) = value else {
            wrong += 1;
            continue;
        };
        let entry = Reader::new(ORGANISATIONS, item);
        let kind = entry.code("kind", FeedKind::from_code);
        let (name, due_at) = (entry.text_if("name"), read_time(entry, "due_at"));
        match (is_source(source), kind, name, due_at) {
            (true, Ok(kind), Ok(name), Ok(due_at)) => settings.feeds.push(FeedSchedule {
                source: source.to_owned(),
                kind,
                name: name.filter(|name| !name.trim().is_empty()).map(str::to_owned),
                due_at: due_at.unwrap_or(FeedSchedule::DUE_AT),
            }),
            _ => wrong += 1,
        }
    }
    if wrong > 0 {
        settings.mistakes.push(format!(
            "{wrong} of the feeds have no kind, a time before 04:00, or a name that is none: they are left out"
        ));
    }
    if settings.feeds.len() > FEEDS_MAX {
        let words =
            format!("feeds lists {} feeds, and {FEEDS_MAX} is the most", settings.feeds.len());
        settings.mistakes.push(words);
        settings.feeds.truncate(FEEDS_MAX);
    }
    settings
}

/// The attribute of the feeds, if there are any.
pub(crate) fn feed_attribute(settings: &FeedSettings) -> Option<AttributeValue> {
    let entry = |feed: &FeedSchedule| {
        let row = Writer::default()
            .text("kind", feed.kind)
            .text_if("name", feed.name.as_ref())
            .text("due_at", time_text(feed.due_at));
        (feed.source.clone(), AttributeValue::M(row.finish()))
    };
    let feeds: Item = settings.feeds.iter().map(entry).collect();
    (!feeds.is_empty()).then_some(AttributeValue::M(feeds))
}

impl Tables {
    /// The last report of a feed; `None` if it has never reported.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn feed_report(
        &self,
        organisation: OrganisationId,
        source: &str,
    ) -> Result<Option<FeedReport>, ReadError> {
        let key = [("organisation", organisation.to_string()), ("feed", source.to_owned())];
        let row = self.one(FEEDS, &key).await?;
        row.map(|item| read(organisation, Reader::new(FEEDS, &item))).transpose()
    }

    /// The last report of each feed of an organisation. One that cannot be read is left out.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn feed_reports(
        &self,
        organisation: OrganisationId,
    ) -> Result<Vec<FeedReport>, ReadError> {
        let rows = self.partition(FEEDS, "organisation", &organisation.to_string()).await?;
        Ok(rows.iter().filter_map(|row| read(organisation, Reader::new(FEEDS, row)).ok()).collect())
    }

    /// Notes that a receipt of this source was taken in.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn note_feed_receipt(
        &self,
        organisation: OrganisationId,
        source: &str,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let row = Writer::default()
            .text("organisation", organisation)
            .text("feed", format!("{RECEIVED}{source}"))
            .instant("received_at", now);
        self.put_row(FEEDS, row.finish()).await
    }

    /// When the last receipt of each source was taken in.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn feed_receipts(
        &self,
        organisation: OrganisationId,
    ) -> Result<BTreeMap<String, Timestamp>, ReadError> {
        let rows = self.partition(FEEDS, "organisation", &organisation.to_string()).await?;
        let received = rows.iter().filter_map(|item| {
            let row = Reader::new(FEEDS, item);
            let source = row.text("feed").ok()?.strip_prefix(RECEIVED)?.to_owned();
            Some((source, row.parsed("received_at").ok()?))
        });
        Ok(received.collect())
    }

    /// Stores the report of a feed in place of the one before.
    ///
    /// # Errors
    /// `Conflict` if another report was stored since that one was read; `Unavailable`.
    pub async fn store_feed_report(
        &self,
        known: Option<&FeedReport>,
        report: &FeedReport,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let row = Writer::default()
            .text("organisation", report.organisation)
            .text("feed", &report.source)
            .number("revision", report.revision)
            .text("covers_from", report.from)
            .text("covers_to", report.to)
            .number("imported", report.imported)
            .number("errors", report.errors)
            .text_if("problem", report.problem.as_ref())
            .flag("not_published", report.not_published)
            .instant("reported_at", report.reported_at)
            .text("recorded_at", instant(now));
        let put = aws_sdk_dynamodb::types::Put::builder()
            .table_name(self.name(FEEDS))
            .set_item(Some(row.finish()));
        let put = match known {
            None => put.condition_expression("attribute_not_exists(organisation)"),
            Some(known) => {
                put.condition_expression("revision = :read").expression_attribute_values(
                    ":read",
                    AttributeValue::N(known.revision.to_string()),
                )
            }
        };
        self.commit(FEEDS, vec![transact(put)?]).await
    }
}

fn read(organisation: OrganisationId, row: Reader<'_>) -> Result<FeedReport, ReadError> {
    Ok(FeedReport {
        organisation,
        source: row.text("feed")?.to_owned(),
        revision: row.number("revision")?,
        from: row.parsed("covers_from")?,
        to: row.parsed("covers_to")?,
        imported: row.number("imported")?,
        errors: row.number("errors")?,
        problem: row.text_if("problem")?.map(str::to_owned),
        not_published: row.flag("not_published")?,
        reported_at: row.parsed("reported_at")?,
    })
}
