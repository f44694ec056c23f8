#![doc = include_str!("../README.md")]

mod allocations;
mod answers;
mod bills;
mod bundle;
mod certifying;
mod client;
mod connecting;
mod contacts;
mod dates;
mod decimals;
mod envelope;
mod error;
mod granted;
mod http;
mod invoice;
mod limits;
mod metering;
mod organisation;
mod packs;
mod pages;
mod planning;
mod prepayments;
mod readback;
mod receipts;
mod refund;
mod refusal;
mod signature;
mod sweeping;
mod token;
mod unreadable;
mod walks;
mod wire;
mod writing;

pub use answers::REFUSAL_CHARS_MAX;
pub use bills::{BillLine, BillToSend};
pub use bundle::{
    BUNDLE_BYTES_MAX, Bundle, BundleError, PaymentToSend, PrepaymentToSend, StampedKind,
};
pub use client::{Client, Config, ConfigError, IDS_MAX_LIMIT, SCOPES_UPLOADING, Spent};
pub use connecting::{ConnectError, LOGIN_URL, SCOPE_OFFLINE};
pub use contacts::FoundContacts;
pub use envelope::{
    CATEGORY_CHARS_MAX, Category, Delivery, EnvelopeError, Event, EventKind, Malformed,
};
pub use error::{ErrorClass, Outage, ReadError, Refusal, Retry};
pub use http::RESPONSE_BYTES_MAX;
pub use limits::{LimitProblem, Limits, RETRY_AFTER_MAX};
pub use metering::Unmetered;
pub use organisation::Organisation;
pub use packs::Invoices;
pub use pages::PAGES_MAX;
pub use planning::OpenInvoices;
pub use prepayments::DeletedPrepayments;
pub use readback::{Found, SKEW_MARGIN, Stamped};
pub use receipts::ReceivedBetween;
pub use refusal::RefusalKind;
pub use signature::{SIGNATURE_HEADER, SignatureError, Verified, WebhookKeys};
pub use sweeping::ChangedPage;
pub use token::Credentials;
pub use unreadable::Unreadable;
pub use walks::WalkedPage;
pub use writing::{Answers, KEY_CHARS_MAX, TurnedAway};
