//! Where the functions run: a thread of their own, one task for each call.
//!
//! Lambda's runtime has a single thread, so the handlers do not promise that they can move between
//! threads. Here they stay on one as well, and calls come to it through a channel.

use std::{
    any::Any,
    fmt,
    future::Future,
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use axum::body::Bytes;
use host::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use tokio::{
    runtime::Builder,
    sync::{mpsc, oneshot},
    task::{JoinError, LocalSet, spawn_local},
    time::timeout,
};
use tracing::Instrument as _;
use uuid::Uuid;

use super::{Answer, Call, Failure, Function};
use crate::lineage;

/// How long a function that computes may take to reach its next pause when it is ended.
const END_WITHIN: Duration = Duration::from_secs(5);

/// Calls the functions: each call in a task of its own, with a time limit, and a panic is only the
/// end of that call. Clones call the same functions.
#[derive(Clone)]
pub struct Host {
    calls: mpsc::UnboundedSender<Job>,
}

/// The thread that the functions run on; it ends when every [`Host`] is gone.
#[derive(Debug)]
pub struct Worker {
    thread: JoinHandle<()>,
    ended: oneshot::Receiver<()>,
}

struct Job {
    function: Function,
    event: Bytes,
    limit: Duration,
    /// How often what it is about has gone from a function to a queue and back.
    passes: u32,
    answer: oneshot::Sender<Answer>,
}

impl fmt::Debug for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Host").finish_non_exhaustive()
    }
}

impl Host {
    /// Starts the thread and makes the functions there; they are what `make` returns. Their
    /// deadlines are times of `clock`.
    ///
    /// # Errors
    ///
    /// The functions cannot be made, or there can be no more threads.
    pub async fn start<M, C, F>(
        clock: Clock,
        make: impl FnOnce() -> M + Send + 'static,
    ) -> anyhow::Result<(Self, Worker)>
    where
        M: Future<Output = anyhow::Result<C>>,
        C: Fn(Call) -> F + 'static,
        F: Future<Output = Answer> + 'static,
    {
        let (calls, jobs) = mpsc::unbounded_channel();
        let (made, making) = oneshot::channel();
        let (ending, ended) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("lambda".to_owned())
            .spawn(move || {
                work(&clock, make, made, jobs);
                let _ = ending.send(());
            })
            .context("cannot start the functions")?;
        making.await.map_err(|_| anyhow!("the functions could not be started"))??;
        Ok((Self { calls }, Worker { thread, ended }))
    }

    /// Calls `function` with `event`.
    ///
    /// # Errors
    ///
    /// The function answered with an error, panicked, or took longer than its time-out.
    pub async fn invoke(&self, function: Function, event: Bytes) -> Answer {
        self.invoke_within(function, event, function.timeout()).await
    }

    /// Calls `function` with `event` and cuts it off after `limit`. When the caller goes away, the
    /// call goes on, as on Lambda.
    ///
    /// # Errors
    ///
    /// As [`Self::invoke`].
    pub async fn invoke_within(&self, function: Function, event: Bytes, limit: Duration) -> Answer {
        self.call(function, event, limit, 0).await
    }

    /// Calls `function` with messages that have gone from a function to a queue and back so often.
    pub(super) async fn invoke_after(
        &self,
        passes: u32,
        function: Function,
        event: Bytes,
    ) -> Answer {
        self.call(function, event, function.timeout(), passes).await
    }

    async fn call(&self, function: Function, event: Bytes, limit: Duration, passes: u32) -> Answer {
        let (answer, answered) = oneshot::channel();
        let ended = || Failure::new("Runtime.ExitError", "the functions were ended");
        self.calls.send(Job { function, event, limit, passes, answer }).map_err(|_| ended())?;
        answered.await.unwrap_or_else(|_| Err(ended()))
    }
}

impl Worker {
    /// Waits until the thread has ended; the last [`Host`] must be gone.
    pub(crate) async fn join(self) {
        if timeout(END_WITHIN, self.ended).await.is_err() {
            tracing::warn!("a function does not pause; its thread is left behind");
            return;
        }
        let _ = tokio::task::spawn_blocking(|| self.thread.join()).await;
    }
}

/// What the thread does. When it returns, every call that was not finished is dropped.
fn work<M, C, F>(
    clock: &Clock,
    make: impl FnOnce() -> M,
    made: oneshot::Sender<anyhow::Result<()>>,
    mut jobs: mpsc::UnboundedReceiver<Job>,
) where
    M: Future<Output = anyhow::Result<C>>,
    C: Fn(Call) -> F + 'static,
    F: Future<Output = Answer> + 'static,
{
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = made.send(Err(error.into()));
            return;
        }
    };
    let local = LocalSet::new();
    local.block_on(&runtime, async move {
        let code = match make().await {
            Ok(code) => code,
            Err(error) => {
                let _ = made.send(Err(error));
                return;
            }
        };
        let _ = made.send(Ok(()));
        while let Some(job) = jobs.recv().await {
            start(clock, &code, job);
        }
    });
    drop(local);
    runtime.shutdown_background();
}

