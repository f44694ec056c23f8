//! What Lambda's event source mapping does: gathers messages, calls the function, and deletes what
//! it did not report as failed.

use std::time::Duration;

use anyhow::Context as _;
use aws_sdk_sqs::{
    Client,
    types::{
        ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
        MessageSystemAttributeName,
    },
};
use axum::body::Bytes;
use queue::recursion::RecursiveLoop;
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout_at},
};

use super::{
    Answer, Function, Host, PAYLOAD_BYTES_MAX,
    batch::{Failed, event, failed, text},
};
use crate::{clock::LocalClock, engines::queues, lineage};

/// Most messages that SQS hands out or deletes at once.
const SQS_BATCH_MAX: usize = 10;
/// How long an idle poll waits; the longest that SQS allows.
const IDLE_WAIT_S: i32 = 20;
/// How often a window is looked at for more messages. SQS counts its own waits in whole seconds.
const GATHER_EVERY: Duration = Duration::from_millis(50);
/// Pause after SQS did not answer.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How many times per visibility timeout a batch in work is hidden again.
const HIDE_AGAIN_PER_TIMEOUT: u32 = 3;
/// A batch is closed while ten more messages of the largest size (256 KiB) still fit the payload.
const BATCH_BYTES_MAX: usize = PAYLOAD_BYTES_MAX - SQS_BATCH_MAX * 256 * 1024;

/// A queue and the function that its messages go to.
#[derive(Clone, Copy, Debug)]
pub struct Mapping {
    /// Name of the queue.
    pub queue: &'static str,
    /// Who is called.
    pub function: Function,
    /// Most messages in one call, as in the template.
    pub batch_max: usize,
    /// How long messages are gathered from the first one on.
    pub window: Duration,
}

impl Mapping {
    /// Deliveries to the mirror; gathering them saves calls to Xero.
    pub const CHANGES: Self = Self {
        queue: queues::CHANGES,
        function: Function::Mirror,
        batch_max: 1_000,
        window: Duration::from_secs(2),
    };

    /// The business's own records to the intake.
    pub const INTAKE: Self = Self {
        queue: queues::INTAKE,
        function: Function::Intake,
        batch_max: 100,
        window: Duration::from_secs(1),
    };

    /// The work of a schedule for one organisation.
    pub const SCHEDULES: Self = Self {
        queue: queues::SCHEDULES,
        function: Function::Sweep,
        batch_max: 1,
        window: Duration::ZERO,
    };

    /// What the upload goes on with; each message is a run of its own.
    pub const UPLOADS: Self = Self {
        queue: queues::UPLOADS,
        function: Function::Upload,
        batch_max: 1,
        window: Duration::ZERO,
    };
}

/// One poller: one batch after another until it is stopped.
#[derive(Debug)]
pub(crate) struct Poller {
    pub(crate) mapping: Mapping,
    pub(crate) host: Host,
    pub(crate) sqs: Client,
    pub(crate) queue_url: String,
    pub(crate) clock: LocalClock,
    /// Visibility timeout of the queue.
    pub(crate) visibility: Duration,
    /// What becomes of messages that the function sends to itself for ever.
    pub(crate) recursion: RecursiveLoop,
}

