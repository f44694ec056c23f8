//! Reads that are older than what they were made for (FAULT-12 to FAULT-14).

use std::time::Duration;

use jiff::Timestamp;

use crate::world::{
    World, advance, at, events, invoice, now, organisation, paid, paper, record, sent_back,
};
use crate::xero::usual;

/// Xero answers with the invoice as it was at `at(-3)`, and the event says `at(60)`.
async fn stale() -> World {
    World::with_invoice(vec![paid(1, 2, 100)]).await
}

#[tokio::test]
async fn a_read_older_than_its_event_is_applied_and_the_event_is_not_satisfied() {
    // FAULT-14, facts.md 5.24
    let world = stale().await;
    let again = world.deliver(&[record("m-1", events(&[1], Some(at(60))))]).await;
    assert!(again.is_empty());
    assert_eq!(world.stored(1).await.payments.len(), 1, "what was read is true all the same");
    let [(change, not_before, delay)] = sent_back(&world.line)[..] else { panic!() };
    assert_eq!((change.event_at, change.stale_reads), (Some(at(60)), 1));
    assert_eq!((change.failures, not_before), (0, Some(at(60))));
    assert_eq!(delay, Duration::from_secs(60));
}

#[tokio::test]
async fn an_event_newer_than_its_invoice_that_brings_nothing_costs_one_more_look_and_ends_quietly()
{
    // Some changes move no stamp (facts.md 3.5): nothing is wrong, and no person has anything to do.
    let world = stale().await;
    let rounds = world.drain(vec![record("m-1", events(&[1], Some(at(4))))]).await;
    assert_eq!((rounds, world.xero.calls().len()), (2, 2));
    assert_eq!(world.stored(1).await.payments.len(), 1);
    assert!(world.rows("parked").await.is_empty());
    assert!(world.rows("messages").await.is_empty());
    let runs = world.rows("sync_runs").await;
    assert!(runs.iter().all(|run| !run.contains_key("failed_in")), "{runs:#?}");
}

#[tokio::test]
async fn a_read_older_than_the_stamp_that_the_sweep_has_seen_is_parked_in_the_end() {
    let world = stale().await;
    let start = now();
    let rounds = world.drain(vec![record("m-1", swept(&[1], at(3_600)))]).await;
    assert_eq!(rounds, 4);
    assert_eq!(now().duration_since(start).as_secs(), 30 + 120 + 600);
    let rows = world.rows("parked").await;
    assert_eq!((rows.len(), rows[0]["reason"].as_str()), (1, "stale_read"));
    let body = queue::Message::from_json(&rows[0]["body"]).unwrap();
    assert_eq!(body, swept(&[1], at(3_600)), "as if it had not been read yet");
}

/// What the sweep says of invoices whose own stamp it has seen.
fn swept(ids: &[u32], stamp: Timestamp) -> queue::Message {
    let queue::Message::Invoices(mut changes) = events(ids, Some(stamp)) else { panic!() };
    changes.cause = queue::Cause::Sweep;
    queue::Message::Invoices(changes)
}

#[tokio::test]
async fn as_soon_as_xero_shows_the_change_the_event_is_satisfied() {
    // N3
    let world = stale().await;
    let mut fresh = paper(1, vec![paid(1, 2, 100), paid(2, 3, 200)]);
    fresh.updated_at = at(60);
    world.xero.script(move |seen, books| {
        if now() >= at(40) {
            let key = (organisation().to_string(), invoice(1).to_string());
            books.insert(key, fresh.clone());
        }
        Some(usual(seen, books))
    });
    let rounds = world.drain(vec![record("m-1", events(&[1], Some(at(60))))]).await;
    assert_eq!(rounds, 2);
    assert_eq!(world.stored(1).await.payments.len(), 2);
    assert!(world.rows("parked").await.is_empty());
}

#[tokio::test]
async fn a_read_within_five_seconds_of_its_event_or_without_one_is_fresh() {
    for event_at in [Some(at(-3)), Some(at(2)), None] {
        let world = stale().await;
        world.deliver(&[record("m-1", events(&[1], event_at))]).await;
        assert!(world.line.recorded.sent().is_empty(), "{event_at:?}");
    }
}

