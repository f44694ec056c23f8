//! Messages of dead-letter queues. Ids and counts only.

use jiff::Timestamp;
use payments::{OrganisationId, XeroInvoiceId};
use serde::{Deserialize, Serialize};

/// Messages of a dead-letter queue.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct DeadLettersReply {
    /// Which.
    pub redrive: DeadLettersReport,
    /// Whether the activity log has a row with who ordered it, and why: one for each that was sent again.
    pub recorded: bool,
}

/// Messages of a dead-letter queue that were looked at, or are on their queue again. Ids and counts only.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct DeadLettersReport {
    /// The name of the queue.
    pub queue: String,
    /// Whether this was only a look.
    pub preview: bool,
    /// How many are on their queue again.
    pub redriven: usize,
    /// How many are in the dead-letter queue now, as far as SQS knows.
    pub left: u32,
    /// Those that were looked at, or are on their queue again.
    pub letters: Vec<DeadLetterSummary>,
    /// Why that is not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A message of a dead-letter queue.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct DeadLetterSummary {
    /// Its id.
    pub message: String,
    /// Which organisation it is about.
    pub organisation: Option<OrganisationId>,
    /// What kind of message it is.
    pub kind: String,
    /// What it is about.
    pub subject: Option<String>,
    /// Which invoices, by Xero's ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invoices: Vec<XeroInvoiceId>,
    /// Of decisions that were not announced: when the first of them was written, about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_from: Option<Timestamp>,
    /// When the last of them was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_to: Option<Timestamp>,
    /// When it was sent first.
    pub sent_at: Option<Timestamp>,
    /// Then SQS forgets it.
    pub kept_until: Option<Timestamp>,
    /// How often it was received, looks included.
    pub receives: u32,
}

/// A message that was taken out of a dead-letter queue.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct DiscardReply {
    /// Which.
    pub discard: DiscardedLetter,
    /// Whether the activity log has a row with who ordered it, and why.
    pub recorded: bool,
}

/// A message that was taken out of a dead-letter queue, and where it is kept.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct DiscardedLetter {
    /// The message.
    pub discarded: DeadLetterSummary,
    /// Whose rows of the table `parked` it stands among: an organisation's, or `unknown`.
    pub parked_under: String,
    /// How many are in the dead-letter queue now, as far as SQS knows.
    pub left: u32,
}
