//! The queues as the function sees them: SQS, in front of which a process may die.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use queue::{
    AllQueues, DeadLetter, DeadLetterError, DeadLetters, Depth, Letter, Letters, QueueName,
    SendError, SendProblem,
};

use crate::faults::{Guillotine, Moment};

#[derive(Clone)]
pub struct Post {
    all: AllQueues,
    guillotine: Arc<Mutex<Arc<Guillotine>>>,
    /// Whether queues take nothing.
    refuses: Arc<Mutex<bool>>,
    /// For how long what is looked at is hidden, other than the function says: engines go by real time.
    hidden_for: Arc<Mutex<Option<Duration>>>,
}

impl Post {
    pub fn new(all: AllQueues) -> Self {
        Self {
            all,
            guillotine: Arc::default(),
            refuses: Arc::default(),
            hidden_for: Arc::default(),
        }
    }

    pub fn end_with(&self, guillotine: &Arc<Guillotine>) {
        *self.guillotine.lock().unwrap() = guillotine.clone();
    }

    pub fn refuse(&self, refuses: bool) {
        *self.refuses.lock().unwrap() = refuses;
    }

    /// As if the time were over for which a dead process has hidden what it looked at.
    pub fn hide_nothing(&self) {
        *self.hidden_for.lock().unwrap() = Some(Duration::ZERO);
    }

    async fn step<T>(&self, changes: bool, call: impl Future<Output = T>) -> T {
        let guillotine = self.guillotine.lock().unwrap().clone();
        let last = guillotine.count(changes);
        if last == Some(Moment::Before) {
            guillotine.fall().await;
        }
        let result = call.await;
        if last == Some(Moment::After) {
            guillotine.fall().await;
        }
        result
    }
}

impl Letters for Post {
    async fn post(&self, to: QueueName, letter: &Letter) -> Result<(), SendError> {
        if *self.refuses.lock().unwrap() {
            let problem = SendProblem::Call("the test said so".to_owned());
            return Err(SendError { confirmed: 0, total: 1, problem });
        }
        self.step(true, self.all.post(to, letter)).await
    }
}

impl DeadLetters for Post {
    async fn look(
        &self,
        of: QueueName,
        hidden_for: Duration,
    ) -> Result<Vec<DeadLetter>, DeadLetterError> {
        let hidden_for = self.hidden_for.lock().unwrap().unwrap_or(hidden_for);
        self.step(false, self.all.look(of, hidden_for)).await
    }

    async fn put_back(&self, of: QueueName, letter: &DeadLetter) -> Result<(), DeadLetterError> {
        self.step(false, self.all.put_back(of, letter)).await
    }

    async fn take_out(&self, of: QueueName, letter: &DeadLetter) -> Result<(), DeadLetterError> {
        self.step(true, self.all.take_out(of, letter)).await
    }

    async fn depth(&self, of: QueueName) -> Result<Depth, DeadLetterError> {
        self.all.depth(of).await
    }
}
