//! A bus in memory, for tests of functions that announce.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use payments::events::Announcement;

use crate::port::{Bus, PublishOutcome, PublishProblem};

/// Remembers what was sent, and fails on demand.
#[derive(Debug, Default)]
pub struct RecordedBus(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    sent: Vec<Announcement>,
    /// What the next calls do, first come first served; when empty, calls succeed.
    plan: VecDeque<Plan>,
    calls: usize,
}

#[derive(Clone, Copy, Debug)]
enum Plan {
    /// Keeps so many from the first one on.
    Keep(usize),
    /// Refuses this one for good.
    Refuse(usize),
    /// Keeps all but this one, without any sign of it.
    AllBut(usize),
}

impl RecordedBus {
    /// A bus that takes everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next call keeps only the first `count`, and fails if there were more.
    pub fn accept_next(&self, count: usize) {
        self.state().plan.push_back(Plan::Keep(count));
    }

    /// The next call refuses the one at this position for good, and keeps the others.
    pub fn refuse_next(&self, position: usize) {
        self.state().plan.push_back(Plan::Refuse(position));
    }

    /// The next call keeps all but the one at this position, and fails because of it.
    pub fn lose_next(&self, position: usize) {
        self.state().plan.push_back(Plan::AllBut(position));
    }

    /// Everything the bus has accepted so far, in order.
    pub fn sent(&self) -> Vec<Announcement> {
        self.state().sent.clone()
    }

    /// How often it was called.
    pub fn calls(&self) -> usize {
        self.state().calls
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bus for RecordedBus {
    async fn send(&self, announcements: &[Announcement]) -> PublishOutcome {
        let mut state = self.state();
        state.calls += 1;
        let all = announcements.len();
        let (done, lost, refused) = match state.plan.pop_front() {
            None => (all, None, Vec::new()),
            Some(Plan::Keep(count)) if count < all => {
                state.sent.extend_from_slice(&announcements[..count]);
                return PublishOutcome {
                    done: count,
                    refused: Vec::new(),
                    problem: Some(the_test()),
                };
            }
            Some(Plan::Keep(_)) => (all, None, Vec::new()),
            Some(Plan::Refuse(at)) => (all, Some(at), vec![(at, "MalformedDetail".to_owned())]),
            Some(Plan::AllBut(at)) => (at, Some(at), Vec::new()),
        };
        let kept = announcements.iter().enumerate().filter(|(at, _)| Some(*at) != lost);
        state.sent.extend(kept.map(|(_, announcement)| announcement.clone()));
        PublishOutcome { done, refused, problem: (done < all).then(the_test) }
    }
}

fn the_test() -> PublishProblem {
    PublishProblem::Call("the test said so".to_owned())
}
