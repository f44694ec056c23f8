//! Parked messages of the business's own system, and of upload, on their way again: as they came, and never
//! twice in the table.

use aws_lambda_events::sqs::{SqsEvent, SqsMessage, SqsMessageAttribute};
use harness::sqs::Seen;
use harness::{CrashPoint, Moment};
use host::clock::Clock;
use intake::Intake;
use jiff::SignedDuration;
use payments::{OrganisationId, ReplayMark, Settings};
use queue::fakes::{RecordedChanges, RecordedUploads};
use serde_json::{Value, json};
use uuid::Uuid;

use worlds::sweep::World;

/// An organisation that is not set up here.
fn stranger() -> Uuid {
    Uuid::from_u128(77)
}

/// A report as its sender has written it, blanks and all.
fn report() -> String {
    format!(
        "{{ \"version\":1,\r\n  \"type\" : \"invoice\", \"organisation\":\"{}\", \"number\":\"10234\",\n\
         \t\"revision\":1, \"total\":{{\"amount\":\"110.00\",\"currency\":\"AUD\"}}, \
         \"issued_on\":\"2026-03-02\", \"due_on\":\"2026-04-01\", \
         \"contact\":{{\"company\":\"Zo\\u00eb & S\u{f6}hne\"}} }}\n",
        stranger()
    )
}

fn seen(id: &str, body: &str) -> Seen {
    let (id, body) = (id.to_owned(), body.to_owned());
    Seen { id, body, attributes: Default::default(), handle: String::new() }
}

/// The intake takes a message, and is done with it.
async fn take_in(world: &World, seen: &Seen) {
    let clock = world.clock.clone();
    let clock = Clock::new(move || clock.now());
    let (changes, uploads) = (RecordedChanges::new(), RecordedUploads::new());
    let intake = Intake::new(world.tables.clone(), &changes, &uploads, clock);
    let mut record = SqsMessage::default();
    record.message_id = Some(seen.id.clone());
    record.body = Some(seen.body.clone());
    let sent_at = world.now().as_millisecond().to_string();
    record.attributes.insert("SentTimestamp".to_owned(), sent_at);
    for (name, value) in &seen.attributes {
        let mut attribute = SqsMessageAttribute::default();
        attribute.string_value = Some(value.clone());
        record.message_attributes.insert(name.clone(), attribute);
    }
    let mut event = SqsEvent::default();
    event.records = vec![record];
    let answer = intake.handle(event, world.now() + SignedDuration::from_mins(1)).await.unwrap();
    assert_eq!(answer.batch_item_failures.len(), 0);
}

/// The report was parked, because its organisation is not signed up.
async fn parked() -> World {
    let world = World::new().await;
    take_in(&world, &seen("m-1", &report())).await;
    let row = &world.rows("parked").await[0];
    assert_eq!((row["reason"].as_str(), &row["body"]), ("other_tenant", &report()));
    world.clock.advance(SignedDuration::from_hours(1));
    world
}

async fn sign_up(world: &World) {
    let known = world.tables.settings(world.organisation()).await.unwrap().unwrap();
    let settings = Settings { organisation: OrganisationId::new(stranger()), ..known };
    world.tables.store_settings(&settings).await.unwrap();
}

async fn replay(world: &World, organisation: Option<Uuid>, more: Value) -> Value {
    let mut wish = json!({"by": "Ada", "why": "it is signed up now"});
    let wishes = wish.as_object_mut().unwrap();
    wishes.extend(more.as_object().unwrap().clone());
    wishes.extend(organisation.map(|id| ("organisation".to_owned(), json!(id))));
    world.invoke(json!({"replay": wish})).await.unwrap()["replay"].clone()
}

