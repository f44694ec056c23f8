//! Looking in Xero for what was sent without a clear answer, before anything else is sent.

use std::collections::BTreeSet;

use jiff::Timestamp;
use payments::upload::{
    Absence, IN_HAND_MAX, Line, Part, PartState, Placed, Route, Stamp, Upload, UploadState,
};
use queue::Uploads;
use xero::{Found, Stamped, StampedKind};

use crate::bundle::kind_of;
use crate::error::RunError;
use crate::run::{Move, Run};

impl<Q: Uploads> Run<'_, Q> {
    /// Takes up rows that an earlier run has left behind: reserved and not sent, or sent and not answered.
    /// Returns the rows that wait again, and those with refused parts that are still to be weighed.
    pub(crate) async fn resume(&self) -> Result<Vec<Upload>, RunError> {
        let now = self.now();
        let mut moves = Vec::new();
        for line in [Line::Reserved, Line::Sent, Line::Unknown] {
            for row in self.whole_line(line).await? {
                if !self.is_ours(&row) || self.may_be_in_hand(&row, now) {
                    continue;
                }
                let mut moved = Move::of(row);
                moved.freed = moved.after.resume(now);
                moves.push(moved);
            }
        }
        let mut rows = self.write(moves).await?;
        rows.retain(|row| row.state == UploadState::Waiting || row.needs_new_plan());
        Ok(rows)
    }

    /// Direct posts have no lease: another invocation may be at them.
    fn may_be_in_hand(&self, row: &Upload, now: Timestamp) -> bool {
        let direct = !row.route().is_ok_and(Route::is_nightly);
        let in_hand = matches!(row.line(), Some(Line::Reserved | Line::Sent));
        direct && in_hand && now.duration_since(row.since) < IN_HAND_MAX
    }

    /// Looks for every part whose fate is not known and whose time has come. A part that is proven absent waits
    /// again, to be judged afresh through every gate (AMB-28). Returns those rows, and those with refused parts
    /// that are to be weighed.
    pub(crate) async fn look(&self) -> Result<Vec<Upload>, RunError> {
        let now = self.now();
        let mut due = self.unknown().await?;
        due.retain(|row| row.look_at().is_some_and(|at| at <= now));
        for kind in StampedKind::ALL.iter().copied() {
            due = self.look_for(kind, due).await?;
        }
        let mut ready = Vec::new();
        let mut moves = Vec::new();
        for row in due {
            if row.needs_new_plan() {
                ready.push(row);
            } else if row.state == UploadState::Reserved {
                let mut moved = Move::of(row);
                moved.freed = moved.after.resume(now);
                moves.push(moved);
            }
        }
        let mut waiting = self.write(moves).await?;
        waiting.retain(|row| row.state == UploadState::Waiting);
        ready.extend(waiting);
        Ok(ready)
    }

    async fn look_for(
        &self,
        kind: StampedKind,
        rows: Vec<Upload>,
    ) -> Result<Vec<Upload>, RunError> {
        let parts =
            || rows.iter().flat_map(|row| row.parts.iter()).filter(|part| sought(kind, part));
        let wanted: BTreeSet<Stamp> = parts().map(|part| part.stamp.clone()).collect();
        let Some(since) = parts().filter_map(|part| part.sent_at).min() else { return Ok(rows) };
        let found = match kind {
            StampedKind::Allocations => {
                self.find_allocations(&rows, |part| sought(kind, part)).await?
            }
            _ => self.xero.stamped_since(self.organisation(), kind, since, &wanted).await?,
        };
        let mut moves = Vec::with_capacity(rows.len());
        for row in rows {
            moves.push(self.judge_absence(kind, &found, row).await?);
        }
        self.write(moves).await
    }

    /// What the read says of one row: proofs are stored at once, absences are gathered.
    async fn judge_absence(
        &self,
        kind: StampedKind,
        found: &Found,
        mut row: Upload,
    ) -> Result<Move, RunError> {
        let sought: Vec<Part> =
            row.parts.iter().filter(|part| sought(kind, part)).cloned().collect();
        for part in &sought {
            let Some(placed) = self.proof(found, part).await? else { continue };
            match self.prove(row.clone(), part.number, placed, true).await {
                Ok(proven) => row = proven.unwrap_or(row),
                Err(RunError::Ledger(error)) => self.mistake(&row, &error).await?,
                Err(error) => return Err(error),
            }
        }
        let mut moved = Move::of(row);
        for part in &sought {
            let mut parts = moved.after.parts.iter();
            let is_open = parts.any(|now| now.number == part.number && is_open(now));
            if is_open && found.is_in_doubt(&part.stamp, part.amount.amount()) {
                moved.after.in_doubt(part.number, self.now())?;
                self.tell_in_doubt(&moved.after, part).await?;
            } else if is_open {
                let absence = moved.after.absent(part.number, found.started_at(), self.now())?;
                let goes_again = moved.after.planned().any(|now| now.number == part.number);
                if absence == Absence::NotThere && goes_again {
                    self.tell_not_there(&moved.after, part).await?;
                }
            }
        }
        Ok(moved)
    }

    async fn tell_in_doubt(&self, row: &Upload, part: &Part) -> Result<(), RunError> {
        let why = format!(
            "{} of payment {} was sent, and Xero shows something that may be it and cannot be read; it is not sent \
             again before a person has mended or removed that in Xero",
            part.amount, row.receipt.id
        );
        self.message("PROOF_UNREADABLE", part.stamp.as_str(), &why).await
    }

    /// Names the payment that is at risk if Xero should apply the earlier request after all: the
    /// assumption A1 of rules.md.
    async fn tell_not_there(&self, row: &Upload, part: &Part) -> Result<(), RunError> {
        let why = format!(
            "{} of payment {} was sent at {} and is not in Xero; it is judged again, and sent again if nothing is \
             against it. Should Xero still carry out the earlier request, {} would be there twice",
            part.amount,
            row.receipt.id,
            part.sent_at.unwrap_or_default(),
            part.stamp
        );
        self.message("SENT_AGAIN", part.stamp.as_str(), &why).await
    }

    /// Whether a part is in Xero, or was and has been deleted since: then it was created, and it is not
    /// ours to create it again.
    async fn proof(&self, found: &Found, part: &Part) -> Result<Option<Placed>, RunError> {
        let matches = found.of(&part.stamp);
        let live: Vec<&Stamped> = matches.iter().filter(|stamped| !stamped.deleted).collect();
        if live.len() > 1 {
            let why = format!(
                "Xero has {} payments with the stamp {}; one of them is too many, and a person has to \
                 delete it there",
                live.len(),
                part.stamp
            );
            self.message("DOUBLE_IN_XERO", part.stamp.as_str(), &why).await?;
        }
        let same = |stamped: &&Stamped| stamped.amount == Some(part.amount.amount());
        let best = live.iter().copied().find(same).or_else(|| live.first().copied());
        let best = best.or_else(|| matches.iter().find(same)).or_else(|| matches.first());
        Ok(best.map(|stamped| stamped.placed))
    }

    async fn unknown(&self) -> Result<Vec<Upload>, RunError> {
        let mut unknown = self.whole_line(Line::Unknown).await?;
        unknown.retain(|row| self.is_ours(row));
        Ok(unknown)
    }
}

/// Whether a part is to be looked for: its fate is not known.
fn is_open(part: &Part) -> bool {
    matches!(part.state, PartState::Sent | PartState::Unknown)
}

fn sought(kind: StampedKind, part: &Part) -> bool {
    kind_of(part) == kind && is_open(part)
}
