//! What a payment goes through, from the event to the tables.

use anyhow::Result;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;

use crate::world::{World, local_invoice, local_payment, payment};
use local::simulator::SAMPLE_ORGANISATION;
use xero_simulator::{NewBatchPayment, Oddities};

#[tokio::test(flavor = "multi_thread")]
async fn it_is_recorded_edited_and_deleted_in_xero_and_the_tables_follow() -> Result<()> {
    // CM-07, CM-08, CM-09, CM-11, CM-23, ST-01, ST-02, ST-03, ST-10, SP-04, SP-09
    let world = World::quick().await?;
    let invoice = world.invoice("1001").await?;
    world.settled().await?;

    let first = world.pay(invoice, "46.00")?;
    world.settled().await?;
    let rows = world.on("payments", "1001").await?;
    assert_eq!(rows.len(), 1);
    for (name, expected) in [
        ("xero_payment_id", first.to_string().as_str()),
        // DynamoDB keeps the number, not its zeros.
        ("amount", "46"),
        ("currency", "AUD"),
        ("date", "2026-10-05"),
        ("reference", "BPAY 000173"),
        ("balance_after", "254"),
        ("origin", "xero"),
        ("kind", "imported"),
        ("state", "applied"),
        ("note", "Xero payment"),
    ] {
        assert_eq!(rows[0].get(name).map(String::as_str), Some(expected), "{name}");
    }

    let second = world.xero()?.edit_payment(first, payment("64.00")?)?;
    world.settled().await?;
    assert_eq!(world.links("1001").await?, [second.to_string()]);
    let removed = world.on("tombstones", "1001").await?;
    assert_eq!(removed[0]["xero_payment_id"], first.to_string());
    assert_eq!(removed[0]["amount"], "46");

    world.xero()?.delete_payment(second)?;
    world.settled().await?;
    assert_eq!(world.links("1001").await?, Vec::<String>::new());
    assert_eq!(world.on("tombstones", "1001").await?.len(), 2);

    let log = world.on("activity", "1001").await?;
    let actions: Vec<_> = log.iter().map(|row| row["action"].as_str()).collect();
    assert_eq!(actions.iter().filter(|action| **action == "imported").count(), 2, "{actions:?}");
    assert_eq!(actions.iter().filter(|action| **action == "deleted").count(), 2, "{actions:?}");
    for row in log.iter().filter(|row| row["action"] == "imported") {
        let ms: i64 = row["visible_after_ms"].parse()?;
        assert!((0..300_000).contains(&ms), "visible after {ms} ms");
        assert!(
            ["transaction_id", "amount", "method", "at"].iter().all(|name| row.contains_key(*name))
        );
    }
    world.stack.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_entered_by_hand_is_adopted_and_one_that_is_journaled_stays() -> Result<()> {
    // CM-25, CM-27, CM-33, CM-35, V3, V5
    let world = World::quick().await?;
    let invoice = world.invoice("1001").await?;
    world.report(&local_payment("P-1", "46.00", &[("1001", "46.00")])).await?;
    world.settled().await?;
    let first = world.pay(invoice, "46.00")?;
    let second = world.pay(invoice, "54.00")?;
    world.settled().await?;
    let rows = world.on("payments", "1001").await?;
    let adopted = rows.iter().find(|row| row["payment_id"] == "P-1").unwrap();
    assert_eq!(adopted["xero_payment_id"], first.to_string());
    assert_eq!(adopted["state"], "adopted");
    assert_eq!(rows.len(), 2, "the payment is there once");

    world
        .report(&json!({
            "version": 1, "type": "journaling", "organisation": SAMPLE_ORGANISATION,
            "invoice": "1001", "payment": format!("xero-{second}"), "revision": 1, "journaled": true,
        }))
        .await?;
    world.settled().await?;
    world.xero()?.delete_payment(first)?;
    world.xero()?.delete_payment(second)?;
    world.settled().await?;

    assert_eq!(world.links("1001").await?, [second.to_string()], "only the journaled one is left");
    let open: Vec<_> = world
        .on("discrepancies", "1001")
        .await?
        .into_iter()
        .filter(|row| row["state"] == "open")
        .map(|row| row["kind"].clone())
        .collect();
    assert_eq!(open, ["JOURNALED_DELETED"]);
    world.stack.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_was_in_xero_before_its_invoice_was_known_is_copied_then() -> Result<()> {
    // A1.1 guard 4: nothing is created for an unknown invoice, and nothing is forgotten.
    let world = World::quick().await?;
    let invoice = world.invoice_in_xero("1001")?;
    let payment = world.pay(invoice, "46.00")?;
    world.settled().await?;
    assert_eq!(world.on("payments", "1001").await?, Vec::new());
    assert_eq!(world.on("discrepancies", "1001").await?[0]["kind"], "UNKNOWN_INVOICE");

    world.report(&local_invoice("1001")).await?;
    world.settled().await?;
    assert_eq!(world.links("1001").await?, [payment.to_string()]);
    assert_eq!(world.on("discrepancies", "1001").await?[0]["state"], "resolved");
    world.stack.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_payment_is_one_copy_on_each_invoice_and_goes_as_a_whole() -> Result<()> {
    // V16, X-17. We do not ask for gzip, so that none comes, even from a Xero that has it.
    let world = World::quick().await?;
    world.xero()?.set_oddities(Oddities { gzip: true, ..Oddities::default() });
    let (first, second) = (world.invoice("1001").await?, world.invoice("1002").await?);
    world.settled().await?;
    let batch = NewBatchPayment {
        date: "2026-10-05".parse()?,
        reference: "DD run 7".to_owned(),
        payments: vec![(first, "46.00".parse()?), (second, "54.00".parse()?)],
    };
    let batch = world.xero()?.add_batch_payment(SAMPLE_ORGANISATION, batch)?;
    world.settled().await?;
    let payments = world.xero()?.batch_payment(batch).unwrap().payments;
    for (number, payment, amount) in [("1001", payments[0], "46"), ("1002", payments[1], "54")] {
        let rows = world.on("payments", number).await?;
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(rows[0]["xero_payment_id"], payment.to_string());
        assert_eq!((rows[0]["amount"].as_str(), rows[0]["kind"].as_str()), (amount, "imported"));
    }

    // One of them alone cannot be taken back, and nothing happens here.
    assert!(world.xero()?.delete_payment(payments[0]).is_err());
    world.xero()?.delete_batch_payment(batch)?;
    world.settled().await?;
    for number in ["1001", "1002"] {
        assert_eq!(world.links(number).await?, Vec::<String>::new());
        assert_eq!(world.on("tombstones", number).await?.len(), 1);
    }
    world.stack.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_with_250_payments_is_mirrored_exactly() -> Result<()> {
    // ST-04: the sum of the copies is what Xero says was paid.
    let world = World::quick().await?;
    let invoice = world.invoice("1001").await?;
    world.settled().await?;
    let mut payments = Vec::new();
    for _ in 0..250 {
        payments.push(world.pay(invoice, "1.20")?.to_string());
    }
    world.settled().await?;
    payments.sort();
    let mut links = world.links("1001").await?;
    links.sort();
    assert_eq!(links, payments);

    // 0 lets all deletions through, without asking a person.
    world.set("mass_change_max", AttributeValue::N("0".to_owned())).await?;
    for payment in &payments[..249] {
        world.xero()?.delete_payment(payment.parse()?)?;
    }
    world.settled().await?;
    assert_eq!(world.links("1001").await?, payments[249..]);
    assert_eq!(world.on("tombstones", "1001").await?.len(), 249);
    world.stack.stop().await;
    Ok(())
}
