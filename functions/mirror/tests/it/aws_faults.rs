//! DynamoDB and SQS on bad days (FAULT-19): the record comes again, and nothing else is lost.

use harness::Do;
use harness::dynamodb::having;

use crate::world::{World, at, events, invoice, organisation, paid, paper, record, sent_back};
use crate::xero::Reply;

const THROTTLED: Do = Do::Refuse("ProvisionedThroughputExceededException");
const DOWN: Do = Do::Refuse("InternalServerError");

async fn three_invoices() -> World {
    let world = World::new().await;
    for n in 1..=3 {
        world.record_invoice(n).await;
        world.xero.put(organisation(), invoice(n), paper(n, vec![paid(n, 2, 100)]));
    }
    world
}

fn three_records() -> Vec<aws_lambda_events::sqs::SqsMessage> {
    (1..=3).map(|n| record(&format!("m-{n}"), events(&[n], Some(at(-3))))).collect()
}

#[tokio::test]
async fn settings_that_cannot_be_read_make_all_records_come_again_without_a_call() {
    for fault in [THROTTLED, DOWN] {
        let world = three_invoices().await;
        world.proxy.plan(move |call| {
            if call.body.contains("organisations") { fault.clone() } else { Do::Pass }
        });
        assert_eq!(world.deliver(&three_records()).await, ["m-1", "m-2", "m-3"]);
        assert!(world.xero.calls().is_empty());
        world.proxy.heal();
        assert!(world.deliver(&three_records()).await.is_empty());
        assert_eq!(world.rows("payments").await.len(), 3);
    }
}

#[tokio::test]
async fn the_record_of_an_invoice_that_cannot_be_read_or_written_comes_again_and_no_other() {
    let writes = ["TransactWriteItems", "GetItem", "Query"];
    for operation in writes {
        let world = three_invoices().await;
        world.proxy.plan(move |call| {
            let of_the_second =
                call.body.contains("10002") || call.body.contains(&invoice(2).to_string());
            if call.operation == operation && of_the_second { THROTTLED } else { Do::Pass }
        });
        assert_eq!(world.deliver(&three_records()).await, ["m-2"], "{operation}");
        let payments = world.rows("payments").await;
        assert_eq!(having(&payments, &[("invoice_number", "10002")]).len(), 0);
        assert_eq!(payments.len(), 2);
        world.proxy.heal();
        assert!(world.deliver(&three_records()[1..2]).await.is_empty());
        assert_eq!(world.rows("payments").await.len(), 3);
    }
}

#[tokio::test]
async fn a_table_that_is_down_altogether_loses_nothing() {
    let world = three_invoices().await;
    world.proxy.plan(|_| DOWN);
    assert_eq!(world.deliver(&three_records()).await, ["m-1", "m-2", "m-3"]);
    assert!(world.line.recorded.sent().is_empty());
    world.proxy.heal();
    assert!(world.deliver(&three_records()).await.is_empty());
    assert_eq!(world.rows("payments").await.len(), 3);
}

#[tokio::test]
async fn a_lost_answer_is_found_to_be_our_own_success() {
    let world = three_invoices().await;
    world.proxy.plan(|call| if call.is_write() { Do::LoseAnswer } else { Do::Pass });
    assert_eq!(world.deliver(&three_records()).await, ["m-1", "m-2", "m-3"]);
    world.proxy.heal();
    assert!(world.deliver(&three_records()).await.is_empty());
    assert_eq!(world.proxy.writes(), 0);
    assert_eq!(having(&world.rows("activity").await, &[("action", "imported")]).len(), 3);
}

#[tokio::test]
async fn a_lost_race_is_tried_again_at_once_and_not_for_ever() {
    let world = three_invoices().await;
    world.proxy.plan(|call| match (call.is_write(), call.of_its_kind) {
        (true, 1..=3) => Do::Cancel(&["TransactionConflict", "None"]),
        _ => Do::Pass,
    });
    assert!(world.deliver(&three_records()[..1]).await.is_empty());
    assert_eq!(world.rows("payments").await.len(), 1);

    world.proxy.plan(|call| {
        if call.is_write() { Do::Cancel(&["ConditionalCheckFailed", "None"]) } else { Do::Pass }
    });
    assert_eq!(world.deliver(&three_records()[1..2]).await, ["m-2"]);
    assert_eq!(world.proxy.writes(), 8);
}

