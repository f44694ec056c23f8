//! The daily closes: a row for each business day, and one for each invoice, contact or free payment of a day.
//!
//! The rows of a day are written before the day's own row, and bear its revision. So a day is closed as a whole or not
//! yet, and what an earlier revision said stays.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use jiff::civil::Date;
use payments::close::{Close, CloseStatus, CloseSubject, Item as CloseItem, SubjectFacts};
use payments::{Occurrence, OrganisationId};
use sha2::{Digest as _, Sha256};

use crate::activity::day as log_day;
use crate::attributes::{Item, Reader, Writer, instant};
use crate::canonical::feed;
use crate::close_rows::{cause_sums, item_row, read_facts, sums};
use crate::error::{ReadError, WriteError};
use crate::schema::{ACTIVITY, CLOSES};
use crate::stream::Image;
use crate::tables::Tables;

/// A business day that was closed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClosedDay {
    /// The business day.
    pub day: Date,
    /// Behind which moment it begins: the close before.
    pub from: Timestamp,
    /// Its close.
    pub until: Timestamp,
    /// The business day before, if it was closed: what that left unfinished was judged again.
    pub previous: Option<Date>,
    /// Counts how often it was closed with another outcome, from 1.
    pub revision: u64,
    /// A checksum over all of its rows.
    pub digest: String,
}

/// A row of the log that says something of a day after its close.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct LateFact {
    /// The partition of the log in which it stands.
    pub log_day: String,
    /// Its sort key there.
    pub at: String,
}

impl Tables {
    /// The close of a day; `None` if it was not closed.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn closed_day(
        &self,
        organisation: OrganisationId,
        day: Date,
    ) -> Result<Option<ClosedDay>, ReadError> {
        let key = [("organisation", organisation.to_string()), ("close", day_key(day))];
        self.one(CLOSES, &key).await?.as_ref().map(read_day).transpose()
    }

    /// The last day that was closed, or the last one before another; `None` if there is none.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn last_close(
        &self,
        organisation: OrganisationId,
        before: Option<Date>,
    ) -> Result<Option<ClosedDay>, ReadError> {
        let until = before.map_or_else(|| format!("{DAY}~"), day_key);
        let answer = self
            .client()
            .query()
            .table_name(self.name(CLOSES))
            .key_condition_expression(
                "organisation = :organisation AND #close BETWEEN :from AND :to",
            )
            .expression_attribute_names("#close", "close")
            .expression_attribute_values(":organisation", text(organisation))
            .expression_attribute_values(":from", text(DAY))
            .expression_attribute_values(":to", text(until))
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(2)
            .send()
            .await
            .map_err(|error| ReadError::unavailable(CLOSES, error))?;
        let days = answer.items().iter().map(read_day);
        let mut days = days.filter(|read| match (read, before) {
            (Ok(read), Some(before)) => read.day < before,
            _ => true,
        });
        days.next().transpose()
    }

    /// What a close has left unfinished: its subjects with what is known of them. A row that cannot be read is an error:
    /// a close without it would say that it is finished.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn unfinished(
        &self,
        organisation: OrganisationId,
        closed: &ClosedDay,
    ) -> Result<Vec<(CloseSubject, SubjectFacts)>, ReadError> {
        let mut items = self
            .client()
            .query()
            .table_name(self.name(CLOSES))
            .key_condition_expression("organisation = :organisation AND begins_with(#close, :rows)")
            .filter_expression("unfinished = :yes")
            .expression_attribute_names("#close", "close")
            .expression_attribute_values(":organisation", text(organisation))
            .expression_attribute_values(":rows", text(rows_of(closed.day, closed.revision)))
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut found = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(|error| ReadError::unavailable(CLOSES, error))?;
            found.push(read_facts(&item)?);
        }
        Ok(found)
    }

    /// Notes rows of the log that say something of a day after its close.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn note_late(
        &self,
        organisation: OrganisationId,
        day: Date,
        facts: &[LateFact],
    ) -> Result<(), WriteError> {
        let row = |fact: &LateFact| {
            Writer::default()
                .text("organisation", organisation)
                .text("close", format!("late#{day}#{}#{}", fact.at, fact.log_day))
                .text("log_day", &fact.log_day)
                .text("log_at", &fact.at)
                .finish()
        };
        self.put_rows(CLOSES, facts.iter().map(row).collect()).await
    }

    /// The rows of the log that were noted for a day after its close.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn late_facts(
        &self,
        organisation: OrganisationId,
        day: Date,
    ) -> Result<Vec<Image>, ReadError> {
        let mut rows = self
            .client()
            .query()
            .table_name(self.name(CLOSES))
            .key_condition_expression("organisation = :organisation AND begins_with(#close, :late)")
            .expression_attribute_names("#close", "close")
            .expression_attribute_values(":organisation", text(organisation))
            .expression_attribute_values(":late", text(format!("late#{day}#")))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut keys = Vec::new();
        while let Some(item) = rows.next().await {
            let item = item.map_err(|error| ReadError::unavailable(CLOSES, error))?;
            let row = Reader::new(CLOSES, &item);
            keys.push((row.text("log_day")?.to_owned(), row.text("log_at")?.to_owned()));
        }
        let found = self.many(ACTIVITY, ["day", "at"], keys, None).await?;
        Ok(found.into_iter().map(Image::of_row).collect())
    }

    /// Stores the close of a day as a new revision, if it says something else than what is `known`: its rows first, then
    /// the day's own row together with its row of the log. Whether it was news. The rows are gone through twice, and never all
    /// of them held.
    ///
    /// # Errors
    /// `Conflict` if the day was closed by another in the meantime; `Unavailable`.
    pub async fn store_close(
        &self,
        organisation: OrganisationId,
        known: Option<&ClosedDay>,
        (from, until, previous): (Timestamp, Timestamp, Option<Date>),
        (close, items): (&Close, impl Iterator<Item = CloseItem> + Clone),
        now: Timestamp,
    ) -> Result<bool, WriteError> {
        let revision = known.map_or(0, |known| known.revision).saturating_add(1);
        let day = day_row(close, (from, until, previous));
        let digest = checksum(&day, items.clone());
        if known.is_some_and(|known| known.digest == digest) {
            return Ok(false);
        }
        let prefix = rows_of(close.day, revision);
        let mut items = items.peekable();
        while items.peek().is_some() {
            let row = |item: CloseItem| {
                let mut row = item_row(&item);
                row.insert("organisation".to_owned(), text(organisation));
                row.insert("close".to_owned(), text(format!("{prefix}{}", item.subject)));
                row
            };
            let some = items.by_ref().take(ROWS_AT_ONCE).map(row).collect();
            self.put_rows(CLOSES, some).await?;
        }
        let mut day = day;
        day.extend(
            Writer::default()
                .text("organisation", organisation)
                .text("close", day_key(close.day))
                .number("revision", revision)
                .text("digest", &digest)
                .instant("closed_at", now)
                // They follow from the rows. The checksum of a day that an earlier version closed is without them.
                .value("cause_sums", cause_sums(&close.cause_sums))
                .finish(),
        );
        let read = known.map_or(0, |known| known.revision);
        let row = self.replace(CLOSES, day, read)?;
        let log = self.put(ACTIVITY, log_row(organisation, close, revision, now))?;
        self.commit(CLOSES, vec![row, log]).await?;
        Ok(true)
    }
}

