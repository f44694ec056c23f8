//! Writes that are carried out late, in part, or twice.

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use uuid::Uuid;
use xero_simulator::{CreatedKind, Effect, Fault, LockDates};

use crate::bench::{Answer, Bench, START, read};

const MINUTES: u64 = 60_000;

fn late(bench: &Bench, path: &str, minutes: u64) {
    let effect = Effect::AppliedLater { millis: minutes * MINUTES };
    bench.simulator.inject(Fault::on("PUT", path, effect).times(1));
}

async fn keyed(bench: &Bench, key: &str, body: &str) -> Option<Answer> {
    let request = bench.write(Method::PUT, "/Payments", body).header("Idempotency-Key", key);
    Some(read(request.send().await.ok()?).await)
}

fn start() -> Timestamp {
    START.parse().unwrap()
}

#[tokio::test]
async fn a_late_write_is_booked_and_dated_when_its_time_has_come() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0001", "10.00");
    late(&bench, "/Payments", 4);

    let lost = keyed(&bench, "k", &bench.payment_json(invoice, "2.00")).await;
    bench.clock.advance(SignedDuration::from_secs(239));
    let not_yet = bench.simulator.invoice(invoice).unwrap().payments.len();
    let waiting = bench.simulator.postponed();
    bench.clock.advance(SignedDuration::from_secs(3_600));
    let booked = bench.simulator.invoice(invoice).unwrap();

    assert!(lost.is_none(), "the caller hears nothing");
    assert_eq!((not_yet, waiting, bench.simulator.postponed()), (0, 1, 0));
    assert_eq!(booked.payments.len(), 1);
    let due = start() + SignedDuration::from_mins(4);
    assert_eq!(booked.updated, due, "not when a call looked");
    let meter = bench.simulator.meter(bench.organisation);
    assert_eq!((meter.created_of(CreatedKind::Payment), meter.created[0].at), (1, due));
}

#[tokio::test]
async fn a_late_write_is_checked_when_it_is_booked() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0002", "10.00");
    late(&bench, "/Payments", 1);
    let lost = keyed(&bench, "k", &bench.payment_json(invoice, "2.00")).await;

    let lock =
        LockDates { period_lock_date: Some("2026-10-31".parse().unwrap()), ..LockDates::default() };
    bench.simulator.set_lock_dates(bench.organisation, lock).unwrap();
    bench.clock.advance(SignedDuration::from_mins(2));
    let replay = keyed(&bench, "k", &bench.payment_json(invoice, "2.00")).await.unwrap();

    assert!(lost.is_none());
    assert_eq!(replay.status, 400, "the outcome of the late write is what the key stands for");
    assert!(replay.objection(0).contains("lock date"), "{}", replay.text);
    assert!(bench.simulator.invoice(invoice).unwrap().payments.is_empty());
}

#[tokio::test]
async fn late_writes_are_booked_in_the_order_of_their_times() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0003", "10.00");
    let rule = |minutes| {
        let effect = Effect::AppliedLater { millis: minutes * MINUTES };
        Fault::on("PUT", "/Payments", effect).times(1)
    };
    bench.simulator.inject(rule(3));
    bench.simulator.inject(rule(2).after(1));

    for amount in ["7.00", "5.00"] {
        assert!(
            bench
                .write(Method::PUT, "/Payments", &bench.payment_json(invoice, amount))
                .send()
                .await
                .is_err()
        );
    }
    bench.clock.advance(SignedDuration::from_mins(10));
    let booked = bench.simulator.invoice(invoice).unwrap();

    assert_eq!(booked.amount_paid.to_string(), "5.00", "the other one came too late");
}

#[tokio::test]
async fn a_key_whose_write_is_late_books_once_within_six_minutes() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0004", "10.00");
    late(&bench, "/Payments", 3);
    let body = bench.payment_json(invoice, "2.00");

    let lost = keyed(&bench, "k", &body).await;
    bench.clock.advance(SignedDuration::from_mins(1));
    let pending = keyed(&bench, "k", &body).await.unwrap();
    let other = keyed(&bench, "k", &bench.payment_json(invoice, "3.00")).await.unwrap();
    bench.clock.advance(SignedDuration::from_mins(4));
    let replay = keyed(&bench, "k", &body).await.unwrap();
    let payments = bench.simulator.invoice(invoice).unwrap().payments;

    assert!(lost.is_none());
    assert_eq!((pending.status, other.status, replay.status), (500, 400, 200));
    assert_eq!(payments.len(), 1);
    assert_eq!(replay.json()["Payments"][0]["PaymentID"], payments[0].to_string());
    bench.clock.advance(SignedDuration::from_mins(1));
    keyed(&bench, "k", &body).await.unwrap();
    assert_eq!(
        bench.simulator.invoice(invoice).unwrap().payments.len(),
        2,
        "six minutes from the first call"
    );
}

#[tokio::test]
async fn a_new_key_or_one_that_is_too_old_books_beside_a_late_write() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0005", "10.00");
    let body = bench.payment_json(invoice, "2.00");
    late(&bench, "/Payments", 10);
    let lost = keyed(&bench, "k1", &body).await;

    let new_key = keyed(&bench, "k2", &body).await.unwrap();
    bench.clock.advance(SignedDuration::from_mins(6));
    let old_key = keyed(&bench, "k1", &body).await.unwrap();
    bench.clock.advance(SignedDuration::from_mins(4));
    let replay = keyed(&bench, "k1", &body).await.unwrap();

    assert!(lost.is_none());
    assert_eq!((new_key.status, old_key.status), (200, 200));
    assert_eq!(old_key.text, replay.text, "the late one does not take the key over");
    assert_eq!(bench.simulator.invoice(invoice).unwrap().payments.len(), 3);
}

