//! Feeds that have not reported are noticed by the fact (CC-22, CC-24, CC-27).

use payments::feed::{FeedKind, FeedReport, FeedSchedule, FeedSettings};
use serde_json::json;

use crate::world::World;

fn report(world: &World, revision: u64, day: &str) -> FeedReport {
    FeedReport {
        organisation: world.organisation(),
        source: "main-bank".to_owned(),
        revision,
        from: day.parse().unwrap(),
        to: day.parse().unwrap(),
        imported: 0,
        errors: 0,
        problem: None,
        not_published: false,
        reported_at: world.now(),
    }
}

/// The messages about feeds after the hourly check.
async fn messages(world: &World) -> Vec<String> {
    world.invoke(json!({"check": true})).await.unwrap();
    let rows = world.rows("messages").await.into_iter();
    let mut of_feeds: Vec<_> = rows
        .filter(|row| row["kind"].starts_with("FEED_") || row["kind"] == "SOURCE_NOT_READY")
        .map(|row| format!("{} {}", row["kind"], row["why"]))
        .collect();
    of_feeds.sort();
    of_feeds
}

#[tokio::test]
async fn a_feed_that_is_late_missing_or_failing_is_a_message_and_one_not_published_is_no_error() {
    // CC-22, CC-24, CC-27
    let world = World::new().await;
    let feed = FeedSchedule {
        source: "main-bank".to_owned(),
        kind: FeedKind::BankFeed,
        name: Some("Main bank".to_owned()),
        due_at: FeedSchedule::DUE_AT,
    };
    let feeds = FeedSettings { feeds: vec![feed], mistakes: Vec::new() };
    world.settings(|settings| settings.feeds = feeds).await;
    let said = messages(&world).await;
    assert!(said[0].starts_with("FEED_LATE Main bank has never reported"), "{said:?}");

    // It is Monday 2 March, noon in Sydney: Sunday is due since six, and an empty import is one.
    let mut known = report(&world, 1, "2026-02-28");
    world.tables.store_feed_report(None, &known, world.now()).await.unwrap();
    let said = messages(&world).await;
    assert!(said[0].starts_with("FEED_LATE Main bank has not reported 2026-03-01"), "{said:?}");
    let mut next = report(&world, 2, "2026-03-01");
    world.tables.store_feed_report(Some(&known), &next, world.now()).await.unwrap();
    assert_eq!(messages(&world).await, [""; 0]);

    known = next;
    next = FeedReport { not_published: true, revision: 3, ..known.clone() };
    world.tables.store_feed_report(Some(&known), &next, world.now()).await.unwrap();
    let said = messages(&world).await;
    assert!(said.len() == 1 && said[0].starts_with("SOURCE_NOT_READY"), "{said:?}");

    known = next;
    next = FeedReport { not_published: false, errors: 2, revision: 4, ..known.clone() };
    world.tables.store_feed_report(Some(&known), &next, world.now()).await.unwrap();
    let said = messages(&world).await;
    assert!(said.len() == 1 && said[0].contains("2 receipts could not be imported"), "{said:?}");
}

#[tokio::test]
async fn feeds_that_make_no_sense_are_named_and_stop_nothing() {
    // CC-27
    let world = World::new().await;
    world.settings(|_| {}).await;
    let wrong = aws_sdk_dynamodb::types::AttributeValue::S("the bank".to_owned());
    let id = aws_sdk_dynamodb::types::AttributeValue::S(world.tenant.to_string());
    let update = world.direct.update_item().table_name("organisations").key("organisation", id);
    let update = update.update_expression("SET feeds = :wrong");
    update.expression_attribute_values(":wrong", wrong).send().await.unwrap();
    let said = messages(&world).await;
    assert!(said.len() == 1 && said[0].starts_with("FEED_SETTINGS"), "{said:?}");
    assert_eq!(world.sweep().await["outcome"], "finished");
}
