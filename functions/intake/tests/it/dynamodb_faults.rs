//! Every call to DynamoDB fails once, before or after it was carried out, and the end is the same.

use std::collections::BTreeSet;

use payments::XeroInvoiceId;
use serde_json::Value;

use crate::messages::{
    bpay, customer, invoice, journaling, pay_now, payment, provider_invoice, with,
};
use crate::world::{Dump, World, assert_same, copy, xero_payment};

/// An organisation with three invoices that Xero knows, a copy, and a payment over two of them.
async fn given() -> World {
    let world = World::new().await.with_cutover("2026-03-01").await;
    for number in ["10234", "10240", "10250"] {
        world.take(&invoice(number, 1, "110.00")).await;
    }
    world.take(&payment("P-1", 1, "100.00", &[("10234", "60.00"), ("10240", "40.00")])).await;
    world.take(&customer("C-1", 1, "Harbour Ferries Pty Ltd", None)).await;
    world.mirrored("10234", "110.00", &[xero_payment(1, "20.00")]).await;
    world.mirrored("10240", "110.00", &[]).await;
    world.mirrored("10250", "110.00", &[]).await;
    world.looks();
    world
}

/// How the tables look, which invoices were asked for, and whether payments were asked to be
/// posted: once or more often makes no difference.
type End = (Dump, BTreeSet<XeroInvoiceId>, bool);

async fn end(world: &World) -> End {
    (world.dump().await, world.looks(), world.wakes() > 0)
}

/// Delivers until done, and says how it ended.
async fn deliver(world: &World, message: &Value) -> (End, u32) {
    let mut deliveries = 1;
    while !world.receive(message, deliveries).await {
        deliveries += 1;
        assert!(deliveries < 5, "never done");
    }
    world.faults.fail(usize::MAX, false);
    (end(world).await, deliveries)
}

async fn sweep(message: Value) {
    let world = given().await;
    world.faults.fail(usize::MAX, false);
    assert!(world.receive(&message, 1).await);
    let calls = world.faults.writes();
    let undisturbed = end(&world).await;
    assert!(calls.iter().filter(|write| **write).count() >= 1);
    let names_none = message["type"] == "customer" || message["type"] == "provider_invoice";
    let names_an_invoice = !names_none && message["method"] != "bpay";
    assert_eq!(undisturbed.1.is_empty(), !names_an_invoice);
    let mut again = 0;
    let mut trials = 0;
    for (call, write) in calls.into_iter().enumerate() {
        // Whether a read that fails was carried out makes no difference.
        for carried_out in [false, true].into_iter().take(1 + usize::from(write)) {
            trials += 1;
            let world = given().await;
            world.faults.fail(call, carried_out);
            let (end, deliveries) = deliver(&world, &message).await;
            let what = format!("call {call}, carried out: {carried_out}");
            assert_same(&end.0, &undisturbed.0, &what);
            assert_eq!((&end.1, end.2), (&undisturbed.1, undisturbed.2), "{what}");
            again += usize::from(deliveries > 1);
        }
    }
    assert_eq!(again, trials, "no failure was overlooked");
}

#[tokio::test]
async fn an_invoice_survives_the_failure_of_any_call() {
    sweep(invoice("10234", 2, "90.00")).await;
}

#[tokio::test]
async fn a_payment_whose_allocations_change_survives_the_failure_of_any_call() {
    let moved = payment("P-1", 2, "100.00", &[("10240", "25.00"), ("10250", "75.00")]);
    sweep(with(moved, "/journaled", true)).await;
}

#[tokio::test]
async fn a_new_payment_survives_the_failure_of_any_call() {
    sweep(payment("P-2", 1, "30.00", &[("10250", "30.00")])).await;
}

#[tokio::test]
async fn a_payment_for_the_night_survives_the_failure_of_any_call() {
    sweep(bpay("P-2", 1, "30.00")).await;
}

#[tokio::test]
async fn a_payment_that_is_posted_at_once_survives_the_failure_of_any_call() {
    sweep(pay_now("P-2", 1, "30.00", "10250")).await;
    // Revision 1 was paid in another way, which is not uploaded.
    sweep(pay_now("P-1", 2, "100.00", "10234")).await;
}

#[tokio::test]
async fn a_provider_invoice_survives_the_failure_of_any_call() {
    sweep(provider_invoice("F-1", 1, "80.00")).await;
}

#[tokio::test]
async fn a_customer_survives_the_failure_of_any_call() {
    sweep(customer("C-1", 2, "Harbour Ferries", None)).await;
}

#[tokio::test]
async fn journaling_survives_the_failure_of_any_call() {
    sweep(journaling("10234", &copy(1), 1, true)).await;
}

#[tokio::test]
async fn a_failed_request_for_a_look_is_repeated_until_it_succeeds() {
    let message = payment("P-1", 2, "100.00", &[("10240", "25.00"), ("10250", "75.00")]);
    let world = given().await;
    let (undisturbed, _) = deliver(&world, &message).await;
    let world = given().await;
    world.changes.recorded.fail_next();
    world.changes.recorded.fail_next();
    let (end, deliveries) = deliver(&world, &message).await;
    assert_same(&end.0, &undisturbed.0, "after two failures");
    assert_eq!((end.1, deliveries), (undisturbed.1, 3));
}

#[tokio::test]
async fn the_same_message_twice_writes_nothing_the_second_time() {
    let world = given().await;
    for message in [
        invoice("10234", 2, "90.00"),
        payment("P-1", 2, "100.00", &[("10240", "25.00"), ("10250", "75.00")]),
        payment("P-3", 1, "10.00", &[]),
        bpay("P-4", 1, "10.00"),
        pay_now("P-5", 1, "10.00", "10250"),
        customer("C-1", 2, "Harbour Ferries", None),
        provider_invoice("F-1", 1, "80.00"),
        journaling("10234", &copy(1), 1, true),
    ] {
        world.take(&message).await;
        let before = world.dump().await;
        world.take(&message).await;
        assert_same(&world.dump().await, &before, &message.to_string());
    }
}

#[tokio::test]
async fn parking_survives_the_failure_of_its_call() {
    for carried_out in [false, true] {
        let world = given().await;
        world.faults.fail(0, carried_out);
        let broken = with(invoice("10234", 2, "90.00"), "/revision", "two");
        assert!(!world.receive(&broken, 1).await);
        world.faults.fail(usize::MAX, false);
        assert!(world.receive(&broken, 2).await);
        assert_eq!(world.parked().await, ["invalid_message"]);
    }
}
