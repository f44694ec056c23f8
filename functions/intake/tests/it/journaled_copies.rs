//! Copies of Xero payments that the business's own system has journaled.

use host::batch::RECEIVES_MAX;
use payments::Protection;

use crate::messages::{invoice, journaling};
use crate::world::{World, assert_same, copy, xero_id, xero_payment};

async fn with_a_copy() -> World {
    let world = World::new().await;
    world.take(&invoice("10234", 1, "110.00")).await;
    world.mirrored("10234", "110.00", &[xero_payment(1, "60.00")]).await;
    world
}

#[tokio::test]
async fn a_journaled_copy_is_protected_until_its_journal_is_reversed() {
    // CM-27
    let world = with_a_copy().await;
    world.take(&journaling("10234", &copy(1), 1, true)).await;
    let part = &world.invoice("10234").await.payments[0];
    assert_eq!((part.journaled, part.protection), (true, Some(Protection::Journaled)));
    assert_eq!(world.looks(), [xero_id("10234")].into());
    world.mirrored("10234", "110.00", &[]).await;
    assert_eq!(world.invoice("10234").await.payments.len(), 1);

    world.take(&journaling("10234", &copy(1), 2, false)).await;
    assert_eq!(world.looks(), [xero_id("10234")].into());
    world.mirrored("10234", "110.00", &[]).await;
    assert!(world.invoice("10234").await.payments.is_empty());
}

#[tokio::test]
async fn journaling_after_the_cutover_raises_a_warning() {
    // CM-04; the message was sent on 10 March in Sydney.
    let mut world = with_a_copy().await;
    world.settings.cutover_on = Some("2026-03-10".parse().unwrap());
    world.tables.store_settings(&world.settings).await.unwrap();
    world.take(&journaling("10234", &copy(1), 1, true)).await;
    assert!(world.warnings().await.is_empty());

    let world = with_a_copy().await.with_cutover("2026-03-09").await;
    world.take(&journaling("10234", &copy(1), 1, true)).await;
    assert_eq!(world.warnings().await, ["JOURNALED_AFTER_CUTOVER"]);
}

#[tokio::test]
async fn the_latest_revision_of_journaling_counts_in_every_order() {
    let world = with_a_copy().await;
    world.take(&journaling("10234", &copy(1), 2, false)).await;
    let before = world.dump().await;
    world.take(&journaling("10234", &copy(1), 1, true)).await;
    world.take(&journaling("10234", &copy(1), 2, false)).await;
    assert_same(&world.dump().await, &before, "the same again");
    world.take(&journaling("10234", &copy(1), 2, true)).await;
    assert_eq!(world.parked().await, ["revision_reused"]);
}

#[tokio::test]
async fn journaling_of_a_copy_that_is_not_there_waits_and_is_parked_in_the_end() {
    let world = World::new().await;
    let message = journaling("10234", &copy(1), 1, true);
    for nth in 1..RECEIVES_MAX {
        assert!(!world.receive(&message, nth).await);
    }
    assert!(world.parked().await.is_empty());
    assert!(world.receive(&message, RECEIVES_MAX).await);
    assert_eq!(world.parked().await, ["unknown_copy"]);
}
