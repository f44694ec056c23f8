//! A mass change waits for a person: no good payment is lost by a mistake in Xero.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use harness::Do;
use jiff::SignedDuration;
use tokio::sync::Notify;

use crate::world::{
    World, advance, at, events, invoice, now, organisation, paid, paper, record, sent_back,
};

/// Five invoices with a payment each, which the mirror has; three may be lost within an hour.
async fn five() -> World {
    let world = World::new().await;
    world.set_up(organisation(), |settings| settings.mass_change_max = Some(3)).await;
    for n in 1..=5 {
        world.record_invoice(n).await;
        world.xero.put(organisation(), invoice(n), paper(n, vec![paid(n, 2, 100)]));
    }
    world.changed(&[1, 2, 3, 4, 5]).await;
    advance(Duration::from_secs(60));
    world
}

/// Deletes the payments of these invoices in Xero.
fn delete(world: &World, invoices: &[u32]) {
    for n in invoices {
        let mut gone = paper(*n, vec![]);
        gone.updated_at = now();
        world.xero.put(organisation(), invoice(*n), gone);
    }
}

async fn copies(world: &World) -> usize {
    world.rows("payments").await.len()
}

#[tokio::test]
async fn a_batch_that_would_lose_too_much_stops_before_the_first_and_leaves_a_message() {
    let world = five().await;
    delete(&world, &[1, 2, 3, 4]);
    // An invoice that loses no payment goes on.
    let mut paid_twice = paper(5, vec![paid(5, 2, 100), paid(6, 3, 50)]);
    paid_twice.updated_at = now();
    world.xero.put(organisation(), invoice(5), paid_twice);

    assert!(world.deliver(&[record("m", events(&[1, 2, 3, 4, 5], Some(now())))]).await.is_empty());

    assert_eq!(copies(&world).await, 6, "nothing is gone, and one is new");
    assert!(world.rows("tombstones").await.is_empty());
    let messages = world.rows("messages").await;
    let message = messages.iter().find(|row| row["kind"] == "MASS_CHANGE").unwrap();
    assert!(message["why"].contains("on 4 invoices"), "{message:?}");
    let brake = &world.rows("brakes").await[0];
    assert_eq!(brake["state"], "on");
    for n in ["10001", "10002", "10003", "10004"] {
        assert!(brake["waiting"].contains(n), "{brake:?}");
    }
    let back = sent_back(&world.line);
    assert_eq!(back.len(), 4);
    let in_an_hour = Some(now() + SignedDuration::from_hours(1));
    assert!(back.iter().all(|(change, at, _)| change.failures == 0 && *at == in_an_hour));
    let log = world.rows("activity").await;
    assert!(log.iter().any(|row| row["action"] == "mass_change_stopped"));
}

#[tokio::test]
async fn as_many_as_are_allowed_go_and_the_next_one_waits_for_a_person() {
    let world = five().await;
    delete(&world, &[1, 2, 3]);
    world.changed(&[1, 2, 3]).await;
    assert_eq!(copies(&world).await, 2);

    delete(&world, &[4]);
    world.changed(&[4]).await;
    assert_eq!(copies(&world).await, 2, "a fourth one within the hour");

    // Even when the hour is over: it is on until a person has looked.
    advance(Duration::from_secs(2 * 3_600));
    world.changed(&[4]).await;
    assert_eq!(copies(&world).await, 2);
    let waited =
        world.tables.approve_changes(organisation(), "Ada", "we did that", now()).await.unwrap();
    assert_eq!(waited, [crate::world::number(4)]);
    delete(&world, &[5]);
    world.changed(&[4, 5]).await;
    assert_eq!(copies(&world).await, 0);
    assert_eq!(world.rows("brakes").await[0]["state"], "off");
    assert_eq!(world.rows("tombstones").await.len(), 5);
}

#[tokio::test]
async fn with_the_brake_off_everything_goes() {
    let world = five().await;
    world.set_up(organisation(), |settings| settings.mass_change_max = None).await;
    delete(&world, &[1, 2, 3, 4, 5]);
    world.changed(&[1, 2, 3, 4, 5]).await;
    assert_eq!((copies(&world).await, world.rows("brakes").await.len()), (0, 0));
}

#[tokio::test]
async fn when_the_brake_cannot_be_asked_nothing_is_lost_and_the_record_comes_again() {
    let world = five().await;
    delete(&world, &[1]);
    world.proxy.plan(|call| {
        let brake = call.body.contains(r#""TableName":"brakes""#);
        if brake { Do::Refuse("InternalServerError") } else { Do::Pass }
    });
    let again = world.deliver(&[record("m", events(&[1], Some(at(60))))]).await;
    assert_eq!(again, ["m"]);
    assert_eq!(copies(&world).await, 5);
    world.proxy.heal();
    world.changed(&[1]).await;
    assert_eq!(copies(&world).await, 4);
}

#[tokio::test]
async fn what_a_lost_race_makes_worse_is_asked_of_the_brake_again() {
    let world = five().await;
    world.set_up(organisation(), |settings| settings.mass_change_max = Some(1)).await;
    delete(&world, &[1]);
    // The run has asked about one payment, and is about to delete it.
    let bell = Arc::new(Notify::new());
    let held = Arc::new(AtomicBool::new(false));
    let (rings, is_held) = (bell.clone(), held.clone());
    world.proxy.plan(move |call| {
        let deletes = call.body.contains(r#""TableName":"tombstones""#);
        if deletes && !held.swap(true, Ordering::SeqCst) {
            return Do::Wait(bell.clone());
        }
        Do::Pass
    });
    let records = [record("m-1", events(&[1], Some(now())))];
    let first = world.deliver(&records);
    let second = async {
        while !is_held.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
        // Another run, with a read that is older, brings a second payment onto the invoice.
        let mut before = paper(1, vec![paid(1, 2, 100), paid(7, 3, 50)]);
        before.updated_at = now() - SignedDuration::from_secs(30);
        world.xero.put(organisation(), invoice(1), before);
        assert!(world.deliver(&[record("m-2", events(&[1], Some(at(0))))]).await.is_empty());
        rings.notify_one();
    };

    let (again, ()) = tokio::join!(first, second);

    assert!(again.is_empty(), "{again:?}");
    assert_eq!(copies(&world).await, 6, "the brake was asked about one of them, and not about two");
    assert_eq!(world.rows("brakes").await[0]["state"], "on");
}