impl Poller {
    /// Polls until `stop` holds true; a batch that was begun is finished.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let queue = self.mapping.queue;
        loop {
            // Giving up an idle poll may leave a message hidden that arrives in this very moment;
            // it comes back when its visibility timeout has passed.
            let first = tokio::select! {
                first = self.receive(SQS_BATCH_MAX, IDLE_WAIT_S) => first,
                _ = stop.wait_for(|&stop| stop) => return,
            };
            let worked = match first {
                Ok(first) if first.is_empty() => continue,
                Ok(first) => self.work_off(first, &mut stop).await,
                Err(error) => Err(error),
            };
            if let Err(error) = worked {
                tracing::warn!(queue, error = format!("{error:#}"), "the queue does not answer");
                sleep(RETRY_AFTER).await;
            }
            if *stop.borrow() {
                return;
            }
        }
    }

    async fn work_off(
        &self,
        first: Vec<Message>,
        stop: &mut watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        let batch = self.gather(first, stop).await?;
        let batch = self.without_loops(batch).await?;
        if batch.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = batch.iter().map(|message| text(message.message_id.as_ref())).collect();
        let event = event(self.mapping.queue, &batch, self.clock.ahead()).to_string();
        let answer = self.call(Bytes::from(event), &batch).await;
        let failed = answer.map_or(Failed::All, |answer| failed(&answer, &ids));
        self.delete(batch.iter().filter(|message| !failed.contains(message))).await
    }

    /// Puts what Lambda would take for an endless loop into the dead-letter queue, and returns the rest.
    async fn without_loops(&self, batch: Vec<Message>) -> anyhow::Result<Vec<Message>> {
        let (goes, ends): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|message| self.recursion.delivers(passes(message)));
        if !ends.is_empty() {
            let queue = self.mapping.queue;
            let dead_letters = queues::url(&self.sqs, &queues::dead_letters_of(queue)).await?;
            for message in &ends {
                tracing::warn!(
                    queue,
                    message = text(message.message_id.as_ref()),
                    "an endless loop ends"
                );
                let send = self.sqs.send_message().queue_url(&dead_letters);
                let send = send.message_body(text(message.body.as_ref()));
                send.send().await.context("cannot put a message into the dead-letter queue")?;
            }
            self.delete(ends.iter()).await?;
        }
        Ok(goes)
    }

    /// Calls the function, and keeps its messages hidden meanwhile. Real Lambda need not do that:
    /// it takes only queues whose visibility timeout is longer than the function's time-out. Here
    /// the visibility timeout is short, so that the messages of a killed function come back soon.
    async fn call(&self, event: Bytes, batch: &[Message]) -> Answer {
        // AWS does not say how the ways of a batch are merged; the longest one counts here.
        let passes = batch.iter().map(passes).max().unwrap_or(0);
        let call = self.host.invoke_after(passes, self.mapping.function, event);
        tokio::pin!(call);
        loop {
            let hidden_long_enough = sleep(self.visibility / HIDE_AGAIN_PER_TIMEOUT);
            tokio::select! {
                answer = &mut call => return answer,
                () = hidden_long_enough => {}
            }
            if let Err(error) = self.hide_again(batch).await {
                let queue = self.mapping.queue;
                tracing::warn!(queue, error = format!("{error:#}"), "messages may come twice");
            }
        }
    }

    /// Adds what else arrives within the window.
    async fn gather(
        &self,
        first: Vec<Message>,
        stop: &mut watch::Receiver<bool>,
    ) -> anyhow::Result<Vec<Message>> {
        let close = Instant::now() + self.mapping.window;
        let mut batch = first;
        loop {
            let bytes: usize = batch.iter().map(|message| text(message.body.as_ref()).len()).sum();
            let room = self.mapping.batch_max.saturating_sub(batch.len());
            if room == 0 || bytes > BATCH_BYTES_MAX || Instant::now() >= close {
                return Ok(batch);
            }
            let more = self.receive(room.min(SQS_BATCH_MAX), 0).await?;
            if more.is_empty() {
                let pause = close.min(Instant::now() + GATHER_EVERY);
                if timeout_at(pause, stop.wait_for(|&stop| stop)).await.is_ok() {
                    return Ok(batch);
                }
            }
            batch.extend(more);
        }
    }

    async fn receive(&self, count: usize, wait_s: i32) -> anyhow::Result<Vec<Message>> {
        let answer = self
            .sqs
            .receive_message()
            .queue_url(&self.queue_url)
            .max_number_of_messages(i32::try_from(count)?)
            .wait_time_seconds(wait_s)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .send()
            .await
            .context("cannot receive")?;
        Ok(answer.messages.unwrap_or_default())
    }

    async fn hide_again(&self, batch: &[Message]) -> anyhow::Result<()> {
        let visibility = i32::try_from(self.visibility.as_secs())?;
        for messages in batch.chunks(SQS_BATCH_MAX) {
            let entries = messages.iter().enumerate().map(|(index, message)| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(index.to_string())
                    .set_receipt_handle(message.receipt_handle.clone())
                    .visibility_timeout(visibility)
                    .build()
            });
            self.sqs
                .change_message_visibility_batch()
                .queue_url(&self.queue_url)
                .set_entries(Some(entries.collect::<Result<_, _>>()?))
                .send()
                .await
                .context("cannot keep messages hidden")?;
        }
        Ok(())
    }

    async fn delete(&self, done: impl Iterator<Item = &Message>) -> anyhow::Result<()> {
        let handles: Vec<_> =
            done.filter_map(|message| message.receipt_handle.as_deref()).collect();
        for handles in handles.chunks(SQS_BATCH_MAX) {
            let entries = handles.iter().enumerate().map(|(index, handle)| {
                DeleteMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .receipt_handle(*handle)
                    .build()
            });
            self.sqs
                .delete_message_batch()
                .queue_url(&self.queue_url)
                .set_entries(Some(entries.collect::<Result<_, _>>()?))
                .send()
                .await
                .context("cannot delete")?;
        }
        Ok(())
    }
}

