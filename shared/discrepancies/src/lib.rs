#![doc = include_str!("../README.md")]

mod clock;
mod draft;
mod order;
pub mod words;

pub use clock::{Watched, watch};
pub use draft::{DraftError, draft_notice};
pub use order::{
    BULK_MAX, DiscrepancyOrder, OrderError, OrderResult, OrderVerb, Refused, carry_out, place,
    text_of, typed_amount,
};
