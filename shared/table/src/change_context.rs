//! The context of a change: its cause and its time, for the activity log.

use jiff::Timestamp;

/// Why a change is made, for the activity log.
#[derive(Clone, Copy, Debug)]
pub struct ChangeContext {
    /// What set it off: `webhook`, `intake`, `sweep`, …
    pub cause: &'static str,
    /// When that happened at its source, if it is known.
    pub event_at: Option<Timestamp>,
    /// Now.
    pub now: Timestamp,
}
