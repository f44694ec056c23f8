//! FAULT-07: the process ends at any of its calls to the outside, before or after that had its effect;
//! then the night is run again. In the end Xero and the tables are those of a run that nothing happened
//! to (U15, N5, N6). The calls are counted, not listed by hand.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use harness::dynamodb::Row;
use harness::{CrashPoint, crash_moments};
use jiff::SignedDuration;
use jiff::civil::date;
use payments::upload::Stamp;
use rust_decimal::Decimal;
use serde_json::json;
use xero_simulator::{Effect, Fault, NewPayment};

use crate::samples::{bpay, pay_now};
use crate::world::{World, evening, march};

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Longer than a lease.
const LATER: SignedDuration = SignedDuration::from_mins(17);

/// Four a night: a split with a prepayment, invoices that the mirror looks after and others, a payment
/// to be posted at once, one that is skipped, one that waits for a person, and two for the next night.
async fn eventful() -> World {
    let world = World::new().await;
    world.settings(|uploading| uploading.nightly_max = 4).await;
    let split = world.customer("split").await;
    world.invoice(split, "CM-1", 100_00, date(2026, 1, 1));
    world.invoice(split, "INV-2", 50_00, date(2026, 2, 1));
    world.pay(bpay("P-1", "split", 180_00, march(1))).await;
    for n in 3..=7 {
        let contact = world.customer(&format!("K-{n}")).await;
        world.invoice(contact, &format!("CM-{n}"), n * 10_00, date(2026, 1, 1));
        world.pay(bpay(&format!("P-{n}"), &format!("K-{n}"), n * 10_00, march(1))).await;
    }
    let online = world.customer("online").await;
    world.invoice(online, "CM-8", 80_00, date(2026, 1, 1));
    world.pay(pay_now("P-8", "8", 80_00)).await;
    let mut batch = bpay("P-9", "K-3", 90_00, march(1));
    batch.method = "batch_debit";
    world.pay(batch).await;
    world.pay(bpay("P-A", "unknown", 10_00, march(1))).await;
    world
}

/// Two nights, each with all that it leaves to itself, as far as that is still to be done.
async fn two_nights(world: &World) {
    for night in 0..2 {
        let at = evening() + DAY * night;
        world.clock.set(world.now().max(at));
        let _ = world.invoke(json!({"scheduled_time": at})).await.unwrap();
        world.work_off_tasks().await;
        world.check().await;
    }
}

/// What must be the same in the end: everything that stands in Xero, and the tables without the
/// attributes that differ from run to run.
async fn outcome(world: &World) -> (BTreeMap<Stamp, Decimal>, BTreeMap<&'static str, Vec<Row>>) {
    let mut tables = BTreeMap::new();
    for (table, kept) in [
        // A payment that was sent in vain before the end of the process is an attempt more, and may go in the
        // night after (AMB-29).
        ("uploads", &["payment_id", "state", "reason", "why"][..]),
        ("payments", &["invoice", "payment_id", "amount", "kind", "origin", "state", "stamp"]),
        ("held_payments", &["invoice", "reason"]),
        ("nights", &["night", "state", "unknown"]),
    ] {
        let mut rows = world.rows(table).await;
        for row in &mut rows {
            row.retain(|name, _| kept.contains(&name.as_str()));
        }
        rows.sort();
        tables.insert(table, rows);
    }
    (world.in_xero(), tables)
}

/// Does the work in a fresh world for each moment at which its process can end, ends it there, does the work again, and
/// has the world checked, with the name of the moment.
async fn end_everywhere(
    new: impl AsyncFn() -> World,
    work: impl AsyncFn(&World),
    calls: Vec<bool>,
    check: impl AsyncFn(&World, &str),
) {
    let moments = crash_moments(&calls);
    for (call, moment) in &moments {
        let world = new().await;
        let crash_point = CrashPoint::at(*call, *moment);
        world.end_with(&crash_point);
        let moment = format!("killed {moment:?} call {call}");
        assert!(crash_point.run(work(&world)).await.is_none(), "not {moment}");
        world.end_with(&CrashPoint::counting());
        world.check().await;
        world.clock.advance(LATER);
        work(&world).await;
        world.check().await;
        check(&world, &moment).await;
    }
    println!("killed at {} moments; the end was always the same", moments.len());
}

