//! FAULT-24 to FAULT-26: answers that are lost, late or half, and ground that has moved. In every
//! case Xero holds a payment once, and nothing is sent again before Xero was read.

use jiff::SignedDuration;
use jiff::civil::date;
use rust_decimal::Decimal;
use serde_json::json;
use xero_simulator::{Effect, Fault, LimitProblem, NewPayment, PrepaymentReferences};

use crate::samples::{bpay, pay_now};
use crate::world::{World, evening, march};

const NIGHT: &str = "2026-03-02";

/// Three payments of three customers, each of its invoice's amount.
async fn three() -> World {
    let world = World::new().await;
    world.bpay_payments(3).await;
    world
}

fn puts(world: &World) -> usize {
    world.xero.take_calls().iter().filter(|call| call.starts_with("PUT")).count()
}

async fn used(world: &World) -> u32 {
    world.tables.caps(world.organisation()).await.unwrap().used_in(NIGHT.parse().unwrap())
}

async fn all_uploaded(world: &World, count: usize) {
    for row in world.ledger().await {
        assert_eq!(row.state.code(), "uploaded", "{}: {}", row.receipt.id, row.why);
    }
    assert_eq!(world.in_xero().len(), count);
    world.check().await;
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_bytes_and_key() {
    let world = three().await;
    world.simulator.inject(Fault::on("PUT", "/Payments", Effect::LostAnswer).times(1));

    let night = world.night(evening()).await;

    assert_eq!(night["outcome"], "finished");
    assert_eq!(puts(&world), 2);
    all_uploaded(&world, 3).await;
}

#[tokio::test]
async fn without_any_answer_xero_is_read_before_anything_is_sent_again() {
    // U15: it was applied.
    let world = three().await;
    world.simulator.inject(Fault::on("PUT", "/Payments", Effect::LostAnswer).times(3));

    let night = world.night(evening()).await;

    assert_eq!(night["outcome"], "waiting_for_proof");
    assert_eq!(night["report"]["unknown"], 3);
    assert_eq!(world.row("P-0001").await.reason, "no_answer");
    assert_eq!(puts(&world), 3);
    assert_eq!(used(&world).await, 3, "what is not known keeps its slot");
    assert!(world.work_off_tasks().await > 0);
    assert_eq!(puts(&world), 0, "the read has found them");
    let waited = world.now().duration_since(evening());
    assert!(waited >= SignedDuration::from_mins(15), "a read before that proves nothing: {waited}");
    all_uploaded(&world, 3).await;
    assert_eq!(world.night(evening()).await["outcome"], "already_run");
}

#[tokio::test]
async fn what_two_reads_do_not_show_is_judged_and_sent_again_with_another_key() {
    // Nothing was applied. AMB-28, AMB-29.
    let world = three().await;
    world.simulator.inject(Fault::on("PUT", "/Payments", Effect::Cut).times(3));
    world.night(evening()).await;
    let first = world.row("P-0001").await.parts[0].clone();

    world.work_off_tasks().await;

    let second = world.row("P-0001").await.parts[0].clone();
    assert_eq!((first.tries, second.tries), (1, 2));
    assert_eq!(first.stamp, second.stamp, "the same stamp");
    assert_ne!(first.key, second.key);
    let calls = world.xero.take_calls();
    let reads = calls.iter().filter(|call| *call == "GET /api.xro/2.0/Payments").count();
    assert_eq!(
        reads,
        2 + 4 + 1,
        "two looks for the stamps; twice what Xero holds, when planned and when sent; and once, while it is not known \
         whether they are there, what another hand has entered since"
    );
    let resent = second.sent_at.unwrap().duration_since(first.sent_at.unwrap());
    assert!(resent >= SignedDuration::from_mins(16), "{resent}");
    assert_eq!(used(&world).await, 3, "the slots of the first sending are given back");
    assert_eq!(world.row("P-0001").await.attempts, 2, "the second sending is an attempt as well");
    all_uploaded(&world, 3).await;
    let raised = world.rows("messages").await;
    assert_eq!(raised.len(), 3, "each payment that was sent twice is named: {raised:#?}");
}

#[tokio::test]
async fn what_xero_applies_minutes_later_is_found_and_not_doubled() {
    for minutes in [1, 5, 14] {
        let world = three().await;
        let millis = minutes * 60_000;
        let late = Fault::on("PUT", "/Payments", Effect::AppliedLater { millis });
        world.simulator.inject(late.times(1));
        world.night(evening()).await;
        assert_eq!(world.row("P-0001").await.state.code(), "unknown", "{minutes} minutes");

        world.work_off_tasks().await;

        all_uploaded(&world, 3).await;
    }
}

#[tokio::test]
async fn with_the_assumption_broken_the_payments_at_risk_are_named() {
    // A1: Xero applies after 20 minutes what two reads did not show. Xero itself refuses a second
    // payment of a whole invoice; a message names a part payment.
    let world = World::new().await;
    let contact = world.customer("K").await;
    world.invoice(contact, "INV-1", 500_00, march(1));
    world.pay(bpay("P-1", "K", 100_00, march(1))).await;
    let late = Fault::on("PUT", "/Payments", Effect::AppliedLater { millis: 20 * 60_000 });
    world.simulator.inject(late.times(1));
    world.night(evening()).await;
    world.work_off_tasks().await;

    world.clock.advance(SignedDuration::from_mins(10));
    let created = world.simulator.meter(world.tenant).created.len();
    assert_eq!(created, 2, "the guard that is left does not hold for part payments");
    let messages = world.rows("messages").await;
    assert!(messages[0]["message"].starts_with("SENT_AGAIN"), "{messages:#?}");
    assert!(messages[0]["why"].contains("P-1"), "{messages:#?}");
}

#[tokio::test]
async fn an_element_without_id_and_without_errors_is_no_proof() {
    //
    let world = three().await;
    world.simulator.inject(Fault::on("PUT", "/Payments", Effect::OnlyFirst { count: 1 }).times(1));

    let night = world.night(evening()).await;

    assert_eq!((&night["report"]["uploaded"], &night["report"]["unknown"]), (&json!(1), &json!(2)));
    world.work_off_tasks().await;
    all_uploaded(&world, 3).await;
}

#[tokio::test]
async fn a_bundle_is_judged_element_by_element() {
    // FAULT-26: one of the invoices is paid by a person after the plan was made.
    let world = World::new().await;
    world.bpay_payments(3).await;
    let contact = world.customer("K").await;
    let paid = world.invoice(contact, "INV-K1", 50_00, date(2026, 1, 1));
    world.invoice(contact, "INV-K2", 20_00, date(2026, 2, 1));
    world.pay(bpay("P-K", "K", 50_00, march(1))).await;
    let simulator = world.simulator.clone();
    world.xero.meanwhile(move || {
        // Of so long ago that it is another payment (A8.3).
        let payment = NewPayment {
            date: date(2026, 2, 1),
            amount: Decimal::new(50_00, 2),
            reference: "by hand".into(),
        };
        simulator.add_payment(paid, payment).unwrap();
    });

    let night = world.night(evening()).await;

    assert_eq!(night["outcome"], "finished", "{night}");
    let row = world.row("P-K").await;
    assert_eq!(row.state.code(), "uploaded", "{}", row.why);
    // The second plan: what is due on the other invoice, and the rest as a prepayment.
    let parts: Vec<_> = row.parts.iter().map(|p| (p.state.code(), p.amount.to_string())).collect();
    assert_eq!(
        parts,
        [
            ("refused", "50.00 AUD".to_owned()),
            ("done", "20.00 AUD".to_owned()),
            ("done", "30.00 AUD".to_owned())
        ]
    );
    assert_eq!(used(&world).await, 4, "one slot each, however often it was planned");
    world.check().await;
}

/// A payment of 150.00 in two parts, sent one by one: another hand pays its first invoice, and no answer
/// comes about the second part.
async fn refused_and_unknown() -> World {
    let world = World::new().await;
    world.settings(|uploading| uploading.bundle_max = 1).await;
    let contact = world.customer("K").await;
    let paid = world.invoice(contact, "INV-K1", 100_00, date(2026, 1, 1));
    world.invoice(contact, "INV-K2", 50_00, date(2026, 2, 1));
    world.pay(bpay("P-K", "K", 150_00, march(1))).await;
    let simulator = world.simulator.clone();
    world.xero.meanwhile(move || {
        let payment =
            NewPayment { date: march(2), amount: Decimal::new(80_00, 2), reference: String::new() };
        simulator.add_payment(paid, payment).unwrap();
    });
    // The first part is answered, and it was refused; the second one is not, three times.
    world.simulator.inject(Fault::on("PUT", "/Payments", Effect::LostAnswer).after(1).times(3));
    world
}

async fn planned_again(world: &World) {
    let row = world.row("P-K").await;
    let parts: Vec<_> = row.parts.iter().map(|p| (p.state.code(), p.amount.to_string())).collect();
    assert_eq!(
        parts,
        [
            ("refused", "100.00 AUD".to_owned()),
            ("done", "50.00 AUD".to_owned()),
            ("done", "20.00 AUD".to_owned()),
            ("done", "80.00 AUD".to_owned())
        ]
    );
    assert_eq!(row.state.code(), "uploaded", "{}", row.why);
    world.check().await;
}

#[tokio::test]
async fn a_refused_payment_is_planned_again_once_the_fate_of_the_rest_is_known() {
    let world = refused_and_unknown().await;

    world.night(evening()).await;
    assert_eq!(world.state("P-K").await, "unknown");
    world.work_off_tasks().await;

    planned_again(&world).await;
    assert_eq!(used(&world).await, 1, "in the same night, in the same slot");
}

#[tokio::test]
async fn a_refused_payment_is_planned_again_in_a_later_night_in_a_slot_of_that_one() {
    let world = refused_and_unknown().await;

    world.night(evening()).await;
    let tomorrow = evening() + SignedDuration::from_hours(24);
    world.clock.set(tomorrow);
    world.night(tomorrow).await;
    world.work_off_tasks().await;

    planned_again(&world).await;
    let caps = world.tables.caps(world.organisation()).await.unwrap();
    assert_eq!(caps.used_in("2026-03-03".parse().unwrap()), 1);
    assert_eq!(world.row("P-K").await.attempts, 2, "AMB-11: one in each night");
}

#[tokio::test]
async fn what_stays_refused_frees_its_slot_for_the_next_payment_of_the_same_night() {
    let world = World::new().await;
    world
        .settings(|uploading| {
            uploading.nightly_max = 1;
            uploading.prepayment_account = None;
        })
        .await;
    let contact = world.customer("K").await;
    let voided = world.invoice(contact, "INV-K1", 50_00, date(2026, 1, 1));
    world.pay(bpay("P-0", "K", 50_00, date(2025, 12, 31).tomorrow().unwrap())).await;
    world.bpay_payments(1).await;
    let simulator = world.simulator.clone();
    world.xero.meanwhile(move || simulator.void_invoice(voided).unwrap());

    world.night(evening()).await;
    world.work_off_tasks().await;

    let refused = world.row("P-0").await;
    assert_eq!(refused.state.code(), "refused");
    assert!(refused.why.starts_with("Xero says: "), "{}", refused.why);
    assert!(refused.why.contains("planned anew: 50.00 AUD of it would become"), "{}", refused.why);
    assert_eq!(world.state("P-0001").await, "uploaded", "the slot was free");
    assert_eq!(used(&world).await, 1);
    let caps = world.tables.caps(world.organisation()).await.unwrap();
    assert_eq!(caps.attempts(world.now()), 2, "an attempt is an attempt");
    world.check().await;
}

#[tokio::test]
async fn a_named_invoice_that_was_paid_meanwhile_leaves_the_payment_refused() {
    // EX-01: to exactly that invoice, or not at all.
    let world = World::new().await;
    let contact = world.customer("K").await;
    let paid = world.invoice(contact, "CM-1", 50_00, date(2026, 1, 1));
    world.pay(pay_now("P-1", "1", 50_00)).await;
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

    world.night(evening()).await;

    assert_eq!(world.state("P-1").await, "refused");
    assert!(world.in_xero().is_empty());
}

#[tokio::test]
async fn a_call_limit_stops_the_run_and_the_night_goes_on_when_it_may() {
    let world = three().await;
    let limit = Effect::RateLimit { problem: LimitProblem::Minute, retry_after: Some(30) };
    world.simulator.inject(Fault::on("PUT", "/Payments", limit).times(1));

    let night = world.night(evening()).await;

    assert_eq!(night["outcome"], "running");
    assert!(night["why"].as_str().unwrap().contains("call limit"), "{night}");
    assert_eq!(world.in_xero().len(), 0);
    world.work_off_tasks().await;
    let waited = world.now().duration_since(evening());
    assert!(waited >= SignedDuration::from_secs(30), "{waited}");
    all_uploaded(&world, 3).await;
    let caps = world.tables.caps(world.organisation()).await.unwrap();
    assert_eq!((caps.used_in(NIGHT.parse().unwrap()), caps.attempts(world.now())), (3, 3));
}

#[tokio::test]
async fn refused_credentials_send_nothing_and_the_hourly_catch_up_goes_on() {
    let world = three().await;
    let refused = Effect::Status { status: 403, headers: Vec::new(), body: String::new() };
    world.simulator.inject(Fault::on("PUT", "/Payments", refused).times(1));

    let night = world.night(evening()).await;

    assert_eq!(night["outcome"], "running");
    assert!(world.tasks.take().is_empty(), "a person has to act first");
    world.clock.advance(SignedDuration::from_hours(1));
    let answer = world.invoke(json!({"catch_up": true})).await.unwrap();
    assert_eq!(answer["nights"][0]["outcome"], "finished", "{answer}");
    all_uploaded(&world, 3).await;
}

#[tokio::test]
async fn a_prepayment_is_known_again_even_where_xero_drops_its_reference() {
    for references in [PrepaymentReferences::Kept, PrepaymentReferences::Dropped] {
        let world = World::with(references).await;
        world.customer("K").await;
        world.pay(bpay("P-1", "K", 90_00, march(1))).await;
        world.simulator.inject(Fault::on("PUT", "/BankTransactions", Effect::LostAnswer).times(3));

        world.night(evening()).await;
        assert_eq!(world.state("P-1").await, "unknown");
        world.work_off_tasks().await;

        assert_eq!(world.state("P-1").await, "uploaded");
        assert_eq!(world.in_xero().len(), 1, "U8, once");
    }
}

#[tokio::test]
async fn what_a_person_deletes_in_xero_is_not_uploaded_again() {
    // V21, AMB-08: also when we did not know yet that it was there.
    for known in [true, false] {
        let world = three().await;
        if !known {
            world.simulator.inject(Fault::on("PUT", "/Payments", Effect::LostAnswer).times(3));
        }
        world.night(evening()).await;
        let created = world.simulator.meter(world.tenant).created;
        world.simulator.delete_payment(created[0].id).unwrap();
        world.work_off_tasks().await;
        world.clock.advance(SignedDuration::from_hours(24));
        world.night(evening() + SignedDuration::from_hours(24)).await;
        world.work_off_tasks().await;

        all_uploaded(&world, 3).await;
    }
}

#[tokio::test]
async fn a_read_that_fails_is_no_evidence() {
    let world = three().await;
    world.simulator.inject(Fault::on("PUT", "/Payments", Effect::Cut).times(3));
    world.night(evening()).await;
    world
        .simulator
        .inject(Fault::on("GET", "/Payments", Effect::HtmlPage { status: 503 }).times(4));

    world.work_off_tasks().await;
    world.clock.advance(SignedDuration::from_hours(1));
    let _ = world.invoke(json!({"catch_up": true})).await;
    world.work_off_tasks().await;

    all_uploaded(&world, 3).await;
}
