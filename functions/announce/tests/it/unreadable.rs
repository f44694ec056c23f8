//! Rows that cannot be announced, hostile ones, and very large ones.

use serde_json::{Value, json};

use crate::world::{World, organisation, record};

fn imported() -> Value {
    let organisation = organisation();
    json!({
        "action": {"S": "imported"}, "rule": {"S": "CM-34"}, "cause": {"S": "webhook"},
        "invoice": {"S": format!("{organisation}/10234")}, "invoice_number": {"S": "10234"},
        "payment_id": {"S": "xero-3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10"},
        "xero_payment_id": {"S": "3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10"},
        "amount": {"N": "46"}, "currency": {"S": "AUD"}, "date": {"S": "2026-11-23"},
        "origin": {"S": "xero"}, "method": {"S": "xero"}, "transaction_id": {"S": "T-1"},
    })
}

fn with(name: &str, value: &Value) -> Value {
    let mut row = imported();
    row[name] = value.clone();
    row
}

/// One bad row must not keep the good ones behind it from being announced.
#[tokio::test]
async fn a_row_that_cannot_be_read_is_passed_over_and_the_next_one_is_announced() {
    let bad = [
        ("action", json!({"S": "canonised"})),
        ("action", json!({"N": "1"})),
        ("action", json!({"M": {"S": {"S": "imported"}}})),
        ("action", json!({"NULL": true})),
        ("action", json!("imported")),
        ("action", json!(null)),
        ("amount", json!({"S": "46.00"})),
        ("amount", json!({"N": "46.001"})),
        ("amount", json!({"N": "1e400"})),
        ("currency", json!({"S": "XXX"})),
        ("date", json!({"S": "2026-02-30"})),
        ("at", json!({"S": "yesterday#10234#1-0"})),
        ("organisation", json!({"S": "not an id"})),
        ("payment_id", json!({"S": ""})),
        ("origin", json!({"S": "elsewhere"})),
        ("xero_payment_id", json!({"B": "AAAA"})),
        ("invoice_number", json!({"SS": ["10234"]})),
    ];
    for (name, value) in bad {
        let world = World::new().await;
        let batch = [record(1, &with(name, &value)), record(2, &imported())];
        let answer = world.hand_over(&batch).await.unwrap();
        assert_eq!(answer, json!({"batchItemFailures": []}), "{name} {value}");
        assert_eq!(world.numbers(), [2], "{name} {value}");
    }
}

#[tokio::test]
async fn a_row_without_an_image_is_passed_over() {
    let world = World::new().await;
    let mut empty = record(1, &imported());
    empty["dynamodb"].as_object_mut().unwrap().remove("NewImage");
    world.hand_over(&[empty, record(2, &imported())]).await.unwrap();
    assert_eq!(world.numbers(), [2]);
}

/// DynamoDB holds rows of 400 KB, a call to the bus 256 KB: the rest of such a text stands in the log.
#[tokio::test]
async fn a_row_however_large_is_an_event_that_the_bus_can_take() {
    let world = World::new().await;
    let huge = "𝄞\"\\".repeat(65_000);
    let batch: Vec<_> = ["why", "method", "transaction_id", "rule", "cause", "by", "reason"]
        .iter()
        .zip(1..)
        .map(|(name, number)| record(number, &with(name, &json!({"S": huge}))))
        .collect();
    world.hand_over(&batch).await.unwrap();
    assert_eq!(world.heard().len(), batch.len());
    for sent in world.bus.sent() {
        let detail = serde_json::to_string(&sent.detail).unwrap();
        assert!(bus::event_bytes(&sent, &detail) < bus::BATCH_BYTES_MAX / bus::BATCH_ENTRIES_MAX);
    }
}

/// What a payer or a person has typed is text, and stays text.
#[tokio::test]
async fn hostile_text_arrives_as_it_was_typed_and_changes_nothing_else() {
    let texts = [
        "\"},\"version\":2,\"x\":{\"",
        "</script><script>alert(1)</script>",
        "line\r\nbreak\u{0}\u{1b}[31m\u{2028}",
        "' OR 1=1 --",
        "\u{202e}gnirts",
    ];
    for text in texts {
        let world = World::new().await;
        world.hand_over(&[record(1, &with("why", &json!({"S": text})))]).await.unwrap();
        let (kind, detail) = world.heard().remove(0);
        assert_eq!((kind.as_str(), &detail["version"]), ("payment.mirrored", &json!(1)));
        assert_eq!(detail["why"], text);
    }
}
