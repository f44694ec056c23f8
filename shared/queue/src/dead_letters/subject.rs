//! What a message is about, for a person who decides what becomes of it: ids and kinds, and never a name or
//! an amount.

use jiff::{SignedDuration, Timestamp};
use payments::{OrganisationId, XeroInvoiceId};
use serde_json::{Map, Value};

use super::QueueName;
use crate::message::Message;
use crate::schedules::ScheduleTask;
use crate::uploads::UploadTask;

/// Most ids of invoices, and most names of members, that are listed.
const LISTED_MAX: usize = 20;
/// Longest text that is shown, in characters.
const SHOWN_CHARS_MAX: usize = 100;

/// What a message is about.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MessageSubject {
    /// The organisation, as far as it is known.
    pub organisation: Option<OrganisationId>,
    /// The kind of message; `unreadable` if it cannot be read.
    pub kind: String,
    /// What it is about: an id of the business's own system, or what a schedule asks for.
    pub subject: Option<String>,
    /// The invoices, by Xero's ids; the first of them.
    pub invoices: Vec<XeroInvoiceId>,
    /// When the first and the last of the decisions were written that were not announced, about.
    pub written: Option<(Timestamp, Timestamp)>,
}

/// What this message of that queue, or of its dead-letter queue, is about.
pub fn about(queue: QueueName, body: &str) -> MessageSubject {
    let read = match queue {
        QueueName::Changes => change(body),
        QueueName::Uploads => task(body),
        QueueName::Intake => report(body),
        QueueName::Schedules => scheduled(body).or_else(|| schedule(body)),
        QueueName::Events => decisions(body),
    };
    read.unwrap_or_else(|| MessageSubject {
        kind: "unreadable".to_owned(),
        ..MessageSubject::default()
    })
}

fn change(body: &str) -> Option<MessageSubject> {
    let message = Message::from_json(body).ok()?;
    let (organisation, kind) = (message.organisation(), message.kind().to_owned());
    let (subject, invoices) = match message {
        Message::Invoices(changes) => {
            (None, changes.invoices.iter().map(|one| one.id).take(LISTED_MAX).collect())
        }
        Message::Unreadable(part) => {
            (Some(format!("{} part {} of {}", part.delivery, part.part, part.parts)), Vec::new())
        }
        Message::Noted(_) => (None, Vec::new()),
    };
    Some(MessageSubject { organisation, kind, subject, invoices, written: None })
}

fn task(body: &str) -> Option<MessageSubject> {
    let task = UploadTask::from_json(body).ok()?;
    let subject = match &task {
        UploadTask::Direct { .. } => None,
        UploadTask::Night { scheduled_at, .. } => Some(scheduled_at.to_string()),
    };
    let organisation = Some(task.organisation());
    Some(MessageSubject {
        organisation,
        kind: task.kind().to_owned(),
        subject,
        ..MessageSubject::default()
    })
}

/// The intake's contract is the business of the intake; kind and ids are taken from the names of its members.
fn report(body: &str) -> Option<MessageSubject> {
    let report = object(body)?;
    let id = ["id", "payment", "number", "invoice", "customer"];
    Some(MessageSubject {
        organisation: text(&report, "organisation").and_then(|text| text.parse().ok()),
        kind: text(&report, "type")?,
        subject: id.into_iter().find_map(|name| text(&report, name)),
        ..MessageSubject::default()
    })
}

/// An event that EventBridge could not deliver, or a batch of the stream that Lambda gave up: Lambda keeps its position,
/// not its rows. Source:
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>
fn decisions(body: &str) -> Option<MessageSubject> {
    let whole = object(body)?;
    let Some(Value::Object(batch)) = whole.get("DDBStreamBatchInfo") else {
        let kind = text(&whole, "detail-type")?;
        let written = moment(&whole, "time").map(|at| (at, end_of(at)));
        let kind = format!("not delivered {}", shown(&kind));
        return Some(MessageSubject { kind, written, ..MessageSubject::default() });
    };
    let from = text(batch, "startSequenceNumber").unwrap_or_default();
    let at = text(batch, "approximateArrivalOfFirstRecord").unwrap_or_default();
    let subject = Some(format!("from {} of {}", shown(&from), shown(&at)));
    let last = moment(batch, "approximateArrivalOfLastRecord").map(end_of);
    let written = moment(batch, "approximateArrivalOfFirstRecord").zip(last);
    Some(MessageSubject {
        kind: "not announced".to_owned(),
        subject,
        written,
        ..MessageSubject::default()
    })
}

/// The work of a schedule for one organisation.
fn scheduled(body: &str) -> Option<MessageSubject> {
    let task = ScheduleTask::from_json(body).ok()?;
    Some(MessageSubject {
        organisation: task.organisation(),
        kind: format!("{} {}", task.work(), task.kind()),
        subject: Some(task.scheduled_at().to_string()),
        ..MessageSubject::default()
    })
}

