//! The SQS side of the `schedules` queue.

use std::time::Duration;

use aws_sdk_sqs::Client;

use super::ScheduleTask;
use crate::changes::{SendError, SendProblem};
use crate::delay::whole_seconds;
use crate::sqs::{ChangesQueue, Entry};

/// The `schedules` queue on SQS.
#[derive(Clone, Debug)]
pub struct SchedulesQueue {
    line: ChangesQueue,
}

impl SchedulesQueue {
    /// The queue at this URL.
    pub const fn new(client: Client, url: String) -> Self {
        Self { line: ChangesQueue::new(client, url) }
    }

    /// Sends these tasks, ten in a call.
    ///
    /// # Errors
    ///
    /// [`SendError`] says how many were confirmed before it failed. To send all of them again does no harm.
    pub async fn send(&self, tasks: &[ScheduleTask]) -> Result<(), SendError> {
        self.send_later(tasks, Duration::ZERO).await
    }

    /// The same, to be worked on after a pause: in which more of the same kind is done with them.
    ///
    /// # Errors
    ///
    /// As [`Self::send`].
    pub async fn send_later(
        &self,
        tasks: &[ScheduleTask],
        pause: Duration,
    ) -> Result<(), SendError> {
        let mut entries = Vec::with_capacity(tasks.len());
        for task in tasks {
            let text = task.to_json().map_err(|error| SendError {
                confirmed: 0,
                total: tasks.len(),
                problem: SendProblem::Encoding(error),
            })?;
            entries.push(Entry { text, group: task.organisation() });
        }
        let seconds = i32::try_from(whole_seconds(pause)).unwrap_or(900);
        self.line.send_all(&entries, seconds).await
    }
}