fn start<C, F>(clock: &Clock, code: &C, job: Job)
where
    C: Fn(Call) -> F,
    F: Future<Output = Answer> + 'static,
{
    let Job { function, event, limit, passes, answer } = job;
    let request_id = Uuid::new_v4();
    let name = function.name();
    let span = tracing::info_span!("invocation", function = name, %request_id);
    let call = Call { function, event, deadline: deadline(clock, limit), request_id };
    let running = spawn_local(lineage::of(passes, code(call).instrument(span)));
    spawn_local(async move {
        let cut_off = running.abort_handle();
        let result = match timeout(limit, running).await {
            Ok(Ok(result)) => result,
            Ok(Err(ended)) => Err(panicked(ended)),
            Err(_) => {
                cut_off.abort();
                Err(timed_out(request_id, limit))
            }
        };
        if let Err(Failure { error_type, error_message }) = &result {
            tracing::error!(function = name, %request_id, error_type, error_message, "failed");
        }
        let _ = answer.send(result);
    });
}

fn deadline(clock: &Clock, limit: Duration) -> Timestamp {
    let limit_ms = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
    let deadline = clock.now().saturating_add(SignedDuration::from_millis(limit_ms));
    deadline.unwrap_or(Timestamp::MAX)
}

fn timed_out(request_id: Uuid, limit: Duration) -> Failure {
    let limit_s = limit.as_secs();
    Failure::new(
        "Sandbox.Timedout",
        format!("RequestId: {request_id} Error: Task timed out after {limit_s} seconds"),
    )
}

/// A panic in the words that Lambda's Rust runtime uses.
fn panicked(ended: JoinError) -> Failure {
    let Ok(panic) = ended.try_into_panic() else {
        return Failure::new("Runtime.ExitError", "the invocation was ended from outside");
    };
    let message = panic_text(panic.as_ref())
        .map_or("Lambda panicked".to_owned(), |text| format!("Lambda panicked: {text}"));
    Failure::new("Runtime.Panic", message)
}

fn panic_text(panic: &(dyn Any + Send)) -> Option<String> {
    let text = panic.downcast_ref::<&str>().map(|&text| text.to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A host whose functions do what the event says.
    pub(crate) async fn sample_host() -> Host {
        let code = |Call { function, event, .. }: Call| async move {
            match event.as_ref() {
                b"\"panic\"" => panic!("on purpose"),
                b"\"error\"" => Err(Failure::new("TestError", "on purpose")),
                b"\"sleep\"" => std::future::pending().await,
                _ => {
                    let text = String::from_utf8_lossy(&event).into_owned();
                    Ok(format!("{{\"{}\":{text}}}", function.name()).into_bytes())
                }
            }
        };
        let (host, _worker) =
            Host::start(Clock::system(), move || async move { Ok(code) }).await.expect("a host");
        host
    }

    #[tokio::test]
    async fn a_panic_is_an_answer_and_the_host_goes_on() {
        let host = sample_host().await;

        let failure = host.invoke(Function::Mirror, Bytes::from_static(b"\"panic\"")).await;
        let next = host.invoke(Function::Mirror, Bytes::from_static(b"1")).await;

        assert_eq!(failure, Err(Failure::new("Runtime.Panic", "Lambda panicked: on purpose")));
        assert_eq!(next, Ok(b"{\"mirror\":1}".to_vec()));
    }

    #[tokio::test]
    async fn a_call_that_takes_too_long_is_cut_off() {
        let host = sample_host().await;
        let event = Bytes::from_static(b"\"sleep\"");

        let answer = host.invoke_within(Function::Intake, event, Duration::ZERO).await;

        let failure = answer.expect_err("it never ends by itself");
        assert_eq!(failure.error_type, "Sandbox.Timedout");
        assert!(failure.error_message.ends_with("Task timed out after 0 seconds"));
    }

    #[tokio::test]
    async fn the_thread_ends_with_the_last_host_even_in_the_middle_of_a_call() {
        let never = || async { Ok(|_| std::future::pending::<Answer>()) };
        let (host, worker) = Host::start(Clock::system(), never).await.expect("a host");
        let caller = host.clone();
        let call =
            tokio::spawn(
                async move { caller.invoke(Function::Mirror, Bytes::from_static(b"1")).await },
            );
        tokio::task::yield_now().await;

        call.abort();
        let _ = call.await;
        drop(host);

        worker.join().await;
    }
}
