//! What should have come to its end by now, and for whom nobody would ask otherwise: for alarms.

use jiff::{SignedDuration, Timestamp};

use super::ledger::Upload;
use super::part::UploadState;
use super::report::NightState;

/// A night that was due so long ago and is not through is told to a person. Until then it was tried again, by
/// Lambda and by the hourly catch-up.
pub const OVERDUE_AFTER: SignedDuration = SignedDuration::from_hours(2);
/// So long after sending, the two looks that settle what became of a payment are over, if Xero answers.
pub const UNKNOWN_MAX: SignedDuration = SignedDuration::from_hours(1);

/// Whether a night has been due for too long, by how far it has come (`None`: not begun). One that waits for
/// proof has sent everything that fits.
pub fn is_overdue(due: Timestamp, state: Option<NightState>, now: Timestamp) -> bool {
    let through = state.is_some_and(|state| state != NightState::Running);
    !through && now.duration_since(due) > OVERDUE_AFTER
}

/// Whether a payment was sent too long ago for nobody to know what came of it. Its slot was reserved when it was
/// sent first, and stays with it however often it is sent.
pub fn is_unknown_too_long(upload: &Upload, now: Timestamp) -> bool {
    let open = matches!(upload.state, UploadState::Sent | UploadState::Unknown);
    let since = upload.reserved_at.unwrap_or(upload.since);
    open && now.duration_since(since) > UNKNOWN_MAX
}
