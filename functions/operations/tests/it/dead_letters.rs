//! Dead-letter queues: looked at, sent again, discarded; and wherever the process ends, nothing is lost.

use std::collections::BTreeSet;

use harness::{CrashPoint, Moment};
use payments::sweep::SweepKind;
use serde_json::{Value, json};
use uuid::Uuid;

use worlds::sweep::World;

fn body(world: &World, n: u128) -> String {
    json!({
        "version": 1, "kind": "invoices", "organisation": world.tenant, "cause": "webhook",
        "accepted_at": world.now(), "invoices": [{"id": Uuid::from_u128(n)}],
    })
    .to_string()
}

/// So many changes that were not mirrored.
async fn dead(count: u128) -> (World, BTreeSet<String>) {
    let world = World::new().await;
    for n in 1..=count {
        world.queues.put("changes-dlq", &body(&world, n)).await;
    }
    let bodies = (1..=count).map(|n| body(&world, n)).collect();
    (world, bodies)
}

fn wish(name: &str, queue: &str, more: Value) -> Value {
    let mut wish = json!({"queue": queue, "by": "Ada", "why": "it is mended"});
    wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ name: wish })
}

async fn redrive(world: &World, queue: &str, more: Value) -> Value {
    world.invoke(wish("redrive", queue, more)).await.unwrap()["redrive"].clone()
}

async fn bodies(world: &World, queue: &str) -> BTreeSet<String> {
    world.queues.bodies(queue).await.into_iter().collect()
}

