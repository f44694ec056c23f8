#![doc = include_str!("../README.md")]

mod changes;
mod encoding;
#[cfg(feature = "fakes")]
pub mod fakes;
mod letters;
mod message;
mod pack;
mod parking;
pub mod recursion;
mod sqs;
mod uploads;

pub use changes::{Changes, SendError, SendProblem};
pub use encoding::{DecodeError, VERSION};
pub use letters::{
    About, AllQueues, Attribute, DeadLetter, DeadLetterError, DeadLetters, Depth, LETTERS_MAX,
    Letter, Letters, QueueName, QueueUrls, about,
};
pub use message::{
    Cause, InvoiceChange, InvoiceChanges, Message, Noted, NotedReason, UnreadablePart,
};
pub use pack::{
    INVOICES_PER_MESSAGE_MAX, NOTED_CHARS_MAX, NOTED_REASONS_MAX, PART_BYTES_MAX,
    PROBLEM_CHARS_MAX, REASON_REST,
};
pub use parking::{DELAY_MAX, delay_until};
pub use sqs::{BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, ChangesQueue, SEND_ATTEMPTS_MAX};
pub use uploads::{DELAY_SECONDS_MAX, UploadTask, Uploads, UploadsQueue};