/// A schedule's event that EventBridge could not deliver, or one on which a function failed, in Lambda's envelope.
fn schedule(body: &str) -> Option<MessageSubject> {
    let whole = object(body)?;
    let (kind, asked) = match whole.get("requestPayload") {
        Some(Value::Object(asked)) => {
            let function =
                whole.get("requestContext").and_then(|context| context.get("functionArn"));
            let function = function.and_then(Value::as_str).unwrap_or_default();
            // `arn:aws:lambda:REGION:ACCOUNT:function:NAME:$LATEST`
            (format!("failed {}", function.split(':').nth(6).unwrap_or("function")), asked)
        }
        _ => ("not delivered".to_owned(), &whole),
    };
    // Only names, moments and flags: an order holds what people have written.
    let mut asked_for = Vec::new();
    for (name, value) in asked.iter().take(LISTED_MAX) {
        match value {
            Value::Bool(true) => asked_for.push(name.clone()),
            Value::String(at) if name == "scheduled_time" => asked_for.push(shown(at)),
            Value::Object(_) => asked_for.push(format!("{name} …")),
            _ => {}
        }
    }
    let organisation = text(asked, "organisation").and_then(|text| text.parse().ok());
    let subject = Some(asked_for.join(", ")).filter(|subject| !subject.is_empty());
    Some(MessageSubject { organisation, kind, subject, ..MessageSubject::default() })
}

fn object(body: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(body).ok()
}

fn text(object: &Map<String, Value>, name: &str) -> Option<String> {
    object.get(name).and_then(Value::as_str).map(shown)
}

fn moment(object: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    text(object, name)?.parse().ok()
}

/// Whole seconds are all that AWS gives of these moments.
fn end_of(second: Timestamp) -> Timestamp {
    second.saturating_add(SignedDuration::from_secs(1)).unwrap_or(second)
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORGANISATION: &str = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046";

    fn subject_of(queue: QueueName, body: &str) -> (String, Option<String>) {
        let about = about(queue, &body.replace("ORG", ORGANISATION));
        assert!(!format!("{about:?}").contains("canary"), "{about:?}");
        let whose = about.organisation.map(|id| id.to_string());
        assert_eq!(whose.is_some(), body.contains("ORG"), "{about:?}");
        (about.kind, about.subject)
    }

    #[test]
    fn ids_and_kinds_are_told_and_never_a_name_or_an_amount() {
        // N9.
        for (queue, body, kind, subject) in [
            (
                QueueName::Intake,
                r#"{"version":1,"type":"payment","organisation":"ORG","id":"P-1","reference":"canary"}"#,
                "payment",
                Some("P-1"),
            ),
            (
                QueueName::Intake,
                r#"{"type":"invoice","organisation":"ORG","number":"10234","contact":{"person":"canary"}}"#,
                "invoice",
                Some("10234"),
            ),
            (
                QueueName::Uploads,
                r#"{"version":1,"kind":"night","organisation":"ORG","scheduled_at":"2026-10-05T15:00:00Z","round":2}"#,
                "night",
                Some("2026-10-05T15:00:00Z"),
            ),
            (
                QueueName::Schedules,
                r#"{"scheduled_time":"2026-11-25T11:30:00Z","full":true}"#,
                "not delivered",
                Some("full, 2026-11-25T11:30:00Z"),
            ),
            (
                QueueName::Schedules,
                r#"{"requestContext":{"functionArn":"arn:aws:lambda:r:1:function:pm-sweep:$LATEST"},
                    "requestPayload":{"connect":{"code":"canary","by":"canary"}}}"#,
                "failed pm-sweep",
                Some("connect …"),
            ),
            (QueueName::Intake, "canary", "unreadable", None),
            (QueueName::Uploads, r#"{"kind":"canary"}"#, "unreadable", None),
            (QueueName::Schedules, "[]", "unreadable", None),
            (
                QueueName::Events,
                r#"{"DDBStreamBatchInfo":{"startSequenceNumber":"800000000003126276362",
                    "approximateArrivalOfFirstRecord":"2026-11-23T00:19:58.00Z","batchSize":1}}"#,
                "not announced",
                Some("from 800000000003126276362 of 2026-11-23T00:19:58.00Z"),
            ),
            (
                QueueName::Events,
                r#"{"detail-type":"digest.ready","detail":{"why":"all is well"}}"#,
                "not delivered digest.ready",
                None,
            ),
            (QueueName::Events, "{}", "unreadable", None),
        ] {
            let subject = subject.map(str::to_owned);
            assert_eq!(subject_of(queue, body), (kind.to_owned(), subject), "{body}");
        }
    }

    #[test]
    fn of_decisions_the_hours_are_told_in_which_they_were_written() {
        let hours = |body: &str| {
            let written = about(QueueName::Events, body).written;
            written.map(|(from, to)| format!("{from} {to}"))
        };
        let batch = r#"{"DDBStreamBatchInfo":{"startSequenceNumber":"1",
            "approximateArrivalOfFirstRecord":"2026-11-23T00:19:58Z",
            "approximateArrivalOfLastRecord":"2026-11-23T00:21:00Z"}}"#;
        assert_eq!(hours(batch).unwrap(), "2026-11-23T00:19:58Z 2026-11-23T00:21:01Z");
        let event = r#"{"detail-type":"digest.ready","time":"2026-11-23T20:00:00Z","detail":{}}"#;
        assert_eq!(hours(event).unwrap(), "2026-11-23T20:00:00Z 2026-11-23T20:00:01Z");
        assert_eq!(hours(r#"{"DDBStreamBatchInfo":{}}"#), None);
    }

    #[test]
    fn of_changes_the_invoices_are_told() {
        let invoice = "3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10";
        let body = format!(
            r#"{{"version":1,"kind":"invoices","organisation":"{ORGANISATION}","cause":"webhook","accepted_at":"2026-10-05T03:41:25Z","invoices":[{{"id":"{invoice}"}}]}}"#
        );
        let about = about(QueueName::Changes, &body);
        assert_eq!((about.kind.as_str(), about.invoices.len()), ("invoices", 1));
        assert_eq!(about.invoices[0].to_string(), invoice);
    }
}
