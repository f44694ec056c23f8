//! What stands in an announcement: only what belongs to its kind, and all that its schema asks for.

use jiff::Timestamp;
use serde::Serialize;

use super::Incomplete;
use super::content::Teller;
use super::event_type::Kind;
use super::log_entry::Entry;
use super::subject::{Subject, text};
use crate::ids::OrganisationId;
use crate::joint_digest::{ALL_ORGANISATIONS, JOINT_CHARS_MAX};

/// Counts the meanings of the members. A member more is no new version; another meaning is.
pub const VERSION: u32 = 1;

/// The `detail` of an event. Described for its readers by the schemas in `infra/events`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Detail {
    version: u32,
    id: String,
    organisation: OrganisationId,
    at: Timestamp,
    action: String,
    #[serde(flatten)]
    said: Cause,
    #[serde(flatten)]
    about: Subject,
}

/// Why, by which rule, and by whom.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Cause {
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Detail {
    /// Names the event for de-duplication: one row of the log has the same id for ever.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whose books it is about.
    pub fn organisation(&self) -> OrganisationId {
        self.organisation
    }

    pub(super) fn of(kind: Kind, entry: &Entry) -> Result<Self, Incomplete> {
        Ok(Self {
            version: VERSION,
            id: entry.id.clone(),
            organisation: entry.organisation,
            at: entry.at,
            action: entry.logged.to_string(),
            said: Cause {
                rule: text(entry.rule.as_deref()),
                cause: text(entry.cause.as_deref()),
                event_at: entry.event_at,
                by: text(entry.by.as_deref()),
                why: why(kind, entry),
            },
            about: Teller { kind, entry }.about()?,
        })
    }
}

/// The reason. That of the digest of all organisations has room for all of them.
fn why(kind: Kind, entry: &Entry) -> Option<String> {
    let is_joint = kind == Kind::DigestReady && entry.organisation == ALL_ORGANISATIONS;
    let why = entry.why.as_deref().filter(|why| is_joint && !why.is_empty());
    match why {
        Some(why) => Some(why.chars().take(JOINT_CHARS_MAX).collect()),
        None => text(entry.why.as_deref()),
    }
}