#[tokio::test]
async fn a_parked_report_goes_to_the_intake_again_byte_for_byte() {
    let world = parked().await;

    let look = replay(&world, Some(stranger()), json!({"preview": true})).await;

    assert_eq!((&look["replayed"], &look["left"]), (&json!(1), &json!(0)), "{look}");
    assert_eq!(look["first"][0]["can_be_replayed"], true);
    assert!(world.queues.bodies("intake").await.is_empty(), "only a look");
    assert_eq!(world.rows("parked").await.len(), 1);

    sign_up(&world).await;
    let done = replay(&world, Some(stranger()), json!({})).await;

    assert_eq!(done["replayed"], 1, "{done}");
    let sent = world.queues.take("intake").await;
    assert_eq!((sent.len(), &sent[0].body), (1, &report()));
    assert!(world.rows("parked").await.is_empty());
    take_in(&world, &sent[0]).await;
    assert!(world.rows("parked").await.is_empty());
    let invoices = world.rows("invoices").await;
    assert_eq!((invoices.len(), invoices[0]["number"].as_str()), (1, "10234"));
    let log = world.rows("activity").await;
    let replayed = log.iter().find(|row| row["action"] == "replayed").unwrap();
    assert_eq!((replayed["by"].as_str(), replayed["reason"].as_str()), ("Ada", "other_tenant"));
}

#[tokio::test]
async fn what_is_parked_again_is_the_same_row_however_often() {
    let world = parked().await;
    let before = world.rows("parked").await[0].clone();
    for times in 1..=3 {
        world.clock.advance(SignedDuration::from_hours(1));
        replay(&world, Some(stranger()), json!({})).await;
        let sent = world.queues.take("intake").await;
        assert_eq!(sent.len(), 1, "{times}");
        // SQS may deliver it twice.
        take_in(&world, &sent[0]).await;
        take_in(&world, &sent[0]).await;
        let rows = world.rows("parked").await;
        assert_eq!(rows.len(), 1, "{times}");
        assert_eq!(rows[0]["parked_at"], before["parked_at"], "{times}");
        assert_eq!(rows[0]["replays"], format!("#{times}"));
        assert_eq!(rows[0]["body"], before["body"]);
    }
}

#[tokio::test]
async fn it_may_be_parked_again_before_its_row_is_taken_out() {
    // The queue is quick: then the row that is there is the new one, and must stay.
    let world = parked().await;
    let organisation = Some(OrganisationId::new(stranger()));
    let row = world.tables.parked(organisation).await.unwrap().remove(0);
    let mark = ReplayMark { parked_at: row.parked_at.clone(), replays: 1 };
    let mut again = seen("m-2", &report());
    again.attributes.insert(ReplayMark::ATTRIBUTE.to_owned(), mark.to_string());
    take_in(&world, &again).await;

    let order = table::AuditEntry {
        action: payments::Occurrence::Replayed,
        subject: &row.parked_at,
        reason: &row.reason,
        by: "Ada",
        why: "again",
        at: world.now(),
    };
    world.tables.unpark(organisation, &row, &order).await.unwrap();

    let left = world.tables.parked(organisation).await.unwrap();
    assert_eq!((left.len(), left[0].replays), (1, 1));
    assert_eq!(
        world.rows("activity").await.iter().filter(|r| r["action"] == "replayed").count(),
        1
    );
    world.tables.unpark(organisation, &left[0], &order).await.unwrap();
    assert!(world.rows("parked").await.is_empty());
}

#[tokio::test]
async fn a_mark_that_a_sender_has_made_up_overwrites_nothing() {
    let world = parked().await;
    let row = world.rows("parked").await[0].clone();
    let mark = ReplayMark { parked_at: row["parked_at"].clone(), replays: 9 };
    let mut other = seen("m-2", &report().replace("10234", "10235"));
    other.attributes.insert(ReplayMark::ATTRIBUTE.to_owned(), mark.to_string());

    take_in(&world, &other).await;

    let rows = world.rows("parked").await;
    assert_eq!(rows.len(), 2);
    assert!(rows.contains(&row), "{rows:#?}");
}

#[tokio::test]
async fn wherever_a_replay_ends_the_message_is_there_and_is_one_row() {
    let mut killed = 0;
    for call in 1.. {
        let mut reached = false;
        for moment in [Moment::Before, Moment::After] {
            let world = parked().await;
            let crash_point = CrashPoint::at_effect(call, moment);
            world.end_with(&crash_point);
            let ended = crash_point.run(replay(&world, Some(stranger()), json!({}))).await;
            reached |= ended.is_none();
            killed += usize::from(ended.is_none());
            world.end_with(&CrashPoint::counting());
            let on_the_way = world.queues.bodies("intake").await.len();
            assert!(on_the_way + world.rows("parked").await.len() > 0, "{moment:?} {call}");

            replay(&world, Some(stranger()), json!({})).await;
            for sent in world.queues.take("intake").await {
                assert_eq!(sent.body, report());
                take_in(&world, &sent).await;
            }

            assert_eq!(world.rows("parked").await.len(), 1, "killed {moment:?} call {call}");
        }
        if !reached {
            break;
        }
    }
    assert_eq!(killed, 4, "a message, and a row taken out");
}

