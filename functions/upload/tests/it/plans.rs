//! Facts that the function gathers for the plan: lock dates, payment plans, links, currencies, dates.

use jiff::SignedDuration;
use jiff::civil::date;
use payments::upload::UploadStart;
use payments::{Change, Contact, LocalInvoice, record_invoice};
use serde_json::json;
use xero_simulator::LockDates;

use crate::samples::{bpay, pay_now};
use crate::world::{World, aud, evening, march};

async fn next_night(world: &World) {
    let next = world.now() + SignedDuration::from_hours(24);
    world.clock.set(next);
    world.night(next).await;
}

#[tokio::test]
async fn what_is_dated_in_a_locked_period_waits_until_it_is_unlocked() {
    let world = World::new().await;
    world.bpay_payments(1).await;
    let lock = |day| LockDates { period_lock_date: day, end_of_year_lock_date: None };
    world.simulator.set_lock_dates(world.tenant, lock(Some(date(2026, 1, 31)))).unwrap();

    world.night(evening()).await;
    let row = world.row("P-0001").await;
    assert_eq!((row.state.code(), row.reason.as_str()), ("held", "LOCKED_PERIOD"));

    world.simulator.set_lock_dates(world.tenant, lock(None)).unwrap();
    next_night(&world).await;
    assert_eq!(world.state("P-0001").await, "uploaded");
}

#[tokio::test]
async fn an_invoice_on_a_payment_plan_receives_no_bpay_money() {
    // EX-08: not even when its amount is exactly the payment's.
    let world = World::new().await;
    let contact = world.customer("K").await;
    world.invoice(contact, "CM-1", 100_00, date(2026, 1, 1));
    let local = LocalInvoice {
        number: "1".parse().unwrap(),
        total: aud(100_00),
        issued_on: date(2026, 1, 1),
        due_on: date(2026, 2, 1),
        terms: None,
        contact: Contact { company: Some("K".to_owned()), person: None },
        payment_plan: true,
        revision: 1,
        components: Default::default(),
    };
    let stored = world.tables.invoice(world.organisation(), &local.number).await.unwrap();
    let change = record_invoice(&stored, &local, world.now()).unwrap().unwrap();
    let because = table::ChangeContext { cause: "intake", event_at: None, now: world.now() };
    world.tables.write_invoice(&stored, &change, because).await.unwrap();
    world.pay(bpay("P-1", "K", 100_00, march(1))).await;

    world.night(evening()).await;

    let row = world.row("P-1").await;
    assert_eq!(row.state.code(), "uploaded");
    assert!(matches!(row.parts[0].target, payments::upload::Target::Prepayment { .. }));
}

#[tokio::test]
async fn a_payment_of_before_the_start_stays_out_and_one_of_that_day_can_be_included() {
    // U13, EX-33, AMB-14
    let world = World::new().await;
    world.settings(|uploading| uploading.start = UploadStart::Day(march(1))).await;
    world.customer("K").await;
    world.pay(bpay("P-old", "K", 10_00, date(2026, 2, 28))).await;
    world.pay(bpay("P-day", "K", 20_00, march(1))).await;
    world.pay(bpay("P-new", "K", 30_00, march(2))).await;

    world.night(evening()).await;

    for (payment, reason) in
        [("P-old", "before_start_date"), ("P-day", "on_start_date"), ("P-new", "in_xero")]
    {
        assert_eq!(world.row(payment).await.reason, reason);
    }
    let release = json!({"organisation": world.organisation(), "payment": "P-day",
        "order": "release", "by": "Wilma", "why": "it came after the connection"});
    world.invoke(release).await.unwrap();
    next_night(&world).await;
    assert_eq!(world.state("P-day").await, "uploaded");
    assert_eq!(world.in_xero().len(), 2);
}

#[tokio::test]
async fn a_payment_that_is_known_to_be_in_xero_is_not_uploaded() {
    // A2.1 "not already linked": the mirror has found it there.
    let world = World::new().await;
    let contact = world.customer("K").await;
    world.invoice(contact, "CM-1", 100_00, date(2026, 1, 1));
    world.pay(pay_now("P-1", "1", 40_00)).await;
    change_part(&world, |payments| {
        payments[0].link = Some(payments::XeroPaymentId::new(uuid::Uuid::from_u128(9)));
    })
    .await;

    world.night(evening()).await;

    let row = world.row("P-1").await;
    assert_eq!((row.state.code(), row.reason.as_str()), ("skipped", "already_in_xero"));
    assert!(world.in_xero().is_empty());
}

