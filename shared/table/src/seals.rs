//! The seals of the activity log: a row for each day, and pages with the checksums of single rows.
//!
//! Pages are written first, under their own checksum: two runs over the same day never write over each other's pages,
//! and the row of the day, which names its pages, is written once and by one of them.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use jiff::civil::Date;
use payments::seal::{Checksum, Contents, Seal, SealPage, SealedRow};
use payments::{Occurrence, OrganisationId};
use sha2::{Digest as _, Sha256};

use crate::activity::day as log_day;
use crate::attributes::{Item, Reader, Writer, instant};
use crate::canonical::feed_attributes;
use crate::error::{ReadError, WriteError};
use crate::schema::{ACTIVITY, ORGANISATIONS, SEALS};
use crate::tables::Tables;

/// What the keys of the days' own rows begin with.
const DAY: &str = "day#";
/// The attributes of the key of a row of the log: its place, and not its contents.
const KEY: [&str; 2] = ["day", "at"];

/// Some rows of a day of the log, as checksums, in the order of their keys.
#[derive(Debug)]
pub struct LogChecksums {
    /// The rows.
    pub rows: Vec<SealedRow>,
    /// Behind which sort key it goes on; none if the day has ended.
    pub next: Option<String>,
}

impl Tables {
    /// The checksums of the rows of one day in UTC, about a megabyte of them, from behind the row `after` on.
    ///
    /// # Errors
    /// `Unavailable`; `Unreadable` if a row has no key that is a text, which DynamoDB does not allow.
    pub async fn log_checksums(
        &self,
        organisation: OrganisationId,
        day: Date,
        after: Option<&str>,
    ) -> Result<LogChecksums, ReadError> {
        let day = format!("{organisation}/{day}");
        let start = after.map(|after| [("day", day.as_str()), ("at", after)].map(owned).into());
        let page = self
            .client()
            .query()
            .table_name(self.name(ACTIVITY))
            .key_condition_expression("#day = :day")
            .expression_attribute_names("#day", "day")
            .expression_attribute_values(":day", text(&day))
            .consistent_read(true)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| ReadError::unavailable(ACTIVITY, error))?;
        let next = match &page.last_evaluated_key {
            Some(last) => Some(Reader::new(ACTIVITY, last).text("at")?.to_owned()),
            None => None,
        };
        let rows = page.items().iter().map(sealed).collect::<Result<_, _>>()?;
        Ok(LogChecksums { rows, next })
    }

    /// The ids of organisations that are set up here, also of those that are switched off, and the key after which the
    /// list goes on, if it does. A row whose key is no organisation's is passed over.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn organisation_ids_after(
        &self,
        after: Option<String>,
        max: i32,
    ) -> Result<(Vec<OrganisationId>, Option<String>), ReadError> {
        let page = self
            .client()
            .scan()
            .table_name(self.name(ORGANISATIONS))
            .projection_expression("organisation")
            .consistent_read(true)
            .limit(max)
            .set_exclusive_start_key(after.map(|key| [owned(("organisation", &key))].into()))
            .send()
            .await
            .map_err(|error| ReadError::unavailable(ORGANISATIONS, error))?;
        let id = |item: &Item| Reader::new(ORGANISATIONS, item).parsed("organisation").ok();
        let next = page.last_evaluated_key().and_then(|key| key.get("organisation"));
        let next = next.and_then(|key| key.as_s().ok()).cloned();
        Ok((page.items().iter().filter_map(id).collect(), next))
    }

    /// The seal of a day; `None` if it has none.
    ///
    /// # Errors
    /// `Unavailable`; `Unreadable` if the row holds what no seal holds.
    pub async fn seal(
        &self,
        organisation: OrganisationId,
        day: Date,
    ) -> Result<Option<Seal>, ReadError> {
        let key = [("organisation", organisation.to_string()), ("seal", format!("{DAY}{day}"))];
        self.one(SEALS, &key).await?.as_ref().map(read_seal).transpose()
    }

    /// The first day that was sealed, or the last one; `None` if none was.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn sealed_day(
        &self,
        organisation: OrganisationId,
        first: bool,
    ) -> Result<Option<Date>, ReadError> {
        let answer = self
            .client()
            .query()
            .table_name(self.name(SEALS))
            .key_condition_expression("organisation = :organisation AND begins_with(#seal, :day)")
            .expression_attribute_names("#seal", "seal")
            .expression_attribute_values(":organisation", text(&organisation.to_string()))
            .expression_attribute_values(":day", text(DAY))
            .consistent_read(true)
            .scan_index_forward(first)
            .limit(1)
            .send()
            .await
            .map_err(|error| ReadError::unavailable(SEALS, error))?;
        let Some(item) = answer.items().first() else { return Ok(None) };
        let row = Reader::new(SEALS, item);
        let day = row.text("seal")?.strip_prefix(DAY).and_then(|day| day.parse().ok());
        day.map(Some).ok_or_else(|| row.wrong("seal", "names no day"))
    }

    /// A page of the checksums of single rows; `None` if it is gone.
    ///
    /// # Errors
    /// `Unavailable`; `Unreadable` if it holds what no page holds.
    pub async fn seal_page(
        &self,
        organisation: OrganisationId,
        page: Checksum,
    ) -> Result<Option<SealPage>, ReadError> {
        let key = [("organisation", organisation.to_string()), ("seal", page_key(page))];
        let Some(item) = self.one(SEALS, &key).await? else { return Ok(None) };
        let row = Reader::new(SEALS, &item);
        let lines: Vec<String> = row.list_of("rows")?;
        let rows = lines.iter().map(|line| {
            let (content, at) = line.split_once(' ')?;
            Some(SealedRow { at: at.to_owned(), content: content.parse().ok()? })
        });
        let rows =
            rows.collect::<Option<_>>().ok_or_else(|| row.wrong("rows", "cannot be read"))?;
        Ok(Some(SealPage { log_day: row.parsed("log_day")?, rows }))
    }

    /// Stores a page of the checksums of single rows. Storing it again changes nothing.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn store_seal_page(
        &self,
        organisation: OrganisationId,
        page: &SealPage,
    ) -> Result<Checksum, WriteError> {
        let checksum = page.checksum();
        let line = |row: &SealedRow| text(&format!("{} {}", row.content, row.at));
        let row = Writer::default()
            .text("organisation", organisation)
            .text("seal", page_key(checksum))
            .text("log_day", page.log_day)
            .value("rows", AttributeValue::L(page.rows.iter().map(line).collect()))
            .finish();
        self.put_row(SEALS, row).await?;
        Ok(checksum)
    }

    /// Stores the seal of a day, whose pages are stored, with its row of the log.
    ///
    /// # Errors
    /// `Conflict` if the day was sealed by another run in the meantime; `Unavailable`.
    pub async fn store_seal(&self, seal: &Seal, now: Timestamp) -> Result<(), WriteError> {
        let pages = |pages: &[Checksum]| {
            AttributeValue::L(pages.iter().map(|page| text(&page.to_string())).collect())
        };
        let row = said(seal, Writer::default())
            .text("organisation", seal.organisation)
            .text("seal", format!("{DAY}{}", seal.day))
            .value("pages", pages(&seal.contents.pages))
            .value("late_pages", pages(&seal.contents.late_pages))
            .instant("sealed_at", now)
            .finish();
        let row = self.replace(SEALS, row, 0)?;
        let log = self.put(ACTIVITY, log_row(seal, now))?;
        self.commit(SEALS, vec![row, log]).await
    }
}

