#![doc = include_str!("../README.md")]

mod clock;
mod command;
mod draft;
pub mod words;

pub use clock::{Watched, watch};
pub use command::{
    BULK_MAX, CommandResult, CommandVerb, DiscrepancyCommand, DiscrepancyCommandError,
    RefusedDiscrepancy, carry_out, typed_amount,
};
pub use draft::{DraftError, draft_notice};
