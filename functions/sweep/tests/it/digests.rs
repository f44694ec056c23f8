//! What operators read in the morning (CC-20).

use harness::dynamodb::{Row, having};
use jiff::SignedDuration;
use payments::CustomerId;
use payments::upload::record_action;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use xero_simulator::{Effect, Fault};

use crate::world::World;

async fn digest(world: &World, at: jiff::Timestamp) -> Value {
    world.invoke(json!({"scheduled_time": at, "digest": true})).await.unwrap()
}

async fn digest_rows(world: &World) -> Vec<Row> {
    let rows = world.rows("activity").await;
    having(&rows, &[("action", "morning_digest")]).into_iter().cloned().collect()
}

#[tokio::test]
async fn every_morning_has_one_digest_even_if_its_schedule_comes_twice() {
    // CC-20, CC-05
    let world = World::new().await;
    world.both("10031").await;
    world.sweep().await;
    world.work_off().await;
    let at = world.now();

    let answer = digest(&world, at).await;
    world.clock.advance(SignedDuration::from_secs(90));
    digest(&world, at).await;

    assert_eq!(answer["connections"][0]["status"], "Active");
    let [row] = &digest_rows(&world).await[..] else { panic!() };
    assert_eq!((row["reason"].as_str(), row["rule"].as_str()), ("well", "CC-20"));
    let text = &row["why"];
    assert!(text.contains("all is well\nConnection: Active; last sync 2"), "{text}");
    assert!(text.contains("\nCertificate: there is none yet\n"), "{text}");
    assert!(!text.contains("Night"), "nothing is uploaded here: {text}");
    assert!(text.ends_with("\nDiscrepancies: none is open\nActions: none is open\n"), "{text}");

    world.clock.advance(SignedDuration::from_hours(23));
    digest(&world, world.now()).await;
    assert_eq!(digest_rows(&world).await.len(), 2);
}

/// The command `close`, as the schedule of `reconcile` and a person have it.
async fn close_what_is_due(world: &World) {
    let attribution = json!({"by": "Ada", "reason": "the schedule was off"});
    let event =
        json!({"command": {"close": {"organisation": world.tenant}}, "attribution": attribution});
    let deadline = world.now() + SignedDuration::from_mins(5);
    world.operations().handle(&event, deadline).await.unwrap();
}

#[tokio::test]
async fn the_close_of_the_last_business_day_has_a_line_and_one_that_is_late_has_to_be_looked_at() {
    // SP-13, SP-20, CC-20
    let world = World::new().await;
    world.both("10031").await;
    world.sweep().await;
    world.work_off().await;
    // A Tuesday, after the end of the day at 18:00 in Sydney.
    world.clock.set("2026-03-03T07:20:00Z".parse().unwrap());
    close_what_is_due(&world).await;
    world.sweep().await;
    digest(&world, world.now()).await;
    let [row] = &digest_rows(&world).await[..] else { panic!() };
    assert_eq!(row["close_state"], "closed");
    let line = "\nClose: 2026-03-03 closed, without differences\n";
    assert!(row["why"].contains(line), "{row:?}");
    // The next day is not closed.
    world.clock.set("2026-03-04T20:00:00Z".parse().unwrap());
    world.sweep().await;
    digest(&world, world.now()).await;
    let rows = digest_rows(&world).await;
    let late = rows.iter().find(|row| row["close_state"] == "late").unwrap();
    assert_eq!(late["reason"], "look");
    let line = "\nClose: 2026-03-04 is late: it ended 2026-03-04 18:00 and is not closed; 2026-03-03 closed";
    assert!(late["why"].contains(line), "{late:?}");
}

#[tokio::test]
async fn a_morning_on_which_a_customer_waits_for_a_person_says_so() {
    // EX-27, EX-28, CC-20
    let world = World::new().await;
    world.both("10031").await;
    world.sweep().await;
    world.work_off().await;
    let id: CustomerId = "K-1".parse().unwrap();
    let whose = (world.organisation(), &id);
    let open = record_action(None, whose, Some("two contacts"), world.now()).unwrap();
    let said = Some(("Wilma", "two contacts"));
    world.tables.store_customer(None, &open, said, world.now()).await.unwrap();

    digest(&world, world.now()).await;

    let [row] = &digest_rows(&world).await[..] else { panic!() };
    assert_eq!(row["reason"], "look");
    assert!(row["why"].contains("\nActions: 1 open, the oldest since 2"), "{}", row["why"]);
    assert!(!row["why"].contains("K-1"), "no names: it goes out by mail");
}

