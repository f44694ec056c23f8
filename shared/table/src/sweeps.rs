//! How far the sweeps of Xero have come: one row for each organisation and sweep.

use payments::sweep::{
    ListPosition, OpenWalk, Progress, Rotation, SweepKind, SweepState, SweptList, SyncRun,
    SyncRunId, SyncState,
};
use payments::{OrganisationId, XeroInvoiceId};

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
        let mut rows = vec![self.replace(SWEEPS, sweep_row(&stored), sweep.revision)?];
        for run in runs {
            rows.push(self.putting_run(run)?);
        }
        self.commit(SWEEPS, rows).await?;
        for run in runs {
            // The stored rows stay; the next run says how things are then.
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

    /// Keeps a part of what an unfinished full sweep has seen in Xero, in a row of its own.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn store_seen(
        &self,
        organisation: OrganisationId,
        walk: &OpenWalk,
        part: u32,
        seen: &[XeroInvoiceId],
    ) -> Result<(), WriteError> {
        let seen: Vec<_> = seen.iter().map(XeroInvoiceId::to_string).collect();
        let row = Writer::default()
            .text("organisation", organisation)
            .text("sweep", part_key(part))
            .instant("walk_begun_at", walk.begun_at)
            .text("seen", seen.join(" "));
        self.put_row(SWEEPS, row.finish()).await
    }

    /// A part of what an unfinished full sweep has seen in Xero; `None` if it is not there, or is an earlier
    /// one's.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn seen(
        &self,
        organisation: OrganisationId,
        walk: &OpenWalk,
        part: u32,
    ) -> Result<Option<Vec<XeroInvoiceId>>, ReadError> {
        let key = [("organisation", organisation.to_string()), ("sweep", part_key(part))];
        let Some(item) = self.one(SWEEPS, &key).await? else { return Ok(None) };
        let row = Reader::new(SWEEPS, &item);
        if row.parsed::<jiff::Timestamp>("walk_begun_at")? != walk.begun_at {
            return Ok(None);
        }
        let ids = row.text("seen")?.split(' ').map(str::parse).collect::<Result<_, _>>();
        ids.map(Some).map_err(|_| row.wrong("seen", "cannot be read"))
    }
}

/// Where a part of what a full sweep has seen is kept.
fn part_key(part: u32) -> String {
    format!("{}#{part:06}", SweepKind::Open)
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
        .instant_if("queued_at", sweep.queued_at)
        .instant_if("last_success_at", sweep.last_success_at);
    let row = row
        .text_if("judging", sweep.judging.as_ref())
        .number_if("awaiting_xero", Some(sweep.awaiting).filter(|count| *count > 0));
    let row = match &sweep.walk {
        None => row,
        Some(walk) => row
            .instant("walk_begun_at", walk.begun_at)
            .text("walk_judging", &walk.judging)
            .instant_if("walk_since", walk.xero.map(|place| place.since))
            .number_if("walk_rest", walk.xero.and_then(|place| place.rest))
            .text_if("walk_after", walk.after.as_ref())
            .number("walk_parts", walk.parts)
            .number("walk_awaiting_xero", walk.awaiting),
    };
    let row = match &sweep.rotation {
        None => row,
        Some(rotation) => row
            .text("rotation_begun_on", rotation.begun_on)
            .text_if("rotation_after", rotation.after.as_ref())
            .number("rotation_read", rotation.read)
            .number_if("rotation_size", rotation.size)
            .number("rotation_growth", rotation.growth)
            .text_if("compared_since", rotation.compared_since),
    };
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
    let walk = match row.parsed_if("walk_begun_at")? {
        None => None,
        Some(begun_at) => {
            let since = row.parsed_if("walk_since")?;
            let rest = row.number_if("walk_rest")?;
            Some(OpenWalk {
                begun_at,
                judging: row.text("walk_judging")?.to_owned(),
                xero: since.map(|since| ListPosition { since, rest }),
                after: row.parsed_if("walk_after")?,
                parts: row.number("walk_parts")?,
                awaiting: row.number("walk_awaiting_xero")?,
            })
        }
    };
    let rotation = match row.parsed_if("rotation_begun_on")? {
        None => None,
        Some(begun_on) => Some(Rotation {
            begun_on,
            after: row.parsed_if("rotation_after")?,
            read: row.number("rotation_read")?,
            size: row.number_if("rotation_size")?,
            growth: row.number("rotation_growth")?,
            compared_since: row.parsed_if("compared_since")?,
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
        walk,
        judging: row.text_if("judging")?.map(str::to_owned),
        awaiting: row.number_if("awaiting_xero")?.unwrap_or(0),
        rotation,
        run: row.text_if("run")?.map(|run| SyncRunId::known(run.to_owned())),
        lease_until: row.parsed_if("lease_until")?,
        cools_until: row.parsed_if("cools_until")?,
        scheduled_at: row.parsed_if("scheduled_at")?,
        last_attempt_at: row.parsed_if("last_attempt_at")?,
        last_attempt,
        queued_at: row.parsed_if("queued_at")?,
        last_success_at: row.parsed_if("last_success_at")?,
    })
}
