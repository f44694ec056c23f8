//! SP-18, SP-19, SP-23: the 48 hours of a discrepancy, by the hourly look of `sweep`; and what people order about it
//! (SP-24, SP-36).

use aws_sdk_dynamodb::types::AttributeValue;
use harness::dynamodb::{Row, having};
use jiff::{SignedDuration, Timestamp};
use payments::{Attributed, DiscrepancyKey, DiscrepancyKind, DiscrepancyWork, OrganisationId};
use serde_json::json;
use table::{ChangeContext, DiscrepancyPlace, DiscrepancySubject, WorkContext};

use harness::{aud, march};
use worlds::sweep::World;

/// An invoice of 1,000.00 that is paid twice, in Xero and here.
async fn overpaid() -> (World, Timestamp) {
    let world = World::new().await;
    let invoice = world.both("10031").await;
    world.pay(invoice, 1_000_00);
    look(&world).await;
    received(&world, "P-1", 80_00).await;
    let rows = world.rows("discrepancies").await;
    let [found] = having(&rows, &[("kind", "OVERPAID")])[..] else { panic!("{rows:?}") };
    let since = found["detected_at"].parse().unwrap();
    (world, since)
}

/// The business reports a payment on the invoice.
async fn received(world: &World, id: &str, cents: i64) {
    report(world, id, cents, 1, true).await;
}

/// The business reports that it is on no invoice any more.
async fn taken_off(world: &World, id: &str, cents: i64) {
    report(world, id, cents, 2, false).await;
}

async fn report(world: &World, id: &str, cents: i64, revision: u64, is_on_it: bool) {
    let number: payments::InvoiceNumber = "10031".parse().unwrap();
    let part = payments::Allocation { invoice: number.clone(), amount: aud(cents) };
    let receipt = payments::Receipt {
        organisation: world.organisation(),
        id: id.parse().unwrap(),
        revision,
        amount: aud(cents),
        date: march(2),
        reference: None,
        method: "bank_transfer".to_owned(),
        channel: None,
        customer: None,
        transaction_id: format!("T-{id}"),
        status: payments::PaymentStatus::Confirmed,
        approved: false,
        settled: false,
        journaled: false,
        allocations: is_on_it.then_some(part).into_iter().collect(),
        entered_at: world.now(),
        document: None,
    };
    let stored = world.tables.invoice(world.organisation(), &number).await.unwrap();
    let change = payments::record_part(&stored, &receipt, world.now()).unwrap().unwrap();
    let because = ChangeContext { cause: "intake", event_at: None, now: world.now() };
    world.tables.write_invoice(&stored, &change, because).await.unwrap();
}

async fn look(world: &World) {
    world.sweep().await;
    world.work_off().await;
}

async fn check(world: &World) {
    world.invoke(json!({"scheduled_time": world.now(), "check": true})).await.unwrap();
}

/// The steps of the clock that were announced: action and step of each.
async fn steps(world: &World) -> Vec<(String, String)> {
    let rows = world.rows("activity").await;
    let clock = rows.iter().filter(|row| {
        ["discrepancy_reminded", "discrepancy_breached"].contains(&row["action"].as_str())
    });
    let mut steps: Vec<&Row> = clock.collect();
    steps.sort_by_key(|row| row["at"].clone());
    steps.into_iter().map(|row| (row["action"].clone(), row["reason"].clone())).collect()
}

fn place(organisation: OrganisationId) -> DiscrepancyPlace {
    DiscrepancyPlace {
        organisation,
        subject: DiscrepancySubject::Invoice("10031".parse().unwrap()),
        key: DiscrepancyKey::of_invoice(DiscrepancyKind::Overpaid),
    }
}

#[tokio::test]
async fn sp_19_people_hear_at_24_and_40_hours_and_a_second_after_48_hours_is_a_breach() {
    // SP-18, A7.1
    let (world, since) = overpaid().await;
    let at = |hours: i64, seconds: i64| since + SignedDuration::from_secs(hours * 3_600 + seconds);
    let reminded = |step: &str| ("discrepancy_reminded".to_owned(), step.to_owned());
    let mut expected = Vec::new();
    for (moment, step) in [
        (at(24, -1), None),
        (at(24, 0), Some(reminded("24h"))),
        (at(30, 0), None),
        (at(40, 0), Some(reminded("40h"))),
        (at(48, 0), None),
        (at(48, 1), Some(("discrepancy_breached".to_owned(), "48h".to_owned()))),
        (at(72, 0), None),
    ] {
        world.clock.set(moment);
        check(&world).await;
        // A schedule that comes twice says it once.
        check(&world).await;
        expected.extend(step);
        assert_eq!(steps(&world).await, expected, "{moment}");
    }
    let rows = world.rows("activity").await;
    let [breach] = having(&rows, &[("action", "discrepancy_breached")])[..] else { panic!() };
    assert_eq!(breach["rule"], "SP-19");
    assert!(breach["why"].contains("more than 48 hours; owner: it has no owner"), "{breach:?}");
    assert_eq!(
        (breach["discrepancy"].as_str(), breach["invoice_number"].as_str()),
        ("OVERPAID", "10031")
    );
}

