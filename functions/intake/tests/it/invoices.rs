//! Invoices of the business's own system.

use payments::{DiscrepancyKey, DiscrepancyKind};

use crate::messages::{invoice, with};
use crate::world::{World, assert_same, xero_id, xero_payment};

#[tokio::test]
async fn an_invoice_is_kept_with_its_number_total_and_due_date() {
    // CM-17, ST-06
    let world = World::new().await;
    world.take(&invoice("10234", 1, "110.00")).await;
    let stored = world.invoice("10234").await.local.unwrap();
    assert_eq!(stored.total.to_string(), "110.00 AUD");
    assert_eq!(stored.due_on.to_string(), "2026-04-01");
    assert_eq!(stored.contact.name(), Some("Harbour Ferries Pty Ltd"));
    let rows = world.rows("invoices").await;
    assert_eq!(rows[0]["due_on"], "2026-04-01");
    assert_eq!(rows[0]["terms"], "30 days after issue");
    assert!(world.looks().is_empty(), "Xero has not been seen with it");
}

#[tokio::test]
async fn a_later_revision_replaces_an_earlier_one_and_never_the_other_way_round() {
    let world = World::new().await;
    let (first, second) = (invoice("10234", 1, "110.00"), invoice("10234", 2, "99.50"));
    world.take(&second).await;
    let before = world.dump().await;
    world.take(&first).await;
    assert_same(&world.dump().await, &before, "the same again");
    world.take(&invoice("10234", 7, "120.00")).await;
    assert_eq!(world.invoice("10234").await.local.unwrap().total.to_string(), "120.00 AUD");
}

#[tokio::test]
async fn a_revision_that_is_used_again_for_something_else_is_parked() {
    let world = World::new().await;
    world.take(&invoice("10234", 1, "110.00")).await;
    world.take(&invoice("10234", 1, "111.00")).await;
    assert_eq!(world.parked().await, ["revision_reused"]);
    assert_eq!(world.invoice("10234").await.local.unwrap().total.to_string(), "110.00 AUD");
}

#[tokio::test]
async fn an_invoice_that_xero_had_before_us_is_looked_at_again() {
    // A1.1, guard 4
    let world = World::new().await;
    world.mirrored("10234", "110.00", &[xero_payment(1, "60.00")]).await;
    let unknown = DiscrepancyKey::of_invoice(DiscrepancyKind::UnknownInvoice);
    assert!(world.invoice("10234").await.discrepancy(&unknown).unwrap().is_open());

    world.take(&invoice("10234", 1, "110.00")).await;
    assert_eq!(world.looks(), [xero_id("10234")].into());

    world.mirrored("10234", "110.00", &[xero_payment(1, "60.00")]).await;
    let stored = world.invoice("10234").await;
    assert!(!stored.discrepancy(&unknown).unwrap().is_open());
    assert_eq!(stored.payments.len(), 1);
    // The answer is there: the same message again asks for nothing.
    world.take(&invoice("10234", 1, "110.00")).await;
    assert!(world.looks().is_empty());
}

#[tokio::test]
async fn no_look_is_lost_because_the_queue_of_changes_fails() {
    let world = World::new().await;
    world.mirrored("10234", "110.00", &[]).await;
    let message = invoice("10234", 1, "110.00");
    world.changes.recorded.fail_always();
    for nth in 1..4 {
        assert!(!world.receive(&message, nth).await, "to come again");
    }
    world.changes.recorded.recover();
    let before = world.dump().await;
    assert!(world.receive(&message, 4).await);
    assert_eq!(world.looks(), [xero_id("10234")].into());
    assert_same(&world.dump().await, &before, "it had been written by the first try");
}

#[tokio::test]
async fn a_total_that_differs_from_xero_is_flagged_at_once() {
    // CM-18
    let world = World::new().await;
    world.take(&invoice("10234", 1, "110.00")).await;
    world.mirrored("10234", "110.00", &[]).await;
    world.take(&invoice("10234", 2, "100.00")).await;
    let stored = world.invoice("10234").await;
    let kinds: Vec<_> = stored.open_discrepancies().map(|found| found.key.kind).collect();
    assert_eq!(kinds, [DiscrepancyKind::TotalDiffers]);
}

#[tokio::test]
async fn the_name_of_a_person_stands_in_for_a_company() {
    // CM-15
    let world = World::new().await;
    let contact = serde_json::json!({"company": " ", "person": "Ada Wells"});
    world.take(&with(invoice("10234", 1, "110.00"), "/contact", contact)).await;
    let stored = world.invoice("10234").await.local.unwrap();
    assert_eq!(stored.contact.name(), Some("Ada Wells"));
}
