//! Actions about customers that the facts solve.

use crate::customers::{reported, world};

#[tokio::test]
async fn amb_15_an_action_that_the_facts_solve_has_its_invoices_read_at_once() {
    let world = world().await;
    let archived = world.contact("Gone", Some("K-1"), None);
    world.simulator.archive_contact(archived).unwrap();
    world.reports(&reported(&world, "K-1", "Gone")).await;
    world.sync_customers().await;
    let invoice = world.both("7").await;
    let number = "7".parse().unwrap();
    let before = world.tables.invoice(world.organisation(), &number).await.unwrap();
    let mut after = before.clone();
    after.customer = Some("K-1".parse().unwrap());
    let change = payments::Change { after, tombstones: vec![], decisions: vec![] };
    let because = table::ChangeContext { cause: "intake", event_at: None, now: world.now() };
    world.tables.write_invoice(&before, &change, because).await.unwrap();
    world.pay(invoice, 40_00);
    world.sweep().await;
    world.work_off().await;
    assert_eq!(world.rows("held_payments").await.len(), 1, "held back");

    world.simulator.restore_contact(archived).unwrap();
    world.sync_customers().await;
    assert_eq!(world.customer("K-1").await.action(), None);
    world.work_off().await;
    assert_eq!(world.mirrored().await, world.in_xero());
    assert!(world.rows("held_payments").await.is_empty());
}
