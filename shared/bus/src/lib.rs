#![doc = include_str!("../README.md")]

mod eventbridge;
#[cfg(feature = "fakes")]
pub mod fakes;
mod port;

pub use eventbridge::{
    BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, EventBus, SEND_ATTEMPTS_MAX, SOURCE, event_bytes,
};
pub use port::{Bus, PublishOutcome, PublishProblem};
