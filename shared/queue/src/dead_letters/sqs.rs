//! The SQS side of letters.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{
    Message, MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName,
};
use jiff::Timestamp;

use super::{
    Attribute, DeadLetter, DeadLetterError, DeadLetters, Depth, LETTERS_MAX, Letter, Letters,
    QueueName,
};
use crate::changes::{SendError, SendProblem};
use crate::sqs::words;

/// Where a queue and its dead-letter queue are.
#[derive(Clone, Debug)]
pub struct QueueUrls {
    /// The queue. `Schedules` has none.
    pub queue: Option<String>,
    /// Its dead-letter queue.
    pub dead_letters: Option<String>,
}

/// All queues on SQS.
#[derive(Clone, Debug)]
pub struct AllQueues {
    client: Client,
    urls: BTreeMap<QueueName, QueueUrls>,
}

impl AllQueues {
    /// The queues at these addresses. A call about any other queue is an error.
    pub fn new(client: Client, urls: impl IntoIterator<Item = (QueueName, QueueUrls)>) -> Self {
        Self { client, urls: urls.into_iter().collect() }
    }

    fn dead_letters(&self, of: QueueName, what: &'static str) -> Result<&str, DeadLetterError> {
        let url = self.urls.get(&of).and_then(|urls| urls.dead_letters.as_deref());
        url.ok_or_else(|| failed(of, what, "its address is not known".to_owned()))
    }

    async fn send(&self, to: QueueName, letter: &Letter) -> Result<(), SendProblem> {
        let url = self.urls.get(&to).and_then(|urls| urls.queue.as_deref());
        let not_known = || SendProblem::Call(format!("the queue `{to}` takes no messages here"));
        let mut attributes = HashMap::new();
        for (name, value) in &letter.attributes {
            let value = MessageAttributeValue::builder()
                .data_type(&value.kind)
                .set_string_value(value.text.clone())
                .set_binary_value(value.bytes.clone().map(Into::into))
                .build()
                .map_err(|error| SendProblem::Call(error.to_string()))?;
            attributes.insert(name.clone(), value);
        }
        // The SDK has tried again what can be tried again.
        let output = self
            .client
            .send_message()
            .queue_url(url.ok_or_else(not_known)?)
            .message_body(&letter.body)
            .set_message_group_id(letter.group.clone())
            .set_message_attributes(Some(attributes).filter(|attributes| !attributes.is_empty()))
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

impl Letters for AllQueues {
    async fn post(&self, to: QueueName, letter: &Letter) -> Result<(), SendError> {
        let sent = self.send(to, letter).await;
        sent.map_err(|problem| SendError { confirmed: 0, total: 1, problem })
    }
}

impl DeadLetters for AllQueues {
    async fn look(
        &self,
        of: QueueName,
        hidden_for: Duration,
    ) -> Result<Vec<DeadLetter>, DeadLetterError> {
        let what = "show its messages";
        let answer = self
            .client
            .receive_message()
            .queue_url(self.dead_letters(of, what)?)
            .max_number_of_messages(i32::try_from(LETTERS_MAX).unwrap_or(10))
            .visibility_timeout(seconds(hidden_for))
            // Asks all of SQS's servers, and not only some: a short queue is seen whole.
            .wait_time_seconds(1)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .send()
            .await
            .map_err(|error| said(of, what, &error))?;
        Ok(answer.messages.unwrap_or_default().into_iter().filter_map(letter).collect())
    }

    async fn put_back(&self, of: QueueName, letter: &DeadLetter) -> Result<(), DeadLetterError> {
        let what = "take a message back";
        self.client
            .change_message_visibility()
            .queue_url(self.dead_letters(of, what)?)
            .receipt_handle(&letter.handle)
            .visibility_timeout(0)
            .send()
            .await
            .map_err(|error| said(of, what, &error))?;
        Ok(())
    }

    async fn take_out(&self, of: QueueName, letter: &DeadLetter) -> Result<(), DeadLetterError> {
        let what = "give up a message";
        self.client
            .delete_message()
            .queue_url(self.dead_letters(of, what)?)
            .receipt_handle(&letter.handle)
            .send()
            .await
            .map_err(|error| said(of, what, &error))?;
        Ok(())
    }

    async fn depth(&self, of: QueueName) -> Result<Depth, DeadLetterError> {
        let what = "say how many messages it has";
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::MessageRetentionPeriod,
        ];
        let answer = self
            .client
            .get_queue_attributes()
            .queue_url(self.dead_letters(of, what)?)
            .set_attribute_names(Some(names.to_vec()))
            .send()
            .await
            .map_err(|error| said(of, what, &error))?;
        let [visible, hidden, kept_for] = names.map(|name| {
            let text = answer.attributes.as_ref().and_then(|attributes| attributes.get(&name));
            text.and_then(|text| text.parse().ok()).unwrap_or(0)
        });
        Ok(Depth { visible, hidden, kept_for: Duration::from_secs(kept_for.into()) })
    }
}

/// A message as SQS has it. One without an id or a handle could not be let go of: SQS sends none.
fn letter(message: Message) -> Option<DeadLetter> {
    let system = message.attributes.unwrap_or_default();
    let said = |name| system.get(&name).cloned();
    let sent_at = said(MessageSystemAttributeName::SentTimestamp);
    let sent_at = sent_at.and_then(|text| Timestamp::from_millisecond(text.parse().ok()?).ok());
    let receives = said(MessageSystemAttributeName::ApproximateReceiveCount);
    let attributes = message.message_attributes.unwrap_or_default().into_iter();
    let attributes = attributes.map(|(name, value)| {
        let bytes = value.binary_value.map(aws_sdk_sqs::primitives::Blob::into_inner);
        (name, Attribute { kind: value.data_type, text: value.string_value, bytes })
    });
    Some(DeadLetter {
        id: message.message_id?,
        handle: message.receipt_handle?,
        sent_at,
        receives: receives.and_then(|text| text.parse().ok()).unwrap_or(0),
        letter: Letter {
            body: message.body.unwrap_or_default(),
            group: said(MessageSystemAttributeName::MessageGroupId),
            attributes: attributes.collect(),
        },
    })
}

fn seconds(of: Duration) -> i32 {
    // Twelve hours is the most that SQS hides a message.
    i32::try_from(of.as_secs().min(43_200)).unwrap_or(43_200)
}

fn said<E, R>(of: QueueName, what: &'static str, error: &SdkError<E, R>) -> DeadLetterError
where
    SdkError<E, R>: Error + ProvideErrorMetadata,
{
    failed(of, what, words(error.code(), error))
}

const fn failed(queue: QueueName, what: &'static str, problem: String) -> DeadLetterError {
    DeadLetterError { queue, what, problem }
}
