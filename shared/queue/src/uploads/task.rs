//! What travels on the `uploads` queue, and its text, which is a contract: see the README.

use jiff::Timestamp;
use payments::OrganisationId;
use serde::{Deserialize, Serialize};

use crate::codec::{DecodeError, Envelope, body, kind_of, unknown_kind};

/// One message of the `uploads` queue.
///
/// It says for whom there is something to do, and never what: that stands in the ledger.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum UploadTask {
    /// Payments wait to be posted at once (EX-01, EX-10).
    Direct {
        /// Whose payments.
        organisation: OrganisationId,
    },
    /// A night's run goes on.
    Night {
        /// Whose run.
        organisation: OrganisationId,
        /// For when the run was scheduled: it still belongs to that night when it goes on later.
        scheduled_at: Timestamp,
        /// Counts the invocations of the run, so that it has an end.
        round: u32,
    },
}

const DIRECT: &str = "direct";
const NIGHT: &str = "night";

#[derive(Deserialize, Serialize)]
struct DirectBody {
    organisation: OrganisationId,
}

#[derive(Deserialize, Serialize)]
struct NightBody {
    organisation: OrganisationId,
    scheduled_at: Timestamp,
    round: u32,
}

impl UploadTask {
    /// The kind, as it stands in the text.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Direct { .. } => DIRECT,
            Self::Night { .. } => NIGHT,
        }
    }

    /// Whose payments it is about.
    pub const fn organisation(&self) -> OrganisationId {
        match self {
            Self::Direct { organisation } | Self::Night { organisation, .. } => *organisation,
        }
    }

    /// The task as a JSON text. Nothing in it is anything but ASCII.
    ///
    /// # Errors
    ///
    /// None that is known; `serde_json` could fail in principle, and nothing here hides that.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let kind = self.kind();
        match *self {
            Self::Direct { organisation } => {
                serde_json::to_string(&Envelope::new(kind, &DirectBody { organisation }))
            }
            Self::Night { organisation, scheduled_at, round } => {
                let body = NightBody { organisation, scheduled_at, round };
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
            DIRECT => {
                let DirectBody { organisation } = body(DIRECT, text)?;
                Ok(Self::Direct { organisation })
            }
            NIGHT => {
                let NightBody { organisation, scheduled_at, round } = body(NIGHT, text)?;
                Ok(Self::Night { organisation, scheduled_at, round })
            }
            other => Err(unknown_kind(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORGANISATION: &str = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046";

    #[test]
    fn the_contract_is_these_texts() {
        let direct = format!(r#"{{"version":1,"kind":"direct","organisation":"{ORGANISATION}"}}"#);
        let night = format!(
            r#"{{"version":1,"kind":"night","organisation":"{ORGANISATION}","scheduled_at":"2026-10-05T15:00:00Z","round":2}}"#
        );
        let organisation: OrganisationId = ORGANISATION.parse().unwrap();
        let scheduled_at = "2026-10-05T15:00:00Z".parse().unwrap();
        for (text, task) in [
            (direct, UploadTask::Direct { organisation }),
            (night, UploadTask::Night { organisation, scheduled_at, round: 2 }),
        ] {
            assert_eq!(UploadTask::from_json(&text).unwrap(), task);
            assert_eq!(task.to_json().unwrap(), text);
            assert_eq!(task.organisation(), organisation);
        }
    }

    #[test]
    fn what_is_no_task_is_named() {
        let error = |text: &str| UploadTask::from_json(text).unwrap_err().to_string();
        assert!(error("direct").starts_with("not a message"));
        assert!(error("{}").contains("missing field `version`"));
        assert_eq!(
            error(r#"{"version":2,"kind":"direct"}"#),
            "message version 2 is not known here (this is version 1)"
        );
        // A message of the other queue is none of ours.
        assert_eq!(
            error(r#"{"version":1,"kind":"invoices"}"#),
            "message kind \"invoices\" is not known here"
        );
        let rest = |kind: &str, rest: &str| {
            error(&format!(r#"{{"version":1,"kind":"{kind}","organisation":{rest}}}"#))
        };
        let id = format!("\"{ORGANISATION}\"");
        for (kind, body, problem) in [
            ("direct", "\"me\"".to_owned(), "direct message: UUID parsing failed"),
            ("direct", "null".to_owned(), "direct message: invalid type: null"),
            ("night", id.clone(), "night message: missing field `scheduled_at`"),
            ("night", format!("{id},\"scheduled_at\":\"tonight\",\"round\":1"), "night message: "),
            (
                "night",
                format!("{id},\"scheduled_at\":\"2026-10-05T15:00:00Z\""),
                "night message: missing field `round`",
            ),
            (
                "night",
                format!("{id},\"scheduled_at\":\"2026-10-05T15:00:00Z\",\"round\":-1"),
                "night message: invalid value: integer `-1`",
            ),
        ] {
            let said = rest(kind, &body);
            assert!(said.starts_with(problem), "{said}");
        }
    }

    #[test]
    fn a_member_of_a_later_writer_is_no_mistake() {
        let text = format!(
            r#"{{"version":1,"kind":"direct","organisation":"{ORGANISATION}","urgent":true}}"#
        );
        assert!(UploadTask::from_json(&text).is_ok());
    }
}
