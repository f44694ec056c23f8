//! What should have come to its end by now, and what goes on although no message asks for it: for alarms, and for
//! the hourly look.

use jiff::{SignedDuration, Timestamp};

use super::ledger::Upload;
use super::part::Line;
use super::report::NightState;
use super::route::Hold;

/// A night that was due so long ago and is not through is reported to a person. Until then it was tried
/// again, by Lambda and by the hourly catch-up.
pub const OVERDUE_AFTER: SignedDuration = SignedDuration::from_hours(2);
/// So long after sending, the two looks that settle what became of a payment are over, if Xero answers.
pub const UNKNOWN_MAX: SignedDuration = SignedDuration::from_hours(1);
/// So long a row that is reserved, or was just sent, may be in the hand of a run that is still at it. Posts at once
/// have no lease that would say so.
pub const IN_HAND_MAX: SignedDuration = SignedDuration::from_mins(5);

/// Whether a night has been due for too long, by how far it has come (`None`: not begun). One that waits for
/// proof has sent everything that fits.
pub fn is_overdue(due: Timestamp, state: Option<NightState>, now: Timestamp) -> bool {
    let through = state.is_some_and(|state| state != NightState::Running);
    !through && now.duration_since(due) > OVERDUE_AFTER
}

/// Whether a payment has stood still for too long between its slot and its proof: reserved and not sent, or sent
/// and not known to be in Xero or not. Its slot was reserved when it was sent first, and stays with it however
/// often it is sent.
pub fn is_unknown_too_long(upload: &Upload, now: Timestamp) -> bool {
    let open = matches!(upload.line(), Some(Line::Reserved | Line::Sent | Line::Unknown));
    let since = upload.reserved_at.unwrap_or(upload.since);
    open && now.duration_since(since) > UNKNOWN_MAX
}

/// From when on a run has to go on with a row by itself, although no message asks for it; `None` for a row that
/// waits for its night, for a person, or for nothing. What another run may have in hand is left to it for
/// [`IN_HAND_MAX`].
pub fn goes_on_at(upload: &Upload) -> Option<Timestamp> {
    match upload.line()? {
        Line::Direct => Some(upload.since),
        Line::Reserved | Line::Sent => upload.since.saturating_add(IN_HAND_MAX).ok(),
        Line::Unknown => upload.look_at(),
        Line::Held if is_held_from_posting(upload) => Some(upload.since),
        Line::Held | Line::Waiting | Line::Refused | Line::Credit => None,
        Line::Skipped | Line::Same | Line::PartlyUploaded => None,
    }
}

/// Whether a row would be posted at once if a period were not locked, or an action not open. Both can end at any
/// hour, and are found out without reading an invoice.
pub fn is_held_from_posting(upload: &Upload) -> bool {
    let direct = upload.route().is_ok_and(|route| !route.is_nightly());
    direct && matches!(upload.hold(), Some(Hold::LockedPeriod | Hold::BlockedByAction))
}
