//! What a schedule or a message asks for. A field that is not known is an error: a wish that is silently ignored is worse than
//! one that is refused. What a person orders is executed by `operations`.

use aws_lambda_events::sqs::SqsEvent;
use commands::text::redact;
use jiff::Timestamp;
use payments::OrganisationId;
use serde::Deserialize;

/// A request to the function.
#[derive(Debug)]
pub(crate) enum Asked {
    /// The night of that moment, for one organisation or for all.
    Night { scheduled_at: Timestamp, organisation: Option<OrganisationId> },
    /// Every organisation whose night is due and has not been run, or was interrupted.
    CatchUp,
    /// Messages of the `uploads` queue.
    Tasks(Box<SqsEvent>),
}

/// An event that asks for nothing we know. The message quotes no values.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the event asks for nothing that upload does: {0}")]
pub struct EventError(String);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    organisation: Option<OrganisationId>,
    scheduled_time: Option<Timestamp>,
    #[serde(default)]
    catch_up: bool,
}

impl Asked {
    /// Reads an event.
    ///
    /// # Errors
    /// [`EventError`], which says what is wrong with the event.
    pub(crate) fn read(event: &serde_json::Value) -> Result<Self, EventError> {
        let text = event.to_string();
        let wrong = |error: serde_json::Error| EventError(redact(&error));
        if event.get("Records").is_some() {
            return serde_json::from_str(&text).map(Box::new).map(Self::Tasks).map_err(wrong);
        }
        let wire: Wire = serde_json::from_str(&text).map_err(wrong)?;
        wire.asked()
    }
}

impl Wire {
    fn asked(self) -> Result<Asked, EventError> {
        if self.catch_up {
            return Ok(Asked::CatchUp);
        }
        let scheduled_at = self.scheduled_time.ok_or_else(|| {
            says(
                "give it a `scheduled_time` such as \"2026-11-25T11:00:00Z\", which decides the night; the function \
                 `operations` executes commands",
            )
        })?;
        Ok(Asked::Night { scheduled_at, organisation: self.organisation })
    }
}

fn says(what: &str) -> EventError {
    EventError(what.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(event: serde_json::Value) -> String {
        Asked::read(&event).unwrap_err().to_string()
    }

    #[test]
    fn a_schedule_carries_its_own_time() {
        let event = json!({"scheduled_time": "2026-11-25T11:00:00Z"});
        let asked = Asked::read(&event).unwrap();
        assert!(matches!(asked, Asked::Night { scheduled_at, organisation: None }
            if scheduled_at.to_string() == "2026-11-25T11:00:00Z"));
    }

    #[test]
    fn what_is_not_known_is_refused_and_its_value_not_quoted() {
        for (event, words) in [
            (json!({}), "scheduled_time"),
            (json!({"scheduled_time": "tonight canary"}), "cannot be read"),
            (json!({"scheduled": "canary"}), "`scheduled` is not a field"),
            (json!(["canary"]), "cannot be read"),
        ] {
            let refusal = refused(event);
            assert!(refusal.contains(words), "{refusal}");
            assert!(!refusal.contains("canary"), "{refusal}");
        }
    }

    #[test]
    fn every_payload_of_the_runbook_is_understood() {
        for payload in harness::runbook::payloads("upload") {
            if let Err(error) = Asked::read(&payload) {
                panic!("{payload}: {error}");
            }
        }
    }
}
