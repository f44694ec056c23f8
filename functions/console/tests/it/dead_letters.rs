//! What queues have given up.

use console::roles::Role;
use invoker::InvokeError;
use serde_json::{Value, json};

use crate::html::{assert_harmless, text};
use crate::world::{ORGANISATION, command, well};

fn looked(queue: &str, count: usize, left: usize) -> Value {
    let letter = |n: usize| {
        json!({"message": format!("{queue}-{n}"), "organisation": ORGANISATION, "kind": "invoices",
            "subject": "webhook", "invoices": ["3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10"],
            "sent_at": "2026-11-24T11:30:00Z", "kept_until": "2026-12-08T11:30:00Z", "receives": 6})
    };
    let letters: Vec<_> = (0..count).map(letter).collect();
    json!({"redrive": {"queue": queue, "preview": true, "redriven": 0, "left": left,
        "letters": letters}, "recorded": false})
}

#[tokio::test]
async fn nobody_looks_because_a_page_is_open() {
    // ST-22
    let world = well().await;
    for role in Role::ALL.iter().copied() {
        let html = world.page(role, json!({"page": "dead_letters"})).await;
        assert_harmless(&html);
        let said = text(&html);
        for queue in ["changes", "intake", "uploads", "schedules", "events"] {
            assert!(said.contains(&format!("{queue} not looked at")), "{queue}: {said}");
        }
        let viewer = role == Role::Viewer;
        assert_eq!(said.contains("is for operators to look at"), viewer, "{said}");
        assert_eq!(said.contains("OperatorPolicy"), viewer, "{said}");
        assert_eq!(html.contains("look_at_dead_letters"), !viewer, "{html}");
        // Messages that were not looked at are not sent again.
        assert!(!html.contains("&#34;redrive&#34;"), "{html}");
    }
    assert!(world.asked().is_empty());
}

#[tokio::test]
async fn a_look_says_what_is_in_a_queue_and_what_may_be_done() {
    let world = well().await;
    world.answers(Ok(looked("changes", 60, 75)));
    let event =
        json!({"page": "dead_letters", "order": "look_at_dead_letters", "queue": "changes"});
    let html = world.press_as(Role::Operator, event, "", "").await;
    assert_harmless(&html);
    let said = text(&html);
    for words in [
        "changes ▲ 75 in it",
        "changes-49",
        "invoices, webhook, 3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10",
        "2026-11-24 22:30 AEDT (1 day 0 h ago) 2026-12-08 22:30 AEDT (in 13 days 0 h) 6 times",
        "There are more than are shown here.",
        "intake not looked at",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("changes-50"), "{said}");
    assert_eq!(html.matches("&#34;order&#34;:&#34;redrive&#34;").count(), 1, "{html}");
    assert_eq!(html.matches("&#34;order&#34;:&#34;discard&#34;").count(), 50, "{html}");
    let look = json!({"queue": "changes"});
    assert_eq!(world.asked(), [json!({"command": {"look_at_dead_letters": look}})]);
    assert!(world.rows("activity").await.is_empty(), "a look leaves no row");
}

#[tokio::test]
async fn what_can_only_be_discarded_is_not_offered_to_be_sent_again() {
    let world = well().await;
    world.answers(Ok(looked("schedules", 1, 1)));
    let event =
        json!({"page": "dead_letters", "order": "look_at_dead_letters", "queue": "schedules"});
    let html = world.press(Role::Operator, event).await;
    assert!(!html.contains("&#34;redrive&#34;") && html.contains("&#34;discard&#34;"), "{html}");
}

#[tokio::test]
async fn a_look_at_all_of_them_asks_for_each_and_says_which_failed() {
    let world = well().await;
    // The others do not answer.
    world.answers(Ok(looked("changes", 0, 0)));
    let event = json!({"page": "dead_letters", "order": "look_at_dead_letters"});
    let said = text(&world.press(Role::Operator, event).await);
    assert!(said.contains("changes ✔ 0 in it") && said.contains("▲ intake: "), "{said}");
    let queue = |event: Value| event["command"]["look_at_dead_letters"]["queue"].clone();
    let asked: Vec<_> = world.asked().into_iter().map(queue).collect();
    assert_eq!(asked, ["changes", "intake", "uploads", "schedules", "events"]);
}