fn passes(message: &Message) -> u32 {
    lineage::passes(text(message.message_id.as_ref()))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use host::clock::Clock;
    use serde_json::Value;
    use xero_simulator::AdvancingClock;

    use super::*;
    use crate::{
        clients::Clients,
        engines::{
            Engines, RunningEngines,
            queues::{Depth, depth},
        },
        lambda::{Call, Worker},
        ports::Ports,
    };

    const WINDOW: Duration = Duration::from_millis(300);

    /// A queue, a poller at it, and what the function was called with.
    struct World {
        _engines: RunningEngines,
        _worker: Worker,
        sqs: Client,
        queue_url: String,
        calls: Arc<Mutex<Vec<String>>>,
        stop: watch::Sender<bool>,
        poller: tokio::task::JoinHandle<()>,
    }

    /// A function that answers `answer` to every call, where FIRST stands for the id of the first
    /// message; "panic" panics.
    async fn world(answer: &'static str) -> World {
        world_that(answer, RecursiveLoop::Terminate).await
    }

    /// The same; "loop" sends each of its messages to its own queue again, until there were thirty calls.
    async fn world_that(answer: &'static str, recursion: RecursiveLoop) -> World {
        let engines = Engines {
            data: None,
            dynamodb: false,
            sqs: true,
            s3: false,
            ports: Ports::free(),
            visibility: Duration::from_secs(30),
        };
        let engines = engines.start().await.expect("the engine starts");
        let address = engines.sqs.expect("SQS is there");
        let Clients { sqs, .. } = Clients::new("http://unused", &format!("http://{address}")).await;
        let queue_url = queues::url(&sqs, queues::CHANGES).await.expect("the queue is there");
        let calls = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&calls);
        let (own, own_url) = (sqs.clone(), queue_url.clone());
        let code = move |call: Call| {
            let event: Value = serde_json::from_slice(&call.event).expect("the event is JSON");
            let records = event["Records"].as_array().cloned().unwrap_or_default();
            let bodies: Vec<_> = records.iter().filter_map(|r| r["body"].as_str()).collect();
            seen.lock().expect("no panic here").push(bodies.join("+"));
            let goes_on = answer == "loop" && seen.lock().expect("no panic here").len() < 30;
            let again = goes_on.then(|| {
                own.send_message().queue_url(&own_url).message_body(bodies.join("+")).send()
            });
            let first = records[0]["messageId"].as_str().unwrap_or_default().to_owned();
            async move {
                assert!(answer != "panic", "on purpose");
                if let Some(again) = again {
                    again.await.expect("the message is accepted");
                }
                let answer = if answer == "loop" { "{}" } else { answer };
                Ok(answer.replace("FIRST", &first).into_bytes())
            }
        };
        let make = move || async move { Ok(code) };
        let (host, worker) = Host::start(Clock::system(), make).await.expect("a host");
        let (stop, stopping) = watch::channel(false);
        let poller = Poller {
            mapping: Mapping { window: WINDOW, ..Mapping::CHANGES },
            host,
            sqs: sqs.clone(),
            queue_url: queue_url.clone(),
            clock: LocalClock::open(AdvancingClock::default(), None).expect("there is no file"),
            visibility: Duration::from_secs(30),
            recursion,
        };
        let poller = tokio::spawn(poller.run(stopping));
        World { _engines: engines, _worker: worker, sqs, queue_url, calls, stop, poller }
    }

    impl World {
        async fn send(&self, body: &str) {
            let send = self.sqs.send_message().queue_url(&self.queue_url).message_body(body);
            send.send().await.expect("the message is accepted");
        }

        /// What the function was called with, once the poller has finished its batch.
        async fn ended(self, calls: usize) -> (Vec<String>, Depth) {
            let until = Instant::now() + Duration::from_secs(10);
            while self.calls.lock().expect("no panic here").len() < calls {
                assert!(Instant::now() < until, "the function is not called");
                sleep(Duration::from_millis(10)).await;
            }
            self.stop.send(true).expect("the poller listens");
            self.poller.await.expect("the poller ends");
            let depth = depth(&self.sqs, &self.queue_url).await.expect("the queue answers");
            let calls = self.calls.lock().expect("no panic here").clone();
            (calls, depth)
        }
    }

    #[tokio::test]
    async fn messages_within_the_window_are_one_call_and_no_message_waits_longer() {
        let world = world("{}").await;
        let sent = Instant::now();
        world.send("a").await;
        world.send("b").await;

        let (calls, depth) = world.ended(1).await;

        assert_eq!(calls, ["a+b"]);
        assert!(depth.is_empty(), "{depth:?}");
        assert!(sent.elapsed() >= WINDOW, "the window was not waited for");
        let idle_wait = Duration::from_secs(IDLE_WAIT_S.unsigned_abs().into());
        assert!(sent.elapsed() < idle_wait, "{:?}", sent.elapsed());
    }

    #[tokio::test]
    async fn only_what_failed_stays() {
        let world = world(r#"{"batchItemFailures":[{"itemIdentifier":"FIRST"}]}"#).await;
        for body in ["a", "b", "c"] {
            world.send(body).await;
        }

        let (_, depth) = world.ended(1).await;

        assert_eq!(depth, Depth { in_flight: 1, ..Depth::default() });
    }

    #[tokio::test]
    async fn a_panic_or_a_malformed_answer_keeps_the_whole_batch() {
        for answer in ["panic", "not json", r#"{"batchItemFailures":[{"itemIdentifier":"other"}]}"#]
        {
            let world = world(answer).await;
            world.send("a").await;
            world.send("b").await;

            let (_, depth) = world.ended(1).await;

            assert_eq!(depth, Depth { in_flight: 2, ..Depth::default() }, "{answer}");
        }
    }

    #[tokio::test]
    async fn what_a_function_sends_itself_for_ever_ends_in_the_dead_letters_where_it_is_not_allowed()
     {
        // Lambda's detection of endless loops: after sixteen passes.
        for (recursion, calls, dead) in
            [(RecursiveLoop::Terminate, 16, 1), (RecursiveLoop::Allow, 30, 0)]
        {
            let world = world_that("loop", recursion).await;
            world.send("a").await;
            let dead_letters = queues::dead_letters_of(queues::CHANGES);
            let dead_letters = queues::url(&world.sqs, &dead_letters).await.expect("it is there");
            let sqs = world.sqs.clone();
            let until = Instant::now() + Duration::from_secs(20);
            let over = async || {
                let made = world.calls.lock().expect("no panic here").len();
                let left = depth(&sqs, &world.queue_url).await.expect("the queue answers");
                made >= calls && left.is_empty()
            };
            while !over().await {
                assert!(Instant::now() < until, "it does not end");
                sleep(Duration::from_millis(10)).await;
            }
            let found = depth(&sqs, &dead_letters).await.expect("the queue answers");
            assert_eq!(found.total(), dead, "{recursion:?}");
            let (made, _) = world.ended(calls).await;
            assert_eq!(made.len(), calls, "{recursion:?}");
        }
    }
}
