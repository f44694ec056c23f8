//! What a sweep has put on the queue and the mirror has not worked off yet: Last Sync waits for it (CC-05).
//!
//! Each message of a sweep of what changed is a row next to the sweep's own, named after the moment at which it was
//! accepted. Working off a message takes its row out; when there is none left, Last Sync moves.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use payments::OrganisationId;
use payments::sweep::{SweepKind, SyncRunId};

use crate::attributes::{Item, Reader, Writer, instant};
use crate::error::{ReadError, WriteError};
use crate::latest::readable;
use crate::races::Races;
use crate::schema::SWEEPS;
use crate::tables::Tables;

/// As long as SQS keeps a message, dead letters included: a row that is older has none any more.
const KEPT: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Why it cannot be said whether everything is imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A row cannot be read.
    #[error("what is awaited cannot be read")]
    Read(#[from] ReadError),
    /// A row cannot be written.
    #[error("what is imported cannot be written")]
    Write(#[from] WriteError),
}

impl Tables {
    /// Notes that a run puts a message on the queue.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn await_import(
        &self,
        organisation: OrganisationId,
        accepted_at: Timestamp,
        run: &SyncRunId,
    ) -> Result<(), WriteError> {
        let row = Writer::default()
            .text("organisation", organisation)
            .text("sweep", key(accepted_at))
            .text("run", run);
        self.put_row(SWEEPS, row.finish()).await
    }

    /// The message that was accepted then is worked off.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn imported(
        &self,
        organisation: OrganisationId,
        accepted_at: Timestamp,
    ) -> Result<(), WriteError> {
        self.client()
            .delete_item()
            .table_name(self.name(SWEEPS))
            .key("organisation", AttributeValue::S(organisation.to_string()))
            .key("sweep", AttributeValue::S(key(accepted_at)))
            .send()
            .await
            .map_err(|error| WriteError::unavailable(SWEEPS, error))?;
        Ok(())
    }

    /// The messages that are awaited, by the moments at which they were accepted, with their runs; at most `max`.
    async fn awaited(
        &self,
        organisation: OrganisationId,
        now: Timestamp,
        max: i32,
    ) -> Result<Vec<(Timestamp, SyncRunId)>, ReadError> {
        let from = now.saturating_sub(KEPT).unwrap_or(now);
        let text = |text: String| AttributeValue::S(text);
        let page = self
            .client()
            .query()
            .table_name(self.name(SWEEPS))
            .key_condition_expression(
                "organisation = :organisation AND sweep BETWEEN :from AND :to",
            )
            .expression_attribute_values(":organisation", text(organisation.to_string()))
            .expression_attribute_values(":from", text(key(from)))
            .expression_attribute_values(":to", text(format!("{AWAITED}~")))
            .consistent_read(true)
            .limit(max)
            .send()
            .await
            .map_err(|error| ReadError::unavailable(SWEEPS, error))?;
        Ok(readable(page.items(), "sweep", read_awaited))
    }

    /// A run has ended in the middle: what it did not put on the queue any more is not awaited. The run after it
    /// puts it there.
    ///
    /// # Errors
    /// [`ImportError`].
    pub async fn forget_awaited(
        &self,
        organisation: OrganisationId,
        run: &SyncRunId,
        now: Timestamp,
    ) -> Result<(), ImportError> {
        const AWAITED_MAX: i32 = 1_000;
        for (at, of) in self.awaited(organisation, now, AWAITED_MAX).await? {
            if of == *run {
                self.imported(organisation, at).await?;
            }
        }
        Ok(())
    }

    /// Moves Last Sync to when everything was put on the queue, if nothing of it is awaited any more and no run is
    /// at it, which would do it at its end. Whether it is up to date.
    ///
    /// # Errors
    /// [`ImportError`].
    pub async fn move_last_sync(
        &self,
        organisation: OrganisationId,
        now: Timestamp,
    ) -> Result<bool, ImportError> {
        let mut races = Races::default();
        loop {
            let mut state = self.sweep(organisation, SweepKind::Changes).await?;
            if state.queued_at <= state.last_success_at {
                return Ok(true);
            }
            if state.lease_until.is_some_and(|until| until > now) {
                return Ok(false);
            }
            if !self.awaited(organisation, now, 1).await?.is_empty() {
                return Ok(false);
            }
            state.last_success_at = state.queued_at;
            match races.won(self.store_sweep(&state, &[]).await) {
                Ok(Some(_)) => return Ok(true),
                Ok(None) => {}
                Err(WriteError::LostRaces(_)) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

const AWAITED: &str = "awaited#";

fn read_awaited(item: &Item) -> Result<(Timestamp, SyncRunId), ReadError> {
    let row = Reader::new(SWEEPS, item);
    let at = row.text("sweep")?.strip_prefix(AWAITED).and_then(|at| at.parse().ok());
    let at = at.ok_or_else(|| row.wrong("sweep", "cannot be read"))?;
    Ok((at, SyncRunId::known(row.text("run")?.to_owned())))
}

fn key(accepted_at: Timestamp) -> String {
    format!("{AWAITED}{}", instant(accepted_at))
}
