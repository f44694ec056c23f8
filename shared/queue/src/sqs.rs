//! The SQS side of the port of changes.
//!
//! `SendMessageBatch` answers 200 even if it took only some of the entries, so the answer is read
//! entry by entry. Calls that fail as a whole have been retried by the SDK already.

use std::collections::BTreeSet;
use std::error::Error;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata as _;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;

use payments::OrganisationId;

use crate::changes::{Changes, SendError, SendProblem};
use crate::delay::whole_seconds;
use crate::message::Message;

/// Most entries in one call; SQS's limit.
pub const BATCH_ENTRIES_MAX: usize = 10;
/// Most bytes in one call, all entries together. SQS takes four times as much; local engines do
/// not.
pub const BATCH_BYTES_MAX: usize = 256 * 1024;
/// How often an entry is sent if SQS answers without confirming it.
pub const SEND_ATTEMPTS_MAX: u32 = 3;
/// Pause before the second attempt; before the third it is twice as long. Short, because the
/// webhook has to answer within seconds.
const PAUSE: Duration = Duration::from_millis(50);

/// The `changes` queue on SQS.
#[derive(Clone, Debug)]
pub struct ChangesQueue {
    client: Client,
    url: String,
}

/// One message, written.
pub(crate) struct Entry {
    pub(crate) text: String,
    /// Whose it is: the queue is a fair one, and serves those that have little in it first.
    pub(crate) group: Option<OrganisationId>,
}

/// How one call went: the positions that were confirmed, and what was said about the others.
struct BatchOutcome {
    confirmed: BTreeSet<usize>,
    /// The sender's mistakes: sending them again changes nothing.
    refused: Option<String>,
    /// The code SQS gave for an entry that it may take next time.
    code: String,
}

impl ChangesQueue {
    /// The queue at this URL.
    pub const fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Sends one group until every entry is confirmed, refused, or tried often enough.
    /// The count is of those confirmed.
    async fn send_group(&self, group: &[Entry], seconds: i32) -> Result<(), (usize, SendProblem)> {
        let mut waiting: Vec<usize> = (0..group.len()).collect();
        let mut attempt = 1;
        loop {
            let confirmed = |waiting: &[usize]| group.len() - waiting.len();
            let answer = match self.call(group, &waiting, seconds).await {
                Ok(answer) => answer,
                Err(problem) => return Err((confirmed(&waiting), problem)),
            };
            waiting.retain(|position| !answer.confirmed.contains(position));
            if let Some(code) = answer.refused {
                return Err((confirmed(&waiting), SendProblem::Refused(code)));
            }
            if waiting.is_empty() {
                return Ok(());
            }
            if attempt == SEND_ATTEMPTS_MAX {
                let problem = SendProblem::Unconfirmed { attempts: attempt, code: answer.code };
                return Err((confirmed(&waiting), problem));
            }
            tracing::warn!(
                queue.unconfirmed = waiting.len(),
                queue.attempt = attempt,
                queue.code = answer.code,
                "SQS did not confirm every entry; sending the rest again"
            );
            tokio::time::sleep(PAUSE * attempt).await;
            attempt += 1;
        }
    }

    async fn call(
        &self,
        group: &[Entry],
        waiting: &[usize],
        seconds: i32,
    ) -> Result<BatchOutcome, SendProblem> {
        let mut entries = Vec::with_capacity(waiting.len());
        for &position in waiting {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(position.to_string())
                .message_body(&group[position].text)
                .set_message_group_id(group[position].group.map(|group| group.to_string()))
                .delay_seconds(seconds)
                .build()
                .map_err(|error| SendProblem::Call(error.to_string()))?;
            entries.push(entry);
        }
        let output = self
            .client
            .send_message_batch()
            .queue_url(&self.url)
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|error| SendProblem::Call(words(error.code(), &error)))?;

        // Only an id that we sent counts. An entry that is in neither list is not confirmed.
        let confirmed = output
            .successful()
            .iter()
            .filter_map(|entry| entry.id().parse().ok())
            .filter(|position| waiting.contains(position))
            .collect();
        let refused = output
            .failed()
            .iter()
            .find(|entry| entry.sender_fault())
            .map(|entry| entry.code().to_owned());
        let code = output.failed().first().map_or("not mentioned in the answer", |e| e.code());
        Ok(BatchOutcome { confirmed, refused, code: code.to_owned() })
    }
}

impl ChangesQueue {
    /// Sends what is written, in as few calls as there can be.
    pub(crate) async fn send_all(&self, entries: &[Entry], seconds: i32) -> Result<(), SendError> {
        let total = entries.len();
        let failed = |confirmed, problem| SendError { confirmed, total, problem };
        let mut confirmed = 0;
        let mut rest = entries;
        while !rest.is_empty() {
            let (group, others) = rest.split_at(group_len(rest));
            self.send_group(group, seconds)
                .await
                .map_err(|(of_group, problem)| failed(confirmed + of_group, problem))?;
            confirmed += group.len();
            rest = others;
        }
        Ok(())
    }
}

impl Changes for ChangesQueue {
    async fn send(&self, messages: &[Message], delay: Duration) -> Result<(), SendError> {
        // Everything is written before anything is sent: a message that cannot be sent at all
        // must not leave half of a delivery behind, again with each retry.
        let total = messages.len();
        let entries = messages
            .iter()
            .map(write)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|problem| SendError { confirmed: 0, total, problem })?;
        // 900 at most.
        let seconds = i32::try_from(whole_seconds(delay)).unwrap_or(900);
        self.send_all(&entries, seconds).await
    }
}

fn write(message: &Message) -> Result<Entry, SendProblem> {
    let text = message.to_json().map_err(SendProblem::Encoding)?;
    if text.len() > BATCH_BYTES_MAX {
        let kind = message.kind();
        let bytes = text.len();
        return Err(SendProblem::TooLarge { kind, bytes, bytes_max: BATCH_BYTES_MAX });
    }
    Ok(Entry { text, group: message.organisation() })
}

/// How many entries go into the next call: at least one, since each one fits.
fn group_len(entries: &[Entry]) -> usize {
    let mut bytes = 0;
    let fits = |entry: &&Entry| {
        bytes += entry.text.len();
        bytes <= BATCH_BYTES_MAX
    };
    entries.iter().take(BATCH_ENTRIES_MAX).take_while(fits).count().max(1)
}

/// SQS's error code if it gave one, and every cause. The SDK's own `Display` says only
/// "service error" or "dispatch failure".
pub(crate) fn words(code: Option<&str>, error: &impl Error) -> String {
    let mut words = code.map_or_else(|| error.to_string(), |code| format!("{code}: {error}"));
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(": ");
        words.push_str(&error.to_string());
        cause = error.source();
    }
    words
}
