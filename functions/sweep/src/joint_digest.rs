//! One digest for all organisations, where there are many: each has its own by its own clock, and operators read one
//! mail (CC-20, CC-22).

use host::telemetry;
use jiff::{SignedDuration, Timestamp};
use payments::joint_digest::{ALL_ORGANISATIONS, DigestPart, JointDigest};
use payments::sweep::{DailySchedules, DailyWork};
use queue::Changes;
use table::Enabled;

use crate::{HandleError, Sweeper};

/// How long after its time it is put together: by then the organisations in the stack's zone have theirs.
const AFTER: SignedDuration = SignedDuration::from_mins(20);
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Rows of organisations that are read in one call.
const PAGE: usize = 1_000;

impl<C: Changes> Sweeper<C> {
    /// Writes it, if its time has come and it is not there. If it cannot be, the next half hour tries again.
    pub(crate) async fn join_digests(&self) {
        if let Some(daily) = &self.daily
            && let Err(error) = self.joint_digest(daily).await
        {
            tracing::error!(
                error = telemetry::chain(&error),
                "the digest of all organisations could not be made; the next schedule tries again"
            );
        }
    }

    async fn joint_digest(&self, daily: &DailySchedules) -> Result<(), HandleError> {
        let tables = |error: table::ReadError| HandleError::Tables(telemetry::chain(&error));
        let now = self.clock.now();
        let Some(due) = daily.due(DailyWork::Digest, now) else { return Ok(()) };
        if now.duration_since(due) < AFTER
            || self.tables.has_digest(ALL_ORGANISATIONS, due).await.map_err(tables)?
        {
            return Ok(());
        }
        let (mut parts, mut after) = (Vec::new(), None);
        loop {
            let page = self.tables.organisations_at_work_after(after, PAGE).await;
            let (rows, next) = page.map_err(tables)?;
            parts.extend(self.digest_parts(&rows, daily, due).await?);
            after = next;
            if after.is_none() {
                break;
            }
        }
        // On the first day of a stack there is nothing to be read yet.
        if parts.iter().all(|part| part.digest.is_none()) {
            return Ok(());
        }
        let joint = JointDigest::of(daily.day_of(due), parts);
        let written = self.tables.log_joint_digest(&joint, due).await;
        written.map_err(|error| HandleError::Tables(telemetry::chain(&error)))
    }

    /// The last digest of each: of its last morning by its own clock, or of the one before, if that is a moment ago.
    async fn digest_parts(
        &self,
        rows: &[Enabled],
        daily: &DailySchedules,
        due: Timestamp,
    ) -> Result<Vec<DigestPart>, HandleError> {
        let now = self.clock.now();
        let last = rows.iter().filter_map(|row| {
            let settings = row.settings.as_ref().ok()?;
            let at = daily.own_due(DailyWork::Digest, settings, now).unwrap_or(due);
            Some((settings.organisation, at))
        });
        let wanted = last.flat_map(|(organisation, at)| {
            [at, at.saturating_sub(DAY).unwrap_or(at)].map(|at| (organisation, at))
        });
        let wanted: Vec<_> = wanted.collect();
        let found = self.tables.last_digests(&wanted).await;
        let mut found = found.map_err(|error| HandleError::Tables(telemetry::chain(&error)))?;
        let named = rows.iter().filter_map(|row| {
            let organisation = row.organisation?;
            let name = row.name.clone().unwrap_or_else(|| organisation.to_string());
            Some(DigestPart { name, digest: found.remove(&organisation) })
        });
        Ok(named.collect())
    }
}