/// Rows of a close that are made and written at once.
const ROWS_AT_ONCE: usize = 1_000;

/// A checksum over all rows of a day, and its own.
fn checksum(day: &Item, items: impl Iterator<Item = CloseItem>) -> String {
    let mut checksum = Sha256::new();
    for item in items {
        feed(&AttributeValue::M(item_row(&item)), &mut checksum);
    }
    feed(&AttributeValue::M(day.clone()), &mut checksum);
    checksum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the key of a day's own row begins with.
pub(crate) const DAY: &str = "day#";

pub(crate) fn day_key(day: Date) -> String {
    format!("{DAY}{day}")
}

/// What the keys of a day's rows begin with.
pub(crate) fn rows_of(day: Date, revision: u64) -> String {
    format!("row#{day}#{revision}#")
}

pub(crate) fn text(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

/// The figures of a day.
fn day_row(close: &Close, (from, until, previous): (Timestamp, Timestamp, Option<Date>)) -> Item {
    let subjects = close.subjects.iter();
    let subjects = subjects.map(|(status, count)| (status.to_string(), number(*count)));
    let causes = close.causes.iter().map(|(cause, count)| (cause.to_string(), number(*count)));
    let mut row = Writer::default()
        .text("day", close.day)
        .instant("from", from)
        .instant("until", until)
        .text_if("previous", previous)
        .value("sums", sums(&close.sums))
        .value("subjects", AttributeValue::M(subjects.collect()))
        .value("causes", AttributeValue::M(causes.collect()))
        .text_if("expected_first", close.expected.map(|(first, _)| first))
        .text_if("expected_last", close.expected.map(|(_, last)| last));
    for status in CloseStatus::ALL {
        row = row.number(status.code(), payments_of(close, *status));
    }
    row.finish()
}

fn number(count: u64) -> AttributeValue {
    AttributeValue::N(count.to_string())
}

/// How many payments stand like this, in any currency.
fn payments_of(close: &Close, status: CloseStatus) -> u64 {
    close.sums.iter().filter(|((_, of), _)| *of == status).map(|(_, sum)| sum.count).sum()
}

fn log_row(organisation: OrganisationId, close: &Close, revision: u64, now: Timestamp) -> Item {
    let what = if revision == 1 { Occurrence::CloseCompleted } else { Occurrence::CloseReopened };
    let count = |status| payments_of(close, status);
    let (reconciled, in_transit, wrong) = (
        count(CloseStatus::Reconciled),
        count(CloseStatus::InTransit),
        count(CloseStatus::NotReconciled),
    );
    let why = format!(
        "{}: {reconciled} payments reconcile, {in_transit} are in transit, {wrong} do not reconcile",
        close.day
    );
    Writer::default()
        .text("day", log_day(organisation, now))
        .text("at", format!("{}#close#{}#{revision}", instant(now), close.day))
        .text("organisation", organisation)
        .text("cause", "schedule")
        .logged(what)
        .text("rule", "SP-13")
        .text("close", close.day)
        .number("revision", revision)
        .number("reconciled", reconciled)
        .number("in_transit", in_transit)
        .number("not_reconciled", wrong)
        .text("why", why)
        .finish()
}

pub(crate) fn read_day(item: &Item) -> Result<ClosedDay, ReadError> {
    let row = Reader::new(CLOSES, item);
    Ok(ClosedDay {
        day: row.parsed("day")?,
        from: row.parsed("from")?,
        until: row.parsed("until")?,
        previous: row.parsed_if("previous")?,
        revision: row.number("revision")?,
        digest: row.text("digest")?.to_owned(),
    })
}
