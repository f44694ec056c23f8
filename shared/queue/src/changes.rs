//! The port: a queue of changes, as seen by its senders.

use std::time::Duration;

use crate::message::Message;

/// Changes that are waiting to be looked at.
pub trait Changes {
    /// Sends messages, each to be delivered after `delay` (15 minutes at most: a longer one is cut
    /// to that, and the receiver looks at `not_before`).
    ///
    /// An implementation MUST answer `Ok` only if the queue has confirmed every single message. It
    /// may send a message more than once.
    ///
    /// # Errors
    ///
    /// [`SendError`] if one message or more was not confirmed. Such a message may have been
    /// accepted nevertheless: send all of them again, or make the caller do so.
    async fn send(&self, messages: &[Message], delay: Duration) -> Result<(), SendError>;
}

impl<C: Changes> Changes for &C {
    async fn send(&self, messages: &[Message], delay: Duration) -> Result<(), SendError> {
        (**self).send(messages, delay).await
    }
}

/// Not everything was sent.
#[derive(Debug, thiserror::Error)]
#[error("the queue confirmed {confirmed} of {total} messages")]
pub struct SendError {
    /// How many were confirmed.
    pub confirmed: usize,
    /// How many there were.
    pub total: usize,
    /// What happened to the first one that was not.
    #[source]
    pub problem: SendProblem,
}

/// Why a message was not confirmed. Says what SQS said, never what the message says.
#[derive(Debug, thiserror::Error)]
pub enum SendProblem {
    /// The message cannot be written as JSON.
    #[error("a message cannot be written")]
    Encoding(#[source] serde_json::Error),
    /// A message alone is larger than one call may be. A mistake of ours: messages are packed.
    #[error("a {kind} message has {bytes} bytes, and {bytes_max} are the limit")]
    TooLarge {
        /// The kind of message.
        kind: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The call failed as a whole, after the SDK's own retries.
    #[error("the call to SQS failed: {0}")]
    Call(String),
    /// SQS answered, and refused the message as the sender's mistake.
    #[error("SQS refused a message: {0}")]
    Refused(String),
    /// SQS answered without confirming the message, each time.
    #[error("SQS did not confirm a message in {attempts} attempts: {code}")]
    Unconfirmed {
        /// How often it was sent.
        attempts: u32,
        /// SQS's last word on it.
        code: String,
    },
}
