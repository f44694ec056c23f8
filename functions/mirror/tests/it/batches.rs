//! Many messages, few calls; and each record has its own answer.

use aws_lambda_events::sqs::SqsEvent;
use harness::dynamodb::{RUN, everything, having};
use jiff::SignedDuration;
use queue::Message;

use crate::world::{
    World, at, at_most_two_minutes, events, invoice, now, organisation, paid, paper, raw_record,
    record, sent_back,
};

/// A hundred messages with ten events each, over 120 invoices.
fn thousand_events() -> Vec<aws_lambda_events::sqs::SqsMessage> {
    let message = |m: u32| {
        let invoices: Vec<u32> = (0..10).map(|e| (m * 10 + e) * 7 % 120 + 1).collect();
        record(&format!("m-{m}"), events(&invoices, Some(at(-3))))
    };
    (0..100).map(message).collect()
}

#[tokio::test]
async fn a_thousand_events_over_120_invoices_are_three_calls_and_again_no_write() {
    // FAULT-04 and FAULT-11, CM-44
    let world = World::new().await;
    for n in 1..=120 {
        world.record_invoice(n).await;
        world.xero.put(organisation(), invoice(n), paper(n, vec![paid(n, 2, 100)]));
    }
    let records = thousand_events();

    assert!(world.deliver(&records).await.is_empty());

    assert_eq!(world.xero.calls().len(), 3);
    assert_eq!(world.proxy.writes(), 120);
    let asked: Vec<usize> = world.xero.calls().iter().map(|call| call.ids().len()).collect();
    assert_eq!(asked, [40, 40, 40]);

    // Redelivered
    let before = everything(&world.direct, &[]).await;
    world.xero.forget_calls();
    world.proxy.heal();
    assert!(world.deliver(&records).await.is_empty());
    assert_eq!(world.xero.calls().len(), 3);
    assert_eq!(world.proxy.writes(), 0);
    assert_eq!(everything(&world.direct, &[]).await, before);
    assert!(world.line.recorded.sent().is_empty());
}

#[tokio::test]
async fn ten_thousand_events_of_one_invoice_are_one_call() {
    // FAULT-04: it is the invoices that cost something, not the events.
    let world = World::with_invoice(vec![paid(1, 2, 100)]).await;
    let many = vec![1; 200];
    let records: Vec<_> =
        (0..50).map(|m| record(&format!("m-{m}"), events(&many, Some(at(-3))))).collect();
    assert!(world.deliver(&records).await.is_empty());
    assert_eq!((world.xero.calls().len(), world.proxy.writes()), (1, 1));
    assert!(world.line.recorded.sent().is_empty());
}

#[tokio::test]
async fn the_latest_event_of_an_invoice_is_the_one_that_a_read_has_to_satisfy() {
    let world = World::with_invoice(vec![paid(1, 2, 100)]).await;
    let records = [
        record("m-1", events(&[1], Some(at(-3)))),
        record("m-2", events(&[1], Some(at(60)))),
        record("m-3", events(&[1], None)),
    ];
    assert!(world.deliver(&records).await.is_empty());
    let [(change, ..)] = sent_back(&world.line)[..] else { panic!() };
    assert_eq!((change.event_at, change.stale_reads), (Some(at(60)), 1));
}

#[tokio::test]
async fn two_at_once_on_the_same_invoices_end_as_one() {
    // FAULT-11: two consumers with the same events.
    let alone = five_invoices().await;
    alone.changed(&[1, 2, 3, 4, 5]).await;
    let expected = everything(&alone.direct, RUN).await;

    let world = five_invoices().await;
    let records = [record("m-1", events(&[1, 2, 3, 4, 5], Some(at(-3))))];
    let (one, other) = tokio::join!(world.deliver(&records), world.deliver(&records));

    assert!(one.is_empty() && other.is_empty(), "{one:?} {other:?}");
    assert_eq!(everything(&world.direct, RUN).await, expected);
}

#[tokio::test]
async fn two_at_once_whose_clocks_differ_decide_everything_once() {
    // FAULT-11 and FAULT-12: were it decided twice, the log would hold it under two times.
    let world = five_invoices().await;
    let records = [record("m-1", events(&[1, 2, 3, 4, 5], Some(at(-3))))];
    let (one, other) = (world.mirror(), world.mirror_with(|| now() + SignedDuration::from_secs(1)));
    let (deadline, all) = (at_most_two_minutes(), &records[..]);

    let (one, other) = tokio::join!(
        world.deliver_to(&one, all, deadline),
        world.deliver_to(&other, all, deadline)
    );

    assert!(one.is_empty() && other.is_empty(), "{one:?} {other:?}");
    assert_eq!(world.rows("payments").await.len(), 50);
    let activity = world.rows("activity").await;
    assert_eq!(having(&activity, &[("action", "imported")]).len(), 50);
}

