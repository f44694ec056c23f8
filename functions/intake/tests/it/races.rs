//! Several invocations at the same time.

use crate::messages::{bpay, invoice, payment, with};
use crate::world::World;

const PARTS: &[(&str, &str)] = &[("10234", "60.00"), ("10240", "40.00")];

#[tokio::test]
async fn messages_about_one_invoice_that_are_handled_at_once_are_all_recorded() {
    let world = World::new().await;
    let part = |id| payment(id, 1, "10.00", &[("10234", "10.00")]);
    let invoice = invoice("10234", 1, "110.00");
    let [a, b, c] = [part("P-1"), part("P-2"), part("P-3")];
    tokio::join!(world.take(&invoice), world.take(&a), world.take(&b), world.take(&c));
    let stored = world.invoice("10234").await;
    assert!(stored.local.is_some());
    assert_eq!((stored.payments.len(), stored.revision), (3, 4));
}

#[tokio::test]
async fn revisions_of_one_payment_that_are_handled_at_once_end_with_the_latest() {
    let world = World::new().await;
    let first = with(payment("P-1", 1, "100.00", &[("10250", "100.00")]), "/status", "pending");
    let second = payment("P-1", 2, "100.00", PARTS);
    let third = payment("P-1", 3, "100.00", &PARTS[..1]);
    tokio::join!(world.take(&third), world.take(&first), world.take(&second));
    assert_eq!(world.invoice("10234").await.payments[0].revision, 3);
    assert!(world.invoice("10240").await.payments.is_empty());
    assert!(world.invoice("10250").await.payments.is_empty());
    assert_eq!(world.rows("receipts").await[0]["revision"], "3");
}

#[tokio::test]
async fn an_upload_that_another_process_moves_at_the_same_time_is_read_again() {
    // The night's run and a report: neither overwrites what it has not seen.
    let world = World::new().await;
    world.take(&bpay("P-1", 1, "60.00")).await;
    let [second, third] = [bpay("P-1", 2, "70.00"), bpay("P-1", 3, "80.00")];
    let order = async {
        world.moved("P-1", |upload| upload.included = true).await;
    };
    tokio::join!(world.take(&third), order, world.take(&second));
    let upload = world.upload("P-1").await.unwrap();
    assert_eq!((upload.receipt.revision, upload.included), (3, true));
    assert_eq!(upload.receipt.amount, crate::world::aud("80.00"));
}