#[tokio::test]
async fn wherever_the_process_ends_every_payment_is_in_xero_once() {
    let world = eventful().await;
    let counter = CrashPoint::counting();
    world.end_with(&counter);
    two_nights(&world).await;
    let expected = outcome(&world).await;
    assert_eq!(expected.0.len(), 3 + 5 + 1, "{:#?}", expected.0);
    for (payment, state) in [("P-1", "uploaded"), ("P-9", "skipped"), ("P-A", "held")] {
        assert_eq!(world.state(payment).await, state);
    }
    let calls = counter.calls();
    assert!(calls.len() > 60, "{}", calls.len());

    end_everywhere(eventful, two_nights, calls, async |world, moment| {
        let found = outcome(world).await;
        assert_eq!(found.0, expected.0, "Xero, {moment}");
        for (table, rows) in &expected.1 {
            assert_eq!(&found.1[table], rows, "{table}, {moment}");
        }
    })
    .await;
}

/// An invoice of the provider, and one that waits for an account.
async fn invoiced() -> World {
    let world = World::new().await;
    world.provider(&["processing", "terminal_rent"]).await;
    world.provider_invoice("F-1", &[("processing", 80_00), ("terminal_rent", 8_00)]).await;
    world.provider_invoice("F-2", &[("chargeback", 25_00)]).await;
    world
}

/// Intake's wake, and a night.
async fn wake_and_night(world: &World) {
    let task = json!({"version": 1, "kind": "direct", "organisation": world.organisation()});
    let event = json!({"Records": [{"messageId": "m", "body": task.to_string()}]});
    let _ = world.invoke(event).await.unwrap();
    two_nights(world).await;
}

#[tokio::test]
async fn wherever_the_process_ends_a_provider_invoice_is_one_bill_in_xero() {
    // EX-12: in Xero nothing else keeps it from being two, since numbers of bills need not be unique.
    let world = invoiced().await;
    let counter = CrashPoint::counting();
    world.end_with(&counter);
    wake_and_night(&world).await;
    let expected = outcome(&world).await;
    assert_eq!(expected.0.values().collect::<Vec<_>>(), [&Decimal::new(88_00, 2)]);
    assert_eq!(world.state("provider-invoice-F-1").await, "uploaded");
    assert_eq!(world.row("provider-invoice-F-2").await.reason, "ACCOUNT_UNMAPPED");
    let calls = counter.calls();
    assert!(calls.len() > 20, "{}", calls.len());

    end_everywhere(invoiced, wake_and_night, calls, async |world, moment| {
        assert_eq!(outcome(world).await.0, expected.0, "Xero, {moment}");
        assert_eq!(world.state("provider-invoice-F-1").await, "uploaded");
        let row = world.row("provider-invoice-F-2").await;
        assert_eq!(row.reason, "ACCOUNT_UNMAPPED", "{moment}");
        let messages = world.rows("messages").await;
        let unmapped = messages.iter().filter(|row| row["kind"] == "ACCOUNT_UNMAPPED").count();
        assert_eq!(unmapped, 1, "{moment}");
    })
    .await;
}

/// A bill that is in Xero, a credit invoice that the provider has applied to it in part, another one of before the start
/// date that is to be a line of the next bill, and that bill.
async fn credited() -> World {
    let world = World::new().await;
    world.provider(&["processing"]).await;
    world.change(|uploading| uploading.start = "2026-02-15".parse().unwrap()).await;
    world.provider_invoice("F-1", &[("processing", 30_00)]).await;
    world.provider_credit("C-1", 25_00, &[("F-1", 5_00)]).await;
    world.provider_credit_of("old", date(2026, 2, 1), 1, 8_00, &[("F-2", 8_00)]).await;
    world.provider_invoice("F-2", &[("processing", 20_00)]).await;
    world
}

/// What stands in Xero of the provider: the amounts of what calls have made, and of the allocations.
fn provider_books(world: &World) -> (Vec<Decimal>, Vec<Decimal>) {
    let mut made: Vec<Decimal> = world.in_xero().into_values().collect();
    let mut applied: Vec<Decimal> =
        world.allocations().into_values().map(|(_, _, amount)| amount).collect();
    made.sort_unstable();
    applied.sort_unstable();
    (made, applied)
}

