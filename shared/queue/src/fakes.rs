//! Queues in memory, for tests of senders.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::changes::{Changes, SendError, SendProblem};
use crate::message::Message;
use crate::uploads::{UploadTask, Uploads};

/// Remembers what was sent, and fails on demand.
#[derive(Debug, Default)]
pub struct RecordedChanges(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    sent: Vec<(Message, Duration)>,
    /// What the next calls do, first come first served; when empty, calls succeed.
    plan: VecDeque<Accept>,
    always: Option<Accept>,
}

#[derive(Clone, Copy, Debug)]
struct Accept(usize);

impl RecordedChanges {
    /// A queue that takes everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next call fails, and nothing of it is kept.
    pub fn fail_next(&self) {
        self.accept_next(0);
    }

    /// The next call keeps only the first `count` messages, and fails if there were more.
    pub fn accept_next(&self, count: usize) {
        self.state().plan.push_back(Accept(count));
    }

    /// Every call fails from now on.
    pub fn fail_always(&self) {
        self.state().always = Some(Accept(0));
    }

    /// Every call succeeds from now on.
    pub fn recover(&self) {
        let mut state = self.state();
        state.always = None;
        state.plan.clear();
    }

    /// Everything the queue has accepted so far, in order.
    pub fn sent(&self) -> Vec<Message> {
        self.state().sent.iter().map(|(message, _)| message.clone()).collect()
    }

    /// As [`Self::sent`], each with its delay.
    pub fn sent_with_delays(&self) -> Vec<(Message, Duration)> {
        self.state().sent.clone()
    }

    /// Everything the queue has accepted so far, which it then forgets.
    pub fn take(&self) -> Vec<Message> {
        self.state().sent.drain(..).map(|(message, _)| message).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Changes for RecordedChanges {
    async fn send(&self, messages: &[Message], delay: Duration) -> Result<(), SendError> {
        let mut state = self.state();
        let plan = state.plan.pop_front().or(state.always);
        let accepted = plan.map_or(messages.len(), |Accept(count)| count.min(messages.len()));
        let kept: Vec<_> = messages[..accepted].iter().map(|m| (m.clone(), delay)).collect();
        state.sent.extend(kept);
        if accepted == messages.len() {
            return Ok(());
        }
        Err(SendError {
            confirmed: accepted,
            total: messages.len(),
            problem: SendProblem::Call("the test said so".to_owned()),
        })
    }
}

/// Remembers which tasks were sent, and fails on demand.
#[derive(Debug, Default)]
pub struct RecordedUploads(Mutex<Tasks>);

#[derive(Debug, Default)]
struct Tasks {
    sent: Vec<(UploadTask, u16)>,
    /// How the next calls fail, first come first served; when empty, calls succeed.
    plan: VecDeque<Failure>,
    always: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Failure {
    NotTaken,
    Taken,
}

impl RecordedUploads {
    /// A queue that takes everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next call fails, and its task is not kept.
    pub fn fail_next(&self) {
        self.tasks().plan.push_back(Failure::NotTaken);
    }

    /// The next call fails, although its task was taken.
    pub fn lose_next_answer(&self) {
        self.tasks().plan.push_back(Failure::Taken);
    }

    /// Every call fails from now on.
    pub fn fail_always(&self) {
        self.tasks().always = true;
    }

    /// Every call succeeds from now on.
    pub fn recover(&self) {
        let mut tasks = self.tasks();
        tasks.always = false;
        tasks.plan.clear();
    }

    /// Everything the queue has accepted so far, in order.
    pub fn sent(&self) -> Vec<UploadTask> {
        self.tasks().sent.iter().map(|(task, _)| task.clone()).collect()
    }

    /// As [`Self::sent`], each with its delay in seconds.
    pub fn sent_with_delays(&self) -> Vec<(UploadTask, u16)> {
        self.tasks().sent.clone()
    }

    /// Everything the queue has accepted so far, which it then forgets.
    pub fn take(&self) -> Vec<UploadTask> {
        self.tasks().sent.drain(..).map(|(task, _)| task).collect()
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Uploads for RecordedUploads {
    async fn send(&self, task: &UploadTask, delay_seconds: u16) -> Result<(), SendError> {
        let mut tasks = self.tasks();
        let always = tasks.always.then_some(Failure::NotTaken);
        let failure = tasks.plan.pop_front().or(always);
        if failure != Some(Failure::NotTaken) {
            tasks.sent.push((task.clone(), delay_seconds));
        }
        if failure.is_none() {
            return Ok(());
        }
        Err(SendError {
            confirmed: 0,
            total: 1,
            problem: SendProblem::Call("the test said so".to_owned()),
        })
    }
}
