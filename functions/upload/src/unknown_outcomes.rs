//! Looking in Xero for what was sent without a clear answer, before anything else is sent.

use std::collections::BTreeSet;

use jiff::Timestamp;
use payments::upload::{
    Absence, IN_HAND_MAX, Line, Part, PartState, Route, Stamp, Target, Upload, UploadState,
};
use payments::{DiscrepancyKey, DiscrepancyKind};
use queue::Uploads;
use table::ContactBecause;
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
            let Some(shown) = self.proof(found, part).await? else { continue };
            if self.has_another_total(kind, shown, part).await? {
                continue;
            }
            let placed = shown.placed;
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
            if is_open && !found.of(&part.stamp).is_empty() {
                // It is there, and its total is another one: a discrepancy says so.
                moved.after.in_doubt(part.number, self.now())?;
            } else if is_open && found.is_in_doubt(&part.stamp, part.amount.amount()) {
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
    async fn proof<'f>(
        &self,
        found: &'f Found,
        part: &Part,
    ) -> Result<Option<&'f Stamped>, RunError> {
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
        Ok(best.or_else(|| matches.iter().find(same)).or_else(|| matches.first()))
    }

    /// Whether a document stands in Xero with another total than the one that was sent: then nothing is proven, and a
    /// discrepancy is open until the totals agree (XC-17).
    async fn has_another_total(
        &self,
        kind: StampedKind,
        shown: &Stamped,
        part: &Part,
    ) -> Result<bool, RunError> {
        let (Target::Bill { contact }
        | Target::CreditNote { contact }
        | Target::Prepayment { contact }) = &part.target
        else {
            return Ok(false);
        };
        let (organisation, contact) = (self.organisation(), *contact);
        let key = DiscrepancyKey::about(DiscrepancyKind::TotalDiffers, &part.stamp);
        let because = ContactBecause { cause: "upload", rule: "XC-17", now: self.now() };
        let other = shown.amount.filter(|amount| *amount != part.amount.amount());
        if let Some(other) = other.filter(|_| !shown.deleted) {
            let detail = format!(
                "{} was sent as {}, and stands in Xero with a total of {other} ({}): correct or delete it in Xero",
                part.amount,
                part.stamp,
                kind.code()
            );
            self.tables
                .open_contact_discrepancy(organisation, contact, &key, &detail, because)
                .await?;
            return Ok(true);
        }
        let known = self.tables.contact_discrepancies(organisation, contact).await?;
        for agreed in known.iter().filter(|known| known.key == key && known.is_open()) {
            self.tables.close_contact_discrepancy(organisation, contact, agreed, because).await?;
        }
        Ok(false)
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
