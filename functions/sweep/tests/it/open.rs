//! The full sweep of the night.

use jiff::SignedDuration;
use payments::sweep::SweepKind;
use serde_json::json;
use uuid::Uuid;
use xero_simulator::{Effect, Fault, LimitProblem};

use crate::world::{World, aud, march};

/// Five invoices that the mirror knows, each with a payment.
async fn known() -> (World, Vec<Uuid>) {
    let world = World::new().await;
    let mut invoices = Vec::new();
    for n in 1..=5 {
        let invoice = world.both(&n.to_string()).await;
        world.pay(invoice, 10_00);
        invoices.push(invoice);
    }
    world.sweep().await;
    world.work_off().await;
    assert_eq!(world.mirrored().await, world.in_xero());
    (world, invoices)
}

#[tokio::test]
async fn what_agrees_costs_one_call_and_no_message() {
    let (world, _) = known().await;
    world.calls();
    let answer = world.full_sweep().await;
    assert_eq!(answer["outcome"], "finished", "{answer}");
    let counts = &answer["run"]["counts"];
    assert_eq!(*counts, json!({"in_rotation": 5, "open_in_xero": 5, "stored": 5}));
    assert_eq!((world.calls(), world.take_queued().len()), (1, 0));
}

#[tokio::test]
async fn only_what_differs_is_queued_and_then_agrees() {
    let (world, invoices) = known().await;
    world.pay(invoices[0], 5_00);
    world.simulator.add_credit_note(invoices[1], rust_decimal::Decimal::new(100, 2)).unwrap();
    // It is paid in full, and so no longer open.
    world.pay(invoices[2], 990_00);
    let new = world.both("6").await;
    // This one is not known here.
    world.invoice("CM-7");

    let answer = world.full_sweep().await;

    let counts = &answer["run"]["counts"];
    for difference in ["paid_differs", "credited_differs", "no_longer_open", "not_read_yet"] {
        assert_eq!(counts[difference], 1, "{difference}: {answer}");
    }
    assert_eq!(world.work_off().await, 1);
    assert_eq!(world.mirrored().await, world.in_xero());
    let again = world.next_full_sweep().await;
    assert_eq!(again["run"]["counts"].get("queued"), None, "{again}, {new}");
}

#[tokio::test]
async fn a_payment_dated_in_the_future_is_judged_again_when_its_day_has_come() {
    // AMB-20, CM-40, CM-48
    let world = World::new().await;
    world.settings(|settings| settings.forward_days = Some(0)).await;
    let invoice = world.both("1").await;
    world.pay_on(invoice, 46_00, march(4));
    world.sweep().await;
    world.work_off().await;
    let held = world.rows("held_payments").await;
    assert_eq!(held[0]["reason"], "FUTURE_DATED");
    assert_eq!(world.full_sweep().await["run"]["counts"].get("queued"), None);

    // It is the 4th in Sydney, and still the 3rd in UTC.
    world.clock.set("2026-03-03T14:00:00Z".parse().unwrap());
    let answer = world.full_sweep().await;

    assert_eq!(answer["run"]["counts"]["day_has_come"], 1, "{answer}");
    world.work_off().await;
    assert_eq!(world.mirrored().await, world.in_xero());
    assert_eq!(world.rows("held_payments").await.len(), 0);
}

#[tokio::test]
async fn an_invoice_on_which_nothing_was_paid_is_missed_from_the_day_after_its_due_date() {
    // SP-15, A7.2: found by the full sweep, and closed by the money.
    let world = World::new().await;
    let invoice = world.both("1").await;
    world.sweep().await;
    world.work_off().await;
    // It is the last minute of the due day in Sydney, and then the day after.
    world.clock.set("2026-12-01T12:59:00Z".parse().unwrap());
    assert_eq!(world.full_sweep().await["run"]["counts"].get("day_has_come"), None);
    world.clock.set("2026-12-01T13:00:00Z".parse().unwrap());
    assert_eq!(world.full_sweep().await["run"]["counts"]["day_has_come"], 1);
    world.work_off().await;

    let found = world.rows("discrepancies").await;
    assert_eq!(
        (found[0]["kind"].as_str(), found[0]["state"].as_str()),
        ("MISSING_PAYMENT", "open")
    );
    assert!(found[0]["detail"].ends_with("was due on 2026-12-01, and nothing was paid"));

    world.pay(invoice, 1_000_00);
    world.clock.advance(SignedDuration::from_mins(30));
    world.sweep().await;
    world.work_off().await;
    let found = world.rows("discrepancies").await;
    assert_eq!((found.len(), found[0]["state"].as_str()), (1, "resolved"));
}

