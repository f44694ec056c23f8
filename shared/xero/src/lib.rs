#![doc = include_str!("../README.md")]

mod client;
mod dates;
mod decimals;
mod envelope;
mod error;
mod http;
mod invoice;
mod limits;
mod organisation;
mod packs;
mod signature;
mod token;
mod wire;

pub use client::{Client, Config, ConfigError, IDS_MAX_LIMIT};
pub use envelope::{
    CATEGORY_CHARS_MAX, Category, Delivery, EnvelopeError, Event, EventKind, Malformed,
};
pub use error::{ErrorClass, Outage, ReadError, Refusal, Retry};
pub use http::RESPONSE_BYTES_MAX;
pub use limits::{LimitProblem, Limits, RETRY_AFTER_MAX};
pub use organisation::Organisation;
pub use packs::Invoices;
pub use signature::{SIGNATURE_HEADER, SignatureError, Verified, WebhookKeys};
pub use token::Credentials;
