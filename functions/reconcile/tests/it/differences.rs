//! What does not agree between orders, invoices, receipts and payments, as facts come in.

use serde_json::{Value, json};

use crate::world::World;

fn order(revision: u64, tax: &str, shipping: &str, total: &str) -> Value {
    json!({
        "type": "order", "id": "O-1", "revision": revision, "customer": "C-1",
        "placed_at": "2026-03-09T01:00:00Z",
        "components": {
            "currency": "AUD", "goods": "100.00", "tax": tax, "shipping": shipping, "total": total,
        },
        "invoices": ["10234"], "payments": ["P-1"],
    })
}

fn invoice(revision: u64, customer: &str, total: &str, tax: &str, shipping: &str) -> Value {
    json!({
        "type": "invoice", "number": "10234", "revision": revision, "customer": customer,
        "total": {"amount": total, "currency": "AUD"}, "issued_on": "2026-03-09",
        "due_on": "2026-04-09", "contact": {"company": "Harbour Ferries Pty Ltd"},
        "components": {"tax": tax, "shipping": shipping},
    })
}

/// A payment of 115.00 by card, on the invoice or on none, with the receipt that the customer was given.
fn payment(revision: u64, customer: &str, on: &[&str], document: Value) -> Value {
    let parts: Vec<_> = on.iter().map(|on| json!({"invoice": on, "amount": "115.00"})).collect();
    json!({
        "type": "payment", "id": "P-1", "revision": revision, "customer": customer,
        "amount": {"amount": "115.00", "currency": "AUD"}, "date": "2026-03-09",
        "method": "card", "transaction_id": "T-1", "status": "confirmed",
        "entered_at": "2026-03-09T03:00:00Z", "allocations": parts, "document": document,
    })
}

fn receipt(total: &str, tax: &str, shipping: &str) -> Value {
    json!({"number": "R-1", "total": total, "tax": tax, "shipping": shipping})
}

#[tokio::test]
async fn sp_10_amb_23_a_component_that_differs_is_a_discrepancy_until_it_agrees() {
    let world = World::new().await;
    world.report(order(1, "10.00", "5.00", "115.00")).await;
    world.report(invoice(1, "C-1", "115.00", "11.00", "4.00")).await;
    world.report(payment(1, "C-1", &["10234"], receipt("115.00", "10.00", "5.00"))).await;
    world.catch_up().await;
    let place = "order:O-1";
    assert_eq!(
        world.open(place).await,
        [
            "COMPONENT_DIFFERS#shipping shipping: 5.00 AUD by the order, 4.00 AUD by its invoices, 5.00 AUD by its receipts",
            "COMPONENT_DIFFERS#tax tax: 10.00 AUD by the order, 11.00 AUD by its invoices, 10.00 AUD by its receipts",
        ]
    );
    let rows = world.rows("discrepancies").await;
    // AMB-23, SP-18: 48 hours by the wall clock.
    assert!(
        rows.iter().all(|row| row["detected_at"] == "2026-03-10T01:00:00.000000Z"),
        "{rows:#?}"
    );
    assert!(rows.iter().all(|row| row["due_at"] == "2026-03-12T01:00:00.000000Z"), "{rows:#?}");

    // SP-10: the order's own row says which components differ, by each document; its event says the same.
    let rows = world.rows("activity").await;
    let progress = rows.iter().find(|row| row["action"].starts_with("order_completed")).unwrap();
    assert_eq!(progress["components"], "tax,shipping");
    assert_eq!((&*progress["tax_by_order"], &*progress["tax_by_invoices"]), ("#10", "#11"));
    assert_eq!((&*progress["tax_by_receipts"], &*progress["receipt_numbers"]), ("#10", "R-1"));

    world.catch_up().await;
    let raised = async || {
        let mut rows = world.rows("activity").await;
        rows.retain(|row| row["action"] == "discrepancy_raised");
        rows.len()
    };
    assert_eq!(raised().await, 2, "the same facts are no news");
    world.report(invoice(2, "C-1", "115.00", "10.00", "5.00")).await;
    world.catch_up().await;
    assert_eq!(world.open(place).await, [""; 0]);
    assert_eq!(raised().await, 2);
}

