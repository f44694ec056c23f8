//! Actions about customers: opened, and solved.

use jiff::SignedDuration;
use serde_json::json;
use worlds::upload::{World, evening};

#[tokio::test]
async fn a_blocked_customer_waits_and_the_others_go_on() {
    // U14, EX-28
    let world = World::new().await;
    world.bpay_payments(2).await;
    let block = |blocked: bool| {
        json!({"organisation": world.organisation(), "customer": "K-1", "block": blocked,
            "by": "Wilma", "why": "two contacts of this name"})
    };
    let opened = world.invoke(block(true)).await.unwrap();
    let expected = json!({"customer": "K-1", "blocked": true, "changed": true, "was_blocked": false,
        "reported": true, "recorded": true});
    assert_eq!(opened, expected);
    // To say it again changes nothing.
    assert_eq!(world.invoke(block(true)).await.unwrap()["changed"], false);
    assert_eq!(world.customer_actions().await, ["customer_blocked"]);

    let preview = &world.invoke(json!({"preview": true})).await.unwrap()["previews"][0];
    // What would be held waits for no later night. Nothing holds it yet, so that nothing can be released.
    assert_eq!((&preview["would_go"], &preview["would_wait"]), (&json!(1), &json!(0)));
    assert_eq!(preview["payments"][0]["would"], "hold");
    assert_eq!(preview["payments"][0]["orders"], json!(["hold", "do_not_send"]));

    let night = world.night(evening()).await;

    assert_eq!((&night["report"]["uploaded"], &night["report"]["held"]), (&json!(1), &json!(1)));
    let row = world.row("P-0001").await;
    assert_eq!(row.reason, "BLOCKED_BY_ACTION");
    assert!(row.why.contains("two contacts of this name"), "{}", row.why);
    let revision = row.revision;

    let next = evening() + SignedDuration::from_hours(24);
    world.clock.set(next);
    let night = world.night(next).await;
    assert_eq!(night["report"]["held"], 1);
    assert_eq!(world.row("P-0001").await.revision, revision, "nothing new, nothing written");

    let solved = world.invoke(block(false)).await.unwrap();
    assert_eq!((&solved["changed"], &solved["was_blocked"]), (&json!(true), &json!(true)));
    assert_eq!(world.invoke(block(false)).await.unwrap()["changed"], false);
    assert_eq!(world.customer_actions().await, ["customer_blocked", "customer_unblocked"]);
    let next = next + SignedDuration::from_hours(24);
    world.clock.set(next);
    world.night(next).await;
    assert_eq!(world.state("P-0001").await, "uploaded");
}

#[tokio::test]
async fn an_action_about_an_unreported_customer_is_open_all_the_same() {
    // EX-27, EX-28
    let world = World::new().await;
    let block = |blocked: bool| {
        json!({"organisation": world.organisation(), "customer": "K-77", "block": blocked,
            "by": "Wilma", "why": "who is this?"})
    };
    // To solve an action of an unknown customer makes no customer.
    assert_eq!(world.invoke(block(false)).await.unwrap()["changed"], false);
    assert_eq!(world.tables.open_actions(world.organisation(), 9).await.unwrap().rows, []);
    let opened = world.invoke(block(true)).await.unwrap();
    assert_eq!((&opened["changed"], &opened["reported"]), (&json!(true), &json!(false)));
    let open = world.tables.open_actions(world.organisation(), 9).await.unwrap().rows;
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!(open[0].blocked.as_deref(), Some("who is this?"));
}

#[tokio::test]
async fn solving_an_action_has_the_invoices_read_again_that_waited_for_it() {
    // EX-28, AMB-15: in the same minute, by the order itself.
    let world = World::new().await;
    let id: payments::CustomerId = "K-1".parse().unwrap();
    let number = "10234".parse().unwrap();
    let before = payments::StoredInvoice::unknown(world.organisation(), number);
    let mut after = before.clone();
    let xero = payments::XeroInvoiceId::new(uuid::Uuid::from_u128(7));
    after.customer = Some(id.clone());
    after.held_back = true;
    after.xero = Some(world.facts(xero));
    let change = payments::Change { after, tombstones: vec![], decisions: vec![] };
    let because = table::ChangeContext { cause: "webhook", event_at: None, now: world.now() };
    world.tables.write_invoice(&before, &change, because).await.unwrap();
    let order = |block: bool| {
        json!({"organisation": world.organisation(), "customer": "K-1", "block": block,
            "by": "Wilma", "why": "two contacts of this name"})
    };
    let changes = harness::FlakyChanges::default();
    let deadline = world.now() + SignedDuration::from_mins(15);
    for (block, sent) in [(true, 0), (false, 1), (false, 2)] {
        world.operations(changes.clone()).handle(&order(block), deadline).await.unwrap();
        assert_eq!(changes.recorded.sent().len(), sent, "block: {block}");
    }
    let queue::Message::Invoices(sent) = &changes.recorded.sent()[0] else { panic!() };
    assert_eq!(sent.invoices[0].id, xero);
}
