//! The reports that are stored: what each rests on, its checksum, and what came of counting it again.

use aws_sdk_dynamodb::types::{AttributeValue, Put};
use jiff::Timestamp;
use jiff::civil::Date;
use payments::seal::Checksum;
use payments::{Occurrence, OrganisationId};

use crate::activity::day;
use crate::attributes::{Item, Reader, Writer, instant};
use crate::error::{ReadError, WriteError};
use crate::latest::Listed;
use crate::schema::{ACTIVITY, MESSAGES, REPORTS};
use crate::tables::{Tables, transact};

/// The kind of the message about a report that is another one when it is counted again.
pub const REPORT_DIFFERS: &str = "REPORT_DIFFERS";

/// A report of a period.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredReport {
    /// Whose.
    pub organisation: OrganisationId,
    /// The name of its period, such as `weekly-2026-11-23-2026-11-29`.
    pub period: String,
    /// The version of its format: another version may count in another way.
    pub format: u32,
    /// The checksum of its figures and lists.
    pub checksum: Checksum,
    /// The last day of the log that it rests on, in UTC.
    pub sealed_day: Date,
    /// The checksum of the seal of that day, which covers all days before.
    pub seal: Checksum,
    /// The settings that it was made with, as JSON.
    pub basis: String,
    /// The names of its files, which lie in the folder of the period.
    pub files: Vec<String>,
    /// The figures in a line each, for a list.
    pub headline: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// Who ordered it, if a person did.
    pub by: Option<String>,
    /// What came of counting it again, the last time.
    pub recount: Option<Recount>,
}

/// What came of counting a report again from the log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recount {
    /// When.
    pub at: Timestamp,
    /// The checksum of what was counted.
    pub checksum: Checksum,
    /// Why it is not the same, if it is not.
    pub difference: Option<String>,
}

impl StoredReport {
    /// The folder of its files in the bucket.
    pub fn folder(&self) -> String {
        Self::folder_of(self.organisation, &self.period)
    }

    /// The folder of the files of a period.
    pub fn folder_of(organisation: OrganisationId, period: &str) -> String {
        format!("{organisation}/reports/{period}")
    }
}

