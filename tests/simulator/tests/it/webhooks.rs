use std::time::{Duration, Instant};

use axum::http::StatusCode;
use jiff::SignedDuration;
use reqwest::Method;
use xero_simulator::{WebhookSettings, WebhookStatus};

use crate::bench::{Bench, KEY, Receiver, signed};

/// An hour between anything: only a flush delivers.
fn slow(receiver: &Receiver) -> WebhookSettings {
    WebhookSettings {
        url: receiver.url.clone(),
        key: KEY.to_owned(),
        batch_window_ms: 3_600_000,
        retry_interval_ms: 3_600_000,
        ..WebhookSettings::default()
    }
}

async fn until(what: &str, mut is_true: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_true() {
        assert!(started.elapsed() < Duration::from_secs(10), "never {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn every_change_is_announced_own_writes_included() {
    let bench = Bench::start().await;
    let receiver = Receiver::start().await;
    bench.simulator.set_webhook(slow(&receiver));
    let invoice = bench.invoice("INV-0001", "10.00");
    let payment = bench.pay(invoice, "4.00");
    bench.send(Method::PUT, "/Payments", &bench.payment_json(invoice, "2.00")).await;
    bench.simulator.delete_payment(payment).unwrap();
    let updated = bench.simulator.invoice(invoice).unwrap().updated;

    let deliveries = bench.simulator.flush_webhooks().await;

    let received = receiver.received();
    assert_eq!((deliveries.len(), received.len()), (1, 1));
    assert_eq!(received[0].signature, signed(&received[0].body));
    assert_eq!(received[0].content_type, "application/json; charset=utf-8");
    let json = received[0].json();
    assert_eq!((&json["firstEventSequence"], &json["lastEventSequence"]), (&1.into(), &4.into()));
    let events = json["events"].as_array().unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event["eventType"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["CREATE", "UPDATE", "UPDATE", "UPDATE"]);
    let last = &events[3];
    assert_eq!(last["resourceId"], invoice.to_string());
    assert_eq!(last["tenantId"], bench.organisation.to_string());
    assert_eq!(last["eventDateUtc"], updated.strftime("%Y-%m-%dT%H:%M:%S%.3f").to_string());
    assert_eq!(last["resourceUrl"], format!("https://api.xero.com/api.xro/2.0/Invoices/{invoice}"));
}

#[tokio::test]
async fn deliveries_happen_by_themselves_and_hold_only_so_many_events() {
    let bench = Bench::start().await;
    let receiver = Receiver::start().await;
    bench.simulator.set_webhook(WebhookSettings {
        batch_window_ms: 20,
        events_max: 2,
        ..slow(&receiver)
    });

    let invoice = bench.invoice("INV-0002", "10.00");
    for _ in 0..4 {
        bench.simulator.touch_invoice(invoice).unwrap();
    }
    until("delivered", || bench.simulator.undelivered() == 0).await;

    let received = receiver.received();
    let sequences: Vec<_> = received
        .iter()
        .map(|received| received.json()["lastEventSequence"].as_u64().unwrap())
        .collect();
    assert_eq!(sequences, [2, 4, 5]);
}

#[tokio::test]
async fn a_failed_delivery_is_retried_at_once_and_then_at_intervals() {
    let bench = Bench::start().await;
    let receiver = Receiver::start().await;
    receiver.answer_next([StatusCode::INTERNAL_SERVER_ERROR; 3]);
    bench.simulator.set_webhook(WebhookSettings {
        batch_window_ms: 0,
        retry_interval_ms: 30,
        ..slow(&receiver)
    });

    bench.invoice("INV-0003", "10.00");
    until("delivered", || bench.simulator.undelivered() == 0).await;

    let deliveries = bench.simulator.deliveries();
    let attempts: Vec<_> =
        deliveries.iter().map(|delivery| (delivery.attempt, delivery.status)).collect();
    assert_eq!(attempts, [(1, Some(500)), (2, Some(500)), (3, Some(500)), (4, Some(200))]);
    let received = receiver.received();
    assert!(received.iter().all(|again| again.body == received[0].body), "the very same bytes");
    assert_eq!(bench.simulator.webhook().1, WebhookStatus::Ok);
}

#[tokio::test]
async fn a_day_of_failures_disables_the_webhook_and_nothing_is_lost() {
    let bench = Bench::start().await;
    let receiver = Receiver::start().await;
    receiver.answer_next([StatusCode::UNAUTHORIZED; 3]);
    bench.simulator.set_webhook(slow(&receiver));

    bench.invoice("INV-0004", "10.00");
    let first = bench.simulator.flush_webhooks().await;
    let status = bench.simulator.webhook().1;
    bench.clock.advance(SignedDuration::from_hours(24));
    bench.simulator.flush_webhooks().await;
    let after_a_day = bench.simulator.webhook().1;
    bench.invoice("INV-0005", "10.00");
    let none = bench.simulator.flush_webhooks().await;

    assert_eq!((first.len(), status), (2, WebhookStatus::Retry));
    assert_eq!((after_a_day, none.len()), (WebhookStatus::Disabled, 0));
    assert_eq!(bench.simulator.undelivered(), 2);
    let intent = bench.simulator.intent_to_receive().await;
    assert!(intent.passed, "{:?}", intent.problems);
    let replayed = bench.simulator.flush_webhooks().await;
    assert_eq!(replayed.len(), 2);
    assert!(replayed.iter().all(xero_simulator::Delivery::succeeded));
    assert_eq!(bench.simulator.webhook().1, WebhookStatus::Ok);
}

#[tokio::test]
async fn events_older_than_a_month_are_not_replayed() {
    let bench = Bench::start().await;
    let receiver = Receiver::start().await;
    receiver.answer_next([StatusCode::IM_A_TEAPOT; 3]);
    bench.simulator.set_webhook(slow(&receiver));
    bench.invoice("INV-0006", "10.00");
    bench.simulator.flush_webhooks().await;
    bench.clock.advance(SignedDuration::from_hours(24));
    bench.simulator.flush_webhooks().await;
    bench.clock.advance(SignedDuration::from_hours(31 * 24));

    bench.simulator.set_webhook(slow(&receiver));

    assert_eq!(bench.simulator.undelivered(), 0);
}

#[tokio::test]
async fn while_it_is_off_nothing_is_announced() {
    let bench = Bench::start().await;
    let receiver = Receiver::start().await;
    bench.simulator.set_webhook(WebhookSettings { enabled: false, ..slow(&receiver) });
    let invoice = bench.invoice("INV-0007", "10.00");
    bench.simulator.set_webhook(slow(&receiver));
    bench.simulator.touch_invoice(invoice).unwrap();

    let deliveries = bench.simulator.flush_webhooks().await;

    assert_eq!((deliveries.len(), deliveries[0].events), (1, 1));
}

#[tokio::test]
async fn deliveries_can_be_doubled_and_credit_notes_subscribed_to() {
    let bench = Bench::start().await;
    let receiver = Receiver::start().await;
    bench.simulator.set_webhook(WebhookSettings {
        duplicates: 1,
        credit_notes: true,
        ..slow(&receiver)
    });
    let invoice = bench.invoice("INV-0008", "10.00");
    bench.simulator.add_credit_note(invoice, "3.00".parse().unwrap()).unwrap();

    let deliveries = bench.simulator.flush_webhooks().await;

    let received = receiver.received();
    assert_eq!((received.len(), deliveries.len()), (2, 2));
    assert_eq!(received[0].body, received[1].body);
    assert!(deliveries[1].duplicate);
    let json = received[0].json();
    assert_eq!(json["events"][2]["eventCategory"], "CREDITNOTE");
    assert_eq!(json["events"][2]["data"]["Type"], "ACCRECCREDIT");
}

#[tokio::test]
async fn contacts_are_announced_to_those_who_subscribed_to_them() {
    // EX-36, EX-37: added, renamed, merged, archived and taken into use again.
    let bench = Bench::start().await;
    let receiver = Receiver::start().await;
    let simulator = &bench.simulator;
    simulator.set_webhook(slow(&receiver));
    simulator.add_contact(bench.organisation, "Unheard").unwrap();
    simulator.set_webhook(WebhookSettings { contacts: true, ..slow(&receiver) });
    let contact = simulator.add_contact(bench.organisation, "Ana").unwrap();
    let other = simulator.add_contact(bench.organisation, "Ben").unwrap();
    simulator.rename_contact(contact, "Ana Lee").unwrap();
    simulator.describe_contact(contact, Some("C-1"), None).unwrap();
    simulator.archive_contact(contact).unwrap();
    simulator.restore_contact(contact).unwrap();
    simulator.merge_contact(contact, other).unwrap();

    simulator.flush_webhooks().await;

    let received = receiver.received();
    let json = received[0].json();
    let events = json["events"].as_array().unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event["eventType"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["CREATE", "CREATE", "UPDATE", "UPDATE", "UPDATE", "UPDATE", "UPDATE"]);
    assert!(events.iter().all(|event| event["eventCategory"] == "CONTACT"));
    let url = format!("https://api.xero.com/api.xro/2.0/Contacts/{contact}");
    assert_eq!(
        (&events[6]["resourceUrl"], &events[6]["resourceId"]),
        (&url.into(), &contact.to_string().into())
    );
}

#[tokio::test]
async fn an_intent_to_receive_is_passed_only_by_checking_signatures() {
    let bench = Bench::start().await;
    let receiver = Receiver::start().await;
    bench.simulator.set_webhook(slow(&receiver));

    let passed = bench.simulator.intent_to_receive().await;
    assert!(passed.passed, "{:?}", passed.problems);
    for probe in receiver.received() {
        assert_eq!(probe.body.len(), 95);
        let right = signed(&probe.body);
        let different = right.bytes().zip(probe.signature.bytes()).filter(|(a, b)| a != b).count();
        assert!(different <= 1 && right.len() == probe.signature.len());
    }

    receiver.answer_next([StatusCode::OK; 5]);
    let gullible = bench.simulator.intent_to_receive().await;
    receiver.answer_next([(StatusCode::UNAUTHORIZED, "no"); 5]);
    let chatty = bench.simulator.intent_to_receive().await;
    let cookie = [("set-cookie", "a=b")];
    receiver.answer_next([(StatusCode::UNAUTHORIZED, cookie)]);
    let sweet = bench.simulator.intent_to_receive().await;
    receiver.answer_next([StatusCode::FORBIDDEN, StatusCode::NO_CONTENT]);
    let inexact = bench.simulator.intent_to_receive().await;

    assert_eq!(gullible.problems, ["Response to incorrectly signed payload not 401 but 200"]);
    assert!(chatty.problems.contains(&"Response contains a body".to_owned()));
    assert!(chatty.problems.contains(&"Response not 200 but 401".to_owned()));
    assert_eq!(sweet.problems, ["Response sets a cookie"]);
    assert_eq!(
        inexact.problems,
        ["Response to incorrectly signed payload not 401 but 403", "Response not 200 but 204"]
    );
    assert!(!(gullible.passed || chatty.passed || sweet.passed || inexact.passed));
}

#[tokio::test]
async fn nobody_at_home_is_a_failure_with_a_reason() {
    let bench = Bench::start().await;
    bench.simulator.set_webhook(WebhookSettings {
        url: "http://127.0.0.1:1/webhook".to_owned(),
        key: KEY.to_owned(),
        batch_window_ms: 3_600_000,
        ..WebhookSettings::default()
    });
    bench.invoice("INV-0009", "10.00");

    let deliveries = bench.simulator.flush_webhooks().await;

    assert_eq!(deliveries.len(), 2);
    assert!(deliveries[0].status.is_none() && deliveries[0].error.is_some());
    assert!(!bench.simulator.intent_to_receive().await.passed);
}