#[tokio::test]
async fn an_unreadable_message_is_replayed_only_if_it_is_named() {
    let world = World::new().await;
    let broken = report().replace("\"110.00\"", "110");
    take_in(&world, &seen("m-1", &broken)).await;
    take_in(&world, &seen("m-2", "<xml/>")).await;
    take_in(&world, &seen("m-3", "")).await;
    let rows = world.rows("parked").await;
    let key = |body: &str| &rows.iter().find(|row| row["body"] == body).unwrap()["parked_at"];

    let all = replay(&world, Some(stranger()), json!({})).await;
    assert_eq!((&all["replayed"], &all["left"]), (&json!(0), &json!(1)), "{all}");
    assert_eq!(all["first"][0]["only_if_named"], true, "{all}");
    // Work of no known organisation: the order names none.
    let all = replay(&world, None, json!({})).await;
    assert_eq!((&all["replayed"], &all["left"]), (&json!(0), &json!(2)), "{all}");
    assert!(world.queues.bodies("intake").await.is_empty());

    for (organisation, body) in [(Some(stranger()), broken.as_str()), (None, "<xml/>")] {
        let named = json!({"which": {"parked_at": key(body)}});
        let done = replay(&world, organisation, named).await;
        assert_eq!(done["replayed"], 1, "{done}");
        let sent = world.queues.take("intake").await;
        assert_eq!((sent.len(), sent[0].body.as_str()), (1, body));
        take_in(&world, &sent[0]).await;
    }
    assert_eq!(world.rows("parked").await.len(), 3);
    // A queue takes no message without a text.
    let named = json!({"which": {"parked_at": key("")}});
    assert_eq!(replay(&world, None, named).await["left"], 1);
}

#[tokio::test]
async fn each_function_s_messages_go_to_its_own_queue_and_what_xero_signed_to_none() {
    let world = World::new().await;
    for (by, reason, body) in [
        ("upload", "not_a_task", "to uploads"),
        ("mirror", "not_a_message", "to changes"),
        ("intake", "invalid_message", "to intake"),
        ("webhook", "unreadable_delivery", "to nobody"),
    ] {
        let parked = table::Parked {
            organisation: None,
            id: by,
            by,
            reason,
            detail: "not JSON",
            body: body.as_bytes(),
            received_at: world.now(),
        };
        world.tables.park(&parked).await.unwrap();
    }
    for row in world.rows("parked").await {
        replay(&world, None, json!({"which": {"parked_at": row["parked_at"]}})).await;
    }
    for queue in ["uploads", "changes", "intake"] {
        assert_eq!(world.queues.bodies(queue).await, [format!("to {queue}")]);
    }
    let left = world.rows("parked").await;
    assert_eq!((left.len(), left[0]["by"].as_str()), (1, "webhook"));
}

#[tokio::test]
async fn what_the_queue_does_not_take_stays_parked() {
    let world = parked().await;
    world.post.refuse(true);
    let wish = json!({"organisation": stranger(), "by": "Ada", "why": "again"});
    let error = world.invoke(json!({"replay": wish})).await.unwrap_err();
    assert!(error.contains("still where it was"), "{error}");
    assert_eq!(world.rows("parked").await.len(), 1);
}

#[tokio::test]
async fn what_there_is_no_time_for_is_said() {
    let world = parked().await;
    let wish = json!({"organisation": stranger(), "by": "Ada", "why": "again"});
    let answer = world.invoke_until(json!({"replay": wish}), world.now()).await.unwrap();
    assert_eq!(answer["replay"]["not_reached"], 1, "{answer}");
    assert_eq!(world.rows("parked").await.len(), 1);
}
