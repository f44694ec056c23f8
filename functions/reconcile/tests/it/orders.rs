//! How far orders are paid, as facts come in.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::world::World;

fn order(id: &str, total: &str, invoices: &[&str], payments: &[&str]) -> Value {
    json!({
        "type": "order", "id": id, "revision": 1, "placed_at": format!("2026-03-09T01:00:00.{}Z", id.len()),
        "components": {"currency": "AUD", "goods": total, "total": total},
        "invoices": invoices, "payments": payments,
    })
}

fn payment(id: &str, revision: u64, amount: &str, status: &str, on: Option<&str>) -> Value {
    let parts: Vec<_> =
        on.iter().map(|invoice| json!({"invoice": invoice, "amount": amount})).collect();
    json!({
        "type": "payment", "id": id, "revision": revision,
        "amount": {"amount": amount, "currency": "AUD"}, "date": "2026-03-09", "method": "card",
        "transaction_id": format!("T-{id}"), "status": status,
        "entered_at": "2026-03-09T03:00:00Z", "allocations": parts,
    })
}

fn is(progress: &str, status: &str, received: &str) -> (String, String, String) {
    (progress.to_owned(), status.to_owned(), received.to_owned())
}

#[tokio::test]
async fn sp_05_sp_07_sp_24_an_orders_standing_follows_each_fact() {
    let world = World::new().await;
    world.report(order("O-1", "100.00", &["10234"], &["P-2"])).await;
    world.catch_up().await;
    assert_eq!(world.standing("O-1").await, is("payment_pending", "", "#0"));
    for (message, expected) in [
        (payment("P-1", 1, "40.00", "pending", Some("10234")), is("payment_pending", "", "#0")),
        (
            payment("P-1", 2, "40.00", "confirmed", Some("10234")),
            is("payment_partly_received", "partially_paid", "#40"),
        ),
        // It names no invoice, and the order names it.
        (
            payment("P-2", 1, "60.00", "confirmed", None),
            is("payment_received", "fully_paid", "#100"),
        ),
        (
            payment("P-3", 1, "5.00", "confirmed", Some("10234")),
            is("payment_received", "overpaid", "#105"),
        ),
        (
            payment("P-3", 2, "5.00", "refunded", Some("10234")),
            is("payment_received", "fully_paid", "#100"),
        ),
        (
            payment("P-2", 2, "60.00", "refunded", None),
            is("payment_received", "partially_paid", "#40"),
        ),
        (
            payment("P-1", 3, "40.00", "refunded", Some("10234")),
            is("payment_received", "refunded", "#0"),
        ),
    ] {
        world.report(message.clone()).await;
        world.catch_up().await;
        assert_eq!(world.standing("O-1").await, expected, "{message}");
    }
    let said = world.said().await;
    let completed = said.iter().filter(|said| *said == "O-1 order_completed").count();
    assert_eq!(completed, 1, "once, although it was overpaid for a while: {said:#?}");
}

#[tokio::test]
async fn facts_that_come_before_their_order_count() {
    let world = World::new().await;
    world.report(payment("P-1", 1, "100.00", "confirmed", Some("10234"))).await;
    world.catch_up().await;
    world.report(order("O-1", "100.00", &["10234"], &[])).await;
    world.catch_up().await;
    assert_eq!(world.standing("O-1").await, is("payment_received", "fully_paid", "#100"));
    assert_eq!(world.said().await, ["O-1 order_recorded", "O-1 order_completed"]);
}

#[tokio::test]
async fn a_batch_that_comes_again_changes_nothing() {
    let world = World::new().await;
    world.report(order("O-1", "100.00", &["10234"], &[])).await;
    world.report(payment("P-1", 1, "40.00", "confirmed", Some("10234"))).await;
    let records = world.stream();
    world.hand_over(&records, 60).await;
    let before = (world.rows("orders").await, world.rows("activity").await);
    world.hand_over(&records, 60).await;
    world.catch_up().await;
    assert_eq!((world.rows("orders").await, world.rows("activity").await), before);
}

#[tokio::test]
async fn a_new_order_on_an_invoice_takes_its_share_of_what_the_other_had() {
    let world = World::new().await;
    world.report(order("O-22", "60.00", &["10234"], &[])).await;
    world.report(payment("P-1", 1, "100.00", "confirmed", Some("10234"))).await;
    world.catch_up().await;
    assert_eq!(world.standing("O-22").await, is("payment_received", "overpaid", "#100"));
    world.report(order("O-1", "40.00", &["10234"], &[])).await;
    world.catch_up().await;
    assert_eq!(world.standing("O-1").await, is("payment_received", "fully_paid", "#40"));
    assert_eq!(world.standing("O-22").await, is("payment_received", "fully_paid", "#60"));
}

#[tokio::test]
async fn amb_30_an_order_that_cannot_be_read_stops_no_other() {
    let world = World::new().await;
    world.report(order("O-1", "100.00", &["10234"], &[])).await;
    world.report(order("O-22", "100.00", &["10235"], &[])).await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    world
        .client
        .update_item()
        .table_name("orders")
        .key("organisation", text(&crate::world::organisation().to_string()))
        .key("order", text("O-1"))
        .update_expression("SET placed_at = :wrong")
        .expression_attribute_values(":wrong", text("yesterday"))
        .send()
        .await
        .unwrap();
    for (id, invoice) in [("P-1", "10234"), ("P-2", "10235")] {
        world.report(payment(id, 1, "100.00", "confirmed", Some(invoice))).await;
    }
    world.catch_up().await;
    assert_eq!(world.standing("O-22").await, is("payment_received", "fully_paid", "#100"));
    assert_eq!(world.standing("O-1").await, is("", "", ""));
}

#[tokio::test]
async fn what_does_not_fit_into_the_time_comes_again_from_there() {
    let world = World::new().await;
    world.report(order("O-1", "100.00", &["10234"], &[])).await;
    let records = world.stream();
    let first = &records[0]["dynamodb"]["SequenceNumber"];
    let answer = world.hand_over(&records, 5).await;
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": first}]}));
    assert_eq!(world.standing("O-1").await, is("", "", ""));
}

#[tokio::test]
async fn an_organisation_is_asked_about_once_a_batch_and_a_payment_takes_three_reads() {
    let world = World::new().await;
    for n in 1..=5 {
        world.report(payment(&format!("P-{n}"), 1, "1.00", "confirmed", Some("10234"))).await;
    }
    world.catch_up().await;
    let calls = world.proxy.calls();
    // Whether it has orders, and its settings; of each payment the receipt, the invoice, and what does not agree.
    assert_eq!(calls.len(), 2 + 5 * 3, "{calls:?}");
}
