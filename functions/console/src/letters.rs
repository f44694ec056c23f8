//! What `sweep` answers when it looks at a dead-letter queue: only what a page shows of it.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// The contents of a dead-letter queue.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Looked {
    /// Which queue's.
    pub queue: String,
    /// How many are in it, as far as SQS knows.
    pub left: u64,
    /// Those that were looked at.
    pub letters: Vec<Letter>,
    /// Why that is not all.
    #[serde(default)]
    pub problem: Option<String>,
}

/// A message of a dead-letter queue.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Letter {
    /// Its id.
    pub message: String,
    /// Whose books.
    #[serde(default)]
    pub organisation: Option<String>,
    /// What kind of message it is.
    pub kind: String,
    /// What it is about.
    #[serde(default)]
    pub subject: Option<String>,
    /// Which invoices, by Xero's ids.
    #[serde(default)]
    pub invoices: Vec<String>,
    /// When the first of the rows was written that were not announced.
    #[serde(default)]
    pub rows_from: Option<Timestamp>,
    /// When the last of them was.
    #[serde(default)]
    pub rows_to: Option<Timestamp>,
    /// When it was sent first.
    #[serde(default)]
    pub sent_at: Option<Timestamp>,
    /// Then SQS forgets it.
    #[serde(default)]
    pub kept_until: Option<Timestamp>,
    /// How often it was received.
    #[serde(default)]
    pub receives: u32,
}

/// The view of each queue that was looked at; of some the look itself may have failed.
pub fn read(answer: &Value) -> Vec<Looked> {
    let looks = answer.as_array().map_or(std::slice::from_ref(answer), Vec::as_slice);
    let looked = |look: &Value| Looked::deserialize(look.get("redrive")?).ok();
    looks.iter().filter_map(looked).collect()
}

/// What an order to announce again did not come to the end of.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Unfinished {
    complete: bool,
    /// Behind what it is to go on; none if nothing of it is done.
    #[serde(default)]
    pub next: Option<String>,
}

/// The unfinished part of an order to announce again, if there is one.
pub fn unfinished(answer: &Value) -> Option<Unfinished> {
    let told = Unfinished::deserialize(answer.get("announce_again")?).ok()?;
    (!told.complete).then_some(told)
}
