//! The reports of an organisation: those that are due, those that a person asks for, and their recounts.

use archive::{Archive, ArchiveFile};
use figures::{ADVICE_PERCENT, Basis, Cell, INVOICES_ADVISED, PeriodKind, ReportPeriod, Statement};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use payments::OrganisationId;
use payments::seal::Checksum;
use serde::{Deserialize, Serialize};
use table::{ReadError, Recount, StoredReport, WriteError};

use crate::Reporter;
use crate::count::{CountedReport, Counter, last_day};
use crate::document::{FORMAT, StoredBasis};
use crate::error::{ReportError, chain};
use crate::formats::{Heading, files};
use crate::recount::difference;
use crate::tally::Tally;

/// Rows of organisations that are read in one call.
const PAGE: i32 = 1_000;
/// What of the invocation is left when the last report is begun.
const BEGUN: SignedDuration = SignedDuration::from_secs(240);
/// How often the last report is counted again: once a night, whenever the schedule comes.
const RECOUNTED_EVERY: SignedDuration = SignedDuration::from_hours(20);
/// Reports that are looked at for the newest one.
const LOOKED_AT_MAX: usize = 1_000;
/// The file that the checksum covers.
const EXACT: &str = "report.json";
/// The kind of the message about a report that cannot be made.
const FAILED: &str = "REPORT_FAILED";

/// The reports that are asked for: all that are due, or one.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportWish {
    /// Whose; of all organisations, if nothing is said.
    pub(crate) organisation: Option<OrganisationId>,
    /// The name of a period: it is made if there is none yet, and counted again if there is.
    pub(crate) period: Option<String>,
    /// Who asks for it.
    pub(crate) by: Option<String>,
}

/// What became of a report, as an answer shows it.
#[derive(Debug, Serialize)]
pub struct ReportAnswer {
    /// Whose.
    pub organisation: OrganisationId,
    /// The name of its period.
    pub period: String,
    /// `made`, `same` or `differs` (of one that was counted again), `other_version`, `not_sealed` or `failed`.
    pub outcome: &'static str,
    /// The checksum of what was counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// The problem, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl Reporter {
    /// Makes what is asked for.
    pub(crate) async fn reports(
        &self,
        wish: &ReportWish,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> Result<Vec<ReportAnswer>, ReadError> {
        let Some(archive) = &self.archive else { return Ok(Vec::new()) };
        let mut answers = Vec::new();
        let mut after = None;
        loop {
            let (organisations, next) = match wish.organisation {
                Some(organisation) => (vec![organisation], None),
                None => self.tables.organisation_ids_after(after, PAGE).await?,
            };
            for organisation in organisations {
                let (tables, clock) = (&self.tables, &self.clock);
                let counter = Counter { tables, organisation, clock, deadline };
                let maker = ReportMaker { counter, archive, by: wish.by.clone() };
                let done = match &wish.period {
                    Some(period) => vec![Box::pin(maker.one(period)).await],
                    None => Box::pin(maker.due(tally)).await,
                };
                answers.extend(done);
            }
            after = next;
            if after.is_none() {
                break;
            }
        }
        for answer in &answers {
            tally.count(answer.outcome);
        }
        Ok(answers)
    }
}

/// Makes the reports of one organisation.
struct ReportMaker<'a> {
    counter: Counter<'a>,
    archive: &'a Archive,
    by: Option<String>,
}

