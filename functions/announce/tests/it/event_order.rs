//! Order, repetition, and more than one call holds.

use serde_json::json;

use crate::world::{World, record, records};

#[tokio::test]
async fn events_are_sent_in_the_order_of_their_decisions_however_many_there_are() {
    let world = World::new().await;
    assert_eq!(world.hand_over(&records(37)).await.unwrap(), json!({"batchItemFailures": []}));
    assert!(world.numbers().into_iter().eq(0..37));
}

#[tokio::test]
async fn a_row_that_comes_twice_is_announced_twice_under_the_same_id() {
    let world = World::new().await;
    for _ in 0..2 {
        world.hand_over(&records(1)).await.unwrap();
    }
    let heard = world.heard();
    assert_eq!(heard.len(), 2);
    assert_eq!(heard[0], heard[1]);
    let id =
        "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046/2026-11-23#2026-11-23T01:00:00.000000Z#10234#0-0";
    assert_eq!(heard[0].1["id"], id);
}

/// The log is only ever added to. A row that a person corrects, or takes away, is no new decision.
#[tokio::test]
async fn only_a_row_that_is_added_is_a_decision() {
    let world = World::new().await;
    let mut changed = record(1, &json!({}));
    changed["eventName"] = json!("MODIFY");
    let mut gone = record(2, &json!({}));
    gone["eventName"] = json!("REMOVE");
    gone["dynamodb"].as_object_mut().unwrap().remove("NewImage");
    world.hand_over(&[changed, gone, record(3, &json!({}))]).await.unwrap();
    assert_eq!(world.numbers(), [3]);
}

#[tokio::test]
async fn a_batch_without_announcements_makes_no_call() {
    let world = World::new().await;
    let quiet = json!({"action": {"S": "signed_up"}});
    world.hand_over(&[record(1, &quiet)]).await.unwrap();
    world.hand_over(&[]).await.unwrap();
    assert_eq!(world.bus.calls(), 0);
}
