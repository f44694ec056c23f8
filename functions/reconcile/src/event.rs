//! What the function is called with: a schedule, or a batch of the log's stream. A field that is not known is an error: a wish
//! that is silently ignored is worse than one that is refused.

use commands::text::redact;
use serde::Deserialize;
use serde_json::Value;
use table::stream_batch::StreamEvent;

use crate::days::CloseWish;

/// An event of the function.
#[derive(Debug)]
pub(crate) enum Event {
    /// From EventBridge Scheduler: closes.
    Schedule(CloseWish),
    /// Rows of the activity log.
    Batch(StreamEvent),
}

/// An event that asks for nothing we know. The message quotes no values.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the event asks for nothing that reconcile does: {0}")]
pub struct EventError(String);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScheduleFields {
    close: CloseWish,
}

impl Event {
    /// Reads an event.
    ///
    /// # Errors
    /// [`EventError`], which says what is wrong with the event.
    pub(crate) fn read(event: &Value) -> Result<Self, EventError> {
        let read = if event.get("Records").is_some() {
            StreamEvent::deserialize(event).map(Self::Batch)
        } else {
            ScheduleFields::deserialize(event).map(|fields| Self::Schedule(fields.close))
        };
        read.map_err(|error| EventError(redact(&error)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schedule_asks_for_closes() {
        for event in [json!({"close": {}}), json!({"close": {"day": "2026-11-25", "by": "Ada"}})] {
            assert!(matches!(Event::read(&event), Ok(Event::Schedule(_))), "{event}");
        }
        assert!(matches!(Event::read(&json!({"Records": []})), Ok(Event::Batch(_))));
    }

    #[test]
    fn an_unknown_event_is_refused_and_its_value_not_quoted() {
        for (event, words) in [
            (json!({}), "`close` is missing"),
            (json!({"close": {}, "seal": "canary"}), "`seal` is not a field"),
            (json!({"close": {"month": "canary"}}), "`month` is not a field"),
            (json!({"close": {"day": "canary"}}), "cannot be read"),
            (json!({"Records": "canary"}), "cannot be read"),
            (json!("canary"), "cannot be read"),
        ] {
            let refusal = Event::read(&event).unwrap_err().to_string();
            assert!(refusal.contains(words), "{refusal}");
            assert!(!refusal.contains("canary"), "{refusal}");
        }
    }
}
