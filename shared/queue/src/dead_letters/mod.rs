//! Messages as the texts that they are: sent once more as they came, looked at in a dead-letter queue, and
//! taken out of it.

mod sqs;
mod subject;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use payments::codes;

use crate::changes::SendError;

pub use sqs::{AllQueues, QueueUrls};
pub use subject::{MessageSubject, about};

/// Most letters that one look brings; SQS's limit.
pub const LETTERS_MAX: usize = 10;

codes! {
    /// Which queue. Each but `Schedules` and `Events` has a function behind it and a dead-letter queue of its own;
    /// those are dead-letter queues alone, for what EventBridge and Lambda could not deliver.
    QueueName {
        /// What changed in Xero.
        Changes = "changes",
        /// What the business's own system reports.
        Intake = "intake",
        /// What wakes the upload.
        Uploads = "uploads",
        /// Schedules that could not be delivered, or failed.
        Schedules = "schedules",
        /// Decisions that could not be announced: where they are in the stream of the log.
        Events = "events",
    }
}

impl QueueName {
    /// Whether messages can be sent to it by us.
    pub const fn takes_messages(self) -> bool {
        !matches!(self, Self::Schedules | Self::Events)
    }
}

/// A message, byte for byte, and its attributes.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Letter {
    /// The message.
    pub body: String,
    /// The group that its sender has given it, by which SQS keeps queues fair.
    pub group: Option<String>,
    /// The attributes that its sender has given it, by name.
    pub attributes: BTreeMap<String, Attribute>,
}

impl Letter {
    /// A message without attributes.
    pub const fn new(body: String) -> Self {
        Self { body, group: None, attributes: BTreeMap::new() }
    }

    /// The same with one more attribute.
    #[must_use]
    pub fn with(mut self, name: &str, value: String) -> Self {
        let value = Attribute { kind: "String".to_owned(), text: Some(value), bytes: None };
        self.attributes.insert(name.to_owned(), value);
        self
    }
}

/// Bodies hold names and amounts: they are never printed (N9).
impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.attributes.keys().collect();
        f.debug_struct("Letter").field("bytes", &self.body.len()).field("beside", &names).finish()
    }
}

/// An attribute of a message, as SQS has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attribute {
    /// SQS's data type, such as `String`.
    pub kind: String,
    /// The value, if it is a text or a number.
    pub text: Option<String>,
    /// The value, if it is bytes.
    pub bytes: Option<Vec<u8>>,
}

/// A message that was found in a dead-letter queue, and is hidden from others for a while.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    /// SQS's id of it.
    pub id: String,
    /// The message.
    pub letter: Letter,
    /// When it was sent first. A dead-letter queue does not change that.
    pub sent_at: Option<Timestamp>,
    /// How often it was received, looks included.
    pub receives: u32,
    /// By which it is let go of. Another one with each look.
    handle: String,
}

/// How many messages a dead-letter queue holds, about, and for how long.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Depth {
    /// To be had.
    pub visible: u32,
    /// Hidden: a reader is looking at them.
    pub hidden: u32,
    /// How long SQS keeps a message, counted from when it was sent first.
    pub kept_for: Duration,
}

/// Queues to which a message can be sent once more.
pub trait Letters {
    /// Sends a message as it is.
    ///
    /// An implementation MUST answer `Ok` only if the queue has confirmed it. It may send it more than once.
    ///
    /// # Errors
    ///
    /// [`SendError`] if it was not confirmed. It may have been accepted nevertheless.
    async fn post(&self, to: QueueName, letter: &Letter) -> Result<(), SendError>;
}

/// The dead-letter queues.
pub trait DeadLetters {
    /// Some of the messages, [`LETTERS_MAX`] at most, which no other reader finds for this time. None: there
    /// are no others at the moment.
    ///
    /// # Errors
    /// [`DeadLetterError`].
    async fn look(
        &self,
        of: QueueName,
        hidden_for: Duration,
    ) -> Result<Vec<DeadLetter>, DeadLetterError>;

    /// Lets others find the message again at once. After `hidden_for` they do in any case.
    ///
    /// # Errors
    /// [`DeadLetterError`].
    async fn put_back(&self, of: QueueName, letter: &DeadLetter) -> Result<(), DeadLetterError>;

    /// Takes the message out. An implementation MUST take out no other one; if the time is over for which
    /// it was hidden, it may be found by others in spite of that.
    ///
    /// # Errors
    /// [`DeadLetterError`]. Whether it is out is not known.
    async fn take_out(&self, of: QueueName, letter: &DeadLetter) -> Result<(), DeadLetterError>;

    /// How many there are.
    ///
    /// # Errors
    /// [`DeadLetterError`].
    async fn depth(&self, of: QueueName) -> Result<Depth, DeadLetterError>;
}

/// A dead-letter queue did not do what it was asked to. Says what SQS said, never what a message says.
#[derive(Debug, thiserror::Error)]
#[error("the dead-letter queue of `{queue}` did not {what}: {problem}")]
pub struct DeadLetterError {
    /// Which one.
    pub queue: QueueName,
    /// What it was asked to.
    pub what: &'static str,
    /// What SQS said.
    pub problem: String,
}