#[tokio::test]
async fn wherever_the_process_ends_each_credit_note_and_allocation_is_in_xero_once() {
    // EX-15a, EX-15b, EX-17: Xero keeps neither from being there twice.
    let world = credited().await;
    let counter = CrashPoint::counting();
    world.end_with(&counter);
    wake_and_night(&world).await;
    let expected = provider_books(&world);
    let cents = |cents| Decimal::new(cents, 2);
    // Two bills, of which one has a line less, and a credit note: 5.00 as the provider says, the rest to the next bill.
    assert_eq!(expected.0, [cents(12_00), cents(25_00), cents(30_00)]);
    assert_eq!(expected.1, [cents(5_00), cents(12_00)], "8.00 are left for the next one");
    let calls = counter.calls();
    assert!(calls.len() > 30, "{}", calls.len());

    end_everywhere(credited, wake_and_night, calls, async |world, moment| {
        assert_eq!(provider_books(world), expected, "{moment}");
        let row = world.row("provider-credit-old").await;
        assert_eq!(row.reason, "line_on_bill", "{moment}");
        let flagged = world.rows("discrepancies").await;
        assert!(flagged.is_empty(), "{moment}: {flagged:?}");
    })
    .await;
}

#[tokio::test]
async fn after_every_lost_answer_each_credit_note_and_allocation_is_in_xero_once() {
    // U15, N5: counted at Xero's side.
    let world = credited().await;
    wake_and_night(&world).await;
    let expected = provider_books(&world);
    for path in ["/Invoices", "/CreditNotes", "/CreditNotes/"] {
        for (effect, times) in [
            (Effect::LostAnswer, 1),
            (Effect::LostAnswer, 3),
            (Effect::Cut, 3),
            (Effect::TruncatedJson, 1),
            (Effect::Status { status: 500, headers: vec![], body: String::new() }, 3),
            (Effect::AppliedLater { millis: 10 * 60_000 }, 1),
        ] {
            let world = credited().await;
            world.simulator.inject(Fault::on("PUT", path, effect.clone()).times(times));
            wake_and_night(&world).await;
            world.clock.advance(LATER);
            wake_and_night(&world).await;
            world.check().await;
            assert_eq!(provider_books(&world), expected, "{path}, {effect:?}, {times} times");
        }
    }
}

#[tokio::test]
async fn ten_invocations_at_once_make_each_credit_note_and_allocation_once() {
    let world = credited().await;
    let task = json!({"version": 1, "kind": "direct", "organisation": world.organisation()});
    let event = json!({"Records": [{"messageId": "m", "body": task.to_string()}]});
    let _ = join_all((0..10).map(|_| world.invoke(event.clone()))).await;
    world.check().await;
    world.clock.advance(LATER);
    wake_and_night(&world).await;
    world.check().await;
    let cents = |cents| Decimal::new(cents, 2);
    let (made, applied) = provider_books(&world);
    assert_eq!((made.len(), applied), (3, vec![cents(5_00), cents(12_00)]));
}

/// A payment whose invoice another hand pays before it arrives: refused, and planned again.
async fn moved_ground() -> World {
    let world = World::new().await;
    let contact = world.customer("K").await;
    let paid = world.invoice(contact, "INV-1", 50_00, date(2026, 1, 1));
    world.invoice(contact, "INV-2", 20_00, date(2026, 2, 1));
    world.pay(bpay("P-1", "K", 50_00, march(1))).await;
    let simulator = world.simulator.clone();
    world.xero.meanwhile(move || {
        // Of so long ago that it is another payment (A8.3).
        let payment = NewPayment {
            date: date(2026, 2, 1),
            amount: Decimal::new(50_00, 2),
            reference: String::new(),
        };
        simulator.add_payment(paid, payment).unwrap();
    });
    world
}

#[tokio::test]
async fn wherever_the_process_ends_a_refused_payment_gets_a_new_plan() {
    let world = moved_ground().await;
    let counter = CrashPoint::counting();
    world.end_with(&counter);
    two_nights(&world).await;
    assert_eq!(world.state("P-1").await, "uploaded");

    end_everywhere(moved_ground, two_nights, counter.calls(), async |world, moment| {
        let row = world.row("P-1").await;
        assert_eq!(row.state.code(), "uploaded", "{}, {moment}", row.why);
    })
    .await;
}
