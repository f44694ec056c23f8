//! One record harms itself only: a row of Xero's, or of ours, that cannot be read ends no sweep and no certificate;
//! it is named, and all others are served in the same run (AMB-30, FAULT-32).

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::Uuid;
use xero_simulator::{InvoiceKind, NewInvoice, NewPayment};

use crate::world::{World, march};

/// Three invoices that the mirror knows, each with a payment.
async fn known() -> (World, Vec<Uuid>) {
    let world = World::new().await;
    let mut invoices = Vec::new();
    for n in 1..=3 {
        let invoice = world.both(&n.to_string()).await;
        world.pay(invoice, 10_00);
        invoices.push(invoice);
    }
    world.sweep().await;
    world.work_off().await;
    assert_eq!(world.mirrored().await, world.in_xero());
    world.clock.advance(SignedDuration::from_mins(30));
    (world, invoices)
}

/// From now on, these members of what bears this id come so.
fn spoil(
    world: &World,
    list: &'static str,
    id: (&'static str, Uuid),
    member: &'static str,
    to: Value,
) {
    world.xero.spoil(move |_, body| {
        let Ok(mut answer) = serde_json::from_str::<Value>(&body) else { return body };
        for row in answer[list].as_array_mut().into_iter().flatten() {
            if row[id.0] == id.1.to_string() {
                row[member] = to.clone();
            }
        }
        answer.to_string()
    });
}

async fn messages(world: &World, kind: &str) -> Vec<String> {
    let rows = world.rows("messages").await;
    let of_kind = rows.iter().filter(|row| row["message"].starts_with(kind));
    of_kind.map(|row| row["why"].clone()).collect()
}

#[tokio::test]
async fn amb_30_an_open_invoice_that_cannot_be_read_is_named_and_the_full_sweep_goes_on() {
    let (world, invoices) = known().await;
    spoil(&world, "Invoices", ("InvoiceID", invoices[0]), "AmountPaid", json!("a lot"));
    world.pay(invoices[1], 5_00);

    let answer = world.full_sweep().await;

    assert_eq!(answer["outcome"], "finished", "{answer}");
    assert_eq!(answer["run"]["counts"]["unreadable"], 1, "{answer}");
    assert_eq!(answer["run"]["counts"]["paid_differs"], 1, "{answer}");
    assert_eq!(answer["run"]["counts"].get("no_longer_open"), None, "{answer}");
    let named = messages(&world, "SCHEMA").await;
    assert!(named[0].contains("CM-1") && named[0].contains("AmountPaid"), "{named:?}");
    assert!(named[0].contains(&invoices[0].to_string()), "{named:?}");
    world.work_off().await;
    assert_eq!(world.mirrored().await, world.in_xero());
}

#[tokio::test]
async fn amb_30_strangers_odd_invoices_are_counted_and_otherwise_passed_over() {
    let (world, invoices) = known().await;
    for (number, amount, currency) in
        [("EXP-1", "2500000000.00", "IDR"), ("EXP-2", "100.50", "JPY"), ("EXP-3", "9.99", "SKK")]
    {
        let wanted = NewInvoice {
            organisation: world.tenant,
            number: number.to_owned(),
            contact_name: "Odd Ltd".to_owned(),
            total: amount.parse().unwrap(),
            currency: currency.to_owned(),
            date: march(1),
            due_date: march(20),
            kind: InvoiceKind::Accrec,
        };
        world.simulator.add_invoice(wanted).unwrap();
    }
    let stranger = world.invoice("EXP-4");
    spoil(&world, "Invoices", ("InvoiceID", stranger), "CurrencyCode", json!("QQQ"));
    world.pay(invoices[2], 5_00);

    let answer = world.full_sweep().await;

    assert_eq!(answer["outcome"], "finished", "{answer}");
    assert_eq!(answer["run"]["counts"]["unreadable"], 1, "{answer}");
    assert_eq!(answer["run"]["counts"]["paid_differs"], 1, "{answer}");
    assert_eq!(messages(&world, "SCHEMA").await, Vec::<String>::new());
    assert_eq!(world.take_queued(), [invoices[2]]);
}

#[tokio::test]
async fn amb_30_a_payment_without_an_invoice_does_not_stop_the_sweep_of_changes_nor_the_certificate()
 {
    let (world, invoices) = known().await;
    let odd = world.pay(invoices[0], 7_00);
    let good = world.pay(invoices[1], 8_00);
    spoil(&world, "Payments", ("PaymentID", odd), "Invoice", Value::Null);

    let answer = world.sweep().await;

    assert_eq!(answer["outcome"], "finished", "{answer}");
    assert_eq!(answer["run"]["counts"]["unreadable"], 1, "{answer}");
    let named = messages(&world, "SCHEMA").await;
    assert!(
        named[0].contains(&odd.to_string()) && named[0].contains("Payment.Invoice"),
        "{named:?}"
    );
    world.work_off().await;
    assert_eq!(world.mirrored().await, world.in_xero());
    world.clock.advance(SignedDuration::from_mins(30));

    let event = json!({"scheduled_time": world.now(), "certify": true});
    let answer = world.invoke(event).await.unwrap()["sweeps"][0].clone();

    assert_eq!(answer["outcome"], "finished", "{answer}");
    let rows = world.rows("certificates").await;
    assert_eq!((rows[0]["state"].as_str(), rows[0]["missing"].as_str()), ("incomplete", "#1"));
    let list = &rows[0]["missing_payments"];
    assert!(list.contains(&odd.to_string()) && !list.contains(&good.to_string()), "{list}");
    assert_eq!(rows[0]["applied"], "#4", "all others");
}

#[tokio::test]
async fn amb_30_an_invoice_of_ours_without_a_stamp_is_named_and_the_sweep_of_changes_goes_on() {
    let (world, invoices) = known().await;
    world.pay(invoices[0], 7_00);
    world.pay(invoices[1], 8_00);
    spoil(&world, "Invoices", ("InvoiceID", invoices[0]), "UpdatedDateUTC", Value::Null);

    let answer = world.sweep().await;

    assert_eq!(answer["outcome"], "finished", "{answer}");
    let named = messages(&world, "SCHEMA").await;
    assert!(named[0].contains("CM-1") && named[0].contains("UpdatedDateUTC"), "{named:?}");
    // The mirror reads it for itself.
    world.work_off().await;
    assert_eq!(world.mirrored().await, world.in_xero());
}

#[tokio::test]
async fn amb_30_an_invoice_row_of_ours_that_cannot_be_read_hides_no_other() {
    let (world, invoices) = known().await;
    let spoilt = world
        .direct
        .update_item()
        .table_name("invoices")
        .key("organisation", AttributeValue::S(world.tenant.to_string()))
        .key("number", AttributeValue::S("1".to_owned()))
        .update_expression("SET xero_currency = :no")
        .expression_attribute_values(":no", AttributeValue::S("???".to_owned()));
    spoilt.send().await.unwrap();
    world.pay(invoices[2], 5_00);

    let answer = world.full_sweep().await;

    assert_eq!(answer["outcome"], "finished", "{answer}");
    assert_eq!(answer["run"]["counts"]["unreadable_rows"], 1, "{answer}");
    assert_eq!(answer["run"]["counts"]["paid_differs"], 1, "{answer}");
    let named = messages(&world, "UNREADABLE_ROW").await;
    assert!(named[0].contains("invoice 1 ") && named[0].contains("xero_currency"), "{named:?}");
}

#[tokio::test]
async fn amb_30_what_xero_shows_is_mirrored_as_xero_shows_it() {
    // Two decimals of a yen, billions of rupiahs, kroons, which are no longer in use.
    let world = World::new().await;
    for (n, total, paid, currency) in [
        ("51", "1000.50", "500.50", "JPY"),
        ("52", "2500000000.00", "1250000000.00", "IDR"),
        ("53", "19.99", "9.99", "EEK"),
    ] {
        world.local(n).await;
        let wanted = NewInvoice {
            organisation: world.tenant,
            number: format!("CM-{n}"),
            contact_name: "Ada Ltd".to_owned(),
            total: total.parse().unwrap(),
            currency: currency.to_owned(),
            date: march(1),
            due_date: march(20),
            kind: InvoiceKind::Accrec,
        };
        let invoice = world.simulator.add_invoice(wanted).unwrap();
        let amount = paid.parse().unwrap();
        let payment = NewPayment { date: march(2), amount, reference: String::new() };
        world.simulator.add_payment(invoice, payment).unwrap();
    }

    world.sweep().await;
    world.work_off().await;

    assert_eq!(world.mirrored().await, world.in_xero());
    assert_eq!(world.rows("parked").await.len(), 0);
    let full = world.full_sweep().await;
    assert_eq!((&full["outcome"], full["run"]["counts"].get("queued")), (&json!("finished"), None));
}
