//! The queues as a function sees them: in memory or in SQS, failing on demand, and with a process that ends at a call.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use queue::fakes::{RecordedChanges, RecordedUploads};
use queue::{
    AllQueues, Changes, DeadLetter, DeadLetterError, DeadLetters, Depth, Letter, Letters, Message,
    QueueName, SendError, SendProblem, UploadTask, Uploads,
};

use crate::crash_point::{CrashPoint, CurrentCrashPoint};

/// The changes queue, in memory.
#[derive(Clone, Debug, Default)]
pub struct FlakyChanges {
    /// What it has taken; makes it fail.
    pub recorded: Arc<RecordedChanges>,
    crash_point: CurrentCrashPoint,
}

impl FlakyChanges {
    /// From now on, calls count for this crash point.
    pub fn end_with(&self, crash_point: &Arc<CrashPoint>) {
        self.crash_point.set(crash_point);
    }
}

impl Changes for FlakyChanges {
    async fn send(&self, messages: &[Message], delay: Duration) -> Result<(), SendError> {
        self.crash_point.pass(true, self.recorded.send(messages, delay)).await
    }
}

/// The uploads queue, in memory.
#[derive(Clone, Debug, Default)]
pub struct FlakyUploads {
    /// What it has taken; makes it fail.
    pub recorded: Arc<RecordedUploads>,
    crash_point: CurrentCrashPoint,
}

impl FlakyUploads {
    /// From now on, calls count for this crash point.
    pub fn end_with(&self, crash_point: &Arc<CrashPoint>) {
        self.crash_point.set(crash_point);
    }

    /// Everything the queue has taken so far, each task with its delay in seconds; the queue then forgets it.
    pub fn take(&self) -> Vec<(UploadTask, u16)> {
        let tasks = self.recorded.sent_with_delays();
        self.recorded.take();
        tasks
    }
}

impl Uploads for FlakyUploads {
    async fn send(&self, task: &UploadTask, delay_seconds: u16) -> Result<(), SendError> {
        self.crash_point.pass(true, self.recorded.send(task, delay_seconds)).await
    }
}

/// All queues with their dead letters, in SQS.
#[derive(Clone)]
pub struct FlakyQueues {
    all: AllQueues,
    crash_point: CurrentCrashPoint,
    /// Whether queues take nothing.
    refuses: Arc<Mutex<bool>>,
    /// For how long what was received is hidden, instead of as long as the function says: engines go by real time.
    hidden_for: Arc<Mutex<Option<Duration>>>,
}

impl FlakyQueues {
    /// In front of these.
    pub fn new(all: AllQueues) -> Self {
        Self {
            all,
            crash_point: CurrentCrashPoint::default(),
            refuses: Arc::default(),
            hidden_for: Arc::default(),
        }
    }

    /// From now on, calls count for this crash point.
    pub fn end_with(&self, crash_point: &Arc<CrashPoint>) {
        self.crash_point.set(crash_point);
    }

    /// From now on they take nothing, or everything.
    pub fn refuse(&self, refuses: bool) {
        *self.refuses.lock().unwrap() = refuses;
    }

    /// As if the time were over for which a dead process has hidden what it received.
    pub fn hide_nothing(&self) {
        *self.hidden_for.lock().unwrap() = Some(Duration::ZERO);
    }
}

impl Letters for FlakyQueues {
    async fn post(&self, to: QueueName, letter: &Letter) -> Result<(), SendError> {
        if *self.refuses.lock().unwrap() {
            let problem = SendProblem::Call("the test said so".to_owned());
            return Err(SendError { confirmed: 0, total: 1, problem });
        }
        self.crash_point.pass(true, self.all.post(to, letter)).await
    }
}

impl DeadLetters for FlakyQueues {
    async fn look(
        &self,
        of: QueueName,
        hidden_for: Duration,
    ) -> Result<Vec<DeadLetter>, DeadLetterError> {
        let hidden_for = self.hidden_for.lock().unwrap().unwrap_or(hidden_for);
        self.crash_point.pass(false, self.all.look(of, hidden_for)).await
    }

    async fn put_back(&self, of: QueueName, letter: &DeadLetter) -> Result<(), DeadLetterError> {
        self.crash_point.pass(false, self.all.put_back(of, letter)).await
    }

    async fn take_out(&self, of: QueueName, letter: &DeadLetter) -> Result<(), DeadLetterError> {
        self.crash_point.pass(true, self.all.take_out(of, letter)).await
    }

    async fn depth(&self, of: QueueName) -> Result<Depth, DeadLetterError> {
        self.all.depth(of).await
    }
}