#[tokio::test]
async fn a_stale_read_is_no_news_when_what_is_stored_is_newer_than_the_event() {
    // FAULT-12 and FAULT-14: another consumer has read the change already.
    let world = World::with_invoice(vec![]).await;
    let mut newer = paper(1, vec![paid(1, 2, 100)]);
    newer.updated_at = at(60);
    world.xero.put(organisation(), invoice(1), newer);
    world.changed(&[1]).await;
    world.xero.put(organisation(), invoice(1), paper(1, vec![]));
    let again = world.deliver(&[record("m-2", events(&[1], Some(at(60))))]).await;
    assert!(again.is_empty() && world.line.recorded.sent().is_empty());
    assert_eq!(world.stored(1).await.payments.len(), 1, "N4");
}

#[tokio::test]
async fn a_change_during_a_fetch_is_fetched_by_its_own_event() {
    // FAULT-13: the answer is on its way when the second payment is made, and the event of
    // that is accepted before the first one is written.
    let world = World::with_invoice(vec![paid(1, 2, 100)]).await;
    world.xero.script(|seen, books| {
        let reply = usual(seen, books);
        if seen.number == 1 && seen.path.contains("Invoices") {
            let mut changed = paper(1, vec![paid(1, 2, 100), paid(2, 3, 200)]);
            changed.updated_at = at(1);
            books.insert((crate::xero::tenant(seen), invoice(1).to_string()), changed);
        }
        Some(reply)
    });
    world.changed(&[1]).await;
    assert_eq!(world.stored(1).await.payments.len(), 1);

    advance(Duration::from_secs(2));
    assert!(world.deliver(&[record("m-2", events(&[1], Some(at(1))))]).await.is_empty());

    assert_eq!(world.stored(1).await.payments.len(), 2, "N1");
    assert_eq!(world.xero.calls().len(), 2);
}

#[tokio::test]
async fn a_stale_read_of_an_invoice_that_is_not_ours_yet_does_not_satisfy_the_event() {
    // FAULT-14: the event says that it was approved and got its number; the read does not.
    let world = World::new().await;
    world.record_invoice(1).await;
    let mut draft = paper(1, vec![]);
    draft.number = String::new();
    draft.status = "DRAFT";
    draft.updated_at = at(-60);
    world.xero.put(organisation(), invoice(1), draft);
    let mut approved = paper(1, vec![paid(1, 2, 100)]);
    approved.updated_at = at(5);
    world.xero.script(move |seen, books| {
        if now() > at(10) {
            let key = (organisation().to_string(), invoice(1).to_string());
            books.insert(key, approved.clone());
        }
        Some(usual(seen, books))
    });
    let rounds = world.drain(vec![record("m-1", events(&[1], Some(at(5))))]).await;
    assert_eq!(rounds, 2);
    assert_eq!(world.stored(1).await.payments.len(), 1);
}

#[tokio::test]
async fn what_the_sweep_finds_is_timed_from_its_change_in_xero_and_the_rest_from_its_event() {
    // SP-09, A7.1
    use queue::{Cause, Message};
    for (cause, took) in [(Cause::Sweep, Some("#3000")), (Cause::Intake, None)] {
        let world = stale().await;
        let Message::Invoices(mut changes) = events(&[1], None) else { panic!() };
        changes.cause = cause;
        world.deliver(&[record("m-1", Message::Invoices(changes))]).await;
        let rows = world.rows("activity").await;
        let wanted = [("action", "imported"), ("cause", cause.code())];
        let [row] = harness::dynamodb::having(&rows, &wanted)[..] else { panic!("{rows:#?}") };
        assert_eq!(row.get("visible_after_ms").map(String::as_str), took);
    }
}

#[tokio::test]
async fn a_clock_that_is_ahead_keeps_no_later_read_of_the_same_version_away_for_long() {
    // N4, FAULT-12: two changes in Xero within one stamp.
    let world = World::with_invoice(vec![paid(1, 2, 100)]).await;
    let ahead = world.mirror_with(|| now() + jiff::SignedDuration::from_secs(120));
    let records = [record("m-1", events(&[1], Some(at(-3))))];
    let deadline = now() + jiff::SignedDuration::from_secs(240);
    assert!(world.deliver_to(&ahead, &records, deadline).await.is_empty());
    assert_eq!(world.stored(1).await.payments.len(), 1);
    world.xero.put(organisation(), invoice(1), paper(1, vec![paid(1, 2, 100), paid(2, 3, 200)]));

    advance(Duration::from_secs(10));
    let start = now();
    world.drain(vec![record("m-2", events(&[1], Some(at(-3))))]).await;

    assert_eq!(world.stored(1).await.payments.len(), 2);
    assert!(now().duration_since(start).as_secs() <= 120);
}