impl Tables {
    /// The report of a period; `None` if there is none.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn report(
        &self,
        organisation: OrganisationId,
        period: &str,
    ) -> Result<Option<StoredReport>, ReadError> {
        let key = [("organisation", organisation.to_string()), ("report", period.to_owned())];
        self.one(REPORTS, &key).await?.as_ref().map(read).transpose()
    }

    /// The reports of an organisation, the last names of periods first, at most `max`; those that cannot be read are named.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn reports(
        &self,
        organisation: OrganisationId,
        max: usize,
    ) -> Result<Listed<StoredReport>, ReadError> {
        let whose = organisation.to_string();
        let found = self.newest(REPORTS, None, ("organisation", &whose), max).await?;
        Ok(found.read_each("report", read))
    }

    /// The name of the last period that begins like this and has a report.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn last_report(
        &self,
        organisation: OrganisationId,
        prefix: &str,
    ) -> Result<Option<String>, ReadError> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let answer = self
            .client()
            .query()
            .table_name(self.name(REPORTS))
            .key_condition_expression(
                "organisation = :organisation AND begins_with(report, :prefix)",
            )
            .expression_attribute_values(":organisation", text(&organisation.to_string()))
            .expression_attribute_values(":prefix", text(prefix))
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(1)
            .send()
            .await
            .map_err(|error| ReadError::unavailable(REPORTS, error))?;
        let last = answer.items().first();
        last.map(|item| Ok(Reader::new(REPORTS, item).text("report")?.to_owned())).transpose()
    }

    /// Stores a report, once: another one of the same period is a conflict. Its row of the log is written in the same step.
    ///
    /// # Errors
    /// `Conflict`, `Unavailable`.
    pub async fn store_report(&self, report: &StoredReport) -> Result<(), WriteError> {
        let put = Put::builder()
            .table_name(self.name(REPORTS))
            .set_item(Some(row(report)))
            .condition_expression("attribute_not_exists(organisation)");
        let log = log_row(report, Occurrence::ReportStored, report.made_at)
            .text("rule", "SP-30")
            .text_if("by", report.by.as_deref())
            .text("report_checksum", report.checksum)
            .finish();
        let rows = vec![transact(put)?, self.put(ACTIVITY, log)?];
        self.commit(REPORTS, rows).await
    }

    /// Stores what came of counting a report again, with its row of the log. What differs is a message for the operators, which
    /// goes with the first recount that is the same again.
    ///
    /// # Errors
    /// `Conflict` if the report is another one by now; `Unavailable`.
    pub async fn store_recount(&self, report: &StoredReport) -> Result<(), WriteError> {
        let Some(recount) = &report.recount else { return Ok(()) };
        let put = Put::builder()
            .table_name(self.name(REPORTS))
            .set_item(Some(row(report)))
            .condition_expression("checksum = :checksum")
            .expression_attribute_values(
                ":checksum",
                AttributeValue::S(report.checksum.to_string()),
            );
        let (action, reason) = match recount.difference {
            Some(_) => (Occurrence::ReportDiffers, "differs"),
            None => (Occurrence::ReportRecounted, "same"),
        };
        let log = log_row(report, action, recount.at)
            .text("rule", "SP-33")
            .text("reason", reason)
            .text_if("why", recount.difference.as_deref())
            .text("report_checksum", recount.checksum)
            .finish();
        let message = format!("{REPORT_DIFFERS}#{}", report.period);
        let about = match &recount.difference {
            Some(why) => {
                let row = Writer::default()
                    .text("organisation", report.organisation)
                    .text("message", &message)
                    .text("kind", REPORT_DIFFERS)
                    .text("subject", &report.period)
                    .text("why", why)
                    .instant("raised_at", recount.at);
                self.put(MESSAGES, row.finish())?
            }
            None => self.message_end(report.organisation, message)?,
        };
        let rows = vec![transact(put)?, self.put(ACTIVITY, log)?, about];
        self.commit(REPORTS, rows).await
    }
}

fn log_row(report: &StoredReport, action: Occurrence, now: Timestamp) -> Writer {
    Writer::default()
        .text("day", day(report.organisation, now))
        .text("at", format!("{}#report#{}#{action}", instant(now), report.period))
        .text("organisation", report.organisation)
        .text("cause", if report.by.is_some() { "operations" } else { "schedule" })
        .logged(action)
        .text("report", &report.period)
}

fn row(report: &StoredReport) -> Item {
    let files = report.files.iter().cloned().map(AttributeValue::S).collect();
    let row = Writer::default()
        .text("organisation", report.organisation)
        .text("report", &report.period)
        .number("format", report.format)
        .text("checksum", report.checksum)
        .text("sealed_day", report.sealed_day)
        .text("seal", report.seal)
        .text("basis", &report.basis)
        .value("files", AttributeValue::L(files))
        .text("headline", &report.headline)
        .instant("made_at", report.made_at)
        .text_if("by", report.by.as_deref());
    let Some(recount) = &report.recount else { return row.finish() };
    row.instant("recounted_at", recount.at)
        .text("recount_checksum", recount.checksum)
        .text_if("difference", recount.difference.as_deref())
        .finish()
}

fn read(item: &Item) -> Result<StoredReport, ReadError> {
    let row = Reader::new(REPORTS, item);
    let recount = match row.parsed_if("recounted_at")? {
        Some(at) => Some(Recount {
            at,
            checksum: row.parsed("recount_checksum")?,
            difference: row.text_if("difference")?.map(str::to_owned),
        }),
        None => None,
    };
    Ok(StoredReport {
        organisation: row.parsed("organisation")?,
        period: row.text("report")?.to_owned(),
        format: row.number("format")?,
        checksum: row.parsed("checksum")?,
        sealed_day: row.parsed("sealed_day")?,
        seal: row.parsed("seal")?,
        basis: row.text("basis")?.to_owned(),
        files: row.list_of("files")?,
        headline: row.text("headline")?.to_owned(),
        made_at: row.parsed("made_at")?,
        by: row.text_if("by")?.map(str::to_owned),
        recount,
    })
}
