//! The SQS side of the port of uploads.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata as _;

use super::{DELAY_SECONDS_MAX, UploadTask, Uploads};
use crate::changes::{SendError, SendProblem};
use crate::sqs::words;

/// The `uploads` queue on SQS.
#[derive(Clone, Debug)]
pub struct UploadsQueue {
    client: Client,
    url: String,
}

impl UploadsQueue {
    /// The queue at this URL.
    pub const fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    async fn try_send(&self, task: &UploadTask, delay_seconds: u16) -> Result<(), SendProblem> {
        let body = task.to_json().map_err(SendProblem::Encoding)?;
        // The SDK has tried again what can be tried again.
        let output = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .delay_seconds(delay_seconds.min(DELAY_SECONDS_MAX).into())
            .send()
            .await
            .map_err(|error| SendProblem::Call(words(error.code(), &error)))?;
        // An answer without an id is no confirmation, in any status.
        match output.message_id() {
            Some(id) if !id.is_empty() => Ok(()),
            _ => {
                let code = "no message id in the answer".to_owned();
                Err(SendProblem::Unconfirmed { attempts: 1, code })
            }
        }
    }
}

impl Uploads for UploadsQueue {
    async fn send(&self, task: &UploadTask, delay_seconds: u16) -> Result<(), SendError> {
        let sent = self.try_send(task, delay_seconds).await;
        sent.map_err(|problem| SendError { confirmed: 0, total: 1, problem })
    }
}
