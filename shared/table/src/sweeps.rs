//! How far the sweeps of Xero have come: one row for each organisation and sweep.

use payments::OrganisationId;
use payments::sweep::{Progress, SweepKind, SweepState, SweptList, SyncRun, SyncRunId, SyncState};

use crate::attributes::{Item, Reader, Writer};
use crate::error::{ReadError, WriteError};
use crate::schema::SWEEPS;
use crate::tables::Tables;

impl Tables {
    /// How far a sweep has come, read consistently; as new, if it has never been made.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn sweep(
        &self,
        organisation: OrganisationId,
        kind: SweepKind,
    ) -> Result<SweepState, ReadError> {
        let key = [("organisation", organisation.to_string()), ("sweep", kind.to_string())];
        match self.one(SWEEPS, &key).await? {
            None => Ok(SweepState::new(organisation, kind)),
            Some(item) => read_sweep(organisation, kind, Reader::new(SWEEPS, &item)),
        }
    }

    /// Stores how far a sweep has come, on condition that its revision still is the one that was read (0:
    /// that there is none), together with the rows of these runs. Returns it with the revision that it
    /// has now.
    ///
    /// # Errors
    /// `Conflict`: another run has written it. `Unavailable`.
    pub async fn store_sweep(
        &self,
        sweep: &SweepState,
        runs: &[&SyncRun],
    ) -> Result<SweepState, WriteError> {
        let stored = SweepState { revision: sweep.revision.saturating_add(1), ..sweep.clone() };
        let mut rows = vec![self.putting_over(SWEEPS, sweep_row(&stored), sweep.revision)?];
        for run in runs {
            rows.push(self.putting_run(run)?);
        }
        self.commit(SWEEPS, rows).await?;
        for run in runs {
            // What was stored is stored; the next run says how it is then.
            if let Err(error) = self.note_run(run).await {
                tracing::error!(
                    xero.tenant_id = %run.organisation,
                    error = %error,
                    "it could not be noted how a run ended"
                );
            }
        }
        Ok(stored)
    }
}

fn sweep_row(sweep: &SweepState) -> Item {
    let row = Writer::default()
        .text("organisation", sweep.organisation)
        .text("sweep", sweep.kind)
        .number("revision", sweep.revision)
        .instant_if("cursor", sweep.cursor)
        .text_if("run", sweep.run.as_ref())
        .instant_if("lease_until", sweep.lease_until)
        .instant_if("cools_until", sweep.cools_until)
        .instant_if("scheduled_at", sweep.scheduled_at)
        .instant_if("last_attempt_at", sweep.last_attempt_at)
        .text_if("last_attempt", sweep.last_attempt)
        .instant_if("last_success_at", sweep.last_success_at);
    match &sweep.progress {
        None => row,
        Some(progress) => row
            .instant_if("reached_begun_at", progress.begun_at)
            .instant("reached_since", progress.since)
            .text("list", progress.list)
            .instant("reached_at", progress.reached),
    }
    .finish()
}

fn read_sweep(
    organisation: OrganisationId,
    kind: SweepKind,
    row: Reader<'_>,
) -> Result<SweepState, ReadError> {
    let progress = match row.parsed_if("reached_at")? {
        None => None,
        Some(reached) => Some(Progress {
            begun_at: row.parsed_if("reached_begun_at")?,
            since: row.parsed("reached_since")?,
            list: row.code("list", SweptList::from_code)?,
            reached,
        }),
    };
    let last_attempt = match row.has("last_attempt") {
        false => None,
        true => Some(row.code("last_attempt", SyncState::from_code)?),
    };
    Ok(SweepState {
        organisation,
        kind,
        revision: row.number("revision")?,
        cursor: row.parsed_if("cursor")?,
        progress,
        run: row.text_if("run")?.map(|run| SyncRunId::known(run.to_owned())),
        lease_until: row.parsed_if("lease_until")?,
        cools_until: row.parsed_if("cools_until")?,
        scheduled_at: row.parsed_if("scheduled_at")?,
        last_attempt_at: row.parsed_if("last_attempt_at")?,
        last_attempt,
        last_success_at: row.parsed_if("last_success_at")?,
    })
}
