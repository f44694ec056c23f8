//! A batch of messages as the event that a function gets, and what its answer means.

use std::collections::HashSet;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use crate::engines::queues::{ACCOUNT, REGION};

/// What SQS says in milliseconds since 1970.
const INSTANTS: [MessageSystemAttributeName; 2] = [
    MessageSystemAttributeName::SentTimestamp,
    MessageSystemAttributeName::ApproximateFirstReceiveTimestamp,
];

/// The text, or an empty one.
pub(super) fn text(text: Option<&String>) -> &str {
    text.map_or("", String::as_str)
}

/// The event for a batch, as Lambda builds it. The queues go by this machine's clock; the functions'
/// may be `ahead` of it.
pub(super) fn event(queue: &str, batch: &[Message], ahead: SignedDuration) -> Value {
    let records: Vec<_> = batch
        .iter()
        .map(|message| {
            json!({
                "messageId": message.message_id,
                "receiptHandle": message.receipt_handle,
                "body": message.body,
                "attributes": system_attributes(message, ahead),
                "messageAttributes": attributes(message),
                "md5OfBody": message.md5_of_body,
                "eventSource": "aws:sqs",
                "eventSourceARN": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"),
                "awsRegion": REGION,
            })
        })
        .collect();
    json!({ "Records": records })
}

fn system_attributes(message: &Message, ahead: SignedDuration) -> Map<String, Value> {
    let attributes = message.attributes.iter().flatten();
    let of_functions = |name: &MessageSystemAttributeName, value: &str| {
        let at_ms: i64 = value.parse().ok().filter(|_| INSTANTS.contains(name))?;
        Some(at_ms.saturating_add(i64::try_from(ahead.as_millis()).ok()?).to_string())
    };
    attributes
        .map(|(name, value)| {
            let value = of_functions(name, value).unwrap_or_else(|| value.clone());
            (name.as_str().to_owned(), json!(value))
        })
        .collect()
}

fn attributes(message: &Message) -> Map<String, Value> {
    let attributes = message.message_attributes.iter().flatten();
    attributes
        .map(|(name, value)| {
            let binary = value.binary_value.as_ref().map(|bytes| STANDARD.encode(bytes));
            let value = json!({
                "stringValue": value.string_value,
                "binaryValue": binary,
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": value.data_type,
            });
            (name.clone(), value)
        })
        .collect()
}

/// What a function did not manage.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Failed {
    /// These messages, perhaps none.
    Only(HashSet<String>),
    /// The whole batch.
    All,
}

impl Failed {
    /// Whether this message is to come again.
    pub(super) fn contains(&self, message: &Message) -> bool {
        match self {
            Self::Only(ids) => ids.contains(text(message.message_id.as_ref())),
            Self::All => true,
        }
    }
}

/// Lambda's reading of a partial answer: nothing reported is success; an answer that is no JSON, or
/// that names an empty, missing or unknown identifier, fails the whole batch.
pub(super) fn failed(answer: &[u8], ids: &[&str]) -> Failed {
    let Ok(answer) = serde_json::from_slice::<Value>(answer) else { return Failed::All };
    let failures = match answer.get("batchItemFailures") {
        None | Some(Value::Null) => return Failed::Only(HashSet::new()),
        Some(Value::Array(failures)) => failures,
        Some(_) => return Failed::All,
    };
    let known = |failure: &Value| {
        let id = failure.get("itemIdentifier")?.as_str()?;
        ids.contains(&id).then(|| id.to_owned())
    };
    let named: Option<HashSet<_>> = failures.iter().map(known).collect();
    named.map_or(Failed::All, Failed::Only)
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::sqs::SqsEvent;
    use aws_sdk_sqs::types::{MessageAttributeValue, MessageSystemAttributeName};

    use super::*;

    const IDS: [&str; 3] = ["a", "b", "c"];

    fn only(ids: &[&str]) -> Failed {
        Failed::Only(ids.iter().map(|&id| id.to_owned()).collect())
    }

    #[test]
    fn nothing_reported_is_complete_success() {
        for answer in ["null", "{}", r#"{"batchItemFailures":null}"#, r#"{"batchItemFailures":[]}"#]
        {
            assert_eq!(failed(answer.as_bytes(), &IDS), only(&[]), "{answer}");
        }
    }

    #[test]
    fn named_messages_fail_alone() {
        let answer = br#"{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"c"}]}"#;

        assert_eq!(failed(answer, &IDS), only(&["a", "c"]));
    }

    #[test]
    fn a_malformed_report_fails_the_whole_batch() {
        for answer in [
            "not json",
            "",
            r#"{"batchItemFailures":"a"}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
            r#"{"batchItemFailures":[{"id":"a"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"unknown"}]}"#,
        ] {
            assert_eq!(failed(answer.as_bytes(), &IDS), Failed::All, "{answer}");
        }
    }

    #[test]
    fn the_event_is_what_aws_own_type_reads() {
        let kind = MessageAttributeValue::builder()
            .data_type("String")
            .string_value("invoice")
            .build()
            .expect("an attribute");
        let message = Message::builder()
            .message_id("a")
            .receipt_handle("handle")
            .body("{\"v\":1}")
            .attributes(MessageSystemAttributeName::ApproximateReceiveCount, "2")
            .attributes(MessageSystemAttributeName::SentTimestamp, "1791171682518")
            .message_attributes("kind", kind)
            .build();

        let ahead = SignedDuration::from_secs(60);
        let event = event("changes", &[message], ahead).to_string();
        let event: SqsEvent = serde_json::from_str(&event).expect("the same shape");

        let record = &event.records[0];
        assert_eq!(record.message_id.as_deref(), Some("a"));
        assert_eq!(record.body.as_deref(), Some("{\"v\":1}"));
        assert_eq!(record.attributes["ApproximateReceiveCount"], "2");
        assert_eq!(record.attributes["SentTimestamp"], "1791171742518", "by the functions' clock");
        assert_eq!(record.message_attributes["kind"].string_value.as_deref(), Some("invoice"));
        let arn = record.event_source_arn.as_deref();
        assert_eq!(arn, Some("arn:aws:sqs:us-east-1:000000000000:changes"));
        assert_eq!(record.aws_region.as_deref(), Some("us-east-1"));
    }
}