#[tokio::test]
async fn sp_19_a_look_that_was_missed_announces_the_last_step_and_the_digest_counts_the_breach() {
    let (world, since) = overpaid().await;
    world.clock.set(since + SignedDuration::from_hours(100));
    world.invoke(json!({"scheduled_time": world.now(), "digest": true})).await.unwrap();
    assert_eq!(steps(&world).await, [("discrepancy_breached".to_owned(), "48h".to_owned())]);
    let rows = world.rows("activity").await;
    let [digest] = having(&rows, &[("action", "morning_digest")])[..] else { panic!() };
    let words = "\nDiscrepancies: 1 open, the oldest since ";
    assert!(digest["why"].contains(words), "{}", digest["why"]);
    let words = "; 1 open for more than 48 hours; 1 without an owner\n";
    assert!(digest["why"].contains(words), "{}", digest["why"]);
}

#[tokio::test]
async fn sp_36_what_people_and_the_clock_have_done_stays_when_the_figures_change() {
    // SP-36, AMB-31
    let (world, since) = overpaid().await;
    let said = Attributed { by: Some("Ada"), why: "I look into it" };
    let context = WorkContext { cause: "console", said, now: world.now() };
    let take = DiscrepancyWork::Assign { owner: "Ada".to_owned() };
    let place = place(world.organisation());
    let work = world.tables.work_on_discrepancy(&place, context, |_, _| Ok(take.clone()));
    work.await.unwrap();
    world.clock.set(since + SignedDuration::from_hours(25));
    check(&world).await;
    // The row is written again with other figures, and keeps what people and the clock have done.
    received(&world, "P-2", 5_00).await;
    let found = world.rows("discrepancies").await;
    let [row] = having(&found, &[("kind", "OVERPAID")])[..] else { panic!() };
    assert_eq!((row["owner"].as_str(), row["clock_step"].as_str()), ("Ada", "24h"), "{row:?}");
    assert_eq!((row["amount"].as_str(), row["currency"].as_str()), ("#85", "AUD"), "{row:?}");
    let steps_before = steps(&world).await.len();
    check(&world).await;
    assert_eq!(steps(&world).await.len(), steps_before, "the same 48 hours");
}

#[tokio::test]
async fn sp_23_a_customer_is_asked_once_for_each_time_in_the_words_of_the_business() {
    let (world, since) = overpaid().await;
    let drafts = async || {
        let rows = world.rows("activity").await;
        having(&rows, &[("action", "notice_drafted")]).into_iter().cloned().collect::<Vec<Row>>()
    };
    check(&world).await;
    assert!(drafts().await.is_empty(), "the organisation has not asked for notices");
    let update = world
        .direct
        .update_item()
        .table_name("organisations")
        .key("organisation", AttributeValue::S(world.organisation().to_string()))
        .update_expression("SET customer_notices = :yes, notice_overpaid = :words")
        .expression_attribute_values(":yes", AttributeValue::Bool(true))
        .expression_attribute_values(
            ":words",
            AttributeValue::S("About {{ invoice }}\nShall we send {{ amount }} back?".to_owned()),
        );
    update.send().await.unwrap();
    world.clock.set(since + SignedDuration::from_hours(1));
    check(&world).await;
    check(&world).await;
    let all = drafts().await;
    let [draft] = &all[..] else { panic!("{all:?}") };
    assert_eq!(draft["notice"], "10031#OVERPAID##1");
    assert_eq!(draft["notice_subject"], "About 10031");
    assert_eq!(draft["notice_text"], "Shall we send 80.00 AUD back?");
    let notices = world.rows("notices").await;
    let [row] = &notices[..] else { panic!("{notices:?}") };
    assert_eq!((row["state"].as_str(), row["kind"].as_str()), ("drafted", "overpaid"));
}

/// A command about the discrepancy, or about those that `more` names.
fn request(world: &World, command: &str, more: &serde_json::Value) -> serde_json::Value {
    let mut fields = json!({"organisation": world.tenant, "discrepancies": ["10031/OVERPAID#"]});
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let attribution = json!({"by": "Ada", "reason": "I have asked the customer"});
    json!({"command": {command: fields}, "attribution": attribution})
}

/// The row of the overpaid invoice.
async fn row(world: &World) -> Row {
    let rows = world.rows("discrepancies").await;
    let [row] = having(&rows, &[("kind", "OVERPAID")])[..] else { panic!("{rows:?}") };
    row.clone()
}

/// The history of the discrepancy: each action, in order.
async fn history(world: &World) -> Vec<String> {
    let rows = world.rows("activity").await;
    let mut rows = having(&rows, &[("discrepancy", "OVERPAID")]);
    rows.sort_by_key(|row| row["at"].clone());
    rows.into_iter().map(|row| row["action"].clone()).collect()
}

