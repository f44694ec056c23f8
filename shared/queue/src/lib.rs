#![doc = include_str!("../README.md")]

mod changes;
mod codec;
mod dead_letters;
mod delay;
#[cfg(feature = "fakes")]
pub mod fakes;
mod message;
mod pack;
pub mod recursion;
mod redelivery;
mod schedules;
mod sqs;
mod uploads;

pub use changes::{Changes, SendError, SendProblem};
pub use codec::{DecodeError, VERSION};
pub use dead_letters::{
    AllQueues, Attribute, DeadLetter, DeadLetterError, DeadLetters, Depth, LETTERS_MAX, Letter,
    Letters, MessageSubject, QueueName, QueueUrls, about,
};
pub use delay::{DELAY_MAX, delay_until};
pub use message::{
    Cause, InvoiceChange, InvoiceChanges, Message, Noted, NotedReason, UnreadablePart,
};
pub use pack::{
    INVOICES_PER_MESSAGE_MAX, NOTED_CHARS_MAX, NOTED_REASONS_MAX, PART_BYTES_MAX,
    PROBLEM_CHARS_MAX, REASON_REST,
};
pub use redelivery::Redelivery;
pub use schedules::{ScheduleTask, ScheduledWork, SchedulesQueue};
pub use sqs::{BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, ChangesQueue, SEND_ATTEMPTS_MAX};
pub use uploads::{DELAY_SECONDS_MAX, UploadTask, Uploads, UploadsQueue};
