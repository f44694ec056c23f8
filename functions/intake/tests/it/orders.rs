//! Orders of customers.

use payments::OrderId;
use table::OrderLink;

use crate::messages::{order, with};
use crate::world::{World, assert_same};

impl World {
    async fn orders_of(&self, link: OrderLink<'_>) -> Vec<OrderId> {
        let found = self.tables.orders_of(self.settings.organisation, link).await.unwrap();
        found.into_iter().collect()
    }
}

#[tokio::test]
async fn sp_02_an_order_is_kept_as_it_was_reported_last_in_any_order_of_arrival() {
    let world = World::new().await;
    let first = order("O-1", 1, "121.00", &["100"]);
    let second = with(order("O-1", 2, "99.00", &["101"]), "/payments", vec!["P-1"]);
    let third = with(second.clone(), "/revision", 3);
    let third = with(third, "/completed_at", "2026-03-12T05:00:00Z");
    for message in [&second, &first, &third, &second] {
        world.take(message).await;
    }
    let rows = world.rows("orders").await;
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    let expected =
        [("order", "O-1"), ("revision", "3"), ("total", "99"), ("goods", "99"), ("tax", "0")];
    for (name, value) in expected {
        assert_eq!(row[name], value, "{name}");
    }
    assert_eq!(row["completed_at"], "2026-03-12T05:00:00.000000Z");
    assert!(row.get("status").is_none(), "derived from facts alone");
    assert!(world.parked().await.is_empty());

    let before = world.dump().await;
    world.take(&third).await;
    assert_same(&world.dump().await, &before, "the same again");
}

#[tokio::test]
async fn an_order_is_found_by_every_invoice_and_payment_that_it_names() {
    let world = World::new().await;
    world.take(&with(order("O-1", 1, "60.00", &["100", "101"]), "/payments", vec!["P-1"])).await;
    world.take(&order("O-2", 1, "40.00", &["101"])).await;
    let [one, two] = ["O-1", "O-2"].map(|id| id.parse::<OrderId>().unwrap());
    let number = |text: &str| text.parse().unwrap();
    assert_eq!(
        world.orders_of(OrderLink::Invoice(&number("100"))).await,
        std::slice::from_ref(&one)
    );
    assert_eq!(world.orders_of(OrderLink::Invoice(&number("101"))).await, [one.clone(), two]);
    assert_eq!(world.orders_of(OrderLink::Payment(&"P-1".parse().unwrap())).await, [one]);
    assert!(world.orders_of(OrderLink::Payment(&"100".parse().unwrap())).await.is_empty());
}

#[tokio::test]
async fn an_order_that_contradicts_its_revision_is_parked_and_the_known_one_stays() {
    let world = World::new().await;
    world.take(&order("O-1", 1, "121.00", &[])).await;
    world.take(&order("O-1", 1, "120.00", &[])).await;
    let parked = world.rows("parked").await;
    assert_eq!(parked.len(), 1);
    assert_eq!(parked[0]["reason"], "revision_reused");
    assert_eq!(world.rows("orders").await[0]["total"], "121");
}
