//! The same money entered by two hands (AMB-27, rules A8.3, FAULT-31): a person enters it in Xero, and the
//! business's own system reports it. What Xero holds is counted at the simulator.

use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::SignedDuration;
use jiff::civil::{Date, date};
use payments::PaymentStatus;
use payments::upload::UploadState;
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;
use xero_simulator::{CreditKind, Effect, Fault, NewCredit, NewPayment};

use crate::samples::{Paid, bpay, pay_now};
use crate::world::{World, evening, march};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A person enters a payment in Xero.
fn enter(world: &World, invoice: Uuid, cents: i64, day: Date) -> Uuid {
    let payment =
        NewPayment { date: day, amount: Decimal::new(cents, 2), reference: "by hand".into() };
    world.simulator.add_payment(invoice, payment).unwrap()
}

/// How many payments of that amount stand on an invoice in Xero.
fn standing(world: &World, invoice: Uuid, cents: i64) -> usize {
    let payments = world.simulator.invoice(invoice).unwrap().payments;
    let amounts = payments.iter().filter_map(|id| world.simulator.payment(*id));
    amounts.filter(|payment| payment.amount == Decimal::new(cents, 2)).count()
}

/// A BPAY payment that names its invoices.
fn naming(id: &str, customer: &str, on: &[(&'static str, i64)], day: Date) -> Paid {
    let cents = on.iter().map(|(_, cents)| cents).sum();
    Paid { on: on.to_vec(), ..bpay(id, customer, cents, day) }
}

async fn order(world: &World, payment: &str, order: &str) {
    let event = json!({"organisation": world.organisation(), "payment": payment, "order": order,
        "by": "Wilma", "why": "asked the bookkeeper"});
    world.invoke(event).await.unwrap();
}

/// Every night of some days, with what they leave for later.
async fn nights(world: &World, days: i32) {
    for day in 0..days {
        let at = evening() + DAY * day;
        if world.now() < at {
            world.clock.set(at);
        }
        world.night(at).await;
        world.work_off_tasks().await;
    }
}

#[tokio::test]
async fn what_a_person_has_entered_before_the_report_goes_up_no_second_time() {
    // A card payment that names its invoice, and BPAY that names it.
    let world = World::new().await;
    let contact = world.customer("K").await;
    let invoice = world.invoice(contact, "CM-1", 450_00, march(1));
    enter(&world, invoice, 50_00, march(2));
    world.pay(pay_now("P-card", "1", 50_00)).await;
    let other = world.invoice(contact, "CM-2", 450_00, march(1));
    enter(&world, other, 55_00, march(2));
    world.pay(naming("P-bpay", "K", &[("2", 55_00)], march(2))).await;

    nights(&world, 2).await;

    assert_eq!((standing(&world, invoice, 50_00), standing(&world, other, 55_00)), (1, 1));
    for payment in ["P-card", "P-bpay"] {
        assert_eq!(world.row(payment).await.reason, "already_in_xero", "{payment}");
    }
}

#[tokio::test]
async fn a_payment_a_few_days_apart_waits_until_a_person_decides() {
    let world = World::new().await;
    let contact = world.customer("K").await;
    let invoice = world.invoice(contact, "CM-1", 450_00, march(1));
    enter(&world, invoice, 50_00, march(4));
    for id in ["P-same", "P-two", "P-far"] {
        let day = if id == "P-far" { date(2026, 2, 25) } else { march(1) };
        world.pay(naming(id, "K", &[("1", 50_00)], day)).await;
    }
    enter(&world, invoice, 50_00, march(4));

    nights(&world, 1).await;

    // Two were entered, and two of the reports may be they; the third lies too far away.
    for id in ["P-same", "P-two"] {
        let row = world.row(id).await;
        assert_eq!((row.state, row.reason.as_str()), (UploadState::Held, "POSSIBLE_DUPLICATE"));
        assert!(row.why.contains("CM-1, of 2026-03-04, 3 days apart"), "{}", row.why);
    }
    assert_eq!(world.state("P-far").await, "uploaded");
    let release = json!({"organisation": world.organisation(), "payment": "P-two",
        "order": "release", "by": "Wilma", "why": "w"});
    let refused = world.invoke(release).await.unwrap_err();
    assert!(refused.contains("order `same_payment` or `two_payments`"), "{refused}");

    order(&world, "P-same", "same_payment").await;
    order(&world, "P-two", "two_payments").await;
    nights(&world, 3).await;
    assert_eq!(world.row("P-same").await.reason, "already_in_xero");
    assert_eq!(world.state("P-two").await, "uploaded", "it is not asked about again");
    assert_eq!(standing(&world, invoice, 50_00), 4, "two by hand, two by reports that match none");
}

#[tokio::test]
async fn a_payment_over_several_invoices_that_stands_in_xero_in_part_waits_with_the_rest() {
    let world = World::new().await;
    let contact = world.customer("K").await;
    let first = world.invoice(contact, "CM-1", 400_00, march(1));
    let second = world.invoice(contact, "CM-2", 400_00, march(1));
    enter(&world, first, 40_00, march(2));
    enter(&world, second, 60_00, march(2));
    world.pay(naming("P-all", "K", &[("1", 40_00), ("2", 60_00)], march(2))).await;
    let third = world.invoice(contact, "CM-3", 400_00, march(1));
    let fourth = world.invoice(contact, "CM-4", 400_00, march(1));
    enter(&world, third, 70_00, march(2));
    world.pay(naming("P-half", "K", &[("3", 70_00), ("4", 80_00)], march(2))).await;

    nights(&world, 1).await;

    assert_eq!(world.row("P-all").await.reason, "already_in_xero");
    let half = world.row("P-half").await;
    assert_eq!(half.reason, "POSSIBLE_DUPLICATE");
    assert!(
        half.why.contains("70.00 AUD on CM-3 of it already, and not 80.00 AUD for CM-4"),
        "{}",
        half.why
    );
    order(&world, "P-half", "two_payments").await;
    nights(&world, 2).await;
    assert_eq!(world.state("P-half").await, "uploaded");
    let counts = [(first, 40_00), (second, 60_00), (third, 70_00), (fourth, 80_00)];
    for (invoice, cents) in counts {
        assert_eq!(standing(&world, invoice, cents), 1);
    }
}

#[tokio::test]
async fn money_that_names_no_invoice_is_sought_on_everything_of_its_contact() {
    let world = World::new().await;
    let contact = world.customer("K").await;
    // One payment has paid the only invoice off; a prepayment; two payments of a day.
    let paid = world.invoice(contact, "CM-1", 70_00, march(1));
    enter(&world, paid, 70_00, march(2));
    world.pay(bpay("P-one", "K", 70_00, march(1))).await;
    let credit = |kind, cents| NewCredit {
        kind,
        amount: Decimal::new(cents, 2),
        date: march(2),
        reference: String::new(),
    };
    world.simulator.add_credit(contact, credit(CreditKind::Prepayment, 33_00)).unwrap();
    world.pay(bpay("P-credit", "K", 33_00, march(2))).await;
    let open = world.invoice(contact, "CM-2", 500_00, march(1));
    enter(&world, open, 21_00, march(2));
    enter(&world, open, 24_00, march(2));
    world.pay(bpay("P-sum", "K", 45_00, march(2))).await;
    // No person has entered this one.
    world.pay(bpay("P-new", "K", 10_00, march(2))).await;

    nights(&world, 2).await;

    for payment in ["P-one", "P-credit", "P-sum"] {
        let row = world.row(payment).await;
        assert_eq!(row.reason, "POSSIBLE_DUPLICATE", "{payment}: {}", row.why);
    }
    assert_eq!(world.state("P-new").await, "uploaded");
    assert_eq!(world.in_xero().len(), 1);
}

#[tokio::test]
async fn what_a_person_enters_between_plan_and_sending_is_seen() {
    let world = World::new().await;
    let contact = world.customer("K").await;
    let invoice = world.invoice(contact, "CM-1", 450_00, march(1));
    world.pay(naming("P-1", "K", &[("1", 50_00)], march(2))).await;
    let simulator = world.simulator.clone();
    // The plan rests on two reads of invoices; the look before sending comes after them.
    let reads = AtomicUsize::new(0);
    world.xero.spoil(move |path, body| {
        if path.contains("/Invoices") && reads.fetch_add(1, Ordering::Relaxed) == 1 {
            let by_hand = NewPayment {
                date: march(2),
                amount: Decimal::new(50_00, 2),
                reference: "by hand".into(),
            };
            simulator.add_payment(invoice, by_hand).unwrap();
        }
        body
    });

    nights(&world, 1).await;

    assert_eq!(standing(&world, invoice, 50_00), 1);
    assert_eq!(world.row("P-1").await.reason, "already_in_xero");
    let caps = world.tables.caps(world.organisation()).await.unwrap();
    assert_eq!(caps.used_lately(world.now()), 0, "its slot is free");
}

#[tokio::test]
async fn what_is_proven_absent_is_judged_by_the_newest_report_and_by_what_xero_holds() {
    // AMB-28: refunded, less, or entered by hand while the outcome of the sending was unknown.
    let world = World::new().await;
    let contact = world.customer("K").await;
    let invoice = |n: &str| world.invoice(contact, n, 450_00, march(1));
    let (refunded, less, by_hand) = (invoice("CM-1"), invoice("CM-2"), invoice("CM-3"));
    let pay = |id, on, cents| naming(id, "K", &[(on, cents)], march(2));
    world.pay(pay("P-refunded", "1", 77_00)).await;
    world.pay(pay("P-less", "2", 66_00)).await;
    world.pay(pay("P-hand", "3", 55_00)).await;
    world.simulator.inject(Fault::on("PUT", "/Payments", Effect::Cut).times(3));
    world.night(evening()).await;
    for payment in ["P-refunded", "P-less", "P-hand"] {
        assert_eq!(world.state(payment).await, "unknown", "{payment}");
    }
    world
        .pay(Paid { revision: 2, status: PaymentStatus::Refunded, ..pay("P-refunded", "1", 77_00) })
        .await;
    world.pay(Paid { revision: 2, ..pay("P-less", "2", 60_00) }).await;
    enter(&world, by_hand, 55_00, march(2));

    world.work_off_tasks().await;
    nights(&world, 2).await;

    assert_eq!(world.row("P-refunded").await.reason, "refunded");
    assert_eq!(standing(&world, refunded, 77_00), 0);
    assert_eq!(world.state("P-less").await, "uploaded");
    assert_eq!((standing(&world, less, 66_00), standing(&world, less, 60_00)), (0, 1));
    assert_eq!(world.row("P-hand").await.reason, "already_in_xero");
    assert_eq!(standing(&world, by_hand, 55_00), 1);
}

#[tokio::test]
async fn one_transaction_that_is_reported_twice_goes_once() {
    let world = World::new().await;
    let contact = world.customer("K").await;
    let invoice = world.invoice(contact, "CM-1", 450_00, march(1));
    let (first, mut again) = (pay_now("P-1", "1", 75_00), pay_now("P-2", "1", 75_00));
    again.transaction = Some("T-P-1");
    world.pay(first).await;
    world.pay(again).await;

    nights(&world, 2).await;

    assert_eq!(world.state("P-1").await, "uploaded");
    let row = world.row("P-2").await;
    assert_eq!(row.reason, "POSSIBLE_DUPLICATE", "{}", row.why);
    assert!(row.why.contains("payment P-1 bears the same transaction id"), "{}", row.why);
    assert_eq!(standing(&world, invoice, 75_00), 1);
}

#[tokio::test]
async fn four_hundred_that_were_cut_off_are_never_more_than_two_hundred_in_twenty_hours() {
    // AMB-29: 420 wait; 200 are cut off in the evening, and found absent in the morning.
    let world = World::new().await;
    world.customer("K").await;
    for n in 1..=420 {
        world.pay(bpay(&format!("P-{n:04}"), "K", 1_00 + i64::from(n), march(1))).await;
    }
    world.simulator.inject(Fault::on("PUT", "/BankTransactions", Effect::Cut).times(12));
    world.night(evening()).await;
    world.clock.advance(SignedDuration::from_hours(11));
    world.work_off_tasks().await;
    for day in 0..4 {
        let at = evening() + DAY * day;
        world.clock.set(world.now().max(at));
        let _ = world.invoke(json!({"scheduled_time": at})).await;
        world.work_off_tasks().await;
    }

    let meter = world.simulator.meter(world.tenant);
    assert_eq!(meter.created.len(), 420);
    assert!(meter.created_within_max(SignedDuration::from_hours(20)) <= 200);
}
