//! What a person orders, and what a preview shows.

use harness::dynamodb::everything;
use jiff::SignedDuration;
use serde_json::{Value, json};

use xero_simulator::{Effect, Fault};

use crate::samples::bpay;
use crate::world::{World, evening, march};

fn order(world: &World, payment: &str, order: &str) -> Value {
    json!({"organisation": world.organisation(), "payment": payment, "order": order,
        "by": "Wilma", "why": "the customer disputes it"})
}

#[tokio::test]
async fn a_preview_shows_the_plan_and_writes_and_sends_nothing() {
    let world = World::new().await;
    world.settings(|uploading| uploading.nightly_max = 2).await;
    world.bpay_payments(3).await;
    let before = everything(&world.direct, &[]).await;
    world.xero.take_calls();

    let answer = world.invoke(json!({"preview": true})).await.unwrap();

    let preview = &answer["previews"][0];
    assert_eq!((&preview["would_go"], &preview["would_wait"]), (&json!(2), &json!(1)), "{preview}");
    assert_eq!(preview["payments"][0]["parts"], json!(["100.01 AUD on INV-0001"]));
    assert_eq!(preview["payments"][2]["would"], "wait");
    assert_eq!(everything(&world.direct, &[]).await, before);
    assert!(world.xero.take_calls().iter().all(|call| !call.starts_with("PUT")));
    // What it shows is what happens.
    let night = world.night(evening()).await;
    assert_eq!((&night["report"]["uploaded"], &night["report"]["carried"]), (&json!(2), &json!(1)));
    // The night that comes next, at its hour, whenever it is asked for: today's payments have left the 20 hours by then.
    for hours in [0, 1, 15] {
        world.clock.set(evening() + SignedDuration::from_hours(hours));
        let answer = world.invoke(json!({"preview": true})).await.unwrap();
        let plan = &answer["previews"][0];
        assert_eq!(plan["night"], "2026-03-03", "{hours} h after the night: {plan}");
        assert_eq!((&plan["would_go"], &plan["slots_left"]), (&json!(1), &json!(2)), "{plan}");
    }
    world.clock.set(evening());
    // The same, if its moment is said.
    let tomorrow = evening() + SignedDuration::from_hours(24);
    let answer = world.invoke(json!({"preview": true, "scheduled_time": tomorrow})).await.unwrap();
    assert_eq!(answer["previews"][0]["night"], "2026-03-03");
    assert_eq!(answer["previews"][0]["would_go"], 1, "{answer}");
}

#[tokio::test]
async fn what_is_held_or_kept_back_does_not_go_until_it_is_released() {
    let world = World::new().await;
    world.bpay_payments(3).await;
    for (payment, wish, state) in [("P-0001", "hold", "held"), ("P-0002", "do_not_send", "skipped")]
    {
        let answer = world.invoke(order(&world, payment, wish)).await.unwrap();
        assert_eq!(answer["state"], state);
        assert_eq!(answer["why"], "Wilma: the customer disputes it");
    }
    let preview = world.invoke(json!({"preview": true})).await.unwrap();
    assert_eq!(preview["previews"][0]["would_go"], 1);

    world.night(evening()).await;
    assert_eq!(world.in_xero().len(), 1);
    let next = evening() + SignedDuration::from_hours(24);
    world.clock.set(next);
    world.night(next).await;
    assert_eq!(world.state("P-0001").await, "held", "no night releases what a person holds");

    for payment in ["P-0001", "P-0002"] {
        world.invoke(order(&world, payment, "release")).await.unwrap();
    }
    let next = next + SignedDuration::from_hours(24);
    world.clock.set(next);
    world.night(next).await;
    assert_eq!(world.in_xero().len(), 3);
    let too_late = world.invoke(order(&world, "P-0001", "hold")).await.unwrap_err();
    assert!(too_late.contains("payment P-0001 is uploaded"), "{too_late}");
    let unknown = world.invoke(order(&world, "P-9", "hold")).await.unwrap_err();
    assert!(unknown.contains("no payment P-9"), "{unknown}");
}

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
    assert_eq!(actions(&world).await, ["customer_blocked"]);

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
    assert_eq!(actions(&world).await, ["customer_blocked", "customer_unblocked"]);
    let next = next + SignedDuration::from_hours(24);
    world.clock.set(next);
    world.night(next).await;
    assert_eq!(world.state("P-0001").await, "uploaded");
}

/// What the log says of customers.
async fn actions(world: &World) -> Vec<String> {
    let rows = harness::dynamodb::rows(&world.direct, "activity").await;
    let mut actions: Vec<_> = rows
        .into_iter()
        .map(|row| row["action"].clone())
        .filter(|action| action.starts_with("customer"))
        .collect();
    actions.sort_unstable();
    actions
}