#[tokio::test]
async fn a_look_lists_the_dead_letters_and_leaves_them_all() {
    let (world, all) = dead(12).await;

    let look = redrive(&world, "changes", json!({"preview": true})).await;

    assert_eq!((&look["redriven"], &look["left"]), (&json!(0), &json!(12)), "{look}");
    let letters = look["letters"].as_array().unwrap();
    assert_eq!(letters.len(), 12);
    for letter in letters {
        assert_eq!(letter["organisation"], json!(world.tenant), "{letter}");
        assert_eq!((&letter["kind"], &letter["receives"]), (&json!("invoices"), &json!(1)));
        let [sent_at, kept_until] = ["sent_at", "kept_until"]
            .map(|name| letter[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap());
        assert_eq!(kept_until.duration_since(sent_at).as_hours(), 14 * 24);
        assert!(letter["invoices"][0].is_string());
    }
    assert_eq!(bodies(&world, "changes-dlq").await, all, "can be had at once, by anybody");
    assert!(bodies(&world, "changes").await.is_empty());
    assert!(world.rows("parked").await.is_empty() && world.rows("activity").await.is_empty());
}

#[tokio::test]
async fn everything_is_sent_to_its_queue_again_and_recorded() {
    let (world, all) = dead(12).await;
    let reported = world.queues.put("intake-dlq", "not to be touched").await;

    let done = redrive(&world, "changes", json!({})).await;

    assert_eq!((&done["redriven"], &done["left"]), (&json!(12), &json!(0)), "{done}");
    assert!(done.get("problem").is_none(), "{done}");
    assert_eq!(bodies(&world, "changes").await, all);
    assert!(bodies(&world, "changes-dlq").await.is_empty());
    assert_eq!(world.queues.seen("intake-dlq").await[0].id, reported);
    let log = world.rows("activity").await;
    assert_eq!(log.len(), 12);
    for row in log {
        let by_whom = (row["action"].as_str(), row["by"].as_str(), row["why"].as_str());
        assert_eq!(by_whom, ("redriven", "Ada", "it is mended"));
        assert_eq!(
            (row["reason"].as_str(), &row["organisation"]),
            ("changes", &world.tenant.to_string())
        );
    }
    // There is nothing more, and asking is no mistake.
    let none = redrive(&world, "changes-dlq", json!({})).await;
    assert_eq!((&none["redriven"], &none["left"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn wherever_a_redrive_ends_nothing_is_lost_and_the_next_one_goes_on() {
    let mut killed = 0;
    for call in 1.. {
        let mut reached = false;
        for moment in [Moment::Before, Moment::After] {
            let (world, all) = dead(2).await;
            world.post.hide_nothing();
            let crash_point = CrashPoint::at_effect(call, moment);
            world.end_with(&crash_point);
            let ended = crash_point.run(redrive(&world, "changes", json!({}))).await;
            reached |= ended.is_none();
            killed += usize::from(ended.is_none());
            world.end_with(&CrashPoint::counting());
            let mut somewhere = bodies(&world, "changes").await;
            somewhere.extend(bodies(&world, "changes-dlq").await);
            assert_eq!(somewhere, all, "killed {moment:?} call {call}");

            redrive(&world, "changes", json!({})).await;

            // One that is there twice is mirrored once.
            assert_eq!(bodies(&world, "changes").await, all, "killed {moment:?} call {call}");
            assert!(bodies(&world, "changes-dlq").await.is_empty());
            let reported: BTreeSet<_> =
                world.rows("activity").await.iter().map(|row| row["subject"].clone()).collect();
            assert_eq!(reported.len(), 2, "killed {moment:?} call {call}");
        }
        if !reached {
            break;
        }
    }
    assert_eq!(killed, 12, "sent, recorded, taken out: two messages, before and after each");
}

#[tokio::test]
async fn what_a_queue_does_not_take_can_be_had_at_once() {
    let (world, all) = dead(3).await;
    world.post.refuse(true);

    let done = redrive(&world, "changes", json!({})).await;

    assert_eq!((&done["redriven"], &done["left"]), (&json!(0), &json!(3)), "{done}");
    assert!(done["problem"].as_str().unwrap().contains("still where it was"), "{done}");
    assert_eq!(bodies(&world, "changes-dlq").await, all);
}

#[tokio::test]
async fn what_there_is_no_time_for_is_left_and_said() {
    let (world, all) = dead(3).await;
    let event = wish("redrive", "changes", json!({}));
    let done = world.invoke_until(event, world.now()).await.unwrap()["redrive"].clone();
    assert_eq!((&done["redriven"], &done["left"]), (&json!(0), &json!(3)), "{done}");
    assert_eq!(bodies(&world, "changes-dlq").await, all);
}

#[tokio::test]
async fn one_is_discarded_and_kept_with_who_and_why() {
    let (world, _) = dead(3).await;
    let seen = world.queues.seen("changes-dlq").await;
    let (first, others) = seen.split_first().unwrap();

    let event = wish("discard", "changes", json!({"message": first.id}));
    let done = world.invoke(event.clone()).await.unwrap()["discard"].clone();

    assert_eq!((&done["discarded"]["message"], &done["left"]), (&json!(first.id), &json!(2)));
    assert_eq!(done["parked_under"], json!(world.tenant));
    let left: BTreeSet<_> = others.iter().map(|other| other.body.clone()).collect();
    assert_eq!(bodies(&world, "changes-dlq").await, left, "the others can be had at once");
    assert!(bodies(&world, "changes").await.is_empty());
    let rows = world.rows("parked").await;
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!((row["reason"].as_str(), row["queue"].as_str()), ("discarded", "changes"));
    assert_eq!((row["discarded_by"].as_str(), row["why"].as_str()), ("Ada", "it is mended"));
    assert_eq!(row["body"], first.body);
    let log = world.rows("activity").await;
    assert_eq!((log.len(), log[0]["action"].as_str()), (1, "discarded"));

    let again = world.invoke(event).await.unwrap_err();
    assert!(again.contains("no message"), "{again}");
    assert_eq!(bodies(&world, "changes-dlq").await, left);
}

#[tokio::test]
async fn a_discarded_message_is_parked_and_comes_back_only_if_it_is_named() {
    let (world, all) = dead(1).await;
    let id = world.queues.seen("changes-dlq").await[0].id.clone();
    world.invoke(wish("discard", "changes", json!({"message": id}))).await.unwrap();
    let organisation = world.organisation();
    let waiting = world.tables.count_parked(organisation).await.unwrap();
    assert_eq!(waiting, (0, 0), "it waits for no person");
    assert!(world.tables.sweep(organisation, SweepKind::Changes).await.is_ok());

    let replay = |which: Value| json!({"replay": {"organisation": world.tenant, "which": which, "by": "Ada", "why": "after all"}});
    let none = world.invoke(replay(json!({}))).await.unwrap()["replay"].clone();
    assert_eq!((&none["replayed"], &none["left"]), (&json!(0), &json!(1)), "{none}");
    let key = world.rows("parked").await[0]["parked_at"].clone();
    let one = world.invoke(replay(json!({"parked_at": key}))).await.unwrap()["replay"].clone();
    assert_eq!(one["replayed"], 1, "{one}");
    assert_eq!((world.take_queued().len(), all.len()), (1, 1));
    assert!(world.rows("parked").await.is_empty());
}

#[tokio::test]
async fn wherever_a_discard_ends_the_message_is_in_the_queue_or_parked_and_once() {
    let mut killed = 0;
    for call in 1.. {
        let mut reached = false;
        for moment in [Moment::Before, Moment::After] {
            let (world, all) = dead(1).await;
            world.post.hide_nothing();
            let id = world.queues.seen("changes-dlq").await[0].id.clone();
            let event = wish("discard", "changes", json!({"message": id}));
            let crash_point = CrashPoint::at_effect(call, moment);
            world.end_with(&crash_point);
            let ended = crash_point.run(world.invoke(event.clone())).await;
            reached |= ended.is_none();
            killed += usize::from(ended.is_none());
            world.end_with(&CrashPoint::counting());
            let parked = world.rows("parked").await;
            let in_queue = bodies(&world, "changes-dlq").await;
            let somewhere = parked.iter().map(|row| row["body"].clone()).chain(in_queue);
            assert_eq!(somewhere.collect::<BTreeSet<_>>(), all, "killed {moment:?} call {call}");

            let _ = world.invoke(event).await;

            assert_eq!(world.rows("parked").await.len(), 1, "killed {moment:?} call {call}");
            assert!(bodies(&world, "changes-dlq").await.is_empty());
        }
        if !reached {
            break;
        }
    }
    assert_eq!(killed, 4, "parked, taken out");
}

#[tokio::test]
async fn schedules_can_be_looked_at_and_discarded_and_not_sent_again() {
    let world = World::new().await;
    let failed = r#"{"scheduled_time":"2026-03-02T01:00:00Z","full":true}"#;
    let id = world.queues.put("schedules-dlq", failed).await;

    let look = redrive(&world, "schedules", json!({"preview": true})).await;
    assert_eq!(look["letters"][0]["subject"], "full, 2026-03-02T01:00:00Z", "{look}");
    let refused = world.invoke(wish("redrive", "schedules", json!({}))).await.unwrap_err();
    assert!(refused.contains("the next schedule catches up"), "{refused}");
    let unknown = world.invoke(wish("redrive", "canary", json!({}))).await.unwrap_err();
    assert!(unknown.contains("`queue`") && !unknown.contains("canary"), "{unknown}");
    assert_eq!(bodies(&world, "schedules-dlq").await.len(), 1);

    world.invoke(wish("discard", "schedules", json!({"message": id}))).await.unwrap();
    assert!(bodies(&world, "schedules-dlq").await.is_empty());
    assert_eq!(world.rows("parked").await[0]["organisation"], "unknown");
}