impl ReportMaker<'_> {
    /// All that are due and not made, the oldest first; then the newest one is counted again.
    async fn due(&self, tally: &mut Tally) -> Vec<ReportAnswer> {
        let due = match self.missing().await {
            Ok(due) => due,
            Err(error) => return vec![self.failed("due", &error)],
        };
        let mut answers = Vec::new();
        for period in due {
            if self.is_late() {
                // The next schedule goes on from here.
                tally.reports_left += 1;
                return answers;
            }
            let made = Box::pin(self.make(period)).await;
            answers.push(self.answer(&period.to_string(), made).await);
        }
        if !self.is_late()
            && let Some(recount) = Box::pin(self.nightly()).await
        {
            answers.push(recount);
        }
        answers
    }

    fn is_late(&self) -> bool {
        self.counter.deadline.duration_since(self.counter.clock.now()) < BEGUN
    }

    /// The report of one period: made, or counted again.
    async fn one(&self, name: &str) -> ReportAnswer {
        let done = Box::pin(async {
            let period = name.parse().map_err(|_| ReportError::NoPeriod)?;
            let stored = self.counter.tables.report(self.counter.organisation, name).await?;
            match stored {
                Some(stored) => self.recount(stored).await,
                None => self.make(period).await,
            }
        });
        let done = done.await;
        self.answer(name, done).await
    }

    async fn answer(
        &self,
        period: &str,
        done: Result<(&'static str, Option<Checksum>, Option<String>), ReportError>,
    ) -> ReportAnswer {
        let organisation = self.counter.organisation;
        match done {
            Ok((outcome, checksum, problem)) => ReportAnswer {
                organisation,
                period: period.to_owned(),
                outcome,
                checksum: checksum.map(|checksum| checksum.to_string()),
                problem,
            },
            Err(error) => {
                let answer = self.failed(period, &error);
                let why = answer.problem.clone().unwrap_or_default();
                let now = self.counter.clock.now();
                let raised =
                    self.counter.tables.raise_message(organisation, FAILED, period, &why, now);
                if let Err(error) = raised.await {
                    tracing::error!(error = chain(&error), "a message could not be stored");
                }
                answer
            }
        }
    }

    fn failed(&self, period: &str, error: &ReportError) -> ReportAnswer {
        let problem = chain(error);
        tracing::error!(
            xero.tenant_id = %self.counter.organisation,
            report.period = period,
            error = problem,
            "a report could not be made; the next schedule tries again"
        );
        let is_early = matches!(error, ReportError::NotSealed { .. });
        ReportAnswer {
            organisation: self.counter.organisation,
            period: period.to_owned(),
            outcome: if is_early { "not_sealed" } else { "failed" },
            checksum: None,
            problem: Some(problem),
        }
    }

    /// Weeks, months and quarters that are over and sealed, and have no report.
    async fn missing(&self) -> Result<Vec<ReportPeriod>, ReportError> {
        let (tables, organisation) = (self.counter.tables, self.counter.organisation);
        let first = tables.sealed_day(organisation, true).await?;
        let last = tables.sealed_day(organisation, false).await?;
        let (Some(first), Some(last)) = (first, last) else { return Ok(Vec::new()) };
        let Some(basis) = self.basis().await? else { return Ok(Vec::new()) };
        let mut missing = Vec::new();
        for kind in [PeriodKind::Weekly, PeriodKind::Monthly, PeriodKind::Quarterly] {
            let newest = tables.last_report(organisation, &format!("{kind}-")).await?;
            let newest = newest.and_then(|newest| newest.parse().ok());
            let mut period = match newest {
                Some(newest) => ReportPeriod::next(newest),
                None => ReportPeriod::around(kind, first),
            };
            while last_day(period, &basis.zone) <= last && period.last < Date::MAX {
                missing.push(period);
                period = period.next();
            }
        }
        missing.sort_by_key(|period| (period.last, period.first));
        Ok(missing)
    }

    async fn basis(&self) -> Result<Option<Basis>, ReportError> {
        let settings = self.counter.tables.settings(self.counter.organisation).await?;
        Ok(settings.as_ref().map(Basis::from))
    }

    /// Counts a period, and keeps its files.
    async fn make(
        &self,
        period: ReportPeriod,
    ) -> Result<(&'static str, Option<Checksum>, Option<String>), ReportError> {
        let (tables, organisation) = (self.counter.tables, self.counter.organisation);
        let basis = self.basis().await?.ok_or(ReportError::NoSettings)?;
        let counted = self.counter.count(period, &basis).await?;
        let stored = self.keep(period, &basis, counted).await?;
        match tables.store_report(&stored).await {
            // Another run has made the same from the same log.
            Ok(()) | Err(WriteError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
        tables.end_message(organisation, FAILED, &stored.period).await?;
        Ok(("made", Some(stored.checksum), None))
    }

    async fn keep(
        &self,
        period: ReportPeriod,
        basis: &Basis,
        counted: CountedReport,
    ) -> Result<StoredReport, ReportError> {
        let CountedReport { statement, bytes, checksum, sealed_day, seal } = counted;
        let organisation = self.counter.organisation;
        let stored_basis = StoredBasis::from(basis);
        let heading = Heading {
            organisation: organisation.to_string(),
            period,
            time_zone: stored_basis.time_zone().to_owned(),
            checksum,
            rests_on: format!("It rests on the log up to {sealed_day}, sealed as {seal}"),
        };
        let folder = StoredReport::folder_of(organisation, &period.to_string());
        let exact = ArchiveFile { name: EXACT.to_owned(), media_type: "application/json", bytes };
        let mut names = Vec::new();
        for file in std::iter::once(exact).chain(files(&heading, &statement)?) {
            names.push(file.name.clone());
            self.archive.put(&folder, file).await?;
        }
        self.warn_of_volume(&statement).await?;
        Ok(StoredReport {
            organisation,
            period: period.to_string(),
            format: FORMAT,
            checksum,
            sealed_day,
            seal,
            basis: stored_basis.written(),
            files: names,
            headline: headline(&statement),
            made_at: self.counter.clock.now(),
            by: self.by.clone(),
            recount: None,
        })
    }

    /// A message from 80 % of what Xero is meant for in a month on (EX-30).
    async fn warn_of_volume(&self, statement: &Statement) -> Result<(), ReportError> {
        for row in figure_rows(statement, "xero_volume") {
            let Some(Cell::Count(invoices)) = row.get(3) else { continue };
            if invoices * 100 < INVOICES_ADVISED * ADVICE_PERCENT {
                continue;
            }
            let month = row.last().map(ToString::to_string).unwrap_or_default();
            let month = month.split(':').next().unwrap_or_default().to_owned();
            let why = format!(
                "{invoices} new sales invoices in Xero in {month}; Xero is meant for about {INVOICES_ADVISED} a month"
            );
            let (tables, now) = (self.counter.tables, self.counter.clock.now());
            tables
                .raise_message(self.counter.organisation, "XERO_VOLUME", &month, &why, now)
                .await?;
        }
        Ok(())
    }

    /// The report that was made last, if it was not counted again since last night.
    async fn nightly(&self) -> Option<ReportAnswer> {
        let (tables, organisation) = (self.counter.tables, self.counter.organisation);
        let newest = match tables.reports(organisation, LOOKED_AT_MAX).await {
            Ok(reports) => reports.rows.into_iter().max_by_key(|report| report.made_at)?,
            Err(error) => return Some(self.failed("newest", &error.into())),
        };
        let since = newest.recount.as_ref().map_or(newest.made_at, |recount| recount.at);
        if self.counter.clock.now().duration_since(since) < RECOUNTED_EVERY {
            return None;
        }
        let period = newest.period.clone();
        let done = self.recount(newest).await;
        Some(self.answer(&period, done).await)
    }

    /// Counts a stored report again from the log, and looks whether its file is still the same (SP-33).
    async fn recount(
        &self,
        stored: StoredReport,
    ) -> Result<(&'static str, Option<Checksum>, Option<String>), ReportError> {
        if stored.format != FORMAT {
            return Ok(("other_version", None, None));
        }
        let basis = StoredBasis::read(&stored.basis).and_then(|basis| basis.basis());
        let basis = basis.ok_or(ReportError::NoSettings)?;
        let period = stored.period.parse().map_err(|_| ReportError::NoPeriod)?;
        let counted = self.counter.count(period, &basis).await?;
        let file = self.archive.get(&format!("{}/{EXACT}", stored.folder())).await?;
        let is_kept = file.as_deref().map(Checksum::of_bytes) == Some(stored.checksum);
        let is_same = is_kept && counted.checksum == stored.checksum;
        let difference = (!is_same).then(|| difference(file.as_deref(), &counted.bytes));
        let outcome = if is_same { "same" } else { "differs" };
        let (at, checksum) = (self.counter.clock.now(), counted.checksum);
        let recount = Recount { at, checksum, difference: difference.clone() };
        if let Some(difference) = &difference {
            tracing::error!(
                xero.tenant_id = %stored.organisation,
                report.period = stored.period,
                difference,
                "a report counted again from the log is another one"
            );
        }
        let stored = StoredReport { recount: Some(recount), ..stored };
        self.counter.tables.store_recount(&stored).await?;
        Ok((outcome, Some(checksum), difference))
    }
}

fn figure_rows<'a>(statement: &'a Statement, code: &str) -> impl Iterator<Item = &'a Vec<Cell>> {
    let figures = statement.sheets.iter().filter(|sheet| sheet.name == "figures");
    let code = Cell::from(code);
    figures.flat_map(|sheet| &sheet.rows).filter(move |row| row.first() == Some(&code))
}

/// The figures that a list of reports shows.
fn headline(statement: &Statement) -> String {
    let value = |code| {
        let row = figure_rows(statement, code).next();
        row.and_then(|row| row.get(5)).map(ToString::to_string).unwrap_or_default()
    };
    format!(
        "reconciled {}, seen in time {}, resolved in time {}",
        value("reconciliation_success"),
        value("status_sync_time"),
        value("resolution_rate")
    )
}
