//! What the function is called with: a schedule, or messages of its queue. A field that is not known is an error: a wish that
//! is silently ignored is worse than one that is refused. What a person orders is executed by `operations`.

use aws_lambda_events::sqs::SqsEvent;
use commands::text::redact;
use jiff::Timestamp;
use payments::OrganisationId;
use serde::Deserialize;
use serde_json::Value;

use crate::fan_out::FanOut;

/// An event of the function.
#[derive(Debug)]
pub(crate) enum Event {
    /// From EventBridge Scheduler.
    Schedule(Schedule),
    /// Messages of the `uploads` queue.
    Tasks(Box<SqsEvent>),
}

/// What EventBridge Scheduler sends.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "ScheduleFields")]
pub(crate) enum Schedule {
    /// The night of that moment, for one organisation or for all.
    Night {
        scheduled_at: Timestamp,
        organisation: Option<OrganisationId>,
        /// How the nights of all organisations are handed out; without it they are run at once.
        fan_out: Option<FanOut>,
    },
    /// Every organisation whose night is due and has not been run, or was interrupted.
    CatchUp {
        /// Whether these nights are handed out; otherwise they are run at once.
        by_tasks: bool,
    },
}

/// An event that asks for nothing we know. The message quotes no values.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the event asks for nothing that upload does: {0}")]
pub struct EventError(String);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScheduleFields {
    organisation: Option<OrganisationId>,
    scheduled_time: Option<Timestamp>,
    #[serde(default)]
    catch_up: bool,
    #[serde(default)]
    fan_out: bool,
    zone: Option<String>,
}

impl Event {
    /// Reads an event.
    ///
    /// # Errors
    /// [`EventError`], which says what is wrong with the event.
    pub(crate) fn read(event: &Value) -> Result<Self, EventError> {
        let read = if event.get("Records").is_some() {
            SqsEvent::deserialize(event).map(Box::new).map(Self::Tasks)
        } else {
            Schedule::deserialize(event).map(Self::Schedule)
        };
        read.map_err(|error| EventError(redact(&error)))
    }
}

impl TryFrom<ScheduleFields> for Schedule {
    type Error = &'static str;

    fn try_from(fields: ScheduleFields) -> Result<Self, Self::Error> {
        let ScheduleFields { organisation, scheduled_time, catch_up, fan_out, zone } = fields;
        if zone.is_some() && !fan_out {
            return Err("`zone` is of use with `fan_out` alone");
        }
        if catch_up {
            return Ok(Self::CatchUp { by_tasks: fan_out });
        }
        let scheduled_at = scheduled_time.ok_or(
            "`scheduled_time` is missing, such as \"2026-11-25T11:00:00Z\", which decides the night; the function \
             `operations` executes commands",
        )?;
        Ok(Self::Night { scheduled_at, organisation, fan_out: fan_out.then_some(FanOut { zone }) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schedule(event: &Value) -> Schedule {
        match Event::read(event).unwrap() {
            Event::Schedule(schedule) => schedule,
            Event::Tasks(_) => panic!("these are messages: {event}"),
        }
    }

    #[test]
    fn a_schedule_carries_its_own_time() {
        let at = "2026-11-25T11:00:00Z".parse().unwrap();
        let night = |fan_out| Schedule::Night { scheduled_at: at, organisation: None, fan_out };
        let event = json!({"scheduled_time": at});
        assert_eq!(schedule(&event), night(None));
        let event = json!({"scheduled_time": at, "fan_out": true, "zone": "Australia/Sydney"});
        let zone = Some("Australia/Sydney".to_owned());
        assert_eq!(schedule(&event), night(Some(FanOut { zone })));
        for by_tasks in [false, true] {
            let event = json!({"catch_up": true, "fan_out": by_tasks});
            assert_eq!(schedule(&event), Schedule::CatchUp { by_tasks });
        }
    }

    #[test]
    fn an_unknown_event_is_refused_and_its_value_not_quoted() {
        for (event, words) in [
            (json!({}), "`scheduled_time` is missing"),
            (json!({"scheduled_time": "tonight canary"}), "cannot be read"),
            (json!({"scheduled": "canary"}), "`scheduled` is not a field"),
            (json!({"catch_up": true, "zone": "canary"}), "`zone` is of use with `fan_out`"),
            (json!({"Records": "canary"}), "cannot be read"),
            (json!(["canary"]), "cannot be read"),
            (json!("canary"), "cannot be read"),
        ] {
            let refusal = Event::read(&event).unwrap_err().to_string();
            assert!(refusal.contains(words), "{refusal}");
            assert!(!refusal.contains("canary"), "{refusal}");
        }
    }

    #[test]
    fn every_payload_of_the_runbook_is_understood() {
        for payload in harness::runbook::payloads("upload") {
            if let Err(error) = Event::read(&payload) {
                panic!("{payload}: {error}");
            }
        }
    }
}
