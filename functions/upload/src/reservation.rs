//! Slots, before anything is sent.

use payments::Money;
use payments::upload::{Granted, SendMode, Target, Upload, UploadState};
use queue::Uploads;
use table::{Races, UPLOADS_WITH_CAPS_MAX};

use crate::error::RunError;
use crate::run::{Move, Run, Stop, stored};

/// A payment that is to be sent, in these parts. `row.after` waits.
#[derive(Clone, Debug)]
pub(crate) struct SlotRequest {
    pub(crate) row: Move,
    pub(crate) parts: Vec<(Target, Money)>,
}

/// The rows that were reserved, and whether something stood in the way of the rest.
#[derive(Debug, Default)]
pub(crate) struct Reserved {
    pub(crate) rows: Vec<Upload>,
    pub(crate) stop: Option<Stop>,
}

impl<Q: Uploads> Run<'_, Q> {
    /// Reserves for these payments, in this order, as far as the caps allow: caps and rows in one step.
    pub(crate) async fn reserve(
        &self,
        wanted: Vec<SlotRequest>,
        sending: SendMode,
    ) -> Result<Reserved, RunError> {
        let mut wanted = self.reservable(wanted).await?;
        let mut reserved = Reserved::default();
        while !wanted.is_empty() {
            let later = wanted.split_off(wanted.len().min(UPLOADS_WITH_CAPS_MAX));
            let Some(mut left) = self.reserve_chunk(wanted, sending, &mut reserved).await? else {
                break;
            };
            left.extend(later);
            wanted = left;
        }
        Ok(reserved)
    }

    /// Reserves for what counts among no caps, the provider's invoices. The row alone keeps another run from
    /// sending it as well.
    pub(crate) async fn reserve_uncounted(
        &self,
        wanted: Vec<SlotRequest>,
    ) -> Result<Vec<Upload>, RunError> {
        let wanted = self.reservable(wanted).await?;
        let now = self.now();
        let mut moves = Vec::with_capacity(wanted.len());
        for SlotRequest { mut row, parts } in wanted {
            row.after.reserve(self.night, parts, now)?;
            moves.push(row);
        }
        self.write(moves).await
    }

    /// Reserves for a part of them, and returns those for which there was no room, if there was room
    /// for any: asked once more, the caps say what stands in the way.
    async fn reserve_chunk(
        &self,
        mut chunk: Vec<SlotRequest>,
        sending: SendMode,
        reserved: &mut Reserved,
    ) -> Result<Option<Vec<SlotRequest>>, RunError> {
        let mut races = Races::default();
        loop {
            let now = self.now();
            let caps = self.caps().await?;
            let count = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
            let granted = caps.reserve(count, sending, self.uploading.nightly_max, now);
            let Some(after) = &granted.caps else {
                // No payment fits, or none is left that wants to go.
                return Ok(chunk.is_empty().then(Vec::new));
            };
            let fits = usize::try_from(granted.count).unwrap_or(usize::MAX).min(chunk.len());
            let mut moves = Vec::with_capacity(fits);
            for wanted in &chunk[..fits] {
                let mut row = wanted.row.clone();
                row.after.reserve(self.night, wanted.parts.clone(), now)?;
                moves.push(row);
            }
            let rows: Vec<_> = moves.iter().map(|m| (Some(&m.before), &m.after)).collect();
            // The message comes first: a run that ends in between raises it again, and forgets nothing.
            self.tell(&granted).await?;
            if races.won(self.store(&rows, Some((&caps, after))).await)?.is_some() {
                reserved.rows.extend(moves.into_iter().map(|moved| stored(moved.after)));
                if fits == 0 {
                    reserved.stop = after.disabled.as_ref().map(|_| Stop::Disabled);
                    return Ok(None);
                }
                return Ok(Some(chunk.split_off(fits)));
            }
            chunk = self.still_wanted(chunk).await?;
        }
    }

    async fn still_wanted(&self, chunk: Vec<SlotRequest>) -> Result<Vec<SlotRequest>, RunError> {
        let moves = chunk.iter().map(|wanted| wanted.row.clone()).collect();
        let same = self.unchanged(moves).await?;
        let waits = |wanted: &SlotRequest| {
            wanted.row.after.state == UploadState::Waiting
                && same.iter().any(|row| row.before.receipt.id == wanted.row.before.receipt.id)
        };
        Ok(chunk.into_iter().filter(waits).collect())
    }

    /// Warns operators of a limit that is near, or reached.
    async fn tell(&self, granted: &Granted) -> Result<(), RunError> {
        let Some(caps) = &granted.caps else { return Ok(()) };
        if let Some(percent) = granted.warn {
            let attempts = caps.attempts(self.now());
            let why = format!(
                "{attempts} upload attempts in 30 days, {percent} % of those after which uploading \
                 switches itself off; at most {} a night never reaches the limit",
                payments::upload::NEVER_TRIPS_PER_NIGHT
            );
            self.message("UPLOAD_LIMIT_NEAR", &percent.to_string(), &why).await?;
        }
        if let Some(disabled) = &caps.disabled {
            let why = format!(
                "{}; the nightly upload is off until a person switches it on with a reason. Payments \
                 that name their invoices are still posted",
                disabled.why
            );
            self.message("UPLOAD_DISABLED", &disabled.at.to_string(), &why).await?;
        }
        Ok(())
    }

    pub(crate) async fn message(
        &self,
        kind: &str,
        subject: &str,
        why: &str,
    ) -> Result<(), RunError> {
        let organisation = self.organisation();
        Ok(self.tables.raise_message(organisation, kind, subject, why, self.now()).await?)
    }
}
