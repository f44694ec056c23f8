//! The closes that are due: which days of which organisations.

use commands::reply::CloseOutcome;
use futures_util::StreamExt as _;
use host::counters::Counters as _;
use host::telemetry;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use payments::close::{Calendar, OVERDUE_AFTER};
use payments::{OrganisationId, Settings};
use serde::Deserialize;

use crate::Reconciler;
use crate::day::{CloseError, DayClose};
use crate::tally::CloseTally;

/// Organisations whose days are closed at once.
const AT_ONCE: usize = 8;
/// Rows of organisations that are read in one call.
const PAGE: usize = 1_000;
/// What of the invocation is left when the last close is begun.
const BEGUN: SignedDuration = SignedDuration::from_secs(180);

/// The closes that are asked for: all that are due, or one day again.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseWish {
    /// Whose days; of all organisations, if nothing is said.
    pub organisation: Option<OrganisationId>,
    /// Which day; every day that is due, if nothing is said.
    pub day: Option<Date>,
    /// Who asks for it: an event may say so, and the command `close` keeps it in the log.
    #[serde(default, rename = "by")]
    _by: Option<String>,
    /// Why.
    #[serde(default, rename = "why")]
    _why: Option<String>,
}

impl CloseWish {
    /// The days of one organisation that are due, or one of its days again.
    pub fn of(organisation: OrganisationId, day: Option<Date>) -> Self {
        Self { organisation: Some(organisation), day, ..Self::default() }
    }
}

impl Reconciler {
    /// Closes the days that are due, or one day again.
    pub(crate) async fn closes(
        &self,
        wish: &CloseWish,
        deadline: Timestamp,
        tally: &mut CloseTally,
    ) -> Result<Vec<CloseOutcome>, table::ReadError> {
        let mut answers = Vec::new();
        if let Some(organisation) = wish.organisation {
            if let Some(settings) = self.tables.settings(organisation).await? {
                let (of_one, more) = self.of_one(&settings, wish.day, deadline).await;
                tally.absorb(more);
                answers.extend(of_one);
            }
            return Ok(answers);
        }
        let mut after = None;
        loop {
            let (rows, next) = self.tables.organisations_at_work_after(after, PAGE).await?;
            let readable = rows.into_iter().filter_map(|row| row.settings.ok());
            let mut done = futures_util::stream::iter(readable)
                .map(async |settings| self.of_one(&settings, None, deadline).await)
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

    /// The days of one organisation that are due, the oldest first; a close that was missed is made up for.
    async fn of_one(
        &self,
        settings: &Settings,
        day: Option<Date>,
        deadline: Timestamp,
    ) -> (Vec<CloseOutcome>, CloseTally) {
        let mut tally = CloseTally::default();
        let mut answers = Vec::new();
        let close = DayClose { tables: &self.tables, settings, clock: &self.clock, deadline };
        if let Some(day) = day {
            answers.push(self.one_day(&close, day, &mut tally).await);
            return (answers, tally);
        }
        loop {
            let now = self.clock.now();
            let is_late = deadline.duration_since(now) < BEGUN;
            let due = match self.next_due(settings, now).await {
                Ok(due) => due,
                Err(error) => {
                    tally.failed += 1;
                    let error = CloseError::Read(error);
                    answers.push(failed(settings, settings.today(now), &error));
                    return (answers, tally);
                }
            };
            let Some((day, due_at)) = due else { return (answers, tally) };
            tally.overdue += usize::from(now.duration_since(due_at) > OVERDUE_AFTER);
            if is_late {
                // The next schedule goes on from here.
                tally.left += 1;
                return (answers, tally);
            }
            let answer = self.one_day(&close, day, &mut tally).await;
            let is_done = answer.problem.is_none();
            answers.push(answer);
            if !is_done {
                return (answers, tally);
            }
        }
    }

    /// The next day to be closed, and when that was due; `None` if its time has not come.
    async fn next_due(
        &self,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<Option<(Date, Timestamp)>, table::ReadError> {
        let last = self.tables.last_close(settings.organisation, None).await?;
        Ok(Calendar::of(settings).due(last.map(|last| last.day), now))
    }

    async fn one_day(
        &self,
        close: &DayClose<'_>,
        day: Date,
        tally: &mut CloseTally,
    ) -> CloseOutcome {
        let organisation = close.settings.organisation;
        match Box::pin(close.run(day, tally)).await {
            Ok(done) => CloseOutcome {
                organisation,
                day,
                outcome: done.outcome.to_owned(),
                revision: Some(done.revision),
                problem: None,
            },
            Err(error) => {
                tally.failed += 1;
                tracing::error!(
                    xero.tenant_id = %organisation,
                    close.day = %day,
                    error = telemetry::chain(&error),
                    "a day could not be closed; the next schedule tries again"
                );
                failed(close.settings, day, &error)
            }
        }
    }
}

fn failed(settings: &Settings, day: Date, error: &CloseError) -> CloseOutcome {
    CloseOutcome {
        organisation: settings.organisation,
        day,
        outcome: "failed".to_owned(),
        revision: None,
        problem: Some(telemetry::chain(error)),
    }
}
