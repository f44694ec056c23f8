//! A bus that does not take everything.

use serde_json::{Value, json};

use crate::world::{World, record, records};

fn from(number: u32) -> Value {
    json!({"batchItemFailures": [{"itemIdentifier": (1000 + number).to_string()}]})
}

#[tokio::test]
async fn the_stream_comes_again_from_the_first_event_that_is_not_on_the_bus() {
    let world = World::new().await;
    world.bus.accept_next(2);
    assert_eq!(world.hand_over(&records(5)).await.unwrap(), from(2));
    // What Lambda does with that answer.
    world.hand_over(&records(5)[2..]).await.unwrap();
    assert!(world.numbers().into_iter().eq(0..5));
}

/// Rows without an event stand between those with one; the place is that of the row, not of the event.
#[tokio::test]
async fn the_place_is_that_of_the_row() {
    let world = World::new().await;
    let quiet = json!({"action": {"S": "recorded"}});
    let batch = [
        record(0, &quiet),
        record(1, &json!({})),
        record(2, &quiet),
        record(3, &json!({})),
        record(4, &quiet),
    ];
    world.bus.accept_next(1);
    assert_eq!(world.hand_over(&batch).await.unwrap(), from(3));
}

#[tokio::test]
async fn nothing_is_lost_when_an_event_in_the_middle_is_not_confirmed() {
    let world = World::new().await;
    world.bus.lose_next(3);
    assert_eq!(world.hand_over(&records(6)).await.unwrap(), from(3));
    world.hand_over(&records(6)[3..]).await.unwrap();
    let mut numbers = world.numbers();
    assert_eq!(numbers, [0, 1, 2, 4, 5, 3, 4, 5], "at least once, the rest of them twice");
    numbers.sort_unstable();
    numbers.dedup();
    assert!(numbers.into_iter().eq(0..6));
}

#[tokio::test]
async fn a_bus_that_takes_nothing_loses_nothing() {
    let world = World::new().await;
    for _ in 0..3 {
        world.bus.accept_next(0);
        assert_eq!(world.hand_over(&records(3)).await.unwrap(), from(0));
    }
    assert!(world.heard().is_empty());
    world.hand_over(&records(3)).await.unwrap();
    assert!(world.numbers().into_iter().eq(0..3));
}

#[tokio::test]
async fn an_event_that_the_bus_will_never_take_holds_nothing_up() {
    let world = World::new().await;
    world.bus.refuse_next(1);
    let answer = world.hand_over(&records(4)).await.unwrap();
    assert_eq!(answer, json!({"batchItemFailures": []}));
    assert_eq!(world.numbers(), [0, 2, 3]);
}

/// Lambda would take an answer without a place for "all done".
#[tokio::test]
async fn a_record_without_a_place_fails_the_whole_batch_before_anything_is_sent() {
    let world = World::new().await;
    for blank in [json!(""), json!(null)] {
        let mut batch = records(3);
        batch[1]["dynamodb"]["SequenceNumber"] = blank.clone();
        if blank.is_null() {
            batch[1]["dynamodb"].as_object_mut().unwrap().remove("SequenceNumber");
        }
        let error = world.hand_over(&batch).await.unwrap_err();
        assert!(error.contains("record 1 of 3"), "{error}");
    }
    assert_eq!(world.bus.calls(), 0);
}

#[tokio::test]
async fn an_event_of_the_stream_is_answered_and_one_of_another_shape_is_refused() {
    let world = World::new().await;
    let answer = world.ask(json!({"Records": [record(1, &json!({}))]})).await.unwrap();
    assert_eq!(answer, json!({"batchItemFailures": []}));
    let error = world.ask(json!({"announce": true})).await.unwrap_err();
    assert!(error.contains("`Records`"), "{error}");
}
