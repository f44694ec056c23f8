//! The completeness certificate: it asks Xero and the tables, believes neither the queue nor the log, and
//! fails openly (goal "never missed", AMB-04).

use harness::dynamodb::Row;
use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::Uuid;
use xero_simulator::{Effect, Fault, InvoiceKind};

use crate::world::{World, march};

const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// Two payments that the mirror has, old enough to be certified.
async fn two() -> (World, Uuid, [Uuid; 2]) {
    let world = World::new().await;
    let invoice = world.both("10031").await;
    let payments = [10_00, 20_00].map(|cents| world.pay(invoice, cents));
    world.sweep().await;
    world.work_off().await;
    world.clock.advance(SignedDuration::from_mins(15));
    (world, invoice, payments)
}

async fn certify(world: &World) -> (Value, Row) {
    let event = json!({"scheduled_time": world.now(), "certify": true});
    let answer = world.invoke(event).await.unwrap()["sweeps"][0].clone();
    let rows = world.rows("certificates").await;
    (answer, rows.into_iter().max_by_key(|row| row["day"].clone()).unwrap())
}

#[tokio::test]
async fn it_says_that_all_is_accounted_for_with_counts_and_sums() {
    let (world, ..) = two().await;

    let (answer, row) = certify(&world).await;

    assert_eq!(answer["outcome"], "finished", "{answer}");
    assert_eq!((row["state"].as_str(), row["applied"].as_str()), ("complete", "#2"));
    assert_eq!((row["missing"].as_str(), row["repaired"].as_str()), ("#0", "#2"));
    assert_eq!(row["day"], "2026-03-02");
    let until = world.now() - SignedDuration::from_mins(10);
    assert_eq!(row["complete_until"], table::instant(until));
    let sums = &row["sums"];
    assert!(sums.contains("AUD") && sums.matches("#30").count() == 2, "{sums}");
    assert!(world.rows("messages").await.is_empty());
}

#[tokio::test]
async fn a_missing_payment_is_listed_in_a_message_and_read_again_until_it_is_there() {
    let (world, invoice, _) = two().await;
    let unseen = world.pay(invoice, 30_00);
    world.clock.advance(SignedDuration::from_mins(15));

    let (answer, row) = certify(&world).await;

    assert_eq!(answer["run"]["counts"]["missing"], 1, "{answer}");
    assert_eq!((row["state"].as_str(), row["missing"].as_str()), ("incomplete", "#1"));
    let list = &row["missing_payments"];
    assert!(list.contains(&unseen.to_string()) && list.contains("not here"), "{list}");
    assert!(list.contains("CM-10031"), "{list}");
    let messages = world.rows("messages").await;
    assert!(messages[0]["message"].starts_with("NOT_CERTIFIED"), "{messages:?}");
    assert!(messages[0]["why"].contains("CM-10031"), "{messages:?}");

    // The mirror reads the invoice, and the next one looks at the same changes again.
    world.work_off().await;
    world.clock.advance(A_DAY);
    let (_, next) = certify(&world).await;
    assert_eq!((next["state"].as_str(), next["applied"].as_str()), ("complete", "#3"));
    assert_eq!((next["repaired"].as_str(), next["day"].as_str()), ("#1", "2026-03-03"));
    world.clock.advance(A_DAY);
    let (_, third) = certify(&world).await;
    assert!(third["changes_from"] > next["changes_from"]);
    assert_eq!((third["state"].as_str(), third["applied"].as_str()), ("complete", "#0"));
}

#[tokio::test]
async fn a_deletion_that_is_not_followed_is_missing_and_one_that_is_counts_as_applied() {
    let (world, _, [first, second]) = two().await;
    world.simulator.delete_payment(first).unwrap();
    world.sweep().await;
    world.work_off().await;
    world.simulator.delete_payment(second).unwrap();
    world.clock.advance(SignedDuration::from_mins(15));

    let (_, row) = certify(&world).await;

    assert_eq!((row["applied"].as_str(), row["missing"].as_str()), ("#1", "#1"));
    let list = &row["missing_payments"];
    assert!(list.contains(&second.to_string()) && list.contains("still here"), "{list}");
}

