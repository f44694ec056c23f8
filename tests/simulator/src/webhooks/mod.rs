//! Xero's webhook: events are gathered, delivered in order, retried, and given up on.

mod delivery;
mod envelope;
mod intent;
mod outbox;

use serde::{Deserialize, Serialize};

pub(crate) use delivery::{client, deliver, pump};
pub(crate) use envelope::{Event, Resource};
pub use intent::{IntentToReceive, Probe, Signature};
pub(crate) use outbox::Outbox;

/// How the webhook is set up. There is one per app, for all organisations (facts.md 1.1).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookSettings {
    /// Where deliveries go.
    pub url: String,
    /// The signing key, used as text.
    pub key: String,
    /// Off, nothing is delivered and what changes meanwhile is never announced.
    pub enabled: bool,
    /// How long events are gathered into one delivery.
    pub batch_window_ms: u64,
    /// Most events in one delivery.
    pub events_max: usize,
    /// Between retries; 15 minutes at Xero.
    pub retry_interval_ms: u64,
    /// How many more times each delivery that succeeded is sent again, as duplicates.
    pub duplicates: u32,
    /// Whether the app also subscribed to credit notes.
    pub credit_notes: bool,
    /// Whether the app also subscribed to contacts.
    pub contacts: bool,
}

/// Between retries, as Xero does it (facts.md 1.10).
pub const RETRY_INTERVAL_MS: u64 = 15 * 60 * 1_000;
/// How long events are gathered unless the settings say otherwise.
pub const BATCH_WINDOW_MS: u64 = 50;
/// Most events in a delivery unless the settings say otherwise.
pub const EVENTS_MAX: usize = 100;

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            url: String::new(),
            key: String::new(),
            enabled: true,
            batch_window_ms: BATCH_WINDOW_MS,
            events_max: EVENTS_MAX,
            retry_interval_ms: RETRY_INTERVAL_MS,
            duplicates: 0,
            credit_notes: false,
            contacts: false,
        }
    }
}

/// What the portal shows for the webhook.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookStatus {
    /// There is none, or it is switched off.
    #[default]
    Off,
    /// Deliveries succeed.
    Ok,
    /// The last delivery failed and will be retried.
    Retry,
    /// Deliveries failed for 24 h. Events are kept until it is set up again or passes an
    /// intent to receive.
    Disabled,
}

/// One attempt at a delivery.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    /// When it was sent.
    pub at: jiff::Timestamp,
    /// `firstEventSequence`.
    pub first_sequence: u32,
    /// `lastEventSequence`.
    pub last_sequence: u32,
    /// How many events it held.
    pub events: usize,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// Whether it repeats a delivery that had succeeded.
    pub duplicate: bool,
    /// The status of the answer; `None` when there was no answer.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub error: Option<String>,
    /// How long the answer took.
    pub elapsed_ms: u64,
    /// The body that was sent.
    pub body: String,
    /// The signature that was sent with it.
    pub signature: String,
}

impl Delivery {
    /// Whether Xero takes the delivery for received: any 2xx (facts.md 1.8).
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}
