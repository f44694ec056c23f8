//! What travels on the `schedules` queue.

use jiff::Timestamp;
use payments::OrganisationId;
use payments::codes;
use serde::{Deserialize, Serialize};

use crate::codec::{DecodeError, Envelope, body, kind_of, unknown_kind};

codes! {
    /// What a schedule asks for.
    #[derive(Deserialize, Serialize)]
    #[serde(rename_all = "snake_case")]
    ScheduledWork {
        /// The sweep of what changed.
        Changes = "changes",
        /// The sweep of what is open.
        Open = "open",
        /// The certificate.
        Certificate = "certificate",
        /// The look at the connection.
        Check = "check",
        /// The digest.
        Digest = "digest",
    }
}

/// One message of the `schedules` queue. It says whose turn it is, and never what there is to do: that stands in the
/// tables, where a message that comes twice or late finds it done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ScheduleTask {
    /// The work of one organisation.
    Organisation {
        /// Which work.
        work: ScheduledWork,
        /// Whose.
        organisation: OrganisationId,
        /// For when it was scheduled.
        scheduled_at: Timestamp,
    },
    /// The list of organisations goes on: there were more of them than fit in one invocation.
    List {
        /// Which work.
        work: ScheduledWork,
        /// For when it was scheduled.
        scheduled_at: Timestamp,
        /// The key of the last row of the list so far.
        after: String,
        /// By the clock of which time zone the schedule comes, if it is about the organisations of that zone.
        zone: Option<String>,
    },
}

const ORGANISATION: &str = "organisation";
const LIST: &str = "list";

#[derive(Deserialize, Serialize)]
struct OrganisationBody {
    work: ScheduledWork,
    organisation: OrganisationId,
    scheduled_at: Timestamp,
}

#[derive(Deserialize, Serialize)]
struct ListBody {
    work: ScheduledWork,
    scheduled_at: Timestamp,
    after: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    zone: Option<String>,
}

impl ScheduleTask {
    /// The kind, as it stands in the text.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Organisation { .. } => ORGANISATION,
            Self::List { .. } => LIST,
        }
    }

    /// Which work it is about.
    pub const fn work(&self) -> ScheduledWork {
        match self {
            Self::Organisation { work, .. } | Self::List { work, .. } => *work,
        }
    }

    /// For when it was scheduled.
    pub const fn scheduled_at(&self) -> Timestamp {
        match self {
            Self::Organisation { scheduled_at, .. } | Self::List { scheduled_at, .. } => {
                *scheduled_at
            }
        }
    }

    /// Whose work it is, if it is about one organisation.
    pub const fn organisation(&self) -> Option<OrganisationId> {
        match self {
            Self::Organisation { organisation, .. } => Some(*organisation),
            Self::List { .. } => None,
        }
    }

    /// The task as a JSON text. Nothing in it is anything but ASCII.
    ///
    /// # Errors
    ///
    /// None that is known; `serde_json` could fail in principle, and nothing here hides that.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let kind = self.kind();
        match self.clone() {
            Self::Organisation { work, organisation, scheduled_at } => {
                let body = OrganisationBody { work, organisation, scheduled_at };
                serde_json::to_string(&Envelope::new(kind, &body))
            }
            Self::List { work, scheduled_at, after, zone } => {
                let body = ListBody { work, scheduled_at, after, zone };
                serde_json::to_string(&Envelope::new(kind, &body))
            }
        }
    }

    /// Reads a task.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] says what is wrong with any text that is not a task of this version.
    pub fn from_json(text: &str) -> Result<Self, DecodeError> {
        match kind_of(text)?.as_str() {
            ORGANISATION => {
                let OrganisationBody { work, organisation, scheduled_at } =
                    body(ORGANISATION, text)?;
                Ok(Self::Organisation { work, organisation, scheduled_at })
            }
            LIST => {
                let ListBody { work, scheduled_at, after, zone } = body(LIST, text)?;
                Ok(Self::List { work, scheduled_at, after, zone })
            }
            other => Err(unknown_kind(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046";
    const AT: &str = "2026-10-05T15:00:00Z";

    #[test]
    fn the_contract_is_these_texts() {
        let (id, at) = (ID.parse().unwrap(), AT.parse().unwrap());
        for work in ScheduledWork::ALL.iter().copied() {
            let task = ScheduleTask::Organisation { work, organisation: id, scheduled_at: at };
            let text = format!(
                r#"{{"version":1,"kind":"organisation","work":"{work}","organisation":"{ID}","scheduled_at":"{AT}"}}"#
            );
            assert_eq!(task.to_json().unwrap(), text);
            assert_eq!(ScheduleTask::from_json(&text).unwrap(), task);
            let after = ID.to_owned();
            let task = ScheduleTask::List { work, scheduled_at: at, after, zone: None };
            let text = format!(
                r#"{{"version":1,"kind":"list","work":"{work}","scheduled_at":"{AT}","after":"{ID}"}}"#
            );
            assert_eq!(task.to_json().unwrap(), text);
            assert_eq!(ScheduleTask::from_json(&text).unwrap(), task);
        }
        let zone = Some("Europe/London".to_owned());
        let work = ScheduledWork::Open;
        let task = ScheduleTask::List { work, scheduled_at: at, after: ID.to_owned(), zone };
        let text = task.to_json().unwrap();
        assert!(text.ends_with(r#","zone":"Europe/London"}"#), "{text}");
        assert_eq!(ScheduleTask::from_json(&text).unwrap(), task);
    }

    #[test]
    fn what_is_no_task_is_named() {
        let error = |text: &str| ScheduleTask::from_json(text).unwrap_err().to_string();
        assert!(error("organisation").starts_with("not a message"));
        assert_eq!(
            error(r#"{"version":2,"kind":"organisation"}"#),
            "message version 2 is not known here (this is version 1)"
        );
        // A message of another queue is none of ours.
        assert_eq!(
            error(r#"{"version":1,"kind":"night"}"#),
            "message kind \"night\" is not known here"
        );
        let work = format!(
            r#"{{"version":1,"kind":"organisation","work":"tea","organisation":"{ID}","scheduled_at":"{AT}"}}"#
        );
        assert!(error(&work).starts_with("organisation message: unknown variant `tea`"));
    }
}
