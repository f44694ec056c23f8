//! Payments that name their invoices, and invoices of the provider: posted at once, outside of the night's
//! number (EX-01, EX-10, EX-12).

use jiff::Timestamp;
use payments::upload::{Line, Sending, Upload, UploadState};
use queue::{UploadTask, Uploads};

use crate::error::RunError;
use crate::judging::Known;
use crate::run::{Run, Stop, delay};

impl<Q: Uploads> Run<'_, Q> {
    /// Posts everything that waits to be posted at once. What got no clear answer is looked for when the time
    /// has come, by the task that this leaves behind, and every night.
    pub(crate) async fn direct(&self) -> Result<Option<Stop>, RunError> {
        let stop = self.post().await.or_else(|error| self.limited(error).map(Some))?;
        if self.became.borrow().values().any(|state| *state == UploadState::Held) {
            self.tell_counts(false).await?;
        }
        self.go_on(stop.as_ref()).await?;
        Ok(stop)
    }

    async fn post(&self) -> Result<Option<Stop>, RunError> {
        let mut ready = self.pick_up().await?;
        ready.extend(self.look().await?);
        let mut stop = self.send_all(ready).await?;
        if stop.is_none() {
            let known = Known::new();
            let mut rows = self.whole_line(Line::Direct).await?;
            rows.sort_by_key(Upload::order);
            if !rows.is_empty() {
                let judged = self.judge(&rows, &known).await?;
                let sorted = self.sort(rows, judged, 0);
                self.tell_held(&sorted.stay).await?;
                self.write(sorted.stay).await?;
                let mut rows = self.reserve(sorted.direct, Sending::Direct).await?.rows;
                rows.extend(self.reserve_uncounted(sorted.uncounted).await?);
                stop = self.send_all(rows).await?;
            }
        }
        Ok(stop)
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