#[tokio::test]
async fn another_cut_over_day_brings_the_warnings_that_hang_on_it_and_takes_the_others_away() {
    // CM-03, CM-04, AMB-35
    let (world, _) = known().await;
    world.settings(|settings| settings.cutover_on = Some(march(20))).await;
    world.full_sweep().await;
    for (id, day, method) in
        [("P-5", 5, "cash"), ("P-9", 9, "cash"), ("P-bpay", 9, "bpay"), ("P-25", 25, "cheque")]
    {
        let receipt = payments::Receipt {
            organisation: world.organisation(),
            id: id.parse().unwrap(),
            revision: 1,
            amount: aud(5_00),
            date: march(day),
            reference: None,
            method: method.to_owned(),
            channel: None,
            customer: None,
            transaction_id: format!("T-{id}"),
            status: payments::PaymentStatus::Confirmed,
            approved: false,
            settled: false,
            journaled: false,
            allocations: Vec::new(),
            entered_at: format!("2026-03-{day:02}T03:00:00Z").parse().unwrap(),
            document: None,
        };
        world.tables.store_receipt(None, &receipt, &[], None, world.now()).await.unwrap();
    }
    let warned = async || {
        let rows = world.rows("messages").await;
        let of = rows.into_iter().filter(|row| row["kind"] == "MANUAL_AFTER_CUTOVER");
        of.map(|row| row["payment_id"].clone()).collect::<Vec<_>>()
    };
    for (day, expected) in [(8, vec!["P-9"]), (4, vec!["P-5", "P-9"]), (20, vec![])] {
        world.settings(|settings| settings.cutover_on = Some(march(day))).await;
        world.clock.advance(SignedDuration::from_mins(30));
        // The schedule sees that the full sweep is due, too.
        world.invoke(json!({"scheduled_time": world.now()})).await.unwrap();
        let mut warned = warned().await;
        warned.sort();
        assert_eq!(warned, expected, "{day}");
        let open = world.tables.sweep(world.organisation(), SweepKind::Open).await.unwrap();
        assert!(open.judging.unwrap().ends_with(&format!("cutover_on=2026-03-{day:02}")));
    }
}

#[tokio::test]
async fn a_night_that_failed_is_made_up_for_by_the_next_schedule() {
    let (world, invoices) = known().await;
    world.clock.advance(SignedDuration::from_mins(30));
    let limit = Effect::RateLimit { problem: LimitProblem::Minute, retry_after: Some(20) };
    world.simulator.inject(Fault::on("GET", "/Invoices", limit).times(1));
    assert_eq!(world.full_sweep().await["outcome"], "stopped");
    world.pay(invoices[0], 5_00);
    world.clock.advance(SignedDuration::from_mins(30));

    let answer = world.invoke(json!({"scheduled_time": world.now()})).await.unwrap();

    let kinds: Vec<_> = answer["sweeps"].as_array().unwrap().iter().collect();
    assert_eq!(kinds[0]["run"]["kind"], "sweep");
    assert_eq!(
        (&kinds[1]["run"]["kind"], &kinds[1]["outcome"]),
        (&json!("full_sweep"), &json!("finished"))
    );
    world.clock.advance(SignedDuration::from_mins(30));
    let answer = world.invoke(json!({"scheduled_time": world.now()})).await.unwrap();
    assert_eq!(answer["sweeps"].as_array().unwrap().len(), 1, "{answer}");
}

#[tokio::test]
async fn the_two_sweeps_do_not_wait_for_each_other() {
    let (world, _) = known().await;
    world.clock.advance(SignedDuration::from_mins(30));
    let event = json!({"scheduled_time": world.now()});
    let full = json!({"scheduled_time": world.now(), "full": true});
    let (one, other) = tokio::join!(world.invoke(event), world.invoke(full));
    for answer in [one.unwrap(), other.unwrap()] {
        assert_eq!(answer["sweeps"][0]["outcome"], "finished", "{answer}");
    }
}
