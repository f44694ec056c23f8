//! Payments that name their invoices: posted at once, to exactly those, outside of the night's number.

use jiff::SignedDuration;
use jiff::civil::date;
use payments::upload::{SendMode, Target};
use payments::{PaymentStatus, XeroContactId};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use xero_simulator::{Effect, Fault};

use crate::samples::pay_now;
use crate::world::{World, evening};

async fn with_invoice() -> World {
    let world = World::new().await;
    let contact = world.customer("K").await;
    world.invoice(contact, "CM-1", 100_00, date(2026, 1, 1));
    world.invoice(contact, "CM-2", 50_00, date(2026, 1, 1));
    world
}

/// What intake puts into the queue.
async fn wake(world: &World) -> Value {
    let task = json!({"version": 1, "kind": "direct", "organisation": world.organisation()});
    let event = json!({"Records": [{"messageId": "m", "body": task.to_string()}]});
    world.invoke(event).await.unwrap()
}

#[tokio::test]
async fn a_pay_now_payment_is_posted_at_once_and_takes_no_slot() {
    // U1, EX-01, AMB-10
    let world = with_invoice().await;
    world.pay(pay_now("P-1", "1", 100_00)).await;

    let answer = wake(&world).await;

    assert_eq!(answer["batchItemFailures"], json!([]));
    assert_eq!(world.state("P-1").await, "uploaded");
    assert_eq!(world.in_xero().into_values().collect::<Vec<_>>(), [Decimal::new(100_00, 2)]);
    let caps = world.tables.caps(world.organisation()).await.unwrap();
    assert_eq!(caps.used_in("2026-03-02".parse().unwrap()), 0);
    assert_eq!(caps.attempts(world.now()), 1, "an attempt of any route counts");
    let payment = &world.rows("payments").await[0];
    assert_eq!((payment["state"].as_str(), payment["origin"].as_str()), ("uploaded", "local"));
    // EX-24: the invoice's history says how it came there, in the order in which it happened.
    let number = "1".parse().unwrap();
    let history = world.tables.history(world.organisation(), &number, None).await.unwrap();
    let steps: Vec<_> = history.entries.iter().map(|row| row.action.as_str()).rev().collect();
    let of_upload: Vec<_> = steps.iter().filter(|step| step.starts_with("upload_")).collect();
    assert_eq!(
        of_upload,
        [&"upload_waiting", &"upload_reserved", &"upload_sent", &"upload_uploaded"],
        "{steps:?}"
    );
    // The same message again, and the night, change nothing.
    wake(&world).await;
    world.night(evening()).await;
    assert_eq!(world.in_xero().len(), 1);
    world.check().await;
}

#[tokio::test]
async fn a_payment_that_was_declined_or_has_no_invoice_or_customer_stays_out() {
    // U2, U9, U10
    let world = with_invoice().await;
    let mut declined = pay_now("P-1", "1", 100_00);
    declined.status = PaymentStatus::Failed;
    let mut debit = pay_now("P-2", "1", 60_00);
    (debit.method, debit.channel, debit.on) = ("direct_debit", None, Vec::new());
    let mut batch = pay_now("P-3", "1", 60_00);
    (batch.method, batch.channel) = ("batch_debit", None);
    for paid in [declined, debit, batch] {
        world.pay(paid).await;
    }

    wake(&world).await;

    for (payment, reason) in
        [("P-1", "not_approved"), ("P-2", "not_applied_to_invoice"), ("P-3", "no_customer")]
    {
        let row = world.row(payment).await;
        assert_eq!((row.state.code(), row.reason.as_str()), ("skipped", reason));
    }
    assert!(world.in_xero().is_empty());
}

#[tokio::test]
async fn more_than_is_due_waits_and_is_judged_again_every_night() {
    let world = with_invoice().await;
    world.pay(pay_now("P-1", "1", 120_00)).await;
    wake(&world).await;
    let row = world.row("P-1").await;
    assert_eq!((row.state.code(), row.reason.as_str()), ("held", "EXCEEDS_DUE"));

    // The payment is reported again, for two invoices.
    let mut paid = pay_now("P-1", "1", 120_00);
    (paid.revision, paid.on) = (2, vec![("1", 100_00), ("2", 20_00)]);
    world.pay(paid).await;
    world.night(evening()).await;

    assert_eq!(world.row("P-1").await.progress(), (2, 2));
    world.check().await;
}

#[tokio::test]
async fn an_unclear_post_is_looked_for_by_the_task_that_it_leaves() {
    let world = with_invoice().await;
    world.pay(pay_now("P-1", "1", 100_00)).await;
    world.simulator.inject(Fault::on("PUT", "/Payments", Effect::LostAnswer).times(3));
    wake(&world).await;
    assert_eq!(world.state("P-1").await, "unknown");

    assert!(world.work_off_tasks().await > 0);

    assert_eq!(world.state("P-1").await, "uploaded");
    assert!(world.now().duration_since(evening()) < SignedDuration::from_hours(1));
    world.check().await;
}

#[tokio::test]
async fn a_message_that_is_none_of_ours_is_parked() {
    let world = with_invoice().await;
    let event = json!({"Records": [{"messageId": "m", "body": "<xml/>"}]});
    let answer = world.invoke(event).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]));
    assert_eq!(world.rows("parked").await[0]["reason"], "not_a_task");
}

#[tokio::test]
async fn a_post_at_once_leaves_alone_what_a_night_is_sending() {
    // A night's run has reserved one payment and sent another, and is still at it.
    let world = World::new().await;
    world.bpay_payments(2).await;
    let contact = world.customer("online").await;
    world.invoice(contact, "CM-1", 100_00, date(2026, 1, 1));
    world.pay(pay_now("P-now", "1", 100_00)).await;
    let night = "2026-03-02".parse().unwrap();
    let caps = world.tables.caps(world.organisation()).await.unwrap();
    let granted = caps.reserve(2, SendMode::Nightly(night), 200, world.now()).caps.unwrap();
    let because = table::ChangeContext { cause: "upload", event_at: None, now: world.now() };
    let mut rows = Vec::new();
    for payment in ["P-0001", "P-0002"] {
        let before = world.row(payment).await;
        let mut after = before.clone();
        let target = Target::Prepayment { contact: XeroContactId::new(uuid::Uuid::from_u128(1)) };
        after.reserve(night, vec![(target, before.receipt.amount)], world.now()).unwrap();
        rows.push((before, after));
    }
    rows[1].1.send(&[1], "a key", world.now()).unwrap();
    let moves: Vec<_> = rows.iter().map(|(before, after)| (Some(before), after)).collect();
    world.tables.write_uploads(&moves, Some((&caps, &granted)), because).await.unwrap();
    // Long enough for anything else to be taken for interrupted, and to be looked for.
    world.clock.advance(SignedDuration::from_mins(16));

    wake(&world).await;

    assert_eq!(world.state("P-now").await, "uploaded");
    assert_eq!(world.state("P-0001").await, "reserved");
    assert_eq!(world.state("P-0002").await, "sent");
    assert_eq!(world.tables.caps(world.organisation()).await.unwrap().used_in(night), 2);
    assert!(world.tasks.take().is_empty(), "nor does it look for them later");
}
