//! Whole days of waiting, with the hourly look, and with Lambda's detection of endless loops as the template has it:
//! no message ends in a dead-letter queue, and everything is in Xero afterwards (A7.3, FAULT-18 and FAULT-20).

use aws_lambda_events::sqs::SqsMessage;
use host::batch::{RECEIVES_MAX, pause};
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use queue::UploadTask;
use queue::recursion::RecursiveLoop;
use serde_json::json;
use xero_simulator::{Effect, Fault, LimitProblem};

use crate::samples::pay_now;
use crate::world::{World, evening};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn as_deployed() -> RecursiveLoop {
    RecursiveLoop::of(include_str!("../../../../template.yaml"), "Upload")
}

/// A task in the queue.
struct Waiting {
    at: Timestamp,
    task: UploadTask,
    /// How often it, and what it comes of, has gone from the function to the queue and back.
    passes: u32,
    receives: u32,
}

/// What calls the function: its queue, and the schedule of every hour.
struct Lambda<'w> {
    world: &'w World,
    recursion: RecursiveLoop,
    queue: Vec<Waiting>,
    /// Messages in dead-letter queues.
    dead: Vec<String>,
    calls: u32,
    /// Whether there is the schedule of every hour.
    hourly: bool,
}

impl<'w> Lambda<'w> {
    fn new(world: &'w World, recursion: RecursiveLoop) -> Self {
        Self { world, recursion, queue: Vec::new(), dead: Vec::new(), calls: 0, hourly: true }
    }

    fn collect(&mut self, passes: u32) {
        let now = self.world.now();
        for (task, seconds) in self.world.tasks.take() {
            let at = now + SignedDuration::from_secs(seconds.into());
            self.queue.push(Waiting { at, task, passes, receives: 0 });
        }
    }

    /// Everything that happens before `end`.
    async fn until(&mut self, end: Timestamp) {
        let hour = |at: Timestamp| at.as_second().div_euclid(3_600);
        let mut next_look = Timestamp::from_second((hour(self.world.now()) + 1) * 3_600).unwrap();
        loop {
            self.queue.sort_by_key(|waiting| waiting.at);
            let task_at = self.queue.first().map(|waiting| waiting.at);
            let look_at = self.hourly.then_some(next_look);
            let at = task_at.into_iter().chain(look_at).min().unwrap_or(Timestamp::MAX);
            if at > end {
                self.world.clock.set(end);
                return;
            }
            self.world.clock.set(self.world.now().max(at));
            self.calls += 1;
            assert!(self.calls < 1_000, "the function wakes itself all the time");
            if look_at == Some(at) {
                next_look += HOUR;
                let looked = self.world.invoke(json!({"catch_up": true})).await;
                self.dead.extend(looked.err());
                self.collect(0);
            } else {
                let waiting = self.queue.remove(0);
                self.deliver(waiting).await;
            }
        }
    }

    async fn deliver(&mut self, mut waiting: Waiting) {
        let body = waiting.task.to_json().unwrap();
        waiting.receives += 1;
        if !self.recursion.delivers(waiting.passes) || waiting.receives > RECEIVES_MAX {
            self.dead.push(body);
            return;
        }
        let attributes = json!({"ApproximateReceiveCount": waiting.receives.to_string()});
        let event =
            json!({"Records": [{"messageId": "m", "body": body, "attributes": attributes}]});
        let done = match self.world.invoke(event).await {
            Ok(answer) => answer["batchItemFailures"].as_array().unwrap().is_empty(),
            Err(_) => false,
        };
        self.collect(waiting.passes + 1);
        if !done {
            let mut failed = SqsMessage::default();
            let receives = waiting.receives.to_string();
            failed.attributes.insert("ApproximateReceiveCount".to_owned(), receives);
            waiting.at = self.world.now() + pause(&failed);
            self.queue.push(waiting);
        }
    }
}

/// A night's payments and two to be posted at once, while Xero answers like this for so long; what is in dead-letter
/// queues two hours later, and whether everything is in Xero.
async fn a_day_of(effect: Effect, hours: i64, recursion: RecursiveLoop) -> (Vec<String>, bool) {
    let world = World::new().await;
    world.bpay_payments(3).await;
    let contact = world.customer("online").await;
    world.invoice(contact, "CM-1", 100_00, date(2026, 1, 1));
    world.invoice(contact, "CM-2", 50_00, date(2026, 1, 1));
    world.simulator.inject(Fault {
        method: None,
        path: String::new(),
        after: 0,
        times: None,
        effect,
    });
    let mut lambda = Lambda::new(&world, recursion);
    world.pay(pay_now("P-early", "1", 100_00)).await;
    let task = UploadTask::Direct { organisation: world.organisation() };
    lambda.queue.push(Waiting { at: evening(), task: task.clone(), passes: 0, receives: 0 });
    let _ = world.invoke(json!({"scheduled_time": evening()})).await;
    lambda.collect(0);
    lambda.until(evening() + HOUR * 3).await;
    world.pay(pay_now("P-late", "2", 50_00)).await;
    lambda.queue.push(Waiting { at: world.now(), task, passes: 0, receives: 0 });
    lambda.until(evening() + HOUR * i32::try_from(hours).unwrap()).await;
    assert!(world.in_xero().is_empty(), "nothing could go");

    world.simulator.clear_faults();
    lambda.until(world.now() + HOUR + SignedDuration::from_mins(1)).await;

    let there = world.in_xero().len() == 5;
    if there {
        world.check().await;
    }
    (lambda.dead, there)
}

fn day_limit() -> Effect {
    Effect::RateLimit { problem: LimitProblem::Day, retry_after: Some(18 * 3_600) }
}

#[tokio::test]
async fn a_used_up_day_at_xero_ends_in_no_dead_letter_and_everything_goes_within_the_hour() {
    let (dead, there) = a_day_of(day_limit(), 18, as_deployed()).await;
    assert_eq!(dead, Vec::<String>::new());
    assert!(
        there,
        "what waited goes on within the hour, although the day of its night is over at noon"
    );
}

#[tokio::test]
async fn a_day_without_xero_ends_in_no_dead_letter_and_everything_goes_within_the_hour() {
    let gone = Effect::HtmlPage { status: 503 };
    let (dead, there) = a_day_of(gone, 24, as_deployed()).await;
    assert_eq!(dead, Vec::<String>::new());
    assert!(there);
}

#[tokio::test]
async fn lambda_would_take_the_tasks_of_a_long_night_for_an_endless_loop_if_the_template_did_not_allow_it()
 {
    for (recursion, dies) in [(as_deployed(), false), (RecursiveLoop::Terminate, true)] {
        let world = World::new().await;
        world.bpay_payments(3).await;
        world.simulator.inject(Fault::on("GET", "", day_limit()));
        // Without the hourly look, which would take its share of the night's rounds.
        let mut lambda = Lambda { hourly: false, ..Lambda::new(&world, recursion) };
        let _ = world.invoke(json!({"scheduled_time": evening()})).await;
        lambda.collect(0);

        lambda.until(evening() + HOUR * 8).await;

        assert_eq!(!lambda.dead.is_empty(), dies, "{recursion:?}");
        assert_eq!(lambda.queue.len(), 0, "a night leaves itself so many tasks, and no more");
    }
}