#[tokio::test]
async fn what_cannot_go_back_to_the_queue_comes_again_as_its_record() {
    // N1: limits, early messages, too much for one run
    let world = three_invoices().await;
    world.xero.always(Reply::status(429, "").with("Retry-After", 100));
    world.line.recorded.fail_always();
    assert_eq!(world.deliver(&three_records()).await, ["m-1", "m-2", "m-3"]);

    world.line.recorded.recover();
    assert!(world.deliver(&three_records()).await.is_empty());
    let early: Vec<_> = world.line.recorded.take();
    world.line.recorded.fail_always();
    let records: Vec<_> =
        (0..).zip(early).map(|(n, message)| record(&format!("e-{n}"), message)).collect();
    assert_eq!(world.deliver(&records).await, ["e-0"], "still too early, and not sent on");
}

#[tokio::test]
async fn only_the_records_whose_work_could_not_go_back_come_again() {
    let world = three_invoices().await;
    world.xero.script(|seen, _| {
        let second = invoice(2).to_string();
        let whole_list = seen.ids().len() > 1;
        (seen.ids().contains(&second.as_str()) && !whole_list).then(|| Reply::status(404, ""))
    });
    world.xero.put(organisation(), invoice(2), strange());
    world.line.recorded.fail_always();
    let again = world.deliver(&three_records()).await;
    assert_eq!(again, ["m-2"]);
    assert_eq!(world.rows("payments").await.len(), 2);
}

/// One whose payments do not add up, so that it is read alone.
fn strange() -> crate::xero::Paper {
    crate::xero::Paper { credited: 0, ..paper(2, vec![paid(2, 2, 100), paid(2, 2, 100)]) }
}

#[tokio::test]
async fn a_record_of_several_invoices_comes_again_if_one_of_them_could_not_be_written() {
    let world = three_invoices().await;
    world.proxy.plan(
        |call| {
            if call.is_write() && call.body.contains("10003") { DOWN } else { Do::Pass }
        },
    );
    let records = [
        record("m-1", events(&[1, 3], Some(at(-3)))),
        record("m-2", events(&[2], Some(at(-3)))),
        record("m-3", events(&[3], Some(at(-3)))),
    ];
    assert_eq!(world.deliver(&records).await, ["m-1", "m-3"]);
    assert_eq!(world.rows("payments").await.len(), 2);
}

#[tokio::test]
async fn a_row_that_a_person_has_to_mend_is_parked_and_its_neighbours_are_done() {
    // FAULT-16: it would be the same at every delivery, up to the dead-letter queue.
    use aws_sdk_dynamodb::types::AttributeValue;
    let world = three_invoices().await;
    world
        .direct
        .update_item()
        .table_name("invoices")
        .key("organisation", AttributeValue::S(organisation().to_string()))
        .key("number", AttributeValue::S("10002".to_owned()))
        .update_expression("SET due_on = :date")
        .expression_attribute_values(":date", AttributeValue::S("soon".to_owned()))
        .send()
        .await
        .unwrap();
    let records = [record("m-1", events(&[1, 2, 3], Some(at(-3))))];
    assert!(world.deliver(&records).await.is_empty());
    assert_eq!(world.rows("payments").await.len(), 2);
    let rows = world.rows("parked").await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["reason"], "unreadable_row");
    assert!(rows[0]["detail"].contains("due_on"), "{rows:#?}");
    let message = queue::Message::from_json(&rows[0]["body"]).unwrap();
    assert_eq!(message, events(&[2], Some(at(-3))));
}

#[tokio::test]
async fn what_cannot_be_parked_comes_again() {
    let world = three_invoices().await;
    let strange = crate::xero::Paper { status: "PERHAPS", ..paper(2, vec![]) };
    world.xero.put(organisation(), invoice(2), strange);
    world.proxy.plan(|call| if call.operation == "PutItem" { THROTTLED } else { Do::Pass });
    assert_eq!(world.deliver(&three_records()).await, ["m-2"]);
    assert!(sent_back(&world.line).is_empty());
    assert_eq!(world.rows("payments").await.len(), 2);
}
