//! Messages that failed, and come again early.
//!
//! A message that a function has received is hidden for as long as the function might work, six times its timeout. What
//! it names as failed would stay hidden for the rest of that, though it is known to have failed.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata as _;
use aws_sdk_sqs::types::ChangeMessageVisibilityBatchRequestEntry;

use crate::sqs::{BATCH_ENTRIES_MAX, words};

/// Longest that an invocation goes on for this. Without it the messages come again all the same, only later.
const WITHIN: Duration = Duration::from_secs(3);

/// The queue from which a function receives.
#[derive(Clone, Debug)]
pub struct Redelivery {
    client: Client,
    url: String,
}

impl Redelivery {
    /// From the queue at this URL.
    pub const fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Has each of these come again after its pause. They are known by the handles with which they were received.
    pub async fn after(&self, failed: &[(&str, Duration)]) {
        if failed.is_empty() {
            return;
        }
        let all = async {
            for group in failed.chunks(BATCH_ENTRIES_MAX) {
                self.group(group).await?;
            }
            Ok(())
        };
        let outcome = tokio::time::timeout(WITHIN, all).await;
        if let Err(error) = outcome.unwrap_or_else(|_| Err("not done in time".to_owned())) {
            let messages = failed.len();
            tracing::warn!(messages, error, "failed messages come again later than they could");
        }
    }

    async fn group(&self, group: &[(&str, Duration)]) -> Result<(), String> {
        let mut entries = Vec::with_capacity(group.len());
        for (position, (handle, pause)) in group.iter().enumerate() {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(position.to_string())
                .receipt_handle(*handle)
                .visibility_timeout(i32::try_from(pause.as_secs()).unwrap_or(i32::MAX))
                .build()
                .map_err(|error| error.to_string())?;
            entries.push(entry);
        }
        let call = self.client.change_message_visibility_batch().queue_url(&self.url);
        let output = call
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|error| words(error.code(), &error))?;
        match output.failed().first() {
            Some(entry) => Err(format!("{} were refused: {}", output.failed().len(), entry.code())),
            None => Ok(()),
        }
    }
}
