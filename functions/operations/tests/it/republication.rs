//! What the stream has given up is announced again, on the word of a person.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::{Value, json};

use worlds::announce::{World, another, now, organisation, record};
use worlds::every_event::Everything;

fn wish(more: &Value) -> Value {
    let mut wish = json!({"organisation": organisation(), "by": "Wilma", "why": "the bus was down",
        "from": "2026-11-23T00:00:00Z", "to": "2026-11-23T02:00:00Z"});
    for (name, value) in more.as_object().unwrap() {
        wish[name] = value.clone();
    }
    json!({ "announce_again": wish })
}

async fn ask(world: &World, more: &Value) -> Value {
    world.ask(wish(more)).await.unwrap()["announce_again"].clone()
}

/// A row that announces something, of this moment.
fn row(number: u32, at: &str) -> Value {
    let day = format!("{}/{}", organisation(), &at[..10]);
    record(number, &json!({"at": {"S": format!("{at}#10234#{number}-0")}, "day": {"S": day}}))
}

fn ids(heard: &[(String, Value)]) -> BTreeSet<String> {
    heard.iter().map(|(kind, detail)| format!("{kind} {detail}")).collect()
}

/// The same events, to the letter: a reader who has them already drops them by their ids (EX-24).
#[tokio::test]
async fn every_event_is_sent_again_as_the_first_time_ex_24() {
    let world = World::new().await;
    Everything(&world).happens().await;
    let first = world.announce().await;
    let from = json!({"from": "2026-11-20T00:00:00Z", "to": "2026-11-26T00:00:00Z"});
    let answer = ask(&world, &from).await;
    let again = world.heard().split_off(first.len());
    assert_eq!(ids(&again), ids(&first));
    assert_eq!(again.len(), first.len());
    let log = world.log().await;
    // With the row of the order itself.
    let rows = answer["rows"].as_u64().unwrap();
    assert_eq!(rows, u64::try_from(log.len()).unwrap());
    assert_eq!((&answer["announced"], &answer["complete"]), (&json!(first.len()), &json!(true)));
    assert_eq!((&answer["failed"], &answer["unreadable"]), (&json!(0), &json!(0)));
    assert_eq!(answer["not_announced"]["announced_again"], 1);
    let events = answer["events"].as_object().unwrap().values();
    assert_eq!(
        events.map(|count| count.as_u64().unwrap()).sum::<u64>(),
        u64::try_from(first.len()).unwrap()
    );
    assert!(answer.get("next").is_none() && answer.get("problem").is_none(), "{answer}");
}

/// Who wanted it stands in the log, and the stream announces nothing of it: else it would go round for ever.
#[tokio::test]
async fn the_order_is_a_row_that_announces_nothing() {
    let world = World::new().await;
    world.put(&row(1, "2026-11-23T01:00:00.000000Z")).await;
    for _ in 0..2 {
        assert_eq!(ask(&world, &json!({})).await["announced"], 1);
    }
    let heard = world.heard().len();
    let orders: Vec<_> = world
        .stream()
        .into_iter()
        .filter(|row| row.to_string().contains("announced_again"))
        .collect();
    assert!(!orders.is_empty());
    assert!(orders[0].to_string().contains("Wilma"), "{}", orders[0]);
    world.hand_over(&orders).await.unwrap();
    assert_eq!(world.heard().len(), heard);
}

#[tokio::test]
async fn a_look_counts_and_sends_nothing_and_writes_nothing() {
    let world = World::new().await;
    world.put(&row(1, "2026-11-23T01:00:00.000000Z")).await;
    let answer = ask(&world, &json!({"preview": true})).await;
    assert_eq!((&answer["preview"], &answer["announced"]), (&json!(true), &json!(1)));
    assert_eq!(world.bus.calls(), 0);
    assert_eq!(world.log().await.len(), 1);
}

/// Both moments are included, and days are gone through one after the other.
#[tokio::test]
async fn only_events_of_these_hours_and_of_that_organisation_are_sent_n8() {
    let world = World::new().await;
    for (number, at) in [
        (1, "2026-11-22T22:59:59.999999Z"),
        (2, "2026-11-22T23:00:00.000000Z"),
        (3, "2026-11-23T05:00:00.000000Z"),
        (4, "2026-11-25T01:00:00.000000Z"),
        (5, "2026-11-25T01:00:00.000001Z"),
    ] {
        world.put(&row(number, at)).await;
    }
    let mut theirs = row(6, "2026-11-23T05:00:00.000000Z");
    let image = &mut theirs["dynamodb"]["NewImage"];
    image["organisation"] = json!({"S": another().to_string()});
    image["day"] = json!({"S": format!("{}/2026-11-23", another())});
    world.put(&theirs).await;
    let hours = json!({"from": "2026-11-22T23:00:00Z", "to": "2026-11-25T01:00:00Z"});
    ask(&world, &hours).await;
    assert_eq!(world.numbers(), [2, 3, 4]);
}

