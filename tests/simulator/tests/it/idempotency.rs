use jiff::SignedDuration;
use reqwest::Method;
use uuid::Uuid;

use crate::bench::{Answer, Bench, read};

async fn put(bench: &Bench, key: &str, body: &str) -> Answer {
    let request = bench.write(Method::PUT, "/Payments", body).header("Idempotency-Key", key);
    read(request.send().await.unwrap()).await
}

#[tokio::test]
async fn the_same_call_is_answered_from_memory_for_six_minutes() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0001", "10.00");
    let body = bench.payment_json(invoice, "2.00");
    let recorded = || bench.simulator.invoice(invoice).unwrap().payments.len();

    let first = put(&bench, "k1", &body).await;
    bench.clock.advance(SignedDuration::from_secs(359));
    let replay = put(&bench, "k1", &body).await;
    assert_eq!(first.text, replay.text);
    assert_eq!(recorded(), 1);

    bench.clock.advance(SignedDuration::from_secs(1));
    let forgotten = put(&bench, "k1", &body).await;
    assert_ne!(first.text, forgotten.text);
    assert_eq!(recorded(), 2, "outside the window the key protects nothing");
}

#[tokio::test]
async fn errors_are_remembered_too() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0002", "10.00");
    let payment = bench.pay(invoice, "10.00");
    let body = bench.payment_json(invoice, "2.00");

    let refused = put(&bench, "k2", &body).await;
    bench.simulator.delete_payment(payment).unwrap();
    let replay = put(&bench, "k2", &body).await;
    let new_key = put(&bench, "k3", &body).await;

    assert_eq!((refused.status, replay.status, new_key.status), (400, 400, 200));
}

#[tokio::test]
async fn a_key_belongs_to_one_request() {
    let bench = Bench::start().await;
    let invoice = bench.invoice("INV-0003", "10.00");

    let first = put(&bench, "k4", &bench.payment_json(invoice, "2.00")).await;
    let other = put(&bench, "k4", &bench.payment_json(invoice, "3.00")).await;
    let long = put(&bench, &"k".repeat(129), &bench.payment_json(invoice, "3.00")).await;

    assert_eq!((first.status, other.status, long.status), (200, 400, 400));
    assert!(other.text.contains("different request"), "{}", other.text);
    assert_eq!(bench.simulator.invoice(invoice).unwrap().payments.len(), 1);
}

#[tokio::test]
async fn replays_count_towards_the_limits() {
    let bench = Bench::start().await;
    let body = bench.payment_json(Uuid::from_u128(1), "2.00");

    let first = put(&bench, "k5", &body).await;
    let replay = put(&bench, "k5", &body).await;

    assert_eq!(first.header("x-minlimit-remaining"), Some("59"));
    assert_eq!(replay.header("x-minlimit-remaining"), Some("58"));
}
