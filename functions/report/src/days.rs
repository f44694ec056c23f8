//! The days that are over and not sealed: which days of which organisations.

use futures_util::StreamExt as _;
use host::counters::Counters as _;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use payments::OrganisationId;
use payments::seal::{Checksum, last_over};
use serde::{Deserialize, Serialize};
use table::{ReadError, WriteError};

use crate::Reporter;
use crate::day::Done;
use crate::error::{SealError, words};
use crate::log_reader::Log;
use crate::tally::Tally;

/// Organisations whose days are sealed at once.
const AT_ONCE: usize = 8;
/// Rows of organisations that are read in one call.
const PAGE: i32 = 1_000;
/// What of the invocation is left when the last day is begun.
const BEGUN: SignedDuration = SignedDuration::from_secs(120);

/// The seals that are asked for: of all days that are over and have none.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SealWish {
    /// Whose days; of all organisations, if nothing is said.
    pub(crate) organisation: Option<OrganisationId>,
    /// With which day an organisation begins that has no seal yet: with the last one that is over, if nothing is said.
    pub(crate) from: Option<Date>,
}

/// The seal of one day, as an answer shows it.
#[derive(Debug, Serialize)]
pub struct SealedAnswer {
    /// Whose day.
    pub organisation: OrganisationId,
    /// The day in UTC.
    pub day: Date,
    /// `sealed` or `failed`.
    pub outcome: &'static str,
    /// The checksum of the seal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// How many rows of the log it covers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Rows of the day before that came after its seal, and are covered by this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late: Option<u64>,
    /// Rows of the day before that are not as they were sealed; `verify_log` names them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differences: Option<u64>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl Reporter {
    /// Seals the days that are over.
    pub(crate) async fn seals(
        &self,
        wish: &SealWish,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> Result<Vec<SealedAnswer>, ReadError> {
        if let Some(organisation) = wish.organisation {
            let (answers, more) = self.of_one(organisation, wish.from, deadline).await;
            tally.absorb(more);
            return Ok(answers);
        }
        let mut answers = Vec::new();
        let mut after = None;
        loop {
            // An organisation that is switched off has a log all the same.
            let (organisations, next) = self.tables.organisation_ids_after(after, PAGE).await?;
            let mut done = futures_util::stream::iter(organisations)
                .map(async |organisation| self.of_one(organisation, wish.from, deadline).await)
                .buffer_unordered(AT_ONCE);
            while let Some((of_one, more)) = done.next().await {
                tally.absorb(more);
                answers.extend(of_one);
            }
            after = next;
            if after.is_none() {
                return Ok(answers);
            }
        }
    }

    /// The days of one organisation that are over and have no seal, the oldest first: a chain has no gap.
    async fn of_one(
        &self,
        organisation: OrganisationId,
        from: Option<Date>,
        deadline: Timestamp,
    ) -> (Vec<SealedAnswer>, Tally) {
        let (mut answers, mut tally) = (Vec::new(), Tally::default());
        let (tables, clock) = (&self.tables, &self.clock);
        let archive = self.archive.as_ref();
        let log = Log { tables, organisation, archive, clock, deadline };
        loop {
            let now = clock.now();
            let last_over = last_over(now);
            let next = match self.next_day(organisation, from.unwrap_or(last_over)).await {
                Ok(next) => next,
                Err(error) => {
                    tally.failed += 1;
                    answers.push(failed(organisation, last_over, &error.into()));
                    return (answers, tally);
                }
            };
            if next > last_over {
                return (answers, tally);
            }
            if deadline.duration_since(now) < BEGUN {
                // The next schedule goes on from here.
                tally.left += 1;
                return (answers, tally);
            }
            match Box::pin(self.one_day(&log, next, &mut tally)).await {
                Ok(done) => answers.push(sealed(organisation, &done)),
                // Another run has sealed it in the meantime: on with the next day.
                Err(SealError::Write(WriteError::Conflict)) => {}
                Err(error) => {
                    tally.failed += 1;
                    tracing::error!(
                        xero.tenant_id = %organisation,
                        seal.day = %next,
                        error = words(&error),
                        "a day of the log could not be sealed; the next schedule tries again"
                    );
                    answers.push(failed(organisation, next, &error));
                    return (answers, tally);
                }
            }
        }
    }

    /// The day behind the last seal, or with which a chain begins.
    async fn next_day(&self, organisation: OrganisationId, first: Date) -> Result<Date, ReadError> {
        let last = self.tables.sealed_day(organisation, false).await?;
        Ok(last.map_or(first, |last| last.tomorrow().unwrap_or(last)))
    }

    async fn one_day(
        &self,
        log: &Log<'_>,
        day: Date,
        tally: &mut Tally,
    ) -> Result<Done, SealError> {
        let before = match day.yesterday() {
            Ok(before) => self.tables.seal(log.organisation, before).await?,
            Err(_) => None,
        };
        let done = log.seal(day, before.as_ref(), tally).await?;
        tally.sealed += 1;
        tally.differences += usize::try_from(done.differences).unwrap_or(usize::MAX);
        Ok(done)
    }
}

fn sealed(organisation: OrganisationId, done: &Done) -> SealedAnswer {
    let contents = &done.seal.contents;
    SealedAnswer {
        organisation,
        day: done.seal.day,
        outcome: "sealed",
        checksum: Some(done.seal.checksum).as_ref().map(Checksum::to_string),
        rows: Some(contents.rows),
        late: Some(contents.late).filter(|late| *late > 0),
        differences: Some(done.differences).filter(|differences| *differences > 0),
        problem: None,
    }
}

fn failed(organisation: OrganisationId, day: Date, error: &SealError) -> SealedAnswer {
    SealedAnswer {
        organisation,
        day,
        outcome: "failed",
        checksum: None,
        rows: None,
        late: None,
        differences: None,
        problem: Some(words(error)),
    }
}