#[tokio::test]
async fn an_action_about_a_customer_that_nobody_has_reported_is_open_all_the_same() {
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
async fn a_time_in_the_future_or_long_past_runs_no_night() {
    let world = World::new().await;
    world.bpay_payments(1).await;
    for hours in [1, -25] {
        let night = world.night(evening() + SignedDuration::from_hours(hours)).await;
        assert_eq!(night["outcome"], "not_now", "{night}");
    }
    assert!(world.in_xero().is_empty());
    // A schedule that comes late still runs its own night.
    world.clock.advance(SignedDuration::from_hours(12));
    let night = world.night(evening()).await;
    assert_eq!((&night["night"], &night["outcome"]), (&json!("2026-03-02"), &json!("finished")));
}

#[tokio::test]
async fn a_night_that_was_missed_is_caught_up_with_once() {
    let world = World::new().await;
    world.bpay_payments(1).await;
    world.clock.advance(SignedDuration::from_hours(-1));
    let early = world.invoke(json!({"catch_up": true})).await.unwrap();
    assert_eq!(early["nights"], json!([]), "it is nine in the evening, and due at ten");

    world.clock.advance(SignedDuration::from_hours(2));
    let answer = world.invoke(json!({"catch_up": true})).await.unwrap();
    assert_eq!(answer["nights"][0]["night"], "2026-03-02");
    assert_eq!(world.in_xero().len(), 1);
    let again = world.invoke(json!({"catch_up": true})).await.unwrap();
    assert_eq!(again["nights"], json!([]));
}

#[tokio::test]
async fn the_same_order_by_another_person_with_another_reason_is_in_the_log_as_well() {
    let world = World::new().await;
    world.bpay_payments(1).await;
    let ordered = |by: &str, why: &str, order: &str| {
        json!({"organisation": world.organisation(), "payment": "P-0001", "order": order,
            "by": by, "why": why})
    };
    for order in ["hold", "do_not_send"] {
        for (by, why) in [("Ada", "the bank asks"), ("Bea", "a cheque came back")] {
            let answer = world.invoke(ordered(by, why, order)).await.unwrap();
            assert_eq!(answer["recorded"], true, "{answer}");
            world.clock.advance(SignedDuration::from_secs(1));
            let rows = harness::dynamodb::rows(&world.direct, "activity").await;
            let said = format!("{by}: {why}");
            let action = if order == "hold" { "upload_held" } else { "upload_skipped" };
            let of_it = rows.iter().filter(|row| row["action"] == action && row["why"] == said);
            assert_eq!(of_it.count(), 1, "{order} by {by}");
        }
    }
    // The same words once more change nothing, and the answer does not claim a row.
    let again = world.invoke(ordered("Bea", "a cheque came back", "do_not_send")).await.unwrap();
    assert_eq!(again["recorded"], false, "{again}");
    let enable = json!({"organisation": world.organisation(), "enable_uploads": true,
        "by": "Ada", "why": "it is a new month"});
    assert_eq!(world.invoke(enable).await.unwrap()["recorded"], false, "they were on");
}

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
    assert_eq!(actions(&world).await, ["customer_blocked"]);
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
    assert_eq!(actions(&world).await, ["customer_blocked", "customer_unblocked"]);
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
    let told = async || {
        let rows = world.rows("messages").await;
        let rows = rows.iter().filter(|row| row["subject"] == "held");
        rows.map(|row| (row["kind"].clone(), row["why"].clone())).collect::<Vec<_>>()
    };
    world.night(evening()).await;
    let [(kind, why)] = &told().await[..] else { panic!("{:?}", told().await) };
    assert_eq!(kind, "NO_PREPAYMENT_ACCOUNT");
    assert!(why.starts_with("3 on hold. ") && why.contains("What to do: "), "{why}");

    world.settings(|_| {}).await;
    let next = evening() + SignedDuration::from_hours(24);
    world.clock.set(next);
    world.night(next).await;
    assert_eq!(world.state("P-1").await, "uploaded");
    assert_eq!(told().await, [], "no message is left of a hold that is over");
}

#[tokio::test]
async fn a_night_that_fails_is_known_until_the_next_good_one() {
    // AMB-36, A7.3
    let world = World::new().await;
    world.bpay_payments(1).await;
    let failed = async || {
        let row = world.tables.connection(world.organisation()).await.unwrap();
        let runs = row.map(|row| row.failed_runs).unwrap_or_default();
        runs.iter().map(|run| format!("{} {}", run.work, run.class)).collect::<Vec<_>>()
    };
    let refused = |method, path| {
        let effect = Effect::Status { status: 403, headers: vec![], body: String::new() };
        world.simulator.inject(Fault::on(method, path, effect));
    };
    // The run ends in good order and is tried again every hour; all the same nothing went up.
    refused("PUT", "/Payments");
    let _ = world.invoke(json!({"scheduled_time": evening()})).await;
    assert_eq!(failed().await, ["night Authentication"]);
    world.simulator.clear_faults();
    world.night(evening()).await;
    assert_eq!(failed().await, [""; 0]);

    refused("GET", "/Invoices");
    world.bpay_payments_named("B", 1).await;
    let next = evening() + SignedDuration::from_hours(24);
    world.clock.set(next);
    let _ = world.invoke(json!({"scheduled_time": next})).await;
    assert_eq!(failed().await, ["night Authentication"]);
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
