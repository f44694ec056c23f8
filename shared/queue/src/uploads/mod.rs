//! The `uploads` queue, which wakes the `upload` function outside of its schedule.

mod sqs;
mod task;

use crate::changes::SendError;

pub use sqs::UploadsQueue;
pub use task::UploadTask;

/// Longest delay that SQS takes, in seconds.
pub const DELAY_SECONDS_MAX: u16 = 900;

/// Work that waits for the `upload` function.
pub trait Uploads {
    /// Sends one task, to be delivered after so many seconds ([`DELAY_SECONDS_MAX`] at most: more
    /// are cut to that).
    ///
    /// An implementation MUST answer `Ok` only if the queue has confirmed the task. It may send it
    /// more than once.
    ///
    /// # Errors
    ///
    /// [`SendError`] if it was not confirmed. It may have been accepted nevertheless: send it
    /// again, or make the caller do so.
    async fn send(&self, task: &UploadTask, delay_seconds: u16) -> Result<(), SendError>;
}

impl<U: Uploads> Uploads for &U {
    async fn send(&self, task: &UploadTask, delay_seconds: u16) -> Result<(), SendError> {
        (**self).send(task, delay_seconds).await
    }
}
