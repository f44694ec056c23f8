//! The event: a batch of the stream.

use commands::text::redact;
use serde::Deserialize as _;
use serde_json::Value;
use table::stream_batch::StreamEvent;

/// An event that is no batch of the stream. The message quotes no values.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the event asks for nothing that announce does: {0}")]
pub struct EventError(String);

/// Reads an event.
///
/// # Errors
/// The first thing that is wrong with it.
pub(crate) fn read(event: &Value) -> Result<StreamEvent, EventError> {
    if event.get("Records").is_none() {
        let what = "give it `Records` of the stream of `activity`; the function `operations` executes commands";
        return Err(EventError(what.to_owned()));
    }
    StreamEvent::deserialize(event).map_err(|error| EventError(redact(&error)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn anything_else_is_refused_and_its_value_not_quoted() {
        assert!(read(&json!({"Records": []})).is_ok());
        for (event, words) in [
            (json!({}), "`Records`"),
            (json!({"announce": "canary"}), "`Records`"),
            (json!({"Records": "canary"}), "cannot be read"),
        ] {
            let refusal = read(&event).unwrap_err().to_string();
            assert!(refusal.contains(words), "{words}: {refusal}");
            assert!(!refusal.contains("canary"), "{refusal}");
        }
    }
}
