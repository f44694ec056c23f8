//! What becomes of what was signed: X-01, X-02, X-05, CM-22, N1; FAULT-05, FAULT-09, FAULT-10, FAULT-11.

use aws_sdk_sqs::types::QueueAttributeName;
use host::metrics::Metrics;
use jiff::Timestamp;
use queue::fakes::RecordedChanges;
use queue::{Cause, InvoiceChange, Message, NotedReason, SchedulesQueue};
use webhook::Webhook;

use crate::signatures::hostile_bodies;
use crate::world::{
    FixedKeys, KEY, TWO_EVENTS, World, delivery, event, id, kept, now, signed, signed_bytes, uuid,
};

const AT: &str = "2026-10-05T03:41:22.518";

fn at(text: &str) -> Option<Timestamp> {
    Some(text.parse().unwrap())
}

/// The invoices of a message that must be of this organisation and from a webhook.
fn invoices(message: &Message, organisation: u128) -> Vec<InvoiceChange> {
    let Message::Invoices(changes) = message else { panic!("not invoices: {message:?}") };
    assert_eq!(changes.organisation, id(organisation));
    assert_eq!(changes.cause, Cause::Webhook);
    assert_eq!(changes.accepted_at, now());
    assert_eq!(changes.not_before, None);
    changes.invoices.clone()
}

#[tokio::test]
async fn x01_an_invoice_event_becomes_work_and_a_credit_note_does_not_cm22() {
    let messages = World::default().accept(&signed(TWO_EVENTS)).await;
    let [Message::Invoices(changes)] = messages.as_slice() else { panic!("{messages:?}") };
    assert_eq!(changes.organisation.to_string(), "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046");
    let [change] = changes.invoices.as_slice() else { panic!("{changes:?}") };
    assert_eq!(change.id.to_string(), "3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10");
    assert_eq!(change.event_at, at("2026-10-05T03:41:22.518Z"));
}

#[tokio::test]
async fn cm22_what_is_not_a_payment_is_accepted_and_leaves_no_message() {
    let world = World::default();
    for category in ["CREDITNOTE", "PREPAYMENT", "OVERPAYMENT", "CONTACT", "SUBSCRIPTION"] {
        let body = delivery(&[event(1, category, 2, AT)]);
        assert_eq!(world.accept(&signed(&body)).await, [], "{category}");
    }
}

#[tokio::test]
async fn ex_36_contacts_that_change_are_work_on_the_customers_once_an_organisation() {
    let queues = harness::sqs::Queues::new().await;
    let created = queues.client.create_queue().queue_name("work").send().await.unwrap();
    let url = created.queue_url.unwrap();
    let schedules = SchedulesQueue::new(queues.client.clone(), url.clone());
    let changes = RecordedChanges::default();
    let webhook = Webhook::new(FixedKeys(vec![KEY]), &changes, Metrics::off());
    let webhook = webhook.with_schedules(Some(schedules));
    let events = [
        event(1, "CONTACT", 10, AT),
        event(1, "CONTACT", 11, AT),
        event(2, "CONTACT", 12, AT),
        event(3, "CREDITNOTE", 13, AT),
    ];
    let answer = webhook.handle(&signed(&delivery(&events)), now()).await;
    assert_eq!((answer.status_code, changes.sent()), (200, Vec::new()));
    // They wait for a minute, for others.
    let waiting = queues.client.get_queue_attributes().queue_url(&url);
    let delayed = QueueAttributeName::ApproximateNumberOfMessagesDelayed;
    let waiting = waiting.attribute_names(delayed.clone()).send().await.unwrap();
    assert_eq!(waiting.attributes.unwrap()[&delayed], "2");
    // Where they cannot be sent, Xero delivers again.
    queues.client.delete_queue().queue_url(&url).send().await.unwrap();
    let answer = webhook.handle(&signed(&delivery(&events)), now()).await;
    assert_eq!(answer.status_code, 503);
}

