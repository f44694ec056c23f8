//! The messages that the business's own system sends, read completely before anything is done.
//! `contract/intake-v1.schema.json` says the same in JSON Schema.

mod feed;
mod json;
mod members;
mod notice;
mod order;
mod problems;
mod provider_invoice;
mod reader;
mod values;

pub use problems::{Invalid, Problem};
pub use reader::{
    ALLOCATIONS_MAX, BODY_BYTES_MAX, InvoiceReport, Journaling, Message, Report, VERSION, read,
    read_message,
};