fn owned((name, value): (&str, &str)) -> (String, AttributeValue) {
    (name.to_owned(), text(value))
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn page_key(page: Checksum) -> String {
    format!("page#{page}")
}

/// A row of the log as its key and the checksum of its contents.
fn sealed(row: &Item) -> Result<SealedRow, ReadError> {
    let mut checksum = Sha256::new();
    feed_attributes(row, &KEY, &mut checksum);
    let at = Reader::new(ACTIVITY, row).text("at")?.to_owned();
    Ok(SealedRow { at, content: Checksum::of(checksum) })
}

/// What both the seal and its row of the log say.
fn said(seal: &Seal, row: Writer) -> Writer {
    row.text("sealed_day", seal.day)
        .text("checksum", seal.checksum)
        .text_if("previous", seal.previous)
        .number("rows", seal.contents.rows)
        .number("late", seal.contents.late)
}

fn log_row(seal: &Seal, now: Timestamp) -> Item {
    let row = Writer::default()
        .text("day", log_day(seal.organisation, now))
        .text("at", format!("{}#seal#{}", instant(now), seal.day))
        .text("organisation", seal.organisation)
        .text("cause", "schedule")
        .logged(Occurrence::LogSealed)
        .text("rule", "SP-29");
    said(seal, row).finish()
}

fn read_seal(item: &Item) -> Result<Seal, ReadError> {
    let row = Reader::new(SEALS, item);
    Ok(Seal {
        organisation: row.parsed("organisation")?,
        day: row.parsed("sealed_day")?,
        previous: row.parsed_if("previous")?,
        contents: Contents {
            rows: row.number("rows")?,
            pages: row.list_of("pages")?,
            late: row.number("late")?,
            late_pages: row.list_of("late_pages")?,
        },
        checksum: row.parsed("checksum")?,
    })
}