#[tokio::test]
async fn each_organisation_gets_its_own_message_known_here_or_not() {
    let events =
        [event(1, "INVOICE", 10, AT), event(2, "INVOICE", 20, AT), event(1, "INVOICE", 11, AT)];
    let messages = World::default().accept(&signed(&delivery(&events))).await;
    assert_eq!(messages.len(), 2);
    let ids = |changes: Vec<InvoiceChange>| changes.iter().map(|c| c.id).collect::<Vec<_>>();
    assert_eq!(ids(invoices(&messages[0], 1)), [id(10), id(11)]);
    assert_eq!(ids(invoices(&messages[1], 2)), [id(20)]);
}

#[tokio::test]
async fn row11_a_thousand_events_of_120_invoices_are_one_message_with_each_invoice_once() {
    let event_of = |n: u128| {
        // Not in the order of time.
        let second = (n * 37) % 1_000;
        let (minute, second) = (second / 60, second % 60);
        event(1, "INVOICE", 100 + n % 120, &format!("2026-10-05T03:{minute:02}:{second:02}.5"))
    };
    let events: Vec<String> = (0..1_000).map(event_of).collect();
    let messages = World::default().accept(&signed(&delivery(&events))).await;
    let [message] = messages.as_slice() else { panic!("{} messages", messages.len()) };
    let changes = invoices(message, 1);
    assert_eq!(changes.len(), 120);
    for (change, n) in changes.iter().zip(0_u128..) {
        assert_eq!(change.id, id(100 + n));
        let seconds = (n..1_000).step_by(120).map(|n| (n * 37) % 1_000);
        let latest = seconds.max().unwrap();
        let latest = format!("2026-10-05T03:{:02}:{:02}.5Z", latest / 60, latest % 60);
        assert_eq!(change.event_at, at(&latest), "the latest event of each");
    }
}

