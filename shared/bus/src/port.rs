//! The port: announcements go out in the order of their decisions.

use payments::events::Announcement;

/// Where announcements go.
pub trait Bus {
    /// Sends announcements. An implementation must count as done only what was confirmed, or refused for
    /// good, one by one; and must not send anything behind a call that failed.
    async fn send(&self, announcements: &[Announcement]) -> PublishOutcome;
}

/// What came of sending.
#[derive(Debug, Default)]
pub struct PublishOutcome {
    /// So many, from the first one on, are done: accepted, or refused for good.
    pub done: usize,
    /// Positions of those that were refused for good, with the bus's word for it.
    pub refused: Vec<(usize, String)>,
    /// Why not all are done.
    pub problem: Option<PublishProblem>,
}

/// Why an announcement is not on the bus yet. Sending it again later may succeed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PublishProblem {
    /// The call failed as a whole.
    #[error("the call to the event bus failed: {0}")]
    Call(String),
    /// The bus answered without confirming everything, as often as it was asked.
    #[error("the event bus did not confirm everything in {attempts} attempts: {code}")]
    Unconfirmed {
        /// How often it was asked.
        attempts: u32,
        /// What it said of the first one that it did not confirm.
        code: String,
    },
}
