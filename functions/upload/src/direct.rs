//! Payments that name their invoices, and invoices of the provider: posted at once, outside of the night's
//! number (EX-01, EX-10, EX-12).

use std::collections::BTreeSet;

use jiff::Timestamp;
use payments::upload::{Line, Sending, Upload};
use queue::{UploadTask, Uploads};

use crate::error::RunError;
use crate::judging::Known;
use crate::run::{Run, Stop, delay};

impl<Q: Uploads> Run<'_, Q> {
    /// Posts everything that waits to be posted at once. What got no clear answer is looked for when the time
    /// has come, by the task that this leaves behind, and every night.
    pub(crate) async fn direct(&self) -> Result<Option<Stop>, RunError> {
        let stop = self.post().await.or_else(|error| self.limited(error).map(Some))?;
        self.go_on(stop.as_ref()).await?;
        Ok(stop)
    }

    async fn post(&self) -> Result<Option<Stop>, RunError> {
        let mut ready = self.pick_up().await?;
        ready.extend(self.look().await?);
        let (to_weigh, mut rows): (Vec<_>, Vec<_>) =
            ready.into_iter().partition(Upload::is_to_be_weighed);
        if let Some(stop) = self.send_all(to_weigh).await? {
            return Ok(Some(stop));
        }
        // The line may not show yet what waits again since a moment ago.
        let back: BTreeSet<_> = rows.iter().map(|row| row.receipt.id.clone()).collect();
        let mut others = self.whole_line(Line::Direct).await?;
        if rows.is_empty() && others.is_empty() {
            return Ok(None);
        }
        // What is held for money in Xero keeps its claim on that money (A8.3).
        let held = self.whole_line(Line::Held).await?;
        others.extend(held.into_iter().filter(|row| row.suspicion.is_some()));
        rows.extend(others.into_iter().filter(|row| !back.contains(&row.receipt.id)));
        rows.sort_by_key(Upload::order);
        let judged = self.judge(&rows, &Known::new()).await?;
        let (rows, judged) =
            rows.into_iter().zip(judged).filter(|(row, _)| self.is_ours(row)).unzip();
        let sorted = self.sort(rows, judged, 0);
        self.tell_held(&sorted.stay).await?;
        self.write(sorted.stay).await?;
        self.write_found(sorted.found).await?;
        let mut rows = self.reserve(sorted.direct, Sending::Direct).await?.rows;
        rows.extend(self.reserve_uncounted(sorted.uncounted).await?);
        self.send_all(rows).await
    }

    async fn go_on(&self, stop: Option<&Stop>) -> Result<(), RunError> {
        let now = self.now();
        let at: Option<Timestamp> = match stop {
            Some(Stop::OutOfTime) => Some(now),
            Some(Stop::Limited(until)) => Some(until.unwrap_or(now)),
            Some(Stop::NotAuthorised | Stop::Disabled) => None,
            None => self.next_look().await?,
        };
        if let Some(at) = at {
            let task = UploadTask::Direct { organisation: self.organisation() };
            self.uploads.send(&task, delay(at, now)).await?;
        }
        Ok(())
    }
}
