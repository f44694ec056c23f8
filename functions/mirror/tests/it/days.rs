//! Whole days of waiting for Xero, with Lambda's detection of endless loops as the template has it: no message ends in
//! a dead-letter queue, and every payment is here afterwards (A7.3, FAULT-18 and FAULT-20).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use queue::Message;
use queue::recursion::RecursiveLoop;

use crate::world::{World, advance, at, events, invoice, now, organisation, paid, paper, record};
use crate::xero::Reply;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn as_deployed() -> RecursiveLoop {
    RecursiveLoop::of(include_str!("../../../../template.yaml"), "Mirror")
}

/// A message in the queue.
struct Waiting {
    at: Timestamp,
    message: Message,
    /// How often it, and what it comes of, has gone from the function to the queue and back.
    passes: u32,
}

/// Everything that the queue brings before `end`; messages that are due together are one batch. Returns how many ended
/// in the dead-letter queue.
async fn until(
    world: &World,
    end: Timestamp,
    queue: &mut Vec<Waiting>,
    recursion: RecursiveLoop,
) -> usize {
    let mut dead = 0;
    for _ in 0..1_000 {
        let Some(next) = queue.iter().map(|waiting| waiting.at).min().filter(|at| *at <= end)
        else {
            advance(Duration::try_from(end.duration_since(now())).unwrap_or_default());
            return dead;
        };
        advance(Duration::try_from(next.duration_since(now())).unwrap_or_default());
        let (due, later): (Vec<_>, Vec<_>) = queue.drain(..).partition(|one| one.at <= now());
        queue.extend(later);
        let (goes, ends): (Vec<_>, Vec<_>) =
            due.into_iter().partition(|one| recursion.delivers(one.passes));
        dead += ends.len();
        let Some(passes) = goes.iter().map(|one| one.passes).max() else { continue };
        let records: Vec<_> = goes
            .iter()
            .enumerate()
            .map(|(n, one)| record(&format!("m-{n}"), one.message.clone()))
            .collect();
        assert!(world.deliver(&records).await.is_empty(), "a message that fails is received again");
        for (message, delay) in world.line.recorded.sent_with_delays() {
            let at = now() + SignedDuration::try_from(delay).unwrap();
            queue.push(Waiting { at, message, passes: passes + 1 });
        }
        world.line.recorded.take();
    }
    panic!("the function wakes itself all the time");
}

/// Two events before and one during so many hours in which Xero answers like this. Returns how many messages died, and
/// whether everything is here a little later than an hour after Xero is back.
async fn a_day_of(reply: Reply, hours: i64, recursion: RecursiveLoop) -> (usize, bool) {
    let world = World::new().await;
    for n in 1..=3 {
        world.record_invoice(n).await;
        world.xero.put(organisation(), invoice(n), paper(n, vec![paid(n, 2, 100)]));
    }
    world.xero.always(reply);
    let waiting =
        |n: u32, at| Waiting { at, message: events(&[n], Some(crate::world::at(-3))), passes: 0 };
    let mut queue = vec![waiting(1, now()), waiting(2, now()), waiting(3, at(3 * 3_600))];
    let back = now() + SignedDuration::from_hours(hours);
    let mut dead = until(&world, back - SignedDuration::from_secs(1), &mut queue, recursion).await;
    assert!(world.rows("payments").await.is_empty());

    world.xero.heal();
    dead += until(&world, back + HOUR, &mut queue, recursion).await;

    assert!(world.rows("parked").await.is_empty());
    let there = world.rows("payments").await.len() == 3;
    (dead, there && queue.is_empty())
}

fn day_limit() -> Reply {
    Reply::status(429, "").with("Retry-After", 18 * 3_600).with("X-Rate-Limit-Problem", "day")
}

#[tokio::test]
async fn a_used_up_day_at_xero_ends_in_no_dead_letter_and_everything_comes_within_the_hour() {
    assert_eq!(a_day_of(day_limit(), 18, as_deployed()).await, (0, true));
}

#[tokio::test]
async fn a_day_without_xero_ends_in_no_dead_letter_and_everything_comes_within_the_hour() {
    assert_eq!(a_day_of(Reply::status(503, ""), 24, as_deployed()).await, (0, true));
}

#[tokio::test]
async fn lambda_would_take_the_wait_for_an_endless_loop_if_the_template_did_not_allow_it() {
    for (reply, hours) in [(day_limit(), 18), (Reply::status(503, ""), 24)] {
        let (dead, there) = a_day_of(reply, hours, RecursiveLoop::Terminate).await;
        assert!(dead > 0 && !there, "{dead}");
    }
}
