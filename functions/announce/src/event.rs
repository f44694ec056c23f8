//! What the function is asked to do: a batch of the stream, or what a person wants announced again.

use commands::text::{redact, validate};
use jiff::{SignedDuration, Timestamp};
use payments::OrganisationId;
use serde::Deserialize;
use serde_json::Value;

use table::stream_batch::StreamEvent;

/// Longest sort key of a row, in characters; DynamoDB has none of more than 1,024 bytes.
const KEY_CHARS_MAX: usize = 1_024;
/// Most time between the first and the last decision: each day in it is asked for, whether it has any or not.
const SPAN_MAX: SignedDuration = SignedDuration::from_hours(31 * 24);

/// A request to the function.
#[derive(Debug)]
pub(crate) enum Asked {
    /// New rows of the log.
    Batch(StreamEvent),
    /// Decisions of some hours are to be announced again.
    Again(Box<Wish>),
}

/// What a person wants announced again.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) organisation: OrganisationId,
    /// The first moment, included.
    pub(crate) from: Timestamp,
    /// The last moment, included.
    pub(crate) to: Timestamp,
    /// Behind which row to go on: the second half of its key.
    pub(crate) next: Option<String>,
    /// Whether this is only a look.
    pub(crate) preview: bool,
    pub(crate) by: String,
    pub(crate) why: String,
}

/// An event that asks for nothing we know. The message quotes no values.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the event asks for nothing that announce does: {0}")]
pub struct EventError(String);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    announce_again: Option<WireAgain>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireAgain {
    organisation: OrganisationId,
    from: Timestamp,
    to: Timestamp,
    next: Option<String>,
    #[serde(default)]
    preview: bool,
    by: String,
    why: String,
}

impl Asked {
    /// Reads an event.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub(crate) fn read(event: &Value) -> Result<Self, EventError> {
        let wrong = |error: serde_json::Error| EventError(redact(&error));
        if event.get("Records").is_some() {
            return StreamEvent::deserialize(event).map(Self::Batch).map_err(wrong);
        }
        let wire = Wire::deserialize(event).map_err(wrong)?;
        match wire.announce_again {
            Some(wish) => wish.asked().map(Box::new).map(Self::Again),
            None => Err(says("give it `Records` of the stream of `activity`, or `announce_again`")),
        }
    }
}

impl WireAgain {
    fn asked(self) -> Result<Wish, EventError> {
        let Self { organisation, from, to, next, preview, by, why } = self;
        if from > to {
            return Err(says("`from` must not be later than `to`"));
        }
        if to.duration_since(from) > SPAN_MAX {
            return Err(says("`from` and `to` are more than 31 days apart: ask in parts"));
        }
        if let Some(next) = &next {
            // Microseconds are all that a key has of its moment.
            let at = moment_of(next).filter(|_| next.chars().count() <= KEY_CHARS_MAX);
            let within = |at: Timestamp| at <= to && from.duration_since(at).as_micros() < 1;
            if !at.is_some_and(within) {
                return Err(says("`next` is none that an answer about these hours had"));
            }
        }
        let (by, why) =
            (validate("by", &by).map_err(EventError)?, validate("why", &why).map_err(EventError)?);
        Ok(Wish { organisation, from, to, next, preview, by, why })
    }
}

/// The moment with which the second half of a row's key begins.
pub(crate) fn moment_of(at: &str) -> Option<Timestamp> {
    at.split('#').next()?.parse().ok()
}

fn says(what: &str) -> EventError {
    EventError(what.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wish(more: Value) -> Value {
        let mut wish = json!({"organisation": "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046",
            "from": "2026-11-23T00:00:00Z", "to": "2026-11-23T02:00:00Z", "by": "Wilma", "why": "lost"});
        wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "announce_again": wish })
    }

    #[test]
    fn a_wish_and_a_batch_are_told_apart() {
        assert!(matches!(Asked::read(&json!({"Records": []})), Ok(Asked::Batch(_))));
        let Ok(Asked::Again(read)) = Asked::read(&wish(json!({"preview": true}))) else { panic!() };
        assert!(read.preview && read.next.is_none() && read.by == "Wilma");
        let next = "2026-11-23T01:00:00.000000Z#10234#7-0";
        let Ok(Asked::Again(read)) = Asked::read(&wish(json!({ "next": next }))) else { panic!() };
        assert_eq!(read.next.as_deref(), Some(next));
    }

    #[test]
    fn what_is_not_understood_is_refused_and_its_value_not_quoted() {
        let later = "2026-11-23T03:00:00.000000Z#1#1-0";
        let earlier = "2026-11-22T23:59:59.999999Z#1#1-0";
        for (event, words) in [
            (json!({}), "`Records`"),
            (json!({"announce": "canary"}), "`announce` is not a field"),
            (wish(json!({"canary": 1})), "is not a field"),
            (wish(json!({"from": "canary"})), "cannot be read"),
            (wish(json!({"from": "2026-11-24T00:00:00Z"})), "later than"),
            (wish(json!({"from": "2026-10-01T00:00:00Z"})), "31 days"),
            (wish(json!({"next": "canary"})), "`next`"),
            (wish(json!({ "next": later })), "`next`"),
            (wish(json!({ "next": earlier })), "`next`"),
            (wish(json!({"by": " "})), "`by` must have"),
            (
                wish(json!({"why": "x".repeat(commands::text::TEXT_CHARS_MAX + 1)})),
                "`why` must have",
            ),
            (json!({"Records": "canary"}), "cannot be read"),
        ] {
            let refusal = Asked::read(&event).unwrap_err().to_string();
            assert!(refusal.contains(words), "{words}: {refusal}");
            let named = refusal.contains("`canary` is not a field");
            assert!(named || !refusal.contains("canary"), "{refusal}");
        }
    }

    #[test]
    fn every_payload_of_the_runbook_is_understood() {
        for payload in harness::runbook::payloads("announce") {
            if let Err(error) = Asked::read(&payload) {
                panic!("{payload}: {error}");
            }
        }
    }
}
