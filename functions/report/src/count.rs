//! The log of a period in, its report out.

use figures::{Basis, PeriodFacts, ReportPeriod, Statement};
use host::clock::Clock;
use host::telemetry;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use payments::OrganisationId;
use payments::seal::Checksum;
use table::Tables;
use table::stream::Image;

use crate::document::{Document, LogBasis};
use crate::error::ReportError;

/// Rows of the log in one read: about a megabyte, more than which DynamoDB does not answer with.
const PAGE: i32 = 2_000;
/// What of the invocation is left for the files of a report.
const STORING: SignedDuration = SignedDuration::from_secs(90);

/// Whose reports are made, and until when.
#[derive(Clone, Copy)]
pub(crate) struct Counter<'a> {
    pub(crate) tables: &'a Tables,
    pub(crate) organisation: OrganisationId,
    pub(crate) clock: &'a Clock,
    pub(crate) deadline: Timestamp,
}

/// A report, counted and not stored.
pub(crate) struct CountedReport {
    pub(crate) statement: Statement,
    pub(crate) bytes: Vec<u8>,
    pub(crate) checksum: Checksum,
    pub(crate) sealed_day: Date,
    pub(crate) seal: Checksum,
}

/// The day in UTC of a moment.
fn day_in_utc(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// The last day of the log that a report of a period rests on.
pub(crate) fn last_day(period: ReportPeriod, zone: &TimeZone) -> Date {
    let (_, until) = period.bounds(zone);
    day_in_utc(PeriodFacts::decided_until(until))
}

impl Counter<'_> {
    /// Counts a period from the first sealed day of the log to its end.
    pub(crate) async fn count(
        &self,
        period: ReportPeriod,
        basis: &Basis,
    ) -> Result<CountedReport, ReportError> {
        let Self { tables, organisation, .. } = *self;
        let (from, until) = period.bounds(&basis.zone);
        let last_day = last_day(period, &basis.zone);
        let first_day = tables.sealed_day(organisation, true).await?;
        let first_day = first_day.ok_or(ReportError::NotSealed { day: last_day })?;
        let seal = tables.seal(organisation, last_day).await?;
        let seal = seal.ok_or(ReportError::NotSealed { day: last_day })?;
        let mut seals = Vec::new();
        let mut day = day_in_utc(from).max(first_day);
        while day <= last_day {
            let sealed = tables.seal(organisation, day).await?;
            let sealed = sealed.ok_or(ReportError::NotSealed { day })?;
            seals.push((day, sealed.checksum.to_string()));
            day = day.tomorrow().map_err(|_| ReportError::NotSealed { day })?;
        }
        let mut facts = PeriodFacts::new((from, until));
        let unreadable = self.fold(&mut facts, (first_day, last_day), until).await?;
        let statement = facts.statement(organisation, basis, period.last);
        drop(facts);
        let log = LogBasis {
            first_day,
            last_day,
            seal: seal.checksum.to_string(),
            seals,
            rows: statement.rows,
            unreadable,
        };
        let document = Document::of(organisation, period, basis, log, &statement);
        let (bytes, checksum) = document.bytes()?;
        Ok(CountedReport { statement, bytes, checksum, sealed_day: last_day, seal: seal.checksum })
    }

    /// Takes all rows of some days; the answer is how many cannot be read.
    async fn fold(
        &self,
        facts: &mut PeriodFacts,
        (first, last): (Date, Date),
        until: Timestamp,
    ) -> Result<u64, ReportError> {
        let (mut unreadable, mut day) = (0, first);
        while day <= last {
            let Ok(midnight) = day.to_zoned(TimeZone::UTC) else { break };
            let window = (midnight.timestamp(), PeriodFacts::decided_until(until));
            let mut after: Option<String> = None;
            loop {
                if self.deadline.duration_since(self.clock.now()) < STORING {
                    return Err(ReportError::OutOfTime);
                }
                let page =
                    self.tables.decided(self.organisation, day, window, after.as_deref(), PAGE);
                let page = page.await?;
                for image in &page.rows {
                    match image.entry() {
                        Ok(entry) => entry.iter().for_each(|entry| facts.take(entry)),
                        Err(error) => {
                            unreadable += 1;
                            tracing::error!(
                                activity.key = image.key(),
                                error = telemetry::chain(&error),
                                "a row of the activity log cannot be read; it is in no report"
                            );
                        }
                    }
                }
                after = page.rows.last().and_then(Image::at).map(str::to_owned);
                if !page.more || after.is_none() {
                    break;
                }
            }
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        Ok(unreadable)
    }
}
