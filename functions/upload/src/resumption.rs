//! The work that a run leaves behind, and when it resumes: nothing waits for the next night because a timer was
//! shorter than a guard, and nothing hangs on one message of the queue.

use jiff::{SignedDuration, Timestamp};
use payments::PaymentId;
use payments::upload::{Line, Route, UploadState, goes_on_at, is_unknown_too_long};
use queue::{UploadTask, Uploads};
use table::Tables;

use crate::error::RunError;
use crate::run::{Move, PAGE, Run, delay};

/// The hourly look resumes work that is due later than this; it needs no chain of messages.
pub(crate) const HOURLY: SignedDuration = SignedDuration::from_hours(1);
/// The pause after Xero has turned us away without a word of when to come again.
pub(crate) const MOMENT: SignedDuration = SignedDuration::from_secs(60);

/// The lines of what has begun to go up.
const BEGUN: [Line; 3] = [Line::Reserved, Line::Sent, Line::Unknown];

/// When there is work to resume.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Next {
    /// Rows that are unknown, and rows that a night has begun.
    pub(crate) look: Option<Timestamp>,
    /// Posts at once that another run may have in hand.
    pub(crate) post: Option<Timestamp>,
}

impl Next {
    /// When there is any work to resume.
    pub(crate) fn any(self) -> Option<Timestamp> {
        self.look.into_iter().chain(self.post).min()
    }
}

/// What the hourly look finds of an organisation.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Standing {
    /// Something of a night was begun, its time has come, and no run is at it.
    pub(crate) night: bool,
    /// The same of something that is to be posted at once.
    pub(crate) direct: bool,
    /// How many rows stand still for too long.
    pub(crate) too_long: usize,
}

/// Looks at what an organisation has in its lines. A page of each line is reason enough to go on.
pub(crate) async fn standing(
    tables: &Tables,
    organisation: payments::OrganisationId,
    now: Timestamp,
) -> Result<Standing, table::ReadError> {
    let mut standing = Standing::default();
    for line in BEGUN.into_iter().chain([Line::Direct, Line::Held]) {
        let (rows, _) = tables.line(organisation, line, None, PAGE).await?;
        standing.too_long += rows.iter().filter(|row| is_unknown_too_long(row, now)).count();
        for row in rows.iter().filter(|row| goes_on_at(row).is_some_and(|at| at <= now)) {
            let nightly = row.route().is_ok_and(Route::is_nightly);
            standing.night |= nightly;
            standing.direct |= !nightly;
        }
    }
    Ok(standing)
}

impl<Q: Uploads> Run<'_, Q> {
    /// Gives free what this run has reserved to be posted at once, and did not send: it is in the hands of no run,
    /// and the next one need not wait until that is sure.
    pub(crate) async fn let_go(&self) -> Result<(), RunError> {
        let reserved = self.written_as(|state| state == UploadState::Reserved);
        let mut moves = Vec::new();
        for row in self.tables.uploads(self.organisation(), &reserved).await? {
            let nightly = row.route().is_ok_and(Route::is_nightly);
            if row.state != UploadState::Reserved || nightly {
                continue;
            }
            let mut moved = Move::of(row);
            moved.freed = moved.after.resume(self.now());
            moves.push(moved);
        }
        self.write(moves).await?;
        Ok(())
    }

    /// When there is work to resume, of the rows that this run may touch. The index lags by a moment: the rows that
    /// this run has written are asked for by their names.
    pub(crate) async fn next(&self) -> Result<Next, RunError> {
        let mut rows = Vec::new();
        for line in BEGUN {
            rows.extend(self.whole_line(line).await?);
        }
        rows.retain(|row| !self.became.borrow().contains_key(&row.receipt.id));
        let begun = self.written_as(|state| {
            !matches!(state, UploadState::Uploaded | UploadState::Held | UploadState::Skipped)
        });
        rows.extend(self.tables.uploads(self.organisation(), &begun).await?);
        let now = self.now();
        let mut next = Next::default();
        for row in rows.iter().filter(|row| self.is_ours(row)) {
            let Some(line) = row.line().filter(|line| BEGUN.contains(line)) else { continue };
            let nightly = row.route().is_ok_and(Route::is_nightly);
            // A row that this run could resume and did not would be the same in a moment: the hourly look takes it.
            let at = goes_on_at(row).filter(|at| line == Line::Unknown || *at > now);
            let of_kind =
                if nightly || line == Line::Unknown { &mut next.look } else { &mut next.post };
            *of_kind = (*of_kind).into_iter().chain(at).min();
        }
        Ok(next)
    }

    /// Leaves a task to post at once from then on, if the hourly look would come later.
    pub(crate) async fn post_again(&self, at: Timestamp) -> Result<(), RunError> {
        let now = self.now();
        if at.duration_since(now) <= HOURLY {
            let task = UploadTask::Direct { organisation: self.organisation() };
            self.uploads.send(&task, delay(at, now)).await?;
        }
        Ok(())
    }

    fn written_as(&self, fits: impl Fn(UploadState) -> bool) -> Vec<PaymentId> {
        let became = self.became.borrow();
        became.iter().filter(|(_, state)| fits(**state)).map(|(id, _)| id.clone()).collect()
    }
}

/// When to go on after a call limit of which it is known, or not, until when it holds.
pub(crate) fn after_limit(until: Option<Timestamp>, now: Timestamp) -> Timestamp {
    until.or_else(|| now.checked_add(MOMENT).ok()).unwrap_or(now)
}