#[tokio::test]
async fn more_invoices_than_a_message_holds_are_several_messages_and_none_is_lost() {
    let events: Vec<String> = (0..1_001).map(|n| event(1, "INVOICE", 100 + n, AT)).collect();
    let messages = World::default().accept(&signed(&delivery(&events))).await;
    assert_eq!(messages.len(), 6);
    let changes: Vec<InvoiceChange> = messages.iter().flat_map(|m| invoices(m, 1)).collect();
    let expected: Vec<_> = (0..1_001).map(|n| id(100 + n)).collect();
    assert_eq!(changes.iter().map(|change| change.id).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn x02_row9_an_unknown_category_is_noted_and_the_other_events_are_handled() {
    let events = [
        event(1, "JOURNAL", 5, AT),
        event(1, "INVOICE", 10, AT),
        event(1, "JOURNAL", 6, AT),
        event(2, "PAYMENT", 7, AT),
    ];
    let messages = World::default().accept(&signed(&delivery(&events))).await;
    assert_eq!(messages.len(), 3);
    assert_eq!(invoices(&messages[0], 1).len(), 1);
    let noted = |message: &Message, organisation| {
        let Message::Noted(noted) = message else { panic!("not a note: {message:?}") };
        assert_eq!(noted.organisation, Some(id(organisation)));
        assert_eq!(noted.received_at, now());
        noted.reasons.clone()
    };
    let reason = |category: &str, count| NotedReason {
        code: "unknown_category".to_owned(),
        category: Some(category.to_owned()),
        count,
    };
    assert_eq!(noted(&messages[1], 1), [reason("JOURNAL", 2)]);
    assert_eq!(noted(&messages[2], 2), [reason("PAYMENT", 1)]);
}

#[tokio::test]
async fn row10_an_address_elsewhere_is_not_followed_but_noted_and_the_id_counts() {
    for address in [
        "https://evil.example/Invoices/1",
        "http://169.254.169.254/latest/meta-data",
        "https://api.xero.com.evil.example/",
        "https://api.xero.com@evil.example/",
        "",
    ] {
        let genuine = event(1, "INVOICE", 10, AT);
        let xero = format!("https://api.xero.com/api.xro/2.0/Things/{}", uuid(10));
        assert!(genuine.contains(&xero));
        let body = delivery(&[genuine.replace(&xero, address)]);
        let messages = World::default().accept(&signed(&body)).await;
        assert_eq!(messages.len(), 2, "{address}");
        assert_eq!(
            invoices(&messages[0], 1),
            [InvoiceChange::new(id(10), at("2026-10-05T03:41:22.518Z"))]
        );
        let Message::Noted(noted) = &messages[1] else { panic!("not a note") };
        assert_eq!(noted.reasons[0].code, "foreign_resource_url");
        let text = messages[1].to_json().unwrap();
        assert!(address.is_empty() || !text.contains(address), "{text}");
    }
}

#[tokio::test]
async fn row10_an_id_that_is_none_is_kept_and_the_other_events_are_handled() {
    for poison in ["../../Payments", "1,2,3", "", "3f1c2a77-5d0e-4b6a-9a41", "%2e%2e"] {
        let good = event(1, "INVOICE", 10, AT);
        let poisoned = event(1, "INVOICE", 11, AT).replace(
            &format!(r#""resourceId": "{}""#, uuid(11)),
            &format!(r#""resourceId": "{poison}""#),
        );
        let body = delivery(&[poisoned, good]);
        let messages = World::default().accept(&signed(&body)).await;
        assert_eq!(messages.len(), 2, "{poison}");
        assert_eq!(invoices(&messages[0], 1).len(), 1);
        assert_eq!(kept(&messages[1..]), body.as_bytes());
        let Message::Unreadable(part) = &messages[1] else { panic!("not a part") };
        assert!(part.problem.starts_with("event 0: resourceId"), "{}", part.problem);
    }
}

#[tokio::test]
async fn row9_new_fields_and_an_event_without_a_time_are_no_reason_to_stop() {
    let new = event(1, "INVOICE", 10, AT)
        .replace("{\"resourceUrl\"", "{\"new\":{\"a\":[1]},\"resourceUrl\"");
    let timeless = event(1, "INVOICE", 11, "yesterday");
    let messages = World::default().accept(&signed(&delivery(&[new, timeless]))).await;
    let [message] = messages.as_slice() else { panic!("{messages:?}") };
    let changes = invoices(message, 1);
    assert_eq!(changes[1], InvoiceChange::new(id(11), None));
    assert_eq!(changes.len(), 2);
}

#[tokio::test]
async fn row9_a_signed_body_that_cannot_be_read_is_kept_byte_for_byte() {
    for body in hostile_bodies() {
        let messages = World::default().accept(&signed_bytes(&body)).await;
        assert!(!messages.is_empty());
        assert_eq!(kept(&messages), body);
    }
    let large = vec![b'['; webhook::BODY_BYTES_MAX];
    let messages = World::default().accept(&signed_bytes(&large)).await;
    assert_eq!(messages.len(), 7);
    assert_eq!(kept(&messages), large);
}

#[tokio::test]
async fn row5_huge_numbers_and_many_events_are_no_trouble() {
    let world = World::default();
    let body = delivery(&[event(1, "INVOICE", 10, AT)])
        .replace("\"firstEventSequence\": 7", "\"firstEventSequence\": 1e999999")
        .replace(
            "\"lastEventSequence\": 9",
            &format!("\"lastEventSequence\": {}", "9".repeat(9_999)),
        );
    assert_eq!(world.accept(&signed(&body)).await.len(), 1);
    // 100,000 events that are none fit into the limit.
    let many = format!(r#"{{"events":[{}0]}}"#, "0,".repeat(99_999));
    let messages = world.accept(&signed(&many)).await;
    assert_eq!(kept(&messages), many.as_bytes());
}

#[tokio::test]
async fn x05_events_may_be_missing_although_the_sequence_counts() {
    assert_eq!(World::default().accept(&signed(&delivery(&[]))).await, []);
}