#[tokio::test]
async fn a_morning_without_webhooks_has_the_hour_at_which_xero_switches_them_off() {
    // CM-42, X-03, CC-20
    let world = World::new().await;
    let invoice = world.both("10031").await;
    world.sweep().await;
    world.work_off().await;
    world.clock.advance(SignedDuration::from_mins(5));
    world.pay(invoice, 10_00);
    let changed_at = world.now();
    world.clock.advance(SignedDuration::from_mins(25));
    world.sweep().await;
    world.work_off().await;

    digest(&world, world.now()).await;

    let [row] = &digest_rows(&world).await[..] else { panic!() };
    let zone = jiff::tz::TimeZone::get("Australia/Sydney").unwrap();
    let by_its_clock =
        |at: jiff::Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
    let (since, off_at) = (changed_at, changed_at + SignedDuration::from_hours(24));
    let line = format!(
        "\nWebhook: silent since {}; Xero switches it off at {}\n",
        by_its_clock(since),
        by_its_clock(off_at)
    );
    assert!(row["why"].contains(&line), "{}", row["why"]);
}

#[tokio::test]
async fn a_morning_on_which_money_waits_for_a_person_is_not_well_and_what_xero_refused_is_an_error()
{
    // EX-27, EX-28, AMB-36, CC-20
    let world = World::new().await;
    world.both("10031").await;
    world.sweep().await;
    world.work_off().await;
    let allocations = Vec::new();
    let receipt = |id: &str| payments::Receipt {
        organisation: world.organisation(),
        id: id.parse().unwrap(),
        revision: 1,
        amount: payments::Money::new(Decimal::new(10_00, 2), "AUD".parse().unwrap()).unwrap(),
        date: jiff::civil::date(2026, 3, 1),
        reference: None,
        method: "bpay".to_owned(),
        channel: None,
        customer: None,
        transaction_id: format!("T-{id}"),
        status: payments::PaymentStatus::Confirmed,
        approved: false,
        settled: false,
        journaled: false,
        allocations: allocations.clone(),
        entered_at: world.now(),
        document: None,
    };
    let because = table::ChangeContext { cause: "upload", event_at: None, now: world.now() };
    let waiting = |id| *payments::upload::admit(None, &receipt(id), world.now()).upload.unwrap();
    let mut held = waiting("P-1");
    let (hold, why) = (payments::upload::Hold::BlockedByAction, "it names no customer".to_owned());
    held.put_on_hold(hold, why, None, world.now());
    world.tables.write_uploads(&[(None, &held)], None, because).await.unwrap();
    digest(&world, world.now()).await;
    let rows = digest_rows(&world).await;
    assert_eq!(rows[0]["reason"], "look");
    let text = &rows[0]["why"];
    assert!(text.contains("\nHeld: 1 wait for a person (BLOCKED_BY_ACTION 1)\n"), "{text}");
    assert!(text.contains("\nActions: 1 open"), "{text}");
    assert!(text.contains("Connection: Active"), "the connection is well: {text}");

    let refused = payments::upload::Upload {
        state: payments::upload::UploadState::Refused,
        replanned: true,
        ..waiting("P-2")
    };
    world.tables.write_uploads(&[(None, &refused)], None, because).await.unwrap();
    let answer = world.invoke(json!({"scheduled_time": world.now(), "check": true})).await.unwrap();
    let trouble = &answer["connections"][0]["troubles"][0];
    assert_eq!(trouble["what"], "ITEMS_FAILING");
    assert!(trouble["why"].as_str().unwrap().ends_with(": 1 refused"), "{trouble}");
}

#[tokio::test]
async fn a_morning_on_which_xero_does_not_let_us_in_says_what_to_do() {
    // CC-16, CC-19, CC-20, AMB-22
    let world = World::new().await;
    world.both("10031").await;
    world.sweep().await;
    let refused = Effect::Status { status: 403, headers: vec![], body: String::new() };
    world.simulator.inject(Fault::on("GET", "/Organisation", refused));

    digest(&world, world.now()).await;

    let [row] = &digest_rows(&world).await[..] else { panic!() };
    assert_eq!(row["reason"], "look");
    let remedy = payments::connection::HealthIssue::Refused.remedy();
    let line = format!("\n- REFUSED (Authentication): {remedy}\n");
    assert!(row["why"].contains("look here before collection work begins"), "{}", row["why"]);
    assert!(row["why"].contains(&line), "{}", row["why"]);
}

#[tokio::test]
async fn an_organisation_whose_digest_fails_gets_it_later() {
    let world = World::new().await;
    world.both("10031").await;
    world.proxy.plan(|call| match call.operation.as_str() {
        "Query" if call.body.contains("open_in") => harness::Do::Refuse("InternalServerError"),
        _ => harness::Do::Pass,
    });
    let at = world.now();
    let event = json!({"scheduled_time": at, "digest": true});
    let error = world.invoke(event.clone()).await.unwrap_err();
    assert!(error.contains("1 of 1 digests failed"), "{error}");
    world.proxy.heal();
    world.invoke(event).await.unwrap();
    assert_eq!(digest_rows(&world).await.len(), 1);
}
