//! A queue in memory, for tests of whoever sends.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::changes::{Changes, SendError, SendProblem};
use crate::message::Message;

/// Remembers what was sent, and fails when told to.
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
