//! The reply to a verification of the activity log.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The log against its seals.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct LogVerificationReply {
    /// The differences found.
    pub verify: LogVerification,
    /// Whether the activity log has a row with who ordered it, and why: never, it is a look.
    pub recorded: bool,
}

/// What came of comparing some days of the log with their seals.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct LogVerification {
    /// Whether the organisation has any seal.
    pub is_sealed: bool,
    /// The first day that was compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The last day that was compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
    /// How many days with their seals.
    pub days: u64,
    /// How many rows of the log.
    pub rows: u64,
    /// Rows that came after their day was sealed, and that the seals of these days have taken up.
    pub late: u64,
    /// How many rows and seals are not as they were sealed.
    pub faults: u64,
    /// The first hundred of them, the oldest first.
    pub named: Vec<LogFault>,
    /// With which day the same command goes on, if time was short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Date>,
}

/// A row of the log, or a seal, that is not as it was sealed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LogFault {
    /// The day in UTC.
    pub day: Date,
    /// The row's sort key; none if it is about the seal of the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
    /// `altered`, `removed`, `added`, `exchanged`; of a seal `seal_missing`, `seal_altered`, `seal_unchained`.
    pub fault: String,
    /// The row whose contents it has, if it was exchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
}
