#![doc = include_str!("../README.md")]

mod accounts;
mod allocations;
mod authorisation;
mod bills;
mod bundle;
mod call_permits;
mod changed_invoices;
mod changed_payments;
mod client;
mod connections;
mod contacts;
mod credit_notes;
mod dates;
mod decimals;
mod deleted_money;
mod envelope;
mod error;
mod http;
mod identity_service;
mod invoice;
mod invoice_batches;
mod limit_problem;
mod limits;
mod list;
mod organisation;
mod pages;
mod payable_invoices;
mod prepayments;
mod readback;
mod receipts;
mod refund;
mod refusal;
mod signature;
mod token;
mod unreadable;
mod user_tokens;
mod walks;
mod wire;
mod write_results;
mod writes;
mod zones;

pub use authorisation::{ConnectError, Consented, LOGIN_URL, SCOPE_OFFLINE};
pub use bills::{BillLine, BillToSend};
pub use bundle::{
    BUNDLE_BYTES_MAX, Bundle, BundleError, PaymentToSend, PrepaymentToSend, StampedKind,
};
pub use call_permits::Unmetered;
pub use changed_invoices::ChangedPage;
pub use client::{Client, Config, ConfigError, IDS_MAX_LIMIT, Spent};
pub use connections::UserConnection;
pub use contacts::FoundContacts;
pub use credit_notes::{AllocationToSend, CreditNoteToSend, CreditNotes};
pub use deleted_money::DeletedMoney;
pub use envelope::{
    CATEGORY_CHARS_MAX, Category, Delivery, EnvelopeError, Event, EventKind, Malformed,
};
pub use error::{ErrorClass, Outage, ReadError, Refusal, Retry};
pub use http::RESPONSE_BYTES_MAX;
pub use identity_service::Credentials;
pub use invoice_batches::Invoices;
pub use limit_problem::LimitProblem;
pub use limits::{Limits, RETRY_AFTER_MAX};
pub use organisation::Organisation;
pub use pages::PAGES_MAX;
pub use payable_invoices::OpenInvoices;
pub use prepayments::DeletedPrepayments;
pub use readback::{AllocationSought, Found, SKEW_MARGIN, Stamped};
pub use receipts::{MoneyReceived, ReceivedBetween};
pub use refusal::RefusalKind;
pub use signature::{SIGNATURE_HEADER, SignatureError, Verified, WebhookKeys};
pub use unreadable::Unreadable;
pub use walks::WalkedPage;
pub use write_results::REFUSAL_CHARS_MAX;
pub use writes::{Answers, KEY_CHARS_MAX, TurnedAway};
pub use zones::{iana_zone, iana_zones};
