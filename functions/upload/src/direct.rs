//! Payments that name their invoices, and invoices of the provider: posted at once, outside of the night's
//! number (EX-01, EX-10, EX-12).

use jiff::Timestamp;
use payments::upload::{Line, Sending, Upload};
use queue::Uploads;

use crate::error::RunError;
use crate::judging::Known;
use crate::resumption::after_limit;
use crate::run::{Run, Stop};

impl<Q: Uploads> Run<'_, Q> {
    /// Posts everything that waits to be posted at once. What got no clear answer is looked for when the time
    /// has come, by the task that this leaves behind, and every night.
    pub(crate) async fn direct(&self) -> Result<Option<Stop>, RunError> {
        let stop = self.post().await.or_else(|error| self.limited(error).map(Some))?;
        self.let_go().await?;
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
            rows.extend(self.held_from_posting().await?);
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

    /// Sees to it that what is left is gone on with: at once what this run itself gives free, and the rest when
    /// its time has come. What Xero or a person has to mend first, the hourly look goes on with.
    async fn go_on(&self, stop: Option<&Stop>) -> Result<(), RunError> {
        let now = self.now();
        let at: Option<Timestamp> = match stop {
            Some(Stop::OutOfTime) => Some(now),
            Some(Stop::Limited(until)) => Some(after_limit(*until, now)),
            Some(Stop::NotAuthorised | Stop::Disabled) => None,
            None => self.next().await?.any(),
        };
        match at {
            Some(at) => self.post_again(at).await,
            None => Ok(()),
        }
    }
}
