//! Money in Xero that a person has called the same as a payment, and that was deleted there since: the payment is
//! the business's own money, and is judged afresh (A8.3).
//!
//! Such money may stand anywhere: on an invoice of ours, on one that is not mirrored, as a prepayment or an overpayment,
//! as a part of a batch. So Xero is asked what was deleted since the last look, which costs the same however many
//! pairs there are, and says it of each kind by the id that the person was shown.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::ledger::Upload;
use super::pair::PaymentPair;
use super::part::{Part, PartState, Placed, UploadState};
use super::route::Skip;
use super::suspicion::Counterpart;
use crate::discrepancy::Discrepancy;

/// How much earlier Xero is asked from: the index of lines lags, a person answers while a look is under way, and
/// clocks differ.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);

impl Upload {
    /// Whether it does not go, or its rest does not, since a person has said that money in Xero is the same.
    pub fn is_said_same(&self) -> bool {
        let stays = matches!(self.state, UploadState::Skipped | UploadState::PartlyUploaded);
        stays
            && self.reason == Skip::AlreadyInXero.code()
            && self.same_in_xero_ids().next().is_some()
    }

    /// Xero's ids of the money that a person has said is the same.
    pub fn same_in_xero_ids(&self) -> impl Iterator<Item = Uuid> {
        self.same_as.iter().filter_map(Counterpart::in_xero)
    }

    /// Of the money in Xero that a person has said is the same, this was deleted there: it is judged afresh. While
    /// the rest of that money stands, a person is asked again.
    pub fn counterpart_deleted(&mut self, deleted: &BTreeSet<Uuid>, now: Timestamp) {
        let is_deleted = |id: Uuid| deleted.contains(&id);
        if !self.is_said_same() || !self.same_in_xero_ids().any(is_deleted) {
            return;
        }
        self.same_as.retain(|same| !same.in_xero().is_some_and(is_deleted));
        let is_gone = |part: &Part| {
            let by_another_hand = part.state == PartState::Done && part.tries == 0;
            by_another_hand
                && matches!(part.placed, Some(Placed::Payment(id)) if is_deleted(id.uuid()))
        };
        self.parts.retain(|part| !is_gone(part));
        self.back_in_line("original_deleted", now);
    }
}

impl PaymentPair {
    /// The money in Xero that a discrepancy of a contact is about, of a payment that is there as well.
    pub fn in_xero(&self) -> Option<Uuid> {
        self.with.as_ref().and_then(Counterpart::in_xero)
    }
}

/// From when on Xero is asked what was deleted there: from where the last look began; or from before what was said,
/// or flagged, since then was last seen to stand. `None` if there is nothing to look for.
pub fn deletions_from<'a>(
    said: impl Iterator<Item = &'a Upload>,
    flagged: impl Iterator<Item = &'a Discrepancy>,
    seen_until: Option<Timestamp>,
    zone: &TimeZone,
) -> Option<Timestamp> {
    let seen_until = seen_until.map(before);
    let or_seen = |at: Timestamp, stood_at: Timestamp| {
        seen_until.filter(|until| at < *until).unwrap_or(stood_at)
    };
    // It was held in that night, on a read after the day of it had begun.
    let of_upload = said.map(|upload| {
        let held_in = upload.night.and_then(|night| night.date().to_zoned(zone.clone()).ok());
        or_seen(upload.since, held_in.map_or(upload.receipt.entered_at, |day| day.timestamp()))
    });
    let of_flag = flagged.map(|found| or_seen(found.since(), before(found.since())));
    of_upload.chain(of_flag).min()
}

fn before(at: Timestamp) -> Timestamp {
    at.saturating_sub(OVERLAP).unwrap_or(at)
}
