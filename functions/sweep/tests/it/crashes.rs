//! FAULT-07: the process ends at any of its calls to the outside, before or after that had its effect; then
//! the next schedule comes. In the end nothing is missed. The calls are counted, not listed by hand.

use std::collections::BTreeSet;

use harness::{CrashPoint, crash_moments};
use jiff::SignedDuration;
use serde_json::json;

use crate::world::{HALF_AN_HOUR, World};

/// Longer than a lease.
const LATER: SignedDuration = SignedDuration::from_mins(7);

/// A payment recorded, one deleted, one deleted without a stamp, a number that was changed: all since the
/// mirror was up to date.
async fn eventful() -> World {
    let world = World::new().await;
    let mut paid = Vec::new();
    for n in 1..=4 {
        let invoice = world.both(&n.to_string()).await;
        paid.push((invoice, world.pay(invoice, n * 10_00)));
    }
    world.sweep().await;
    world.work_off().await;
    world.clock.advance(HALF_AN_HOUR);
    world.pay(paid[0].0, 5_00);
    world.simulator.delete_payment(paid[1].1).unwrap();
    world.simulator.delete_payment_quietly(paid[2].1).unwrap();
    world.renumber(paid[3].0, "CM-5").await;
    world.local("5").await;
    // Longer than the overlap, which would make up for much.
    world.clock.advance(HALF_AN_HOUR);
    world
}

/// A sweep, and what it leaves on the queue.
async fn swept(world: &World, full: bool) {
    let event = json!({"scheduled_time": world.now(), "full": full});
    let _ = world.invoke(event).await;
}

async fn wherever_the_process_ends(full: bool) -> (usize, usize) {
    let world = eventful().await;
    let counter = CrashPoint::counting();
    world.end_with(&counter);
    swept(&world, full).await;
    world.end_with(&CrashPoint::counting());
    let queued: BTreeSet<_> = {
        let queued = world.line.recorded.sent().len();
        world.work_off().await;
        assert_eq!(world.mirrored().await, world.in_xero(), "{queued}");
        (0..queued).collect()
    };
    assert!(!queued.is_empty());
    let moments = crash_moments(&counter.calls());
    for (call, moment) in &moments {
        let world = eventful().await;
        let crash_point = CrashPoint::at(*call, *moment);
        world.end_with(&crash_point);
        let ended = crash_point.run(swept(&world, full)).await.is_none();
        assert!(ended, "not killed {moment:?} call {call}");
        world.end_with(&CrashPoint::counting());
        world.clock.advance(LATER);
        swept(&world, full).await;
        let rows = world.rows("sweeps").await;
        // The table also holds the invoices whose import is awaited.
        let attempts = rows.iter().filter_map(|row| row.get("last_attempt"));
        assert!(
            attempts.clone().count() > 0 && attempts.clone().all(|a| a == "finished"),
            "{moment:?} call {call}: {rows:#?}"
        );
        world.work_off().await;
        assert_eq!(world.mirrored().await, world.in_xero(), "killed {moment:?} call {call}");
        assert_eq!(world.rows("parked").await.len(), 0, "killed {moment:?} call {call}");
        let runs = world.rows("sync_runs").await;
        assert!(runs.iter().all(|run| run["state"] != "running"), "{runs:#?}");
    }
    (moments.len(), counter.calls().len())
}

#[tokio::test]
async fn wherever_a_sweep_ends_nothing_is_missed() {
    let (killed, calls) = wherever_the_process_ends(false).await;
    println!("a sweep of {calls} calls, killed at {killed} moments; nothing was ever missed");
    assert!(killed > 10, "{killed}");
}

#[tokio::test]
async fn wherever_a_full_sweep_ends_nothing_is_missed() {
    let (killed, calls) = wherever_the_process_ends(true).await;
    println!("a full sweep of {calls} calls, killed at {killed} moments; nothing was ever missed");
    assert!(killed > 5, "{killed}");
}