/// More rows than one invocation takes, or than there is time for: it goes on where it stopped.
#[tokio::test]
async fn what_is_left_goes_on_where_it_stopped() {
    let world = World::new().await;
    for number in 0..2_150 {
        let (day, ms) = (23 + number / 1_100, number);
        world.put(&row(number, &format!("2026-11-{day}T01:00:00.{ms:06}Z"))).await;
    }
    let hours = json!({"from": "2026-11-23T00:00:00Z", "to": "2026-11-24T02:00:00Z"});
    let first = ask(&world, &hours).await;
    assert_eq!((&first["announced"], &first["complete"]), (&json!(2_000), &json!(false)));
    let mut rest = hours.clone();
    rest["next"] = first["next"].clone();
    let second = ask(&world, &rest).await;
    assert_eq!((&second["announced"], &second["complete"]), (&json!(150), &json!(true)));
    let mut numbers = world.numbers();
    assert!(numbers.is_sorted());
    numbers.dedup();
    assert_eq!(numbers.len(), 2_150);

    // No time at all: nothing is done, and it says so.
    let soon = now() + SignedDuration::from_secs(5);
    let answer = world.ask_until(wish(&rest), soon).await.unwrap()["announce_again"].clone();
    assert_eq!((&answer["announced"], &answer["complete"]), (&json!(0), &json!(false)));
    assert_eq!(answer["next"], rest["next"]);
}

#[tokio::test]
async fn a_failure_of_the_bus_is_reported_and_the_next_command_goes_on_from_there() {
    let world = World::new().await;
    for number in 0..5 {
        world.put(&row(number, &format!("2026-11-23T01:00:00.00000{number}Z"))).await;
    }
    world.bus.accept_next(2);
    let answer = ask(&world, &json!({})).await;
    assert_eq!((&answer["announced"], &answer["failed"]), (&json!(2), &json!(3)));
    assert!(answer["problem"].as_str().unwrap().contains("the test said so"), "{answer}");
    assert!(answer["next"].as_str().unwrap().ends_with("#1-0"), "{answer}");
    let answer = ask(&world, &json!({"next": answer["next"]})).await;
    assert_eq!((&answer["announced"], &answer["complete"]), (&json!(3), &json!(true)));
    assert_eq!(world.numbers(), [0, 1, 2, 3, 4]);

    // Nothing at all is on the bus: there is nothing behind which to go on.
    world.bus.accept_next(0);
    let answer = ask(&world, &json!({})).await;
    assert_eq!((&answer["complete"], answer.get("next")), (&json!(false), None));
    // One that the bus will never take holds nothing up.
    world.bus.refuse_next(1);
    let answer = ask(&world, &json!({})).await;
    assert_eq!((&answer["announced"], &answer["complete"]), (&json!(4), &json!(true)));
    assert!(answer["refused"][0].as_str().unwrap().ends_with("#1-0"), "{answer}");
}

#[tokio::test]
async fn rows_that_cannot_be_read_are_named_by_their_keys_alone_n9() {
    let world = World::new().await;
    let at = |number: u32| format!("2026-11-23T01:00:00.00000{number}Z");
    let with = |number: u32, name: &str, value: &str| {
        let mut row = row(number, &at(number));
        row["dynamodb"]["NewImage"][name] = json!({"S": value});
        row
    };
    for bad in [
        with(1, "action", "canonised"),
        with(2, "organisation", "canary"),
        with(3, "action", "imported"),
        with(4, "action", "recorded"),
        with(5, "why", "more than 100"),
    ] {
        world.put(&bad).await;
    }
    let answer = ask(&world, &json!({})).await;
    assert_eq!(world.numbers(), [5]);
    assert_eq!(answer["unreadable"], 3);
    let keys = answer["unreadable_rows"].to_string();
    assert!(keys.contains("#10234#1-0") && keys.contains("#10234#3-0"), "{keys}");
    assert_eq!(answer["not_announced"]["recorded"], 1);
    assert!(!answer.to_string().contains("canary"), "{answer}");
}
