//! Two hosts whose clocks differ: together they never call Xero more often in a minute than one would (N7,
//! FAULT-23).

use std::time::Duration;

use aws_lambda_events::sqs::SqsEvent;
use host::clock::Clock;
use jiff::SignedDuration;
use mirror::Mirror;
use queue::ChangesQueue;

use crate::contract::{aws, cloud, environment};
use crate::world::{World, advance, at, at_most_two_minutes, events, now, paid, record};

const A_MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// A host of its own, whose clock is so many seconds ahead, or behind if that is negative.
async fn host(world: &World, name: &'static str, seconds: i64) -> Mirror<ChangesQueue> {
    let url = cloud(world.proxy.url.clone(), || "secret").await;
    let (xero, queue): (&'static str, &'static str) =
        (world.xero.url.clone().leak(), format!("{url}/000000000000/changes").leak());
    let variables = environment(&[
        ("XERO_API_URL", xero),
        ("XERO_IDENTITY_URL", xero),
        ("CHANGES_QUEUE_URL", queue),
        ("AWS_LAMBDA_LOG_STREAM_NAME", name),
    ]);
    let clock = Clock::new(move || now() + SignedDuration::from_secs(seconds));
    Mirror::from_env(&variables, &aws(&url), clock).await.unwrap()
}

#[tokio::test]
async fn a_host_whose_clock_is_behind_uses_up_the_minute_of_one_whose_clock_is_right() {
    let world = World::with_invoice(vec![paid(1, 2, 100)]).await;
    let (behind, right) = (host(&world, "behind", -100).await, host(&world, "right", 0).await);
    let mut called = Vec::new();
    // Each host has far more to do than a minute lets it do, one after the other.
    for n in 0..240 {
        let mirror = if n / 70 % 2 == 0 { &behind } else { &right };
        let before = world.xero.calls().len();
        let mut event = SqsEvent::default();
        event.records = vec![record(&format!("m-{n}"), events(&[1], Some(at(-3))))];
        mirror.handle(event, at_most_two_minutes()).await.unwrap();
        called.extend(std::iter::repeat_n(now(), world.xero.calls().len() - before));
        advance(Duration::from_millis(100));
    }

    let in_the_minute_of =
        |from| called.iter().filter(|at| (from..from + A_MINUTE).contains(*at)).count();
    let most = called.iter().map(|at| in_the_minute_of(*at)).max();
    assert!(most.is_some_and(|most| (50..=60).contains(&most)), "{most:?} calls in a minute");
}
