//! The page of orders, and of one order with its documents side by side (SP-05, SP-07, SP-10, SP-11, SP-24, SP-37).

use console::roles::Role;
use payments::{
    Allocation, Components, Discrepancy, DiscrepancyChange, DiscrepancyKey, DiscrepancyKind, Order,
    PaymentStatus, Receipt, ReceiptDocument, TaxAndShipping, order_documents, standing,
};
use serde_json::{Value, json};
use table::{ContactBecause, Judged};

use crate::html::{assert_harmless, text};
use crate::samples::{aud, record};
use crate::world::{World, ago, organisation};

fn order(id: &str, cents: i64) -> Order {
    Order {
        organisation: organisation(),
        id: id.parse().unwrap(),
        revision: 1,
        customer: Some("C-1".parse().unwrap()),
        placed_at: ago(600),
        completed_at: None,
        components: Components {
            goods: aud(cents - 1_000),
            tax: aud(1_000),
            shipping: aud(0),
            discount: aud(0),
            total: aud(cents),
        },
        invoices: ["10234".parse().unwrap()].into(),
        payments: ["P-1".parse().unwrap()].into(),
        cancelled: false,
    }
}

fn receipt() -> Receipt {
    Receipt {
        organisation: organisation(),
        id: "P-1".parse().unwrap(),
        revision: 1,
        amount: aud(10_000),
        date: "2026-11-20".parse().unwrap(),
        reference: None,
        method: "card".to_owned(),
        channel: None,
        customer: Some("C-2".parse().unwrap()),
        transaction_id: "T-1".to_owned(),
        status: PaymentStatus::Confirmed,
        approved: false,
        settled: false,
        journaled: false,
        allocations: vec![Allocation { invoice: "10234".parse().unwrap(), amount: aud(4_000) }],
        entered_at: ago(500),
        document: Some(ReceiptDocument {
            number: "R-77".to_owned(),
            total: aud(10_000),
            parts: TaxAndShipping { tax: Some(aud(900)), shipping: None },
        }),
    }
}

async fn store(world: &World, order: &Order) {
    world.tables.store_order(None, order, ago(600)).await.unwrap();
}

/// Judged as `reconcile` does it.
async fn judged(world: &World, order: &Order) {
    let known = world.tables.order(organisation(), &order.id).await.unwrap().unwrap();
    let facts = world.tables.order_facts(&known).await.unwrap();
    let standing = standing(order, &facts).unwrap();
    let documents = order_documents(order, &facts, &standing).unwrap();
    world.tables.store_standing(&known, standing, &documents, ago(500)).await.unwrap();
}

async fn page(world: &World, event: Value) -> String {
    let mut event = event;
    event["page"] = "orders".into();
    let html = world.page(Role::Viewer, event).await;
    assert_harmless(&html);
    html
}

#[tokio::test]
async fn sp_07_sp_24_orders_are_listed_with_sums_sorted_and_as_csv() {
    let world = World::new().await;
    assert!(text(&page(&world, json!({})).await).contains("No order was reported."));
    record(&world, "10234", "Ada Ltd").await;
    world.tables.store_receipt(None, &receipt(), &[], None, ago(500)).await.unwrap();
    for (id, cents) in [("O-1", 6_000), ("O-2", 9_000), ("O-3", 2_000)] {
        let order = order(id, cents);
        let paid = id == "O-1";
        let order = Order {
            invoices: Default::default(),
            payments: if paid { order.payments } else { Default::default() },
            ..order
        };
        store(&world, &order).await;
        judged(&world, &order).await;
    }
    let html = page(&world, json!({})).await;
    let said = text(&html);
    for words in [
        "fully paid 1 60.00 AUD 60.00 AUD 0.00 AUD",
        "nothing yet 2 110.00 AUD 0.00 AUD 110.00 AUD",
        "order,customer,placed,currency,total,received,left,progress,status",
        "O-1,C-1,",
        ",AUD,60.00,60.00,0.00,payment_received,fully_paid",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let places = |said: &str| ["O-1", "O-2", "O-3"].map(|id| said.find(id).unwrap());
    let [first, second, third] = places(&said);
    assert!(third < second && second < first, "last id first: {said}");
    let sorted = text(&page(&world, json!({"sort": "total"})).await);
    let [first, second, third] = places(&sorted);
    assert!(second < first && first < third, "largest first: {sorted}");
    let chosen = text(&page(&world, json!({"kind": "fully_paid"})).await);
    assert!(chosen.contains("O-1") && !chosen.contains("O-2"), "{chosen}");
}

#[tokio::test]
async fn sp_10_one_order_shows_its_documents_side_by_side_and_what_does_not_agree() {
    let world = World::new().await;
    record(&world, "10234", "Ada Ltd").await;
    world.tables.store_receipt(None, &receipt(), &[], None, ago(500)).await.unwrap();
    let order = order("O-1", 10_000);
    store(&world, &order).await;
    judged(&world, &order).await;
    // As `reconcile` has written it.
    let key = DiscrepancyKey::about(DiscrepancyKind::CustomerDiffers, "order O-1");
    let found = Discrepancy::found(key, "paid by C-2, and order O-1 is of C-1".to_owned(), ago(60));
    let change = DiscrepancyChange { known: None, now: found };
    let because = ContactBecause { cause: "reconcile", rule: "SP-37", now: ago(60) };
    let receipt = receipt();
    let about = Judged::Payment(&receipt);
    world.tables.write_discrepancies_about(about, &[change], because).await.unwrap();

    let said = text(&page(&world, json!({"order_id": "O-1"})).await);
    for words in [
        "Order O-1",
        "tax 10.00 AUD – 9.00 AUD – ▲ differs",
        "total 100.00 AUD 100.00 AUD 100.00 AUD 60.00 AUD ✔",
        "R-77: 100.00 AUD, tax 9.00 AUD",
        "CUSTOMER_DIFFERS payment P-1",
        "paid by C-2, and order O-1 is of C-1",
        "Left to pay 40.00 AUD",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let none = text(&page(&world, json!({"order_id": "O-9"})).await);
    assert!(none.contains("No order O-9 was reported."), "{none}");
    let all = text(&world.page(Role::Viewer, json!({"page": "discrepancies"})).await);
    assert!(all.contains("CUSTOMER_DIFFERS payment P-1"), "{all}");
}

#[tokio::test]
async fn two_hundred_orders_are_shown_and_the_earlier_ones_are_a_page_away() {
    let world = World::new().await;
    for n in 0..205 {
        let mut order = order(&format!("O-{n:04}"), 2_000);
        order.invoices.clear();
        order.payments.clear();
        store(&world, &order).await;
    }
    let html = page(&world, json!({})).await;
    let said = text(&html);
    assert!(
        said.contains("O-0204") && said.contains("O-0005") && !said.contains("O-0004"),
        "{said}"
    );
    let older = text(&page(&world, json!({"before": "O-0005"})).await);
    assert!(older.contains("O-0004") && !older.contains("O-0005"), "{older}");
}

#[tokio::test]
async fn a_hostile_order_is_text() {
    let world = World::new().await;
    let mut hostile = order("<script>alert(1)</script>", 2_000);
    hostile.customer = Some("\"><img src=x onerror=alert(1)>".parse().unwrap());
    store(&world, &hostile).await;
    page(&world, json!({})).await;
    let one = page(&world, json!({"order_id": "<script>alert(1)</script>"})).await;
    assert!(text(&one).contains("Order <script>"), "{one}");
}
