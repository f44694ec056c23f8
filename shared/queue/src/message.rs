//! What travels on the `changes` queue.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use payments::codes;
use payments::{OrganisationId, XeroInvoiceId};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// One message of the `changes` queue.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Message {
    /// Invoices to look at.
    Invoices(InvoiceChanges),
    /// Part of a body that was signed but could not be read.
    Unreadable(UnreadablePart),
    /// Events that nothing is done about.
    Noted(Noted),
}

impl Message {
    /// Whose it is, as far as it is known.
    pub fn organisation(&self) -> Option<OrganisationId> {
        match self {
            Self::Invoices(changes) => Some(changes.organisation),
            Self::Noted(noted) => noted.organisation,
            Self::Unreadable(_) => None,
        }
    }
}

/// Invoices of one organisation that may have changed.
///
/// It says where to look and nothing about what will be found there.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct InvoiceChanges {
    /// Whose invoices they are. Possibly an organisation that is not set up here.
    pub organisation: OrganisationId,
    /// What made us look.
    pub cause: Cause,
    /// When we took responsibility for these changes. Only a read that starts later settles them.
    pub accepted_at: Timestamp,
    /// The work is parked until then: a receiver that gets it earlier sends it on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Which invoices, each once.
    pub invoices: Vec<InvoiceChange>,
}

codes! {
    /// What made us look at an invoice.
    #[derive(Deserialize, Serialize)]
    #[serde(rename_all = "snake_case")]
    Cause {
        /// An event from Xero.
        Webhook = "webhook",
        /// The business's own system said something about the invoice.
        Intake = "intake",
        /// The sweep found it changed.
        Sweep = "sweep",
        /// A person asked.
        Manual = "manual",
    }
}

/// One invoice that may have changed, and how often it was looked at in vain.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct InvoiceChange {
    /// Which invoice.
    pub id: XeroInvoiceId,
    /// When Xero says that it changed. A read that is older than this proves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_at: Option<Timestamp>,
    /// How often a read was older than the event.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stale_reads: u32,
    /// How many tries failed and count.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failures: u32,
}

impl InvoiceChange {
    /// A change that was not looked at yet.
    pub const fn new(id: XeroInvoiceId, event_at: Option<Timestamp>) -> Self {
        Self { id, event_at, stale_reads: 0, failures: 0 }
    }

    /// Takes in another change of the same invoice: the later event counts, with its own number
    /// of stale reads, because a newer event starts that count afresh. Failed tries never shrink.
    pub fn absorb(&mut self, other: &Self) {
        if other.event_at > self.event_at {
            self.event_at = other.event_at;
            self.stale_reads = other.stale_reads;
        } else if other.event_at == self.event_at {
            self.stale_reads = self.stale_reads.max(other.stale_reads);
        }
        self.failures = self.failures.max(other.failures);
    }
}

/// Part of a signed body that could not be read, kept byte for byte.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct UnreadablePart {
    /// SHA-256 of the whole body, in lower-case hexadecimal digits: the same for all its parts.
    pub delivery: String,
    /// When the body arrived.
    pub received_at: Timestamp,
    /// Which part this is; the first is 1.
    pub part: u32,
    /// How many parts there are.
    pub parts: u32,
    /// The problem of the body. Never quotes it.
    pub problem: String,
    /// The bytes of this part; base64 in JSON.
    #[serde(serialize_with = "as_base64", deserialize_with = "from_base64")]
    pub bytes: Vec<u8>,
}

/// Events that nothing is done about, counted, so that they are noticed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Noted {
    /// Whose events they were; absent if they belong to no organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<OrganisationId>,
    /// When they arrived.
    pub received_at: Timestamp,
    /// Why nothing is done, and how often.
    pub reasons: Vec<NotedReason>,
}

/// One reason to note an event, and how many events it concerns.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct NotedReason {
    /// For example `unknown_category`.
    pub code: String,
    /// The category in Xero's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// How many events.
    pub count: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn as_base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    // The decoder's own message would quote the text.
    STANDARD.decode(text).map_err(|_| D::Error::custom("bytes must be base64"))
}