#[tokio::test]
async fn a_payment_that_was_deleted_in_xero_before_its_night_does_not_come_back() {
    // CM-35, AMB-08: the mirror has matched it, and taken it off its invoice with its original.
    let world = World::new().await;
    let contact = world.customer("K").await;
    world.invoice(contact, "CM-1", 100_00, date(2026, 1, 1));
    world.pay(pay_now("P-1", "1", 40_00)).await;
    change_part(&world, Vec::clear).await;

    world.night(evening()).await;

    let row = world.row("P-1").await;
    assert_eq!((row.state.code(), row.reason.as_str()), ("skipped", "removed_in_xero"));
    assert!(world.in_xero().is_empty());
    // A person may want it nevertheless.
    let release = json!({"organisation": world.organisation(), "payment": "P-1",
        "order": "release", "by": "Wilma", "why": "it was deleted by mistake"});
    world.invoke(release).await.unwrap();
    world.work_off_tasks().await;
    assert_eq!(world.state("P-1").await, "uploaded");
}

/// What the mirror has done to the payments on invoice 1.
async fn change_part(world: &World, change: impl FnOnce(&mut Vec<payments::Payment>)) {
    let number = "1".parse().unwrap();
    let stored = world.tables.invoice(world.organisation(), &number).await.unwrap();
    let mut after = stored.clone();
    change(&mut after.payments);
    let change = Change { after, tombstones: Vec::new(), decisions: Vec::new() };
    let because = table::ChangeContext { cause: "webhook", event_at: None, now: world.now() };
    world.tables.write_invoice(&stored, &change, because).await.unwrap();
}

#[tokio::test]
async fn old_payments_cost_the_night_nothing() {
    // Items read by a night's run, against a ledger of nothing else and of one with many old rows.
    let mut reads = Vec::new();
    for old in [0, 400] {
        let world = World::new().await;
        for batch in 0..old / 200 {
            // Uploaded in nights long past.
            world.bpay_payments_named(&format!("OLD{batch}"), 200).await;
            world.night(world.now()).await;
            world.clock.advance(SignedDuration::from_hours(24));
        }
        // For ten nights what went up without an invoice is watched; later it is history.
        world.clock.advance(SignedDuration::from_hours(11 * 24));
        world.bpay_payments(20).await;
        world.proxy.heal();
        world.night(world.now()).await;
        reads.push(world.proxy.calls().len());
    }
    println!(
        "calls to DynamoDB for 20 payments: {} alone, {} with 400 old ones",
        reads[0], reads[1]
    );
    assert!(reads[1] <= reads[0] + 4, "{reads:?}");
}

#[tokio::test]
async fn amb_33_of_several_invoices_of_one_number_the_authorised_one_is_paid() {
    // The number of a document that is dead is free again in Xero. Which of the two has the lower id is chance.
    let world = World::new().await;
    let contact = world.customer("K").await;
    let numbers = ["620", "621", "622", "623", "624", "625", "626", "627"];
    let mut alive = Vec::new();
    for number in numbers {
        let dead = world.invoice(contact, &format!("CM-{number}"), 80_00, march(1));
        world.simulator.void_invoice(dead).unwrap();
        let live = world.invoice(contact, &format!("CM-{number}"), 80_00, march(1));
        alive.push((dead, live));
        world.pay(pay_now(&format!("P-{number}"), number, 50_00)).await;
    }
    assert!(
        alive.iter().any(|(dead, live)| dead < live)
            && alive.iter().any(|(dead, live)| live < dead)
    );

    let task = json!({"version": 1, "kind": "direct", "organisation": world.organisation()});
    world.invoke(json!({"Records": [{"messageId": "m", "body": task.to_string()}]})).await.unwrap();

    for (number, (_, live)) in numbers.into_iter().zip(alive) {
        let row = world.row(&format!("P-{number}")).await;
        assert_eq!(row.state.code(), "uploaded", "{number}: {}", row.why);
        assert_eq!(world.simulator.invoice(live).unwrap().payments.len(), 1, "{number}");
    }
    world.check().await;
}