#[tokio::test]
async fn a_copy_that_was_changed_by_hand_in_the_tables_is_found() {
    let (world, ..) = two().await;
    let row = &world.rows("payments").await[0];
    let text = |name: &str| aws_sdk_dynamodb::types::AttributeValue::S(row[name].clone());
    let nine = aws_sdk_dynamodb::types::AttributeValue::N("9.99".to_owned());
    let update = world.direct.update_item().table_name("payments");
    let update = update.key("invoice", text("invoice")).key("payment_id", text("payment_id"));
    let update = update.update_expression("SET amount = :nine");
    update.expression_attribute_values(":nine", nine).send().await.unwrap();

    let (_, row) = certify(&world).await;

    assert_eq!((row["state"].as_str(), row["missing"].as_str()), ("incomplete", "#1"));
    assert!(row["missing_payments"].contains("another amount"), "{}", row["missing_payments"]);
}

#[tokio::test]
async fn what_is_held_is_held_with_its_reason_and_what_is_none_of_ours_is_ignored_with_it() {
    let (world, invoice, _) = two().await;
    world.pay_on(invoice, 5_00, march(20));
    world.pay(world.invoice("INV-7"), 5_00);
    let bill = world.document(InvoiceKind::Accpay, "CM-10999");
    world.pay(bill, 5_00);
    let unknown = world.invoice("CM-10777");
    world.pay(unknown, 5_00);
    world.sweep().await;
    world.work_off().await;
    world.clock.advance(SignedDuration::from_mins(15));

    let (_, row) = certify(&world).await;

    assert_eq!(row["state"], "complete", "{row:#?}");
    assert_eq!((row["held"].as_str(), row["ignored"].as_str()), ("#2", "#2"));
    for reason in ["FUTURE_DATED", "UNKNOWN_INVOICE", "not_cm_prefix", "no_money_received"] {
        assert!(row["reasons"].contains(reason), "{reason}: {}", row["reasons"]);
    }
}

#[tokio::test]
async fn what_changed_a_moment_ago_is_the_next_ones() {
    // SP-09: it may still be on its way, as it should be.
    let (world, invoice, _) = two().await;
    world.pay(invoice, 30_00);
    world.clock.advance(SignedDuration::from_mins(9));
    let (_, row) = certify(&world).await;
    assert_eq!((row["state"].as_str(), row["applied"].as_str()), ("complete", "#2"));

    world.clock.advance(A_DAY);
    let (_, row) = certify(&world).await;
    assert_eq!((row["state"].as_str(), row["missing"].as_str()), ("incomplete", "#1"));
}

#[tokio::test]
async fn one_that_cannot_be_made_says_so() {
    let (world, ..) = two().await;
    world.simulator.inject(Fault::on(
        "GET",
        "/Payments",
        Effect::Status { status: 503, headers: vec![], body: String::new() },
    ));

    let event = json!({"scheduled_time": world.now(), "certify": true});
    let error = world.invoke(event).await.unwrap_err();

    assert!(error.contains("1 of 1"), "{error}");
    let row = &world.rows("certificates").await[0];
    assert_eq!(row["state"], "failed");
    assert!(row["problem"].contains("503"), "{}", row["problem"]);
    let messages = world.rows("messages").await;
    assert!(messages[0]["why"].contains("could not be made"), "{messages:?}");

    // Nothing is lost for the next one, which takes its place.
    world.simulator.clear_faults();
    world.clock.advance(SignedDuration::from_mins(5));
    let (_, row) = certify(&world).await;
    assert_eq!((row["state"].as_str(), row["applied"].as_str()), ("complete", "#2"));
}