#[tokio::test]
async fn sending_again_and_discarding_are_told_and_written_down_once() {
    let world = well().await;
    let redrive = json!({"page": "dead_letters", "order": "redrive", "queue": "changes"});
    world.answers(Ok(
        json!({"redrive": {"queue": "changes", "redriven": 3, "left": 0}, "recorded": true}),
    ));
    let said = text(&world.press(Role::Operator, redrive.clone()).await);
    assert!(said.contains("Done. 3 are on their queue again, 0 are left."), "{said}");
    assert_eq!(world.asked(), [command("redrive", json!({"queue": "changes"}))]);

    world.answers(Ok(
        json!({"discard": {"discarded": {"message": "m-1", "kind": "invoices", "receives": 3},
        "parked_under": "unknown", "left": 4}, "recorded": true}),
    ));
    let discard =
        json!({"page": "dead_letters", "order": "discard", "queue": "changes", "message": "m-1"});
    let said = text(&world.press(Role::Operator, discard.clone()).await);
    assert!(said.contains("The message is among what is parked; 4 are left."), "{said}");
    assert!(world.rows("activity").await.is_empty(), "the sweep has written it down");

    // Nothing was there: then only we know who wanted it.
    world.answers(Ok(
        json!({"redrive": {"queue": "changes", "redriven": 0, "left": 0}, "recorded": false}),
    ));
    world.press(Role::Operator, redrive.clone()).await;
    let rows = world.rows("activity").await;
    assert_eq!((rows[0]["order"].as_str(), rows[0]["what"].as_str()), ("redrive", "changes"));
    world.answers(Err(InvokeError::Failed("there is no message m-1".to_owned())));
    let said = text(&world.press(Role::Operator, discard.clone()).await);
    assert!(said.contains("▲ there is no message m-1"), "{said}");

    // ST-22, and no order without a reason.
    world.asked();
    for event in [redrive, discard] {
        let said = text(&world.press_as(Role::Operator, event.clone(), "Ada", "").await);
        assert!(said.contains("Enter a reason"), "{said}");
        let said = text(&world.press(Role::Viewer, event).await);
        assert!(said.contains("takes the role operator"), "{said}");
    }
    assert!(world.asked().is_empty());
}

/// A place in a stream that forgets is not sent again; the decisions of its hours are announced again.
#[tokio::test]
async fn what_was_not_announced_is_announced_again_by_its_hours() {
    let world = well().await;
    let mut answer = looked("events", 1, 1);
    let letter = &mut answer["redrive"]["letters"][0];
    letter["rows_from"] = json!("2026-11-24T01:00:00Z");
    letter["rows_to"] = json!("2026-11-24T01:05:01Z");
    world.answers(Ok(answer));
    let event = json!({"page": "dead_letters", "order": "look_at_dead_letters", "queue": "events"});
    let html = world.press(Role::Operator, event).await;
    assert_harmless(&html);
    assert!(!html.contains("&#34;redrive&#34;"), "{html}");
    assert!(text(&html).contains("have those of its hours announced again"), "{html}");
    // One for the letter, from an hour before it, and one for the last 24 hours.
    assert_eq!(html.matches("&#34;order&#34;:&#34;announce_again&#34;").count(), 2, "{html}");
    assert!(html.contains("&#34;from&#34;:&#34;2026-11-24T00:00:00Z&#34;"), "{html}");
    assert!(html.contains("&#34;to&#34;:&#34;2026-11-24T01:05:01Z&#34;"), "{html}");
    assert!(html.contains("&#34;from&#34;:&#34;2026-11-24T11:30:00Z&#34;"), "{html}");
    world.asked();

    let again = json!({"page": "dead_letters", "order": "announce_again",
        "from": "2026-11-24T00:00:00Z", "to": "2026-11-24T01:05:01Z"});
    world.answers(Ok(json!({"announce_again": {"announced": 2000, "failed": 0, "unreadable": 1,
        "not_announced": {"recorded": 3, "replayed": 4}, "complete": false, "next": "2026-11-24T00:30:00.000000Z#1#7-0"}, "recorded": true})));
    let html = world.press(Role::Operator, again.clone()).await;
    let said = text(&html);
    assert!(
        said.contains(
            "2000 events are on the bus again; 7 rows announce nothing; 1 cannot be read"
        ),
        "{said}"
    );
    assert!(said.contains("goes on where it stopped"), "{said}");
    assert!(html.contains("&#34;next&#34;:&#34;2026-11-24T00:30:00.000000Z#1#7-0&#34;"), "{html}");
    let wish = json!({"organisation": ORGANISATION, "from": "2026-11-24T00:00:00Z",
        "to": "2026-11-24T01:05:01Z"});
    assert_eq!(world.asked(), [command("announce_again", wish)]);
    assert!(world.rows("activity").await.is_empty(), "operations has recorded it");

    world.answers(Ok(json!({"announce_again": {"announced": 0, "failed": 9, "complete": false,
        "problem": "the call to the event bus failed"}, "recorded": true})));
    let html = world.press(Role::Operator, again.clone()).await;
    let said = text(&html);
    assert!(
        said.contains("goes on where it stopped"),
        "the same hours, from their beginning: {said}"
    );
    assert!(html.contains("&#34;from&#34;:&#34;2026-11-24T00:00:00Z&#34;"), "{html}");
    assert!(said.contains("▲ 0 events") && said.contains("9 failed: the call to"), "{said}");
    // ST-22
    world.asked();
    let said = text(&world.press(Role::Viewer, again).await);
    assert!(said.contains("takes the role operator"), "{said}");
    assert!(world.asked().is_empty());
}
