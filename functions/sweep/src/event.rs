//! What the function is called with: a schedule, or messages of its queue. A field that is not known is an error: a wish that
//! is silently ignored is worse than one that is refused. What a person orders is executed by `operations`.

use aws_lambda_events::sqs::SqsEvent;
use commands::text::redact;
use jiff::Timestamp;
use payments::OrganisationId;
use queue::ScheduledWork;
use serde::Deserialize;
use serde_json::Value;

/// An event of the function.
#[derive(Debug)]
pub(crate) enum Event {
    /// From EventBridge Scheduler.
    Schedule(Schedule),
    /// Messages of the `schedules` queue.
    Tasks(Box<SqsEvent>),
}

/// What EventBridge Scheduler sends.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "ScheduleFields")]
pub(crate) struct Schedule {
    /// Which work.
    pub(crate) work: ScheduledWork,
    /// For which moment. A check has none: it is about the moment at which it runs.
    pub(crate) scheduled_at: Option<Timestamp>,
    /// For one organisation, or for all.
    pub(crate) organisation: Option<OrganisationId>,
    /// How the work of all organisations is handed out; without it the answer comes when all of it is done.
    pub(crate) fan_out: Option<FanOut>,
}

/// A schedule's wish to have its work done by messages (`"fan_out": true`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct FanOut {
    /// By the clock of which time zone the schedule comes: what is done once a day is done for the organisations of that
    /// zone, and for all others by their own clocks (CC-22).
    pub(crate) zone: Option<String>,
}

/// An event that asks for nothing we know. The message quotes no values.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the event asks for nothing that sweep does: {0}")]
pub struct EventError(pub(crate) String);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScheduleFields {
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
        let work = fields.work()?;
        let ScheduleFields { scheduled_time, organisation, fan_out, zone, .. } = fields;
        if zone.is_some() && !fan_out {
            return Err("`zone` is of use with `fan_out` alone");
        }
        let scheduled_at = match work {
            ScheduledWork::Check => None,
            _ => Some(scheduled_time.ok_or(
                "`scheduled_time` is missing, such as \"2026-11-25T11:00:00Z\"; the function `operations` executes \
                 commands",
            )?),
        };
        Ok(Self { work, scheduled_at, organisation, fan_out: fan_out.then_some(FanOut { zone }) })
    }
}

impl ScheduleFields {
    /// The one work that is named; what has changed since the last time, if none is.
    fn work(&self) -> Result<ScheduledWork, &'static str> {
        let named = [
            (self.full, ScheduledWork::Open),
            (self.certify, ScheduledWork::Certificate),
            (self.check, ScheduledWork::Check),
            (self.digest, ScheduledWork::Digest),
            (self.customers, ScheduledWork::Customers),
        ];
        let mut named = named.into_iter().filter_map(|(is_named, work)| is_named.then_some(work));
        match (named.next(), named.next()) {
            (None, _) => Ok(ScheduledWork::Changes),
            (Some(work), None) => Ok(work),
            (Some(_), Some(_)) => {
                Err("`full`, `certify`, `check`, `digest` and `customers` exclude each other")
            }
        }
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
        let at: Timestamp = "2026-11-25T11:00:00Z".parse().unwrap();
        for (field, work) in [
            (None, ScheduledWork::Changes),
            (Some("full"), ScheduledWork::Open),
            (Some("certify"), ScheduledWork::Certificate),
            (Some("digest"), ScheduledWork::Digest),
            (Some("customers"), ScheduledWork::Customers),
        ] {
            let mut event = json!({"scheduled_time": at});
            if let Some(field) = field {
                event[field] = json!(true);
            }
            let wanted =
                Schedule { work, scheduled_at: Some(at), organisation: None, fan_out: None };
            assert_eq!(schedule(&event), wanted);
        }
        // A check is about the moment at which it runs, whenever it was due.
        for event in [json!({"check": true}), json!({"check": true, "scheduled_time": at})] {
            assert_eq!(schedule(&event).scheduled_at, None);
        }
    }

    #[test]
    fn a_schedule_may_hand_its_work_out_by_the_clock_of_a_zone() {
        let event = json!({"check": true, "fan_out": true, "zone": "Australia/Sydney"});
        let zone = Some("Australia/Sydney".to_owned());
        assert_eq!(schedule(&event).fan_out, Some(FanOut { zone }));
        let event = json!({"check": true, "fan_out": false});
        assert_eq!(schedule(&event).fan_out, None);
    }

    #[test]
    fn an_unknown_event_is_refused_and_its_value_not_quoted() {
        for (event, words) in [
            (json!({}), "`scheduled_time` is missing"),
            (json!({"full": true}), "`scheduled_time` is missing"),
            (json!({"check": true, "certify": true}), "exclude each other"),
            (
                json!({"scheduled_time": "2026-11-25T11:00:00Z", "full": true, "certify": true}),
                "exclude each other",
            ),
            (json!({"check": true, "zone": "canary"}), "`zone` is of use with `fan_out`"),
            (json!({"check": "canary"}), "cannot be read"),
            (json!({"scheduled_time": "canary"}), "cannot be read"),
            (json!({"sync": "canary"}), "`sync` is not a field"),
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
        for payload in harness::runbook::payloads("sweep") {
            if let Err(error) = Event::read(&payload) {
                panic!("{payload}: {error}");
            }
        }
    }
}
