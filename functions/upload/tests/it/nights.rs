//! Nights: how many go, in which order, and what a second invocation does.

use jiff::SignedDuration;
use serde_json::json;

use crate::samples::bpay;
use crate::world::{World, evening, march};

#[tokio::test]
async fn two_hundred_go_and_the_rest_go_the_next_night() {
    // EX-31, U11, and "4 payment calls for 200 payments".
    let world = World::new().await;
    world.bpay_payments(230).await;
    world.xero.take_calls();

    let night = world.night(evening()).await;

    assert_eq!(night["outcome"], "finished", "{night}");
    assert_eq!(
        (&night["report"]["uploaded"], &night["report"]["carried"]),
        (&json!(200), &json!(30))
    );
    assert_eq!(night["night"], "2026-03-02");
    let calls = world.xero.take_calls();
    let of = |call: &str| calls.iter().filter(|made| made.ends_with(call)).count();
    println!("200 payments, one customer each: {} calls: {calls:#?}", calls.len());
    assert_eq!(of("PUT /api.xro/2.0/Payments"), 4);
    assert_eq!(of("GET /api.xro/2.0/Invoices"), 5, "40 contacts a call");
    assert_eq!(of("GET /api.xro/2.0/Contacts"), 4, "EX-37: 50 contacts a call");
    assert_eq!(of("GET /api.xro/2.0/Organisation"), 1);
    assert_eq!(of("GET /api.xro/2.0/Accounts"), 1, "XC-15");
    // What Xero holds already is read when they are planned, and once more before they are sent (A8.3).
    for money in ["Payments", "Prepayments", "Overpayments"] {
        assert_eq!(of(&format!("GET /api.xro/2.0/{money}")), 2, "{money}");
    }
    assert_eq!(calls.len(), 4 + 5 + 4 + 1 + 1 + 6 + 1, "and one for the token");
    assert_eq!(night["report"]["calls"], 21, "the token is none of the API's calls");
    // The oldest went: the ones that are left are the youngest.
    let left: Vec<_> = (201..=230).map(|n| format!("P-{n:04}")).collect();
    for id in &left {
        assert_eq!(world.state(id).await, "waiting");
    }
    world.check().await;

    // CC-09: the same in the sync log.
    let [run] = &world.rows("sync_runs").await[..] else { panic!() };
    assert_eq!((run["kind"].as_str(), run["trigger"].as_str()), ("night", "schedule"));
    assert_eq!((run["state"].as_str(), run["subject"].as_str()), ("finished", "2026-03-02"));
    assert_eq!(
        (run["calls"].as_str(), run["counts"].as_str()),
        ("#21", r##"{"uploaded": "#200"}"##)
    );
    let bytes: u64 = run["bytes"].trim_start_matches('#').parse().unwrap();
    assert!(bytes > 20_000, "fifty payments a call: {bytes}");

    let again = world.night(evening()).await;
    assert_eq!(world.rows("sync_runs").await.len(), 1, "what was not run is no run");
    assert_eq!(again["outcome"], "already_run", "U17: the same night twice is a no-op");
    assert_eq!(world.in_xero().len(), 200);

    world.clock.advance(SignedDuration::from_hours(24));
    let next = world.night(evening() + SignedDuration::from_hours(24)).await;
    assert_eq!((&next["report"]["uploaded"], &next["report"]["carried"]), (&json!(30), &json!(0)));
    assert_eq!(world.in_xero().len(), 230);
    world.check().await;
}

#[tokio::test]
async fn a_payment_becomes_what_the_customer_owes_and_the_rest_a_prepayment() {
    // U6, EX-06, EX-07, AMB-26
    let world = World::new().await;
    let contact = world.customer("K").await;
    for (number, cents, month) in [("INV-A", 100_00, 1), ("INV-B", 150_00, 2), ("CM-9", 80_00, 3)] {
        world.invoice(contact, number, cents, jiff::civil::date(2026, month, 1));
    }
    world.pay(bpay("P-1", "K", 400_00, march(2))).await;

    let night = world.night(evening()).await;

    assert_eq!(night["report"]["uploaded"], 1, "one payment, in four parts: {night}");
    let row = world.row("P-1").await;
    assert_eq!(row.progress(), (4, 4));
    let amounts: Vec<_> = row.parts.iter().map(|part| part.amount.to_string()).collect();
    assert_eq!(amounts, ["100.00 AUD", "150.00 AUD", "80.00 AUD", "70.00 AUD"]);
    assert_eq!(world.in_xero().len(), 4);
    let caps = world.tables.caps(world.organisation()).await.unwrap();
    assert_eq!(caps.used_in("2026-03-02".parse().unwrap()), 1, "AMB-10: one slot");
    // Only the invoice that the mirror looks after has a local payment, and it is linked.
    let payments = world.rows("payments").await;
    assert_eq!(payments.len(), 1);
    assert_eq!(payments[0]["kind"], "uploaded");
    assert!(payments[0].contains_key("xero_payment_id"));
    world.check().await;
}

#[tokio::test]
async fn no_night_of_an_organisation_that_is_disconnected_calls_xero() {
    // XC-06
    let world = World::new().await;
    world.bpay_payments(3).await;
    let said = ("Ada", "the customer asked for it");
    world.tables.disconnect(world.organisation(), said, world.now()).await.unwrap();
    world.xero.take_calls();
    let answer = world.invoke(json!({"scheduled_time": evening()})).await.unwrap();
    assert_eq!(answer["nights"], json!([]));
    world.invoke(json!({"catch_up": true})).await.unwrap();
    assert_eq!(world.xero.take_calls().len(), 0);
    assert_eq!(world.state("P-0001").await, "waiting");
    let settings = world.tables.settings(world.organisation()).await.unwrap().unwrap();
    assert!(settings.disconnected_at.is_some());
    assert!(world.rows("messages").await.is_empty());

    world.tables.reconnect(world.organisation(), said, world.now()).await.unwrap();
    world.clock.advance(SignedDuration::from_hours(24));
    let night = world.night(evening() + SignedDuration::from_hours(24)).await;
    assert_eq!(night["report"]["uploaded"], 3, "{night}");
}
