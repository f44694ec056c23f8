//! Orders through the whole system: how far one is paid follows from all facts about its money, in whatever order these
//! arrive (SP-05, SP-07).

use anyhow::Result;
use aws_sdk_dynamodb::types::AttributeValue;
use local::simulator::SAMPLE_ORGANISATION;
use serde_json::{Value, json};

use crate::world::{Row, World, local_invoice, local_payment};

/// An order over 300.00 that is invoiced by one invoice, and names one payment that names no invoice.
fn order(id: &str, invoice: &str, payment: &str) -> Value {
    json!({
        "version": 1, "type": "order", "organisation": SAMPLE_ORGANISATION, "id": id, "revision": 1,
        "placed_at": "2026-10-01T01:00:00Z",
        "components": {
            "currency": "AUD", "goods": "260.00", "tax": "28.00", "shipping": "12.00", "total": "300.00",
        },
        "invoices": [invoice], "payments": [payment],
    })
}

/// What stands in the row of an order about its money.
fn standing(row: &Row) -> [Option<&str>; 4] {
    ["progress", "status", "received", "pending"].map(|name| row.get(name).map(String::as_str))
}

/// An order, its invoice, the invoice in Xero with its payment, and a payment that the business has taken come in each of
/// the possible orders.
#[tokio::test(flavor = "multi_thread")]
async fn sp_05_sp_07_an_order_stands_the_same_whatever_comes_first() -> Result<()> {
    let world = World::quick().await?;
    let arrivals = permutations(&[0, 1, 2, 3]);
    for step in 0..4 {
        for (number, arrival) in arrivals.iter().enumerate() {
            let (id, invoice) = (format!("O-{number}"), format!("{}", 20_000 + number));
            let payment = format!("P-{number}");
            match arrival[step] {
                0 => world.report(&order(&id, &invoice, &payment)).await?,
                1 => world.report(&local_invoice(&invoice)).await?,
                2 => {
                    let known = world.invoice_in_xero(&invoice)?;
                    world.pay(known, "180.00")?;
                }
                _ => world.report(&local_payment(&payment, "120.00", &[])).await?,
            }
        }
        world.settled().await?;
    }
    // An invoice that is in Xero before it is known here is looked at again when it is reported.
    world.settled().await?;

    let orders = world.rows("orders").await?;
    assert_eq!(orders.len(), 24);
    for row in &orders {
        let expected = [Some("payment_received"), Some("fully_paid"), Some("300"), Some("0")];
        assert_eq!(standing(row), expected, "{row:#?}");
    }
    let mut completed = world.rows("activity").await?;
    completed.retain(|row| row["action"] == "order_completed");
    assert_eq!(completed.len(), 24, "each order is completed once");
    world.stack.stop().await;
    Ok(())
}

/// The functions were killed between a fact and the judging of its order: the next start begins with the log of the day.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_was_not_judged_any_more_is_judged_after_the_next_start() -> Result<()> {
    let mut world = World::quick().await?;
    world.report(&order("O-1", "20001", "P-1")).await?;
    world.report(&local_payment("P-1", "300.00", &[])).await?;
    world.settled().await?;
    world.stack.kill_functions().await;
    let update = world.stack.dynamodb().update_item().table_name("orders");
    let update = update
        .key("organisation", AttributeValue::S(SAMPLE_ORGANISATION.to_string()))
        .key("order", AttributeValue::S("O-1".to_owned()))
        .update_expression("REMOVE progress, #status")
        .expression_attribute_names("#status", "status");
    update.send().await?;

    world.stack.start_functions().await?;
    world.settled().await?;
    let orders = world.rows("orders").await?;
    assert_eq!(standing(&orders[0])[1], Some("fully_paid"), "{orders:#?}");
    world.stack.stop().await;
    Ok(())
}

fn permutations(of: &[usize]) -> Vec<Vec<usize>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (position, &first) in of.iter().enumerate() {
        let rest: Vec<_> =
            of.iter().enumerate().filter(|(at, _)| *at != position).map(|(_, one)| *one).collect();
        for mut tail in permutations(&rest) {
            tail.insert(0, first);
            all.push(tail);
        }
    }
    all
}