async fn five_invoices() -> World {
    let world = World::new().await;
    for n in 1..=5 {
        world.record_invoice(n).await;
        let payments = (0..10).map(|p| paid(n * 100 + p, 2, i64::from(100 + p))).collect();
        world.xero.put(organisation(), invoice(n), paper(n, payments));
    }
    world
}

#[tokio::test]
async fn near_the_deadline_the_rest_goes_back_as_it_came() {
    // N10: nothing is begun that could not be ended.
    let world = World::new().await;
    let many: Vec<u32> = (1..=90).collect();
    let deadline = now() + SignedDuration::from_secs(29);
    let records = [record("m-1", events(&many, Some(at(-3))))];
    let again = world.deliver_to(&world.mirror(), &records, deadline).await;
    assert!(again.is_empty());
    assert!(world.xero.calls().is_empty());
    assert_eq!(world.line.recorded.sent(), [events(&many, Some(at(-3)))]);
    assert!(sent_back(&world.line).iter().all(|(_, _, delay)| delay.is_zero()));
}

#[tokio::test]
async fn one_run_takes_a_thousand_invoices_and_leaves_the_rest_in_the_queue() {
    let world = World::new().await;
    let message = |m: u32| {
        let invoices: Vec<u32> = (m * 200 + 1..=(m + 1) * 200).collect();
        record(&format!("m-{m}"), events(&invoices, Some(at(-3))))
    };
    let records: Vec<_> = (0..6).map(message).collect();
    world.xero.always(crate::xero::Reply::status(403, ""));
    assert!(world.deliver(&records).await.is_empty());
    let sent = world.line.recorded.sent_with_delays();
    let fresh: Vec<_> = sent.iter().filter(|(_, delay)| delay.is_zero()).collect();
    assert_eq!(fresh.len(), 1);
    assert_eq!(fresh[0].0.to_json().unwrap(), records[5].body.clone().unwrap());
    assert_eq!(sent_back(&world.line).len(), 1_200);
}

#[tokio::test]
async fn a_poisonous_record_among_good_ones_is_kept_and_the_good_ones_are_done() {
    // FAULT-16
    let world = World::with_invoice(vec![paid(1, 2, 100)]).await;
    let strange = [
        "<xml/>",
        "",
        "null",
        r#"{"version":99,"kind":"invoices"}"#,
        r#"{"version":1,"kind":"invoices","organisation":"x"}"#,
        r#"{"Records":[{"eventSource":"aws:s3"}]}"#,
    ];
    let mut records: Vec<_> =
        (0..).zip(strange).map(|(n, body)| raw_record(&format!("p-{n}"), body)).collect();
    records.insert(3, record("m-1", events(&[1], Some(at(-3)))));

    assert!(world.deliver(&records).await.is_empty());

    assert_eq!(world.stored(1).await.payments.len(), 1);
    let rows = world.rows("parked").await;
    assert_eq!(having(&rows, &[("reason", "not_a_message"), ("by", "mirror")]).len(), 6);
    for body in strange {
        assert_eq!(having(&rows, &[("body", body)]).len(), 1, "{body}");
    }
    // Delivered again, they are still kept once.
    world.deliver(&records).await;
    assert_eq!(world.rows("parked").await.len(), 6);
}

#[tokio::test]
async fn a_record_without_an_id_makes_all_of_them_come_again() {
    // FAULT-16: an empty list of failures would delete it.
    for blank in [None, Some(String::new()), Some(" ".to_owned())] {
        let world = World::with_invoice(vec![paid(1, 2, 100)]).await;
        let good = record("m-1", events(&[1], Some(at(-3))));
        let mut nameless = record("", events(&[1], Some(at(-3))));
        nameless.message_id = blank;
        let mut event = SqsEvent::default();
        event.records = vec![good, nameless];
        let error = world.mirror().handle(event, at_most_two_minutes()).await.unwrap_err();
        assert_eq!((error.position, error.records), (1, 2));
    }
}

#[tokio::test]
async fn an_empty_batch_is_done() {
    let world = World::new().await;
    assert!(world.deliver(&[]).await.is_empty());
    assert!(world.xero.calls().is_empty());
}

#[tokio::test]
async fn a_message_without_invoices_is_done() {
    let world = World::new().await;
    assert!(world.deliver(&[record("m-1", events(&[], None))]).await.is_empty());
    assert!(world.xero.calls().is_empty());
    assert_eq!(world.line.recorded.sent(), Vec::<Message>::new());
}
