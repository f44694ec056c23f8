//! What does not agree about an order: `reconcile` opens it, a person accepts it, and it comes back only if its figures
//! change (SP-10, SP-36, AMB-31), as on an invoice.

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use harness::dynamodb::{Row, having};
use host::clock::Clock;
use intake::Intake;
use jiff::SignedDuration;
use queue::fakes::{RecordedChanges, RecordedUploads};
use reconcile::Reconciler;
use serde_json::{Value, json};
use worlds::sweep::World;

/// The business reports it, and the stream of the log brings `reconcile` what came of that.
async fn report(world: &World, mut message: Value) {
    message["version"] = json!(1);
    message["organisation"] = json!(world.tenant);
    let (changes, uploads) = (RecordedChanges::new(), RecordedUploads::new());
    let clock = || Clock::new(world.time());
    let intake = Intake::new(world.tables.clone(), &changes, &uploads, clock());
    let mut record = SqsMessage::default();
    record.message_id = Some("m".to_owned());
    record.body = Some(message.to_string());
    let mut event = SqsEvent::default();
    event.records = vec![record];
    let deadline = world.now() + SignedDuration::from_mins(1);
    assert!(intake.handle(event, deadline).await.unwrap().batch_item_failures.is_empty());
    assert!(world.rows("parked").await.is_empty());
    let records = harness::dynamodb::log_as_records(&world.direct).await;
    let reconciler = Reconciler::new(world.tables.clone(), clock());
    reconciler.handle(&json!({ "Records": records }), deadline).await.unwrap();
    world.clock.advance(SignedDuration::from_mins(1));
}

fn order(revision: u64, goods: &str, tax: &str) -> Value {
    json!({
        "type": "order", "id": "O-1", "revision": revision, "customer": "C-1",
        "placed_at": "2026-03-01T01:00:00Z",
        "components": {"currency": "AUD", "goods": goods, "tax": tax, "shipping": "5.00",
            "total": "115.00"},
        "invoices": ["10031"],
    })
}

fn invoice(revision: u64) -> Value {
    json!({
        "type": "invoice", "number": "10031", "revision": revision, "customer": "C-1",
        "total": {"amount": "115.00", "currency": "AUD"}, "contact": {"company": "Ada Ltd"},
        "issued_on": "2026-03-01", "due_on": "2026-12-01",
        "components": {"tax": "10.00", "shipping": "5.00"},
    })
}

async fn differs(world: &World) -> Row {
    let rows = world.rows("discrepancies").await;
    let [row] = having(&rows, &[("kind", "COMPONENT_DIFFERS")])[..] else { panic!("{rows:?}") };
    row.clone()
}

async fn said(world: &World, action: &str) -> usize {
    having(&world.rows("activity").await, &[("action", action)]).len()
}

#[tokio::test]
async fn amb_31_an_orders_discrepancy_that_was_accepted_comes_back_only_if_its_figures_change() {
    let world = World::new().await;
    report(&world, invoice(1)).await;
    report(&world, order(1, "101.00", "9.00")).await;
    let found = differs(&world).await;
    assert_eq!((&*found["state"], &*found["discrepancy"]), ("open", "COMPONENT_DIFFERS#tax"));

    let wish = |seen: &str| {
        json!({"accept": {"organisation": world.tenant, "order_id": "O-1", "seen": seen,
            "discrepancy": "COMPONENT_DIFFERS#tax", "by": "Ada", "why": "rounded by the shop"}})
    };
    let stale = world.invoke(wish("other figures")).await;
    assert!(format!("{stale:?}").contains("its facts have changed"), "{stale:?}");
    let answer = world.invoke(wish(&found["detail"])).await.unwrap();
    assert_eq!(answer["accepted"], "COMPONENT_DIFFERS#tax", "{answer}");
    let accepted = differs(&world).await;
    assert_eq!((&*accepted["state"], &*accepted["accepted_by"]), ("accepted", "Ada"));
    assert_eq!((accepted.get("open_in"), said(&world, "discrepancy_accepted").await), (None, 1));

    // Judged again by a fact that changes nothing of it, it stays accepted.
    report(&world, order(2, "101.00", "9.00")).await;
    assert_eq!(differs(&world).await["state"], "accepted");
    assert_eq!(said(&world, "discrepancy_raised").await, 1);

    // By other figures it is open again, with a clock of its own.
    report(&world, order(3, "102.00", "8.00")).await;
    let back = differs(&world).await;
    assert_eq!((&*back["state"], &*back["detected_at"]), ("open", &*found["detected_at"]));
    assert!(back["due_at"] > found["due_at"], "{back:?}");

    // The facts end it.
    report(&world, order(4, "100.00", "10.00")).await;
    assert_eq!(differs(&world).await["state"], "resolved");
    assert_eq!(said(&world, "discrepancy_resolved").await, 1);
}