#[tokio::test]
async fn a_late_write_does_not_settle_the_key_for_a_later_one() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0009", "10.00");
    let body = bench.payment_json(invoice, "2.00");
    late(&bench, "/Payments", 7);
    let first = keyed(&bench, "k", &body).await;
    bench.clock.advance(SignedDuration::from_mins(6));
    late(&bench, "/Payments", 5);
    let second = keyed(&bench, "k", &body).await;

    bench.clock.advance(SignedDuration::from_mins(2));
    let pending = keyed(&bench, "k", &body).await.unwrap();
    let booked = bench.simulator.invoice(invoice).unwrap().payments.len();

    assert!(first.is_none() && second.is_none());
    assert_eq!((booked, pending.status), (1, 500));
}

#[tokio::test]
async fn a_call_that_has_its_outcome_is_not_put_off() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0006", "10.00");
    let body = bench.payment_json(invoice, "2.00");
    keyed(&bench, "k", &body).await.unwrap();
    late(&bench, "/Payments", 1);

    let lost = keyed(&bench, "k", &body).await;
    bench.clock.advance(SignedDuration::from_mins(2));

    assert!(lost.is_none());
    assert_eq!(bench.simulator.invoice(invoice).unwrap().payments.len(), 1);
}

#[tokio::test]
async fn a_late_prepayment_is_a_prepayment() {
    let bench = Bench::start().await;
    let contact = bench.simulator.add_contact(bench.organisation, "Wilma").unwrap();
    late(&bench, "/BankTransactions", 1);

    let body = bench.prepayment_json(contact, "R-1", "5.00");
    assert!(bench.write(Method::PUT, "/BankTransactions", &body).send().await.is_err());
    assert!(bench.simulator.live_references(bench.organisation).is_empty());
    bench.clock.advance(SignedDuration::from_mins(1));

    assert_eq!(bench.simulator.live_references(bench.organisation)["R-1"].len(), 1);
}

#[tokio::test]
async fn keys_can_be_forgotten() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0007", "10.00");
    let body = bench.payment_json(invoice, "2.00");

    let first = keyed(&bench, "k", &body).await.unwrap();
    let forgotten = bench.control(Method::DELETE, "/idempotency-keys", "").await;
    let second = keyed(&bench, "k", &body).await.unwrap();

    assert_eq!((first.status, forgotten.status, second.status), (200, 200, 200));
    assert_eq!(bench.simulator.invoice(invoice).unwrap().payments.len(), 2);
}

#[tokio::test]
async fn only_the_first_elements_are_booked_and_the_others_seem_good() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0008", "10.00");
    let contact = bench.simulator.add_contact(bench.organisation, "Wilma").unwrap();
    let payments = [
        bench.payment_json(invoice, "2.00"),
        bench.payment_json(invoice, "3.00"),
        bench.payment_json(Uuid::from_u128(9), "3.00"),
    ];
    let payments = format!(r#"{{"Payments":[{}]}}"#, payments.join(","));
    let prepayment = bench.prepayment_json(contact, "R-1", "5.00");
    let rule = |path, count| Fault::on("PUT", path, Effect::OnlyFirst { count }).times(2);
    bench.simulator.inject(rule("/Payments", 1));
    bench.simulator.inject(rule("/BankTransactions", 0));

    // A read does not use the rule up.
    bench.get("/Payments").await;
    let own = bench.send(Method::PUT, "/Payments?summarizeErrors=false", &payments).await.json();
    let summarised = bench.send(Method::PUT, "/Payments", &payments).await;
    let none =
        bench.send(Method::PUT, "/BankTransactions?summarizeErrors=false", &prepayment).await;

    assert!(own["Payments"][0]["PaymentID"].is_string());
    for dropped in [&own["Payments"][1], &own["Payments"][2], &none.json()["BankTransactions"][0]] {
        assert!(dropped.get("PaymentID").is_none() && dropped.get("BankTransactionID").is_none());
        assert_eq!(dropped["StatusAttributeString"], "OK");
        assert_eq!(dropped["ValidationErrors"].as_array().unwrap().len(), 0);
    }
    assert_eq!(own["Payments"][1]["HasValidationErrors"], false);
    assert_eq!(summarised.status, 200);
    assert_eq!(bench.simulator.invoice(invoice).unwrap().amount_paid.to_string(), "4.00");
    assert!(!bench.simulator.live_references(bench.organisation).contains_key("R-1"));
}

#[tokio::test]
async fn effects_are_injected_as_json() {
    let bench = Bench::start().await;
    for effect in
        [r#"{"kind":"applied_later","millis":240000}"#, r#"{"kind":"only_first","count":1}"#]
    {
        let rule = format!(r#"{{"method":"PUT","path":"/Payments","times":1,"effect":{effect}}}"#);
        assert_eq!(bench.control(Method::POST, "/faults", &rule).await.status, 200);
    }
    let expected = [Effect::AppliedLater { millis: 240_000 }, Effect::OnlyFirst { count: 1 }];
    let effects: Vec<Effect> =
        bench.simulator.faults().into_iter().map(|rule| rule.effect).collect();
    assert_eq!(effects, expected);
}
