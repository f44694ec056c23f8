//! The process ends at any of its calls to the outside, before or after it had its effect (FAULT-29).

use std::time::Duration;

use harness::{CrashPoint, Moment, crash_moments};
use xero::Retry;

use super::world::{World, minutes, seconds};

/// A process renews the grant and calls Xero, and ends at the crash point. Returns whether it did.
async fn ends(world: &World, crash_point: &std::sync::Arc<CrashPoint>) -> bool {
    world.end_with(crash_point);
    let ended = crash_point.run(world.call(0)).await;
    world.end_with(&CrashPoint::counting());
    if let Some(outcome) = &ended {
        outcome.as_ref().unwrap();
    }
    ended.is_none()
}

#[tokio::test]
async fn wherever_the_process_ends_the_grant_lives_on() {
    // FAULT-29: with the next call a minute later, or when the old token has hardly any time left.
    let world = World::connected().await;
    let counter = CrashPoint::counting();
    assert!(!ends(&world, &counter).await);
    let calls = counter.calls();
    assert!(calls.len() > 8, "{calls:?}");
    for pause in [seconds(61), minutes(28)] {
        for (call, moment) in crash_moments(&calls) {
            let what = format!("killed {moment:?} call {call}, {pause:?} before");
            let world = World::connected().await;
            assert!(ends(&world, &CrashPoint::at(call, moment)).await, "{what}");
            world.clock.advance(pause);
            for organisation in [1, 0] {
                let outcome = world.call(organisation).await;
                outcome.unwrap_or_else(|error| panic!("{what}: {error}"));
            }
            // The pair that is kept now is the last one that Xero gave.
            world.clock.advance(minutes(24 * 60));
            let outcome = world.call(0).await;
            outcome.unwrap_or_else(|error| panic!("a day after: {what}: {error}"));
            let grant = world.grant().await;
            assert_eq!((grant.dead, grant.lease, world.messages().await.len()), (None, None, 0));
        }
    }
}

#[tokio::test]
async fn a_process_that_comes_before_the_lease_is_over_waits_and_comes_again() {
    let world = World::connected().await;
    assert!(ends(&world, &CrashPoint::at_effect(1, Moment::After)).await, "with the lease");
    world.asked_for_tokens();
    let process = world.process().with_retry_pause(Duration::from_millis(1));
    let error = process.organisation(world.organisation(0)).await.unwrap_err();
    let Retry::Later { after, counts_as_failure: true } = error.retry() else { panic!("{error}") };
    assert_eq!(after, Some(Duration::from_secs(60)), "when the lease is over");
    assert_eq!(world.asked_for_tokens(), 0);
    world.clock.advance(seconds(61));
    world.call(0).await.unwrap();
}
