//! Business days are closed on a person's order (SP-13), and the hourly check sees a close that does not come (SP-20).

use aws_sdk_dynamodb::types::AttributeValue;
use host::telemetry;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::world::World;

/// A Tuesday, after the end of the day at 18:00 in Sydney.
const AFTER_THE_END: &str = "2026-03-03T07:20:00Z";

/// What these stories ask of their world.
trait Days {
    fn it_is(&self, moment: &str);
    /// The reply to the command `close`, as a page or a command line gives it.
    async fn close(&self, day: Option<&str>, attribution: Value) -> Result<Value, String>;
    async fn check_connections(&self);
    /// The messages about closes that are overdue.
    async fn overdue(&self) -> Vec<String>;
}

impl Days for World {
    fn it_is(&self, moment: &str) {
        let moment: jiff::Timestamp = moment.parse().unwrap();
        self.clock.advance(moment.duration_since(self.now()));
    }

    async fn close(&self, day: Option<&str>, attribution: Value) -> Result<Value, String> {
        let mut fields = json!({"organisation": self.tenant});
        if let Some(day) = day {
            fields["day"] = day.into();
        }
        let event = json!({"command": {"close": fields}, "attribution": attribution});
        let deadline = self.now() + SignedDuration::from_mins(5);
        let reply = self.operations().handle(&event, deadline).await;
        let reply = reply.map_err(|error| telemetry::chain(&error))?;
        Ok(serde_json::to_value(reply).unwrap())
    }

    async fn check_connections(&self) {
        let event = json!({"scheduled_time": self.now(), "check": true});
        self.invoke(event).await.unwrap();
    }

    async fn overdue(&self) -> Vec<String> {
        let messages = self.rows("messages").await.into_iter();
        messages
            .filter(|row| row["kind"] == "CLOSE_OVERDUE")
            .map(|row| row["why"].clone())
            .collect()
    }
}

fn ada() -> Value {
    json!({"by": "Ada", "reason": "the schedule was off"})
}

/// A person has the days closed that are due, and a day again, by name and reason; the log says who it was (SP-13).
#[tokio::test]
async fn days_are_closed_and_closed_again_on_a_persons_order() {
    let world = World::new().await;
    world.both("10031").await;
    world.it_is(AFTER_THE_END);

    let reply = world.close(None, ada()).await.unwrap();

    let close = &reply["closes"][0];
    assert_eq!((&close["day"], &close["outcome"]), (&json!("2026-03-03"), &json!("closed")));
    assert_eq!(reply["recorded"], true);
    let again = world.close(Some("2026-03-03"), ada()).await.unwrap();
    assert_eq!(again["closes"][0]["outcome"], "unchanged", "{again}");
    let days = world.rows("closes").await;
    assert_eq!(days.iter().filter(|row| row["close"].starts_with("day#")).count(), 1);
    let log = world.rows("activity").await;
    let ordered: Vec<_> = log.iter().filter(|row| row["action"] == "close_ordered").collect();
    assert_eq!(ordered.len(), 2);
    assert!(ordered.iter().all(|row| row["by"] == "Ada" && row["why"] == "the schedule was off"));
    assert!(ordered.iter().any(|row| row["subject"] == "2026-03-03"), "{ordered:?}");
}

/// What cannot be closed is said with its reason, and nothing is closed without a name or of a stranger.
#[tokio::test]
async fn a_close_that_makes_no_sense_is_refused_with_its_reason() {
    let world = World::new().await;
    world.it_is(AFTER_THE_END);
    let sunday = world.close(Some("2026-03-01"), ada()).await.unwrap();
    let problem = sunday["closes"][0]["problem"].as_str().unwrap().to_owned();
    assert!(problem.contains("no business day"), "{problem}");
    let early = world.close(Some("2026-03-04"), ada()).await.unwrap();
    let problem = early["closes"][0]["problem"].as_str().unwrap().to_owned();
    assert!(problem.contains("still to come"), "{problem}");
    assert!(world.rows("closes").await.is_empty());
    world.close(Some("2026-03-03"), json!({"by": "", "reason": ""})).await.unwrap_err();
    let wrong = world.close(Some("the third"), ada()).await.unwrap_err();
    assert!(!wrong.contains("the third"), "{wrong}");
    let deadline = world.now() + SignedDuration::from_mins(5);
    let stranger = json!({"command": {"close": {"organisation": uuid::Uuid::from_u128(7)}}, "attribution": ada()});
    let refused = world.operations().handle(&stranger, deadline).await.unwrap_err();
    assert!(refused.to_string().contains("not set up"), "{refused}");
}