#[tokio::test]
async fn sp_10_the_receipt_is_compared_with_its_order_its_invoice_and_its_money() {
    let world = World::new().await;
    world.report(order(1, "10.00", "5.00", "115.00")).await;
    world.report(invoice(1, "C-1", "115.00", "10.00", "5.00")).await;
    world.report(payment(1, "C-1", &["10234"], receipt("115.00", "9.00", "5.00"))).await;
    world.catch_up().await;
    let found = world.open("order:O-1").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("COMPONENT_DIFFERS#tax"), "{found:?}");

    world.report(payment(2, "C-1", &["10234"], receipt("110.00", "10.00", "5.00"))).await;
    world.catch_up().await;
    assert_eq!(world.open("order:O-1").await, [""; 0], "a receipt for a part says no more");
    let expected = ["TOTAL_DIFFERS#receipt total: 110.00 AUD by the receipt R-1; 115.00 AUD paid"];
    assert_eq!(world.open("payment:P-1").await, expected);
}

#[tokio::test]
async fn sp_10_without_an_order_the_receipt_is_compared_with_the_invoice() {
    let world = World::new().await;
    world.report(invoice(1, "C-1", "115.00", "10.00", "5.00")).await;
    world.report(payment(1, "C-1", &["10234"], receipt("115.00", "10.00", "4.00"))).await;
    world.catch_up().await;
    let expected = [
        "COMPONENT_DIFFERS#shipping shipping: 4.00 AUD by the receipt R-1, 5.00 AUD by what it pays",
    ];
    assert_eq!(world.open("payment:P-1").await, expected);
    world.report(invoice(2, "C-1", "115.00", "10.00", "4.00")).await;
    world.catch_up().await;
    assert_eq!(world.open("payment:P-1").await, [""; 0]);
}

#[tokio::test]
async fn sp_21_totals_of_order_and_invoices_are_compared_with_every_fact() {
    let world = World::new().await;
    world.report(order(1, "10.00", "5.00", "115.00")).await;
    world.report(invoice(1, "C-1", "120.00", "10.00", "5.00")).await;
    world.catch_up().await;
    let expected = [
        "TOTAL_DIFFERS# total: 115.00 AUD by the order, 120.00 AUD by its invoices; 0.00 AUD received",
    ];
    assert_eq!(world.open("order:O-1").await, expected);
}

#[tokio::test]
async fn sp_11_money_that_floats_free_has_a_clock_and_ends_with_its_order_or_invoice() {
    let document = || receipt("115.00", "10.00", "5.00");
    let free = ["UNLINKED# 115.00 AUD of 2026-03-09 names no invoice and no order"];
    // By an order that names it.
    let world = World::new().await;
    world.report(payment(1, "C-1", &[], document())).await;
    world.catch_up().await;
    assert_eq!(world.open("payment:P-1").await, free);
    let rows = world.rows("discrepancies").await;
    assert_eq!(rows[0]["due_at"], "2026-03-12T01:00:00.000000Z");
    assert_eq!(world.rows("messages").await, [], "it is no message");
    world.report(order(1, "10.00", "5.00", "115.00")).await;
    world.catch_up().await;
    assert_eq!(world.open("payment:P-1").await, [""; 0]);

    // By a new revision that names an invoice.
    let world = World::new().await;
    world.report(payment(1, "C-1", &[], document())).await;
    world.catch_up().await;
    assert_eq!(world.open("payment:P-1").await, free);
    world.report(payment(2, "C-1", &["10234"], document())).await;
    world.catch_up().await;
    assert_eq!(world.open("payment:P-1").await, [""; 0]);
}

