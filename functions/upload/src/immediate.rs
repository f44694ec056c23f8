//! Payments that name their invoices, and invoices of the provider: posted at once, outside of the night's
//! number (EX-01, EX-10, EX-12).

use std::collections::BTreeSet;

use jiff::Timestamp;
use payments::upload::{Hold, Line, SendMode, Upload, UploadState, is_held_from_posting};
use queue::Uploads;

use crate::error::RunError;
use crate::evaluation_context::EvaluationContext;
use crate::night::credits_of;
use crate::resumption::after_limit;
use crate::run::{Run, Stop};

impl<Q: Uploads> Run<'_, Q> {
    /// Posts everything that waits to be posted at once. What got no clear answer is looked for when the time
    /// has come, by the task that this leaves behind, and every night.
    pub(crate) async fn direct(&self) -> Result<Option<Stop>, RunError> {
        let stop = Box::pin(self.post()).await.or_else(|error| self.limited(error).map(Some))?;
        self.let_go().await?;
        if self.became.borrow().values().any(|state| *state == UploadState::Held) {
            self.tell_counts(false).await?;
        }
        self.go_on(stop.as_ref()).await?;
        Ok(stop)
    }

    async fn post(&self) -> Result<Option<Stop>, RunError> {
        self.follow_start().await?;
        let mut ready = Box::pin(self.resume()).await?;
        ready.extend(Box::pin(self.look()).await?);
        let (to_weigh, mut rows): (Vec<_>, Vec<_>) =
            ready.into_iter().partition(Upload::needs_new_plan);
        if let Some(stop) = Box::pin(self.send_all(to_weigh)).await? {
            return Ok(Some(stop));
        }
        // The line may not show yet what waits again since a moment ago.
        let back: BTreeSet<_> = rows.iter().map(|row| row.receipt.id.clone()).collect();
        let mut others = self.whole_line(Line::Direct).await?;
        let held = self.whole_line(Line::Held).await?;
        // A credit invoice may wait for the very bill that is posted now (EX-15b).
        let waits =
            |row: &&Upload| is_held_from_posting(row) || row.hold() == Some(Hold::WaitsForBill);
        others.extend(held.iter().filter(waits).cloned());
        if rows.is_empty() && others.is_empty() {
            return Box::pin(self.allocate_credits()).await;
        }
        // A payment of the night that is held for money in Xero keeps its claim on that money (A8.3).
        let claims = |row: &Upload| row.suspicion.is_some() && !waits(&row);
        others.extend(held.into_iter().filter(claims));
        rows.extend(others.into_iter().filter(|row| !back.contains(&row.receipt.id)));
        rows.sort_by_key(Upload::order);
        let rows = self.with_credit_lines(rows);
        let credits = credits_of(&rows);
        let known = EvaluationContext::default();
        if rows.iter().any(|row| row.hold() == Some(Hold::BlockedByAction)) {
            self.review_contacts(&known).await?;
        }
        let judged = Box::pin(self.judge(&rows, &known)).await?;
        self.keep_contacts(&judged.contacts).await?;
        let (rows, judged) =
            rows.into_iter().zip(judged.judgements).filter(|(row, _)| self.is_ours(row)).unzip();
        let sorted = self.sort(rows, judged, 0);
        self.tell_held(&sorted.stay).await?;
        self.write(sorted.stay).await?;
        Box::pin(self.write_found(sorted.found)).await?;
        let mut rows = Box::pin(self.reserve(sorted.direct, SendMode::Direct)).await?.rows;
        rows.extend(self.reserve_uncounted(sorted.uncounted).await?);
        if let Some(stop) = Box::pin(self.send_all(rows)).await? {
            return Ok(Some(stop));
        }
        self.follow_credit_lines(&credits).await?;
        Box::pin(self.allocate_credits()).await
    }

    /// Leaves a task for the remaining rows: due at once for rows that this run itself gives free, or when the
    /// time of the others has come. The hourly look resumes rows that Xero or a person has to mend first.
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
