//! What a night leaves for people: actions about customers, and messages.

use jiff::SignedDuration;

use crate::samples::bpay;
use crate::world::{World, evening, march};

#[tokio::test]
async fn no_hold_for_an_action_is_without_one_and_the_contact_solves_it() {
    // EX-27, EX-28: a customer whom Xero does not know, and a payment without a customer.
    let world = World::new().await;
    let mut nameless = bpay("P-2", "K-9", 20_00, march(1));
    nameless.customer = None;
    world.pay(bpay("P-1", "K-9", 10_00, march(1))).await;
    world.pay(nameless).await;

    world.night(evening()).await;

    let open = world.tables.open_actions(world.organisation(), 9).await.unwrap().rows;
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!(open[0].blocked.as_deref(), Some(payments::upload::NO_CONTACT));
    assert_eq!(world.customer_actions().await, ["customer_blocked"]);
    let held = world.tables.held_uploads(world.organisation(), 9).await.unwrap();
    assert_eq!((held.by_code(), held.without_customer), (vec![("BLOCKED_BY_ACTION", 2)], 1));
    let revision = world.row("P-1").await.revision;
    let next = evening() + SignedDuration::from_hours(24);
    world.clock.set(next);
    world.night(next).await;
    assert_eq!(world.row("P-1").await.revision, revision, "nothing new, nothing written");

    // As intake takes it in: the contact is there.
    let contact = world.simulator.add_contact(world.tenant, "Customer K-9").unwrap();
    let known = open[0].clone();
    let reported = payments::upload::Customer {
        revision: 1,
        contact: Some(payments::XeroContactId::new(contact)),
        blocked: None,
        blocked_at: None,
        ..known.clone()
    };
    let after = payments::upload::record_customer(Some(&known), &reported).unwrap().unwrap();
    world.tables.store_customer(Some(&known), &after, None, world.now()).await.unwrap();
    assert_eq!(world.customer_actions().await, ["customer_blocked", "customer_unblocked"]);
    let next = next + SignedDuration::from_hours(24);
    world.clock.set(next);
    world.night(next).await;
    assert_eq!(world.state("P-1").await, "uploaded");
}

#[tokio::test]
async fn what_waits_for_a_person_is_one_message_for_each_reason_with_a_number() {
    // EX-29, EX-07
    let world = World::new().await;
    world.settings(|uploading| uploading.prepayment_account = None).await;
    world.customer("K-1").await;
    for id in ["P-1", "P-2", "P-3"] {
        world.pay(bpay(id, "K-1", 10_00, march(1))).await;
    }
    let messages = async || {
        let rows = world.rows("messages").await;
        let rows = rows.iter().filter(|row| row["subject"] == "held");
        rows.map(|row| (row["kind"].clone(), row["why"].clone())).collect::<Vec<_>>()
    };
    world.night(evening()).await;
    let [(kind, why)] = &messages().await[..] else { panic!("{:?}", messages().await) };
    assert_eq!(kind, "NO_PREPAYMENT_ACCOUNT");
    assert!(why.starts_with("3 on hold. ") && why.contains("What to do: "), "{why}");

    world.settings(|_| {}).await;
    let next = evening() + SignedDuration::from_hours(24);
    world.clock.set(next);
    world.night(next).await;
    assert_eq!(world.state("P-1").await, "uploaded");
    assert_eq!(messages().await, [], "no message is left of a hold that is over");
}
