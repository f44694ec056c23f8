//! What each run over an organisation did: one row a run, the newest failures by an index.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use payments::OrganisationId;
use payments::sweep::{Latency, SyncKind, SyncRun, SyncRunId, SyncState, Trigger};

use crate::attributes::{Item, Reader, Writer};
use crate::error::{ReadError, WriteError};
use crate::latest::Newest;
use crate::schema::{FAILURES, SYNC_RUNS};
use crate::tables::Tables;

/// How long runs are kept that something set off that came in: 400 days, so that a year can be compared.
const KEPT_SECONDS: i64 = 400 * 24 * 60 * 60;

impl Tables {
    /// A run; `None` if there is none of that name.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn sync_run(
        &self,
        organisation: OrganisationId,
        run: &SyncRunId,
    ) -> Result<Option<SyncRun>, ReadError> {
        let key = [("organisation", organisation.to_string()), ("run", run.to_string())];
        self.one(SYNC_RUNS, &key).await?.as_ref().map(read_run).transpose()
    }

    /// Writes a run that has one writer: the serial in its name distinguishes it from the others.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn record_run(&self, run: &SyncRun) -> Result<(), WriteError> {
        self.put_row(SYNC_RUNS, run_row(run)).await?;
        self.note_run(run).await
    }

    /// The newest runs, at most `max`.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn newest_runs(
        &self,
        organisation: OrganisationId,
        max: usize,
    ) -> Result<Newest<SyncRun>, ReadError> {
        let key = organisation.to_string();
        let found = self.newest(SYNC_RUNS, None, ("organisation", &key), max).await?;
        Ok(found.readable("run", read_run))
    }

    /// The runs that went wrong last, the newest first, at most `max`, as of a moment ago (CC-26).
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn newest_failures(
        &self,
        organisation: OrganisationId,
        max: usize,
    ) -> Result<Newest<SyncRun>, ReadError> {
        let key = organisation.to_string();
        let found = self.newest(SYNC_RUNS, Some(FAILURES), ("failed_in", &key), max).await?;
        Ok(found.readable("run", read_run))
    }

    /// The row of a run, for a transaction. Only its own run writes it, or the one after that.
    pub(crate) fn putting_run(&self, run: &SyncRun) -> Result<TransactWriteItem, WriteError> {
        self.put(SYNC_RUNS, run_row(run))
    }
}

fn run_row(run: &SyncRun) -> Item {
    let failed = run.ended_at.is_some() && !run.errors.is_empty();
    // Incoming messages make many runs, and each of their decisions is a row of `activity` that stays.
    let expires =
        (run.trigger == Trigger::Queue).then(|| run.started_at.as_second() + KEPT_SECONDS);
    Writer::default()
        .text("organisation", run.organisation)
        .text("run", &run.id)
        .text("kind", run.kind)
        .text("trigger", run.trigger)
        .text_if("by", run.by.as_deref())
        .text_if("why", run.why.as_deref())
        .text_if("subject", run.subject.as_deref())
        .text("state", run.state)
        .instant_if("scheduled_at", run.scheduled_at)
        .instant("started_at", run.started_at)
        .instant_if("ended_at", run.ended_at)
        .value("counts", numbers(&run.counts))
        .value("errors", numbers(&run.errors))
        .text_if("problem", run.problem.as_deref())
        .number("calls", run.calls)
        .number("bytes", run.bytes)
        .number_if("latency_count", run.latency.map(|latency| latency.count))
        .number_if("latency_p50_ms", run.latency.map(|latency| latency.p50_ms))
        .number_if("latency_p95_ms", run.latency.map(|latency| latency.p95_ms))
        .number_if("latency_max_ms", run.latency.map(|latency| latency.max_ms))
        .number_if("late", run.latency.map(|latency| latency.late))
        .number_if("expires_at", expires)
        .text_if("failed_in", failed.then_some(run.organisation))
        .finish()
}

fn numbers(counts: &BTreeMap<String, u32>) -> AttributeValue {
    let counts = counts.iter();
    let counts = counts.map(|(name, count)| (name.clone(), AttributeValue::N(count.to_string())));
    AttributeValue::M(counts.collect())
}

fn read_run(item: &Item) -> Result<SyncRun, ReadError> {
    let row = Reader::new(SYNC_RUNS, item);
    let text = |name| Ok::<_, ReadError>(row.text_if(name)?.map(str::to_owned));
    Ok(SyncRun {
        organisation: row.parsed("organisation")?,
        id: SyncRunId::known(row.text("run")?.to_owned()),
        kind: row.code("kind", SyncKind::from_code)?,
        trigger: row.code("trigger", Trigger::from_code)?,
        by: text("by")?,
        why: text("why")?,
        subject: text("subject")?,
        state: row.code("state", SyncState::from_code)?,
        scheduled_at: row.parsed_if("scheduled_at")?,
        started_at: row.parsed("started_at")?,
        ended_at: row.parsed_if("ended_at")?,
        counts: row.numbers("counts")?,
        errors: row.numbers("errors")?,
        problem: text("problem")?,
        calls: row.number("calls")?,
        bytes: row.number("bytes")?,
        latency: read_latency(&row)?,
    })
}

fn read_latency(row: &Reader<'_>) -> Result<Option<Latency>, ReadError> {
    let Some(count) = row.number_if("latency_count")? else { return Ok(None) };
    Ok(Some(Latency {
        count,
        p50_ms: row.number("latency_p50_ms")?,
        p95_ms: row.number("latency_p95_ms")?,
        max_ms: row.number("latency_max_ms")?,
        late: row.number("late")?,
    }))
}