/// EX-03, EX-09, EX-11: not of money that a night spreads over invoices, nor of methods that never get one.
#[tokio::test]
async fn sp_11_only_what_should_be_on_an_invoice_floats_free() {
    let by = |id: &str, method: &str, channel: Option<&str>| {
        let mut message = payment(1, "C-1", &[], receipt("115.00", "10.00", "5.00"));
        message["id"] = id.into();
        message["method"] = method.into();
        if let Some(channel) = channel {
            message["channel"] = channel.into();
        }
        message
    };
    let world = World::new().await;
    for (n, (method, channel, is_free)) in [
        ("batch_debit", None, false),
        ("direct_debit", None, false),
        ("virtual_terminal", None, false),
        ("card", Some("virtual_terminal"), false),
        ("direct_debit", Some("pay_now"), true),
        ("card", None, true),
        ("paypal", None, true),
        ("bank_transfer", None, true),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("P-{n}");
        world.report(by(&id, method, channel)).await;
        world.catch_up().await;
        let open = world.open(&format!("payment:{id}")).await;
        assert_eq!(open.len(), usize::from(is_free), "{method} {channel:?}: {open:?}");
    }
    for (id, from, enabled, is_free) in [
        ("B-1", "2026-01-01", true, false),
        ("B-2", "2027-01-01", true, true),
        ("B-3", "2026-01-01", false, true),
    ] {
        world.upload_from(from, enabled).await;
        world.report(by(id, "bpay", None)).await;
        world.catch_up().await;
        let open = world.open(&format!("payment:{id}")).await;
        assert_eq!(open.len(), usize::from(is_free), "{id}: {open:?}");
    }
}

/// A part of it is applied, and the rest is forgotten.
#[tokio::test]
async fn sp_11_a_part_that_is_on_no_invoice_floats_free() {
    let world = World::new().await;
    let mut message = payment(1, "C-1", &["10234"], receipt("115.00", "10.00", "5.00"));
    message["allocations"][0]["amount"] = "60.00".into();
    world.report(message).await;
    world.catch_up().await;
    let expected = ["UNLINKED# 55.00 AUD of 115.00 AUD names no invoice and no order"];
    assert_eq!(world.open("payment:P-1").await, expected);
}

#[tokio::test]
async fn sp_37_a_payer_who_is_not_the_customer_of_invoice_and_order_is_named() {
    let world = World::new().await;
    world.report(order(1, "10.00", "5.00", "115.00")).await;
    world.report(invoice(1, "C-1", "115.00", "10.00", "5.00")).await;
    world.report(payment(1, "C-2", &["10234"], receipt("115.00", "10.00", "5.00"))).await;
    world.catch_up().await;
    assert_eq!(
        world.open("payment:P-1").await,
        [
            "CUSTOMER_DIFFERS#invoice 10234 paid by C-2, and invoice 10234 is of C-1",
            "CUSTOMER_DIFFERS#order O-1 paid by C-2, and order O-1 is of C-1",
        ]
    );
    // The invoice turns out to be of the payer: the order is the one that differs.
    world.report(invoice(2, "C-2", "115.00", "10.00", "5.00")).await;
    world.catch_up().await;
    let expected = ["CUSTOMER_DIFFERS#order O-1 paid by C-2, and order O-1 is of C-1"];
    assert_eq!(world.open("payment:P-1").await, expected);
    let expected = ["CUSTOMER_DIFFERS#10234 the order is of C-1, and its invoice 10234 of C-2"];
    assert_eq!(world.open("order:O-1").await, expected);
}

/// AMB-18, AMB-19: money given back is no difference, and neither is a pending payment.
#[tokio::test]
async fn amb_18_money_that_was_given_back_or_never_came_disagrees_with_nothing() {
    let world = World::new().await;
    let mut paid = payment(1, "C-2", &[], receipt("115.00", "10.00", "5.00"));
    world.report(paid.clone()).await;
    world.catch_up().await;
    assert_eq!(world.open("payment:P-1").await.len(), 1);
    paid["revision"] = 2.into();
    paid["status"] = "refunded".into();
    world.report(paid).await;
    world.catch_up().await;
    assert_eq!(world.open("payment:P-1").await, [""; 0]);
}

#[tokio::test]
async fn sp_02_links_of_an_order_are_written_in_batches() {
    let world = World::new().await;
    let names = |what: &str| (0..60).map(|n| format!("{what}-{n}")).collect::<Vec<_>>();
    let mut order = order(1, "10.00", "5.00", "115.00");
    order["invoices"] = names("I").into();
    order["payments"] = names("P").into();
    world.report(order).await;
    assert_eq!(world.rows("order_links").await.len(), 120);
}
