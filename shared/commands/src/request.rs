//! A command together with who orders it.

use serde::{Deserialize, Serialize};

use crate::attribution::Attribution;
use crate::command::Command;
use crate::text;

/// The function that executes commands, behind the name of the stack. Its event is a [`Request`], its answer the command's
/// [`Reply`](crate::Reply).
pub const FUNCTION: &str = "operations";

/// A command that may be executed: it says who orders it and why unless it only looks.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "Wire")]
pub struct Request {
    command: Command,
    #[serde(skip_serializing_if = "Option::is_none")]
    attribution: Option<Attribution>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    command: Command,
    attribution: Option<Attribution>,
}

/// Why something is no request. The message quotes no values.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RequestError {
    /// Who and why are missing.
    #[error("`attribution` is missing: the command changes something, so say `by` and `reason`")]
    Unattributed,
    /// It is no JSON of a request.
    #[error("{0}")]
    Unreadable(String),
}

impl Request {
    /// Checks a command.
    ///
    /// # Errors
    /// The command changes something, and has no attribution.
    pub fn new(command: Command, attribution: Option<Attribution>) -> Result<Self, RequestError> {
        if attribution.is_none() && !command.kind().is_read_only() {
            return Err(RequestError::Unattributed);
        }
        Ok(Self { command, attribution })
    }

    /// Reads an event.
    ///
    /// # Errors
    /// The first thing that is wrong with it, without its values.
    pub fn read(event: &serde_json::Value) -> Result<Self, RequestError> {
        // From a text, so that the error says where.
        let wire: Wire = serde_json::from_str(&event.to_string())
            .map_err(|error| RequestError::Unreadable(text::redact(&error)))?;
        Self::try_from(wire)
    }

    /// The command.
    pub fn command(&self) -> &Command {
        &self.command
    }

    /// Who orders it and why; `None` only for a look.
    pub fn attribution(&self) -> Option<&Attribution> {
        self.attribution.as_ref()
    }
}

impl TryFrom<Wire> for Request {
    type Error = RequestError;

    fn try_from(wire: Wire) -> Result<Self, RequestError> {
        Self::new(wire.command, wire.attribution)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_change_needs_who_and_why_and_a_look_does_not() {
        // ST-22
        let request = |command: &str| {
            let event = json!({"command": {command: {"queue": "changes"}}});
            Request::read(&event).map(|request| request.command().kind().code())
        };
        assert_eq!(request("look_at_dead_letters"), Ok("look_at_dead_letters"));
        assert_eq!(request("redrive"), Err(RequestError::Unattributed));
    }

    #[test]
    fn an_event_that_is_no_command_is_refused_and_its_value_not_quoted() {
        for (event, words) in [
            (json!({}), "`command` is missing"),
            (json!({"canary": 1}), "`canary` is not a field"),
            (json!({"command": {"canary": {}}}), "cannot be read"),
            (json!({"command": {"redrive": {"queue": 7}}}), "cannot be read"),
            (json!(["canary"]), "cannot be read"),
        ] {
            let error = Request::read(&event).unwrap_err().to_string();
            assert!(error.contains(words), "{words}: {error}");
            assert!(error.contains("`canary` is") || !error.contains("canary"), "{error}");
        }
    }
}
