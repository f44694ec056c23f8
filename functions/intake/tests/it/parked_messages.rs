//! Messages that are not taken in, and batches as a whole.

use harness::log_capture;
use serde_json::json;

use crate::messages::{invoice, payment, with};
use crate::world::{World, record, xero_payment};

const DEADLINE: &str = "2026-03-10T01:01:00Z";

#[tokio::test]
async fn an_invalid_message_is_parked_in_full_with_everything_that_is_wrong() {
    let world = World::new().await;
    let bad =
        with(invoice("10234", 1, "110.00"), "/total", json!({"amount": 110, "currency": "A"}));
    let bad = with(bad, "/issued_on", "2026-02-30");
    world.take(&bad).await;
    world.take(&bad).await;
    let rows = world.rows("parked").await;
    assert_eq!(rows.len(), 1, "parking it twice is parking it once");
    assert_eq!((rows[0]["by"].as_str(), rows[0]["reason"].as_str()), ("intake", "invalid_message"));
    assert_eq!(rows[0]["organisation"], crate::messages::ORGANISATION);
    assert_eq!(rows[0]["body"], bad.to_string());
    assert_eq!(
        rows[0]["detail"].lines().collect::<Vec<_>>(),
        [
            "/total/currency: `A` is not a currency that payments are made in",
            "/total/amount: must be a string such as \"110.00\", not a number",
            "/issued_on: 30 February 2026 does not exist",
        ]
    );
    assert!(world.rows("invoices").await.is_empty());
}

#[tokio::test]
async fn a_text_that_is_no_message_is_parked_too() {
    let world = World::new().await;
    let bodies = ["", "<xml/>", "[]", "{}", "nul\u{0}", "{\"a\":1}}"];
    let records = bodies.iter().enumerate().map(|(n, body)| record(&n.to_string(), body, 1));
    let failed = world.batch(records.collect(), DEADLINE).await;
    assert!(failed.is_empty());
    let rows = world.rows("parked").await;
    assert_eq!(rows.len(), bodies.len());
    assert!(rows.iter().all(|row| row["organisation"] == "unknown"));
}

#[tokio::test]
async fn a_message_that_is_too_large_is_kept_whole_in_several_rows() {
    let world = World::new().await;
    let body = format!("{{\"name\":\"{}\"}}", "é".repeat(300_000));
    assert!(world.batch(vec![record("0", &body, 1)], DEADLINE).await.is_empty());
    let mut rows = world.rows("parked").await;
    rows.sort_by_key(|row| row["parked_at"].clone());
    assert_eq!(rows.iter().map(|row| row["body"].as_str()).collect::<String>(), body);
    assert!(rows[1]["detail"].starts_with("part 2 of 3: the message: has 600011 bytes"));
}

#[tokio::test]
async fn a_message_full_of_mistakes_still_fits_into_a_row() {
    let world = World::new().await;
    let mut body = String::from("{\"version\":1,\"type\":\"invoice\"");
    while body.len() < 255 * 1024 {
        body += &format!(",\"{:05}\":1", body.len() % 100_000);
    }
    body += "}";
    assert!(world.batch(vec![record("0", &body, 1)], DEADLINE).await.is_empty());
    let rows = world.rows("parked").await;
    assert!(rows[0]["detail"].len() + rows[0]["body"].len() < 390 * 1024);
    assert!(rows[0]["detail"].contains(" more\n"));
}

#[tokio::test]
async fn reports_for_an_organisation_that_is_not_set_up_are_kept() {
    // CM-47
    let world = World::new().await;
    let other = "11111111-2222-4333-8444-555555555555";
    world.take(&with(payment("P-1", 1, "60.00", &[]), "/organisation", other)).await;
    let rows = world.rows("parked").await;
    assert_eq!(
        (rows[0]["reason"].as_str(), rows[0]["organisation"].as_str()),
        ("other_tenant", other)
    );
    assert!(world.rows("receipts").await.is_empty());
}

#[tokio::test]
async fn a_bad_message_does_not_hold_up_the_others_of_its_batch() {
    let world = World::new().await;
    let messages =
        [json!({"version": 1}), invoice("10234", 1, "110.00"), payment("P-1", 1, "60.00", &[])];
    assert!(world.deliver(&messages).await.is_empty());
    assert_eq!(world.parked().await.len(), 1);
    assert!(world.invoice("10234").await.local.is_some());
}

#[tokio::test]
async fn revisions_that_arrive_together_are_taken_in_their_order() {
    // SP-03: in the order of arrival, the first would be refused.
    let world = World::new().await;
    let at = |revision, status: &str| {
        with(payment("P-1", revision, "60.00", &[("10234", "60.00")]), "/status", status)
    };
    let batch =
        [at(3, "refunded"), at(2, "confirmed"), at(1, "pending"), invoice("10234", 1, "60")];
    assert!(world.deliver(&batch).await.is_empty());
    assert_eq!(world.invoice("10234").await.payments[0].revision, 3);
    assert!(world.parked().await.is_empty());
    let statuses = world.rows("activity").await;
    assert_eq!(statuses.iter().filter(|row| row["rule"] == "SP-04").count(), 3);
}

#[tokio::test]
async fn what_cannot_be_done_before_the_deadline_comes_again() {
    let world = World::new().await;
    let records =
        (0..3).map(|n| record(&n.to_string(), &invoice("10234", 1, "1").to_string(), 1)).collect();
    assert_eq!(world.batch(records, "2026-03-10T01:00:15Z").await, [0, 1, 2]);
    assert!(world.rows("invoices").await.is_empty());
}

#[tokio::test]
async fn the_log_says_nothing_of_names_and_amounts() {
    // ST-21
    let world = World::new().await;
    log_capture::start();
    let name = |message| with(message, "/contact", json!({"person": "Canary Name"}));
    let paid = |revision| payment("P-1", revision, "47110.26", &[("10234", "47110.26")]);
    world.take(&name(invoice("10234", 1, "47110.26"))).await;
    world.take(&name(invoice("10234", 1, "47110.27"))).await;
    world.take(&paid(1)).await;
    world.take(&with(paid(1), "/reference", "Canary Name")).await;
    world.take(&with(paid(2), "/status", "Canary Name")).await;
    world.mirrored("10234", "47110.26", &[xero_payment(1, "47110.26")]).await;
    world.faults.fail(3, false);
    assert!(!world.receive(&paid(2), 1).await);
    world.faults.fail(usize::MAX, false);
    world.take(&json!({"Canary Name": 47110.26})).await;
    let needed = ["batch done", "message parked", "could not be recorded"];
    log_capture::assert_redacted(&log_capture::take(), &[], &needed);
}
