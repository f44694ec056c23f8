//! What `upload` answers when it is asked what the next night would do: only what a page shows of it.

use serde::Deserialize;
use serde_json::Value;

/// The plan of one organisation's next night.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Plan {
    /// The night.
    pub night: String,
    /// How many would go.
    pub would_go: u64,
    /// How many would wait for a later night.
    pub would_wait: u64,
    /// Slots that are left in it.
    pub slots_left: u64,
    /// Why nothing goes in nights, if uploading is off.
    pub disabled: Option<String>,
    /// Those that were judged, in the order of their turn.
    pub payments: Vec<Planned>,
}

/// One payment of the plan.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Planned {
    /// Its id.
    pub payment: String,
    /// How much.
    pub amount: String,
    /// Of which day.
    pub date: String,
    /// The way it goes: a code.
    #[serde(default)]
    pub route: Option<String>,
    /// `go`, `wait`, `hold` or `skip`.
    pub would: String,
    /// Why it would be held or skipped: a code.
    #[serde(default)]
    pub reason: Option<String>,
    /// The same in words.
    #[serde(default)]
    pub why: Option<String>,
    /// The orders that would change what becomes of it: codes.
    #[serde(default)]
    pub orders: Vec<String>,
    /// What would be made of it in Xero.
    #[serde(default)]
    pub parts: Vec<String>,
}

#[derive(Deserialize)]
struct Answer {
    previews: Vec<Plan>,
}

/// The plan in an answer; none if that organisation uploads nothing.
///
/// # Errors
/// The part that cannot be read.
pub fn read(answer: &Value) -> Result<Option<Plan>, serde_json::Error> {
    let answer: Answer = Answer::deserialize(answer)?;
    Ok(answer.previews.into_iter().next())
}
