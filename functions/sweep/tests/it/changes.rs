//! What changed since the last time.

use harness::dynamodb::having;
use jiff::SignedDuration;
use payments::sweep::SyncState;
use queue::Cause;
use serde_json::json;
use xero_simulator::InvoiceKind;

use crate::world::{HALF_AN_HOUR, World, uuid};

#[tokio::test]
async fn what_no_webhook_announced_is_found_and_each_invoice_is_named_once() {
    // AMB-04, X-08
    let world = World::new().await;
    let (one, two, three) = (world.both("1").await, world.both("2").await, world.both("3").await);
    world.clock.advance(HALF_AN_HOUR);
    world.sweep().await;
    world.take_queue();
    world.clock.advance(HALF_AN_HOUR);
    world.calls();
    let paid = world.pay(one, 46_00);
    world.pay(one, 10_00);
    world.simulator.delete_payment(paid).unwrap();
    world.simulator.void_invoice(two).unwrap();

    let answer = world.sweep().await;

    assert_eq!(answer["outcome"], "finished", "{answer}");
    assert_eq!(world.calls(), 2, "one for each list");
    let queue = world.take_queue();
    let [(Cause::Sweep, changes)] = queue.as_slice() else { panic!("{queue:?}") };
    let mut found: Vec<_> = changes.iter().map(|c| (uuid(c.id), c.event_at)).collect();
    let stamp = |invoice| Some(world.simulator.invoice(invoice).unwrap().updated);
    let mut expected = vec![(one, stamp(one)), (two, stamp(two))];
    found.sort();
    expected.sort();
    assert_eq!(found, expected, "and not {three}, which is as it was");
    assert_eq!(answer["run"]["counts"]["queued"], 2);
    assert_eq!(answer["run"]["counts"]["rows"], 4, "two invoices, two payments");
}

#[tokio::test]
async fn a_payment_deleted_while_its_invoice_keeps_its_stamp_is_found_and_removed() {
    let world = World::new().await;
    let invoice = world.both("1").await;
    let paid = world.pay(invoice, 46_00);
    world.sweep().await;
    world.work_off().await;
    assert_eq!(world.mirrored().await.len(), 1);
    world.clock.advance(HALF_AN_HOUR);
    let stamp = world.simulator.invoice(invoice).unwrap().updated;
    world.simulator.delete_payment_quietly(paid).unwrap();
    assert_eq!(world.simulator.invoice(invoice).unwrap().updated, stamp);

    world.sweep().await;

    assert_eq!(world.line.recorded.sent().len(), 1, "a message");
    assert_eq!(world.work_off().await, 1, "read once: no stamp of the invoice was waited for");
    assert_eq!(world.mirrored().await, world.in_xero());
    assert_eq!(world.rows("tombstones").await.len(), 1);
    assert_eq!(world.rows("parked").await, Vec::<harness::dynamodb::Row>::new());
}

#[tokio::test]
async fn only_what_is_ours_or_was_ours_before_is_put_on_the_queue() {
    // CM-05, AMB-25
    let world = World::new().await;
    let ours = world.both("1").await;
    let renamed = world.both("2").await;
    world.sweep().await;
    world.work_off().await;
    world.clock.advance(HALF_AN_HOUR);
    let foreign = world.invoice("INV-7");
    world.pay(foreign, 10_00);
    let bill = world.document(InvoiceKind::Accpay, "CM-8");
    world.pay(bill, 10_00);
    world.pay(ours, 10_00);
    world.renumber(renamed, "INV-2").await;

    let answer = world.sweep().await;

    let mut queued = world.take_queued();
    queued.sort();
    let mut expected = vec![ours, renamed];
    expected.sort();
    assert_eq!(queued, expected);
    let counts = &answer["run"]["counts"];
    // The foreign invoice is in both lists; the bill's payment is no invoice's of ours by its type.
    assert_eq!((&counts["not_cm_prefix"], &counts["not_sales_invoice"]), (&json!(2), &json!(1)));
    assert_eq!(counts["no_invoice"], 1);
}

#[tokio::test]
async fn the_next_sweep_begins_ten_minutes_before_the_last_one() {
    let world = World::new().await;
    let early = world.both("1").await;
    world.clock.advance(SignedDuration::from_mins(11));
    let late = world.both("2").await;
    world.clock.advance(SignedDuration::from_mins(1));
    let begun = world.now();
    world.sweep().await;
    assert_eq!(world.take_queued().len(), 2);
    assert_eq!(world.state().await.cursor, Some(begun));
    world.clock.advance(HALF_AN_HOUR);

    world.sweep().await;

    assert_eq!(world.take_queued(), [late], "and not {early}, which is older than the overlap");
    world.clock.advance(HALF_AN_HOUR);
    world.sweep().await;
    assert_eq!(world.take_queued(), Vec::<uuid::Uuid>::new());
}

#[tokio::test]
async fn last_sync_and_last_attempt_are_kept_and_every_run_leaves_its_row() {
    // AMB-07: a run that found nothing new is a success
    let world = World::new().await;
    world.sweep().await;
    let first = world.state().await;
    assert_eq!(first.last_success_at, Some(world.now()));
    world.clock.advance(HALF_AN_HOUR);
    world.sweep().await;
    let second = world.state().await;
    assert_eq!(second.last_success_at, Some(world.now()));
    assert_eq!(second.last_attempt, Some(SyncState::Finished));
    assert_eq!(second.lease_until, None);
    let runs = world.rows("sync_runs").await;
    assert_eq!(runs.len(), 2);
    assert_eq!(
        having(&runs, &[("state", "finished"), ("kind", "sweep"), ("calls", "#2")]).len(),
        2
    );
    assert!(runs.iter().all(|run| !run.contains_key("failed_in")));
}

#[tokio::test]
async fn more_changes_than_a_page_holds_are_read_to_the_end_and_none_is_lost() {
    let world = World::new().await;
    for n in 0..2_300 {
        world.invoice(&format!("CM-{n}"));
        world.clock.advance(SignedDuration::from_millis(100));
    }
    world.clock.advance(HALF_AN_HOUR);
    let answer = world.sweep().await;
    assert_eq!(answer["run"]["counts"]["queued"], 2_300, "{answer}");
    assert_eq!(world.calls(), 3 + 1, "three pages of invoices, one of payments");
    let queued: std::collections::BTreeSet<_> = world.take_queued().into_iter().collect();
    assert_eq!(queued.len(), 2_300);
}

#[tokio::test]
async fn an_organisation_whose_mirror_is_off_is_left_alone() {
    // CM-01
    let world = World::new().await;
    world.settings(|settings| settings.mirror_enabled = false).await;
    let answer = world.invoke(json!({"scheduled_time": world.now()})).await.unwrap();
    assert_eq!(answer, json!({"sweeps": []}));
    let wish = json!({"organisation": world.tenant, "by": "Ada", "why": "w"});
    let refused = world.invoke(json!({"sync_now": wish})).await.unwrap_err();
    assert!(refused.contains("not switched on"), "{refused}");
    assert_eq!(world.calls(), 0);
}

#[tokio::test]
async fn a_schedule_that_comes_twice_is_followed_once_and_one_of_the_future_not_at_all() {
    let world = World::new().await;
    world.sweep().await;
    world.calls();
    assert_eq!(world.sweep().await["outcome"], "already_done");
    let tomorrow = world.now() + SignedDuration::from_hours(24);
    let answer = world.invoke(json!({"scheduled_time": tomorrow})).await.unwrap();
    assert_eq!(answer["sweeps"][0]["outcome"], "not_now");
    assert_eq!(world.calls(), 0);
}
