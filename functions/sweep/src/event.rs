//! What a schedule asks for. A field that is not known is an error: a wish that is silently ignored is worse than one that is
//! refused. What a person orders is executed by `operations`.

use commands::text::redact;
use jiff::Timestamp;
use payments::OrganisationId;
use serde::Deserialize;

use crate::wanted::Target;

/// The work that an event asks for.
#[derive(Debug)]
pub(crate) enum Asked {
    /// The sweep of that moment, for one organisation or for all.
    Scheduled { scheduled_at: Timestamp, organisation: Option<OrganisationId>, target: Target },
    /// How the connections are: of one organisation or of all.
    Check { organisation: Option<OrganisationId> },
    /// What operators read in the morning: of one organisation or of all.
    Digest { scheduled_at: Timestamp, organisation: Option<OrganisationId> },
}

/// An event that asks for nothing we know. The message quotes no values.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the event asks for nothing that sweep does: {0}")]
pub struct EventError(pub(crate) String);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    scheduled_time: Option<Timestamp>,
    #[serde(default)]
    full: bool,
    #[serde(default)]
    certify: bool,
    #[serde(default)]
    check: bool,
    #[serde(default)]
    digest: bool,
    #[serde(default)]
    customers: bool,
    organisation: Option<OrganisationId>,
}

impl Asked {
    /// Reads an event.
    ///
    /// # Errors
    /// The event asks for nothing that sweep does; `EventError` says what is wrong with it.
    pub(crate) fn read(event: &serde_json::Value) -> Result<Self, EventError> {
        let wire: Wire =
            serde_json::from_str(&event.to_string()).map_err(|error| EventError(redact(&error)))?;
        let Wire { scheduled_time, full, certify, check, digest, customers, organisation } = wire;
        let kinds =
            [full, certify, check, digest, customers].into_iter().filter(|kind| *kind).count();
        if kinds > 1 {
            return Err(says("it asks for several things at once"));
        }
        // A check is about this moment, whenever it was due.
        if check {
            return Ok(Self::Check { organisation });
        }
        let Some(scheduled_at) = scheduled_time else {
            return Err(says(
                "give it a `scheduled_time` such as \"2026-11-25T11:00:00Z\"; the function `operations` executes commands",
            ));
        };
        if digest {
            return Ok(Self::Digest { scheduled_at, organisation });
        }
        let target = match (full, certify, customers) {
            (true, ..) => Target::Open,
            (_, true, _) => Target::Certificate,
            (.., true) => Target::Customers,
            (false, false, false) => Target::Changes,
        };
        Ok(Self::Scheduled { scheduled_at, organisation, target })
    }
}

pub(crate) fn says(what: &str) -> EventError {
    EventError(what.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schedule_carries_its_own_time() {
        for (more, wanted) in [
            (None, Target::Changes),
            (Some("full"), Target::Open),
            (Some("certify"), Target::Certificate),
            (Some("customers"), Target::Customers),
        ] {
            let mut event = json!({"scheduled_time": "2026-11-25T11:00:00Z"});
            if let Some(more) = more {
                event[more] = json!(true);
            }
            let asked = Asked::read(&event).unwrap();
            assert!(matches!(asked, Asked::Scheduled { scheduled_at, organisation: None, target }
                if scheduled_at.to_string() == "2026-11-25T11:00:00Z" && target == wanted));
        }
    }

    #[test]
    fn what_is_not_known_is_refused_and_its_value_not_quoted() {
        for (event, words) in [
            (json!({}), "scheduled_time"),
            (json!({"full": true}), "scheduled_time"),
            (json!({"check": true, "certify": true}), "several things"),
            (
                json!({"scheduled_time": "2026-11-25T11:00:00Z", "full": true, "certify": true}),
                "several things",
            ),
            (json!({"scheduled_time": "canary"}), "cannot be read"),
            (json!({"sync": "canary"}), "`sync` is not a field"),
            (json!(["canary"]), "cannot be read"),
        ] {
            let refusal = Asked::read(&event).unwrap_err().to_string();
            assert!(refusal.contains(words), "{refusal}");
            assert!(!refusal.contains("canary"), "{refusal}");
        }
    }

    #[test]
    fn every_payload_of_the_runbook_is_understood() {
        for payload in harness::runbook::payloads("sweep") {
            if let Err(error) = Asked::read(&payload) {
                panic!("{payload}: {error}");
            }
        }
    }
}