#[tokio::test]
async fn sp_36_the_life_of_a_discrepancy() {
    // SP-18, SP-19, SP-24, AMB-31, A7.1
    let (world, since) = overpaid().await;
    let ordered = async |command: &str, more: serde_json::Value| {
        let reply = world.command(request(&world, command, &more)).await.unwrap();
        assert_eq!(reply["done"], json!(["10031/OVERPAID#"]), "{command}: {reply}");
    };
    ordered("take_discrepancies", json!({})).await;
    assert_eq!(row(&world).await["owner"], "Ada");
    let again = request(&world, "take_discrepancies", &json!({}));
    let again = world.command(again).await.unwrap();
    assert_eq!(again["refused"][0]["why"], "it is Ada's already");

    for hours in [24, 40] {
        world.clock.set(since + SignedDuration::from_hours(hours));
        check(&world).await;
    }
    ordered("assign_discrepancies", json!({"owner": "Bea"})).await;
    ordered("note_discrepancies", json!({"cause": "entered_twice"})).await;
    ordered(
        "adjust_record",
        json!({"record": "payment_amount", "payment": "P-1", "amount": "75.00",
        "currency": "AUD"}),
    )
    .await;
    ordered("draft_notice", json!({})).await;
    let seen = row(&world).await["detail"].clone();
    let accept = json!({"organisation": world.tenant, "invoice": "10031", "seen": seen,
        "discrepancy": "OVERPAID#"});
    let attribution = json!({"by": "Ada", "reason": "I have asked the customer"});
    let accept = json!({"command": {"accept": accept}, "attribution": attribution});
    assert_eq!(world.command(accept).await.unwrap()["accepted"], "OVERPAID#");
    let accepted = row(&world).await;
    assert_eq!((accepted["state"].as_str(), accepted.get("open_in")), ("accepted", None));
    assert_eq!(
        (accepted["owner"].as_str(), accepted["found_cause"].as_str()),
        ("Bea", "entered_twice")
    );

    // Its 48 hours are over, and no one hears of it: it is accepted.
    world.clock.set(since + SignedDuration::from_hours(60));
    check(&world).await;
    // A new fact brings it back, with its owner, and with 48 hours of its own.
    received(&world, "P-2", 5_00).await;
    let back = row(&world).await;
    assert_eq!(
        (back["state"].as_str(), back["reopened_count"].as_str()),
        ("open", "#1"),
        "{back:?}"
    );
    assert_eq!((back["owner"].as_str(), back.get("clock_step")), ("Bea", None), "{back:?}");
    world.clock.set(world.now() + SignedDuration::from_hours(1));
    // The facts agree: the business takes both payments off the invoice.
    for (id, cents) in [("P-1", 80_00), ("P-2", 5_00)] {
        taken_off(&world, id, cents).await;
    }
    assert_eq!(row(&world).await["state"], "resolved");
    assert_eq!(
        history(&world).await,
        [
            "discrepancy_raised",
            "discrepancy_assigned",
            "discrepancy_reminded",
            "discrepancy_reminded",
            "discrepancy_assigned",
            "discrepancy_noted",
            "adjustment_requested",
            "notice_drafted",
            "discrepancy_accepted",
            "discrepancy_raised",
            "discrepancy_resolved",
        ]
    );
}

#[tokio::test]
async fn sp_36_several_are_taken_at_once_and_one_that_is_not_there_keeps_no_other_waiting() {
    let (world, _) = overpaid().await;
    let both = json!({"discrepancies": ["10032/OVERPAID#", "10031/OVERPAID#"]});
    let answer = world.command(request(&world, "take_discrepancies", &both)).await.unwrap();
    assert_eq!(answer["done"], json!(["10031/OVERPAID#"]));
    assert_eq!(answer["refused"][0]["discrepancy"], "10032/OVERPAID#");
    for (command, more, words) in [
        ("take_discrepancies", json!({"discrepancies": ["10031"]}), "is written as"),
        ("take_discrepancies", json!({"discrepancies": []}), "name 1 to 100"),
        ("assign_discrepancies", json!({}), "`owner`"),
        ("assign_discrepancies", json!({"owner": " "}), "`owner`"),
        ("note_discrepancies", json!({"cause": "bad luck"}), "`cause` is none that is known"),
        ("adjust_record", json!({"record": "tax", "amount": "1.00"}), "go together"),
        ("adjust_record", json!({"record": "name"}), "`record` is none that is known"),
    ] {
        let refusal = world.command(request(&world, command, &more)).await.unwrap_err();
        assert!(refusal.contains(words), "{command} {more}: {refusal}");
    }
    // SP-24: what was entered in Xero is never edited behind a person's back.
    let copy = world.rows("payments").await;
    let copy = having(&copy, &[("origin", "xero")])[0]["payment_id"].clone();
    let more =
        json!({"record": "payment_amount", "payment": copy, "amount": "1.00", "currency": "AUD"});
    let answer = world.command(request(&world, "adjust_record", &more)).await.unwrap();
    let why = answer["refused"][0]["why"].as_str().unwrap();
    assert!(why.contains("was entered in Xero, and is changed there by a person"), "{why}");
    assert!(!history(&world).await.contains(&"adjustment_requested".to_owned()));
}