/// The function that closes days cannot say that its schedule does not come: the hourly check does, until the day is
/// closed (SP-13, SP-20).
#[tokio::test]
async fn a_close_that_does_not_come_is_seen_by_the_hourly_check() {
    let world = World::new().await;
    world.it_is(AFTER_THE_END);
    world.close(None, ada()).await.unwrap();
    // The next day ends at 18:00, and is late two hours later.
    world.it_is("2026-03-04T09:00:00Z");
    world.check_connections().await;
    assert!(world.overdue().await.is_empty());
    world.it_is("2026-03-04T09:00:01Z");
    world.check_connections().await;
    let said = world.overdue().await;
    assert!(said.len() == 1 && said[0].contains("2026-03-04"), "{said:?}");

    world.close(None, ada()).await.unwrap();
    world.check_connections().await;
    assert!(world.overdue().await.is_empty());
    // On a weekend no close is due.
    world.it_is("2026-03-06T07:20:00Z");
    world.close(None, ada()).await.unwrap();
    world.it_is("2026-03-08T12:00:00Z");
    world.check_connections().await;
    assert!(world.overdue().await.is_empty());
}

/// Settings of the close that make no sense stop nothing: the others hold, and a message says what is wrong until it is
/// corrected (SP-13).
#[tokio::test]
async fn nonsense_in_the_settings_of_the_close_stops_nothing_and_is_said() {
    let world = World::new().await;
    let holidays = ["2026-03-03", "the day after"].map(|day| AttributeValue::S(day.to_owned()));
    let set = |name: &'static str, value: AttributeValue| {
        let update = world.direct.update_item().table_name("organisations");
        update
            .key("organisation", AttributeValue::S(world.tenant.to_string()))
            .update_expression("SET #name = :value")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":value", value)
            .send()
    };
    set("holidays", AttributeValue::L(holidays.to_vec())).await.unwrap();
    set("close_at", AttributeValue::S("03:00".to_owned())).await.unwrap();
    world.it_is("2026-03-04T07:20:00Z");
    let reply = world.close(None, ada()).await.unwrap();
    // The day that can be read is a holiday.
    assert_eq!(reply["closes"][0]["day"], "2026-03-04", "{reply}");
    assert_eq!(
        world.close(Some("2026-03-03"), ada()).await.unwrap()["closes"][0]["outcome"],
        "failed"
    );
    world.sweep().await;
    let kind = async || {
        world.check_connections().await;
        let rows = world.rows("messages").await.into_iter();
        rows.filter(|row| row["kind"] == "CLOSE_SETTINGS")
            .map(|row| row["why"].clone())
            .collect::<Vec<_>>()
    };
    let said = kind().await;
    assert_eq!(said.len(), 1);
    for words in ["close_at is no time", "1 of the holidays are no days"] {
        assert!(said[0].contains(words), "{said:?}");
    }
    world.settings(|_| {}).await;
    assert!(kind().await.is_empty());
}

/// Where no day was ever closed, that is seen once the organisation is certified for hours; not a moment after it was
/// signed up (SP-13).
#[tokio::test]
async fn an_organisation_that_was_never_closed_is_seen_as_well() {
    let world = World::new().await;
    world.it_is("2026-03-04T19:00:00Z");
    world.check_connections().await;
    assert!(world.overdue().await.is_empty());
    let event = json!({"scheduled_time": world.now(), "certify": true});
    world.invoke(event).await.unwrap();
    world.clock.advance(SignedDuration::from_hours(3));
    world.check_connections().await;
    let said = world.overdue().await;
    assert!(said.len() == 1 && said[0].contains("2026-03-04"), "{said:?}");
}
