//! Payments over several invoices, over none, and from one to another.

use payments::{Held, Protection, State};

use crate::messages::{invoice, payment};
use crate::world::{World, assert_same, aud, xero_id, xero_payment};

const BOTH: &[(&str, &str)] = &[("10234", "60.00"), ("10240", "40.00")];

#[tokio::test]
async fn a_payment_over_several_invoices_is_a_protected_part_on_each() {
    // CM-28
    let world = World::new().await;
    world.take(&invoice("10234", 1, "110.00")).await;
    world.take(&payment("P-1", 1, "100.00", BOTH)).await;
    for (number, amount) in BOTH {
        let stored = world.invoice(number).await;
        let part = &stored.payments[0];
        assert_eq!((part.amount, part.multi_invoice), (aud(amount), true));
        assert_eq!(
            (part.state, part.protection),
            (State::Protected, Some(Protection::MultiInvoice))
        );
    }
    // Neither matched nor mirrored, and not imported a second time.
    world.mirrored("10234", "110.00", &[xero_payment(1, "60.00")]).await;
    let stored = world.invoice("10234").await;
    assert_eq!((stored.payments.len(), stored.payments[0].link), (1, None));
    assert_eq!(stored.held[0].reason, Held::MultiInvoice);
}

#[tokio::test]
async fn allocations_that_change_are_moved_and_every_invoice_is_looked_at_again() {
    let world = World::new().await;
    for number in ["10234", "10240", "10250"] {
        world.take(&invoice(number, 1, "110.00")).await;
        world.mirrored(number, "110.00", &[]).await;
    }
    world.take(&payment("P-1", 1, "100.00", BOTH)).await;
    assert_eq!(world.looks(), [xero_id("10234"), xero_id("10240")].into());

    world.take(&payment("P-1", 2, "100.00", &[("10240", "25.00"), ("10250", "75.00")])).await;
    assert_eq!(world.looks(), [xero_id("10234"), xero_id("10240"), xero_id("10250")].into());
    assert!(world.invoice("10234").await.payments.is_empty());
    assert_eq!(world.invoice("10240").await.payments[0].amount, aud("25.00"));
    assert_eq!(world.invoice("10250").await.payments[0].amount, aud("75.00"));
    let tombstones = world.rows("tombstones").await;
    assert_eq!((tombstones.len(), tombstones[0]["removed_by"].as_str()), (1, "intake"));

    // On one invoice it is no longer spread, and can be matched.
    world.take(&payment("P-1", 3, "100.00", &[("10250", "100.00")])).await;
    let part = &world.invoice("10250").await.payments[0];
    assert_eq!((part.amount, part.protection), (aud("100.00"), Some(Protection::Manual)));
    // A part that its own system took off can come back by it.
    world.take(&payment("P-1", 4, "100.00", BOTH)).await;
    assert_eq!(world.invoice("10234").await.payments[0].amount, aud("60.00"));
    assert!(world.invoice("10250").await.payments.is_empty());
}

#[tokio::test]
async fn a_payment_that_names_no_invoice_is_kept_until_it_does() {
    // SP-02, SP-11: that it floats free is a discrepancy, which `reconcile` opens.
    let world = World::new().await;
    world.take(&payment("P-1", 1, "100.00", &[])).await;
    assert!(world.warnings().await.is_empty());
    assert_eq!(world.rows("receipts").await.len(), 1);
    world.take(&payment("P-1", 2, "100.00", &BOTH[..1])).await;
    world.take(&payment("P-1", 3, "100.00", BOTH)).await;
    assert!(world.warnings().await.is_empty());
    assert_eq!(world.invoice("10240").await.payments.len(), 1);
}

#[tokio::test]
async fn the_same_parts_in_another_order_are_the_same_report() {
    let world = World::new().await;
    world.take(&payment("P-1", 1, "100.00", BOTH)).await;
    let before = world.dump().await;
    let reversed: Vec<_> = BOTH.iter().rev().copied().collect();
    world.take(&payment("P-1", 1, "100.00", &reversed)).await;
    assert_same(&world.dump().await, &before, "the same again");
}

#[tokio::test]
async fn what_an_interrupted_report_left_behind_is_taken_off_when_it_comes_again() {
    let world = World::new().await;
    let first = payment("P-1", 1, "60.00", &[("10234", "60.00")]);
    let second = payment("P-1", 2, "100.00", &[("10234", "60.00"), ("10250", "40.00")]);
    let third = payment("P-1", 3, "60.00", &[("10234", "60.00")]);
    world.take(&first).await;
    // Revision 2 is interrupted when its parts are written and its receipt is not.
    world.faults.fail(usize::MAX, false);
    assert!(!is_interrupted_before_receipt(&world, &second).await);
    assert_eq!(world.invoice("10250").await.payments.len(), 1);
    // Revision 3 knows nothing of invoice 10250.
    world.take(&third).await;
    // Revision 2 comes again.
    world.take(&second).await;
    assert!(world.invoice("10250").await.payments.is_empty());
    assert_eq!(world.invoice("10234").await.payments[0].revision, 3);
    assert_eq!(world.rows("receipts").await[0]["revision"], "3");
}

/// Delivers a message such that its last write fails.
async fn is_interrupted_before_receipt(world: &World, message: &serde_json::Value) -> bool {
    // Settings, receipt; per invoice its row, three partitions and, where the payment is not
    // there yet, tombstones; two writes; the upload; the receipt.
    let calls_before_receipt = 2 + 4 + 5 + 2 + 1;
    world.faults.fail(calls_before_receipt, false);
    let done = world.receive(message, 1).await;
    world.faults.fail(usize::MAX, false);
    done
}

#[tokio::test]
async fn a_payment_over_two_hundred_invoices_is_taken_in() {
    let world = World::new().await;
    let numbers: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    let parts: Vec<_> = numbers.iter().map(|number| (number.as_str(), "0.50")).collect();
    world.take(&payment("P-1", 1, "100.00", &parts)).await;
    assert_eq!(world.rows("payments").await.len(), 200);
}
