//! Orders about payments, and the plan of a night.

use harness::dynamodb::everything;
use jiff::SignedDuration;
use serde_json::{Value, json};
use worlds::upload::{World, evening};

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
