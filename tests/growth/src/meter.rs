//! Counts Xero's side: calls in a minute and in a day, by organisation and of the app; and what AWS asks for.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// Calls as Xero counts them.
#[derive(Debug, Default)]
pub struct Meter {
    last_minute: Vec<VecDeque<Timestamp>>,
    of_app: VecDeque<Timestamp>,
    in_day: Vec<u32>,
    /// Most calls in a minute of one organisation.
    pub minute_max: usize,
    /// Most calls in a minute of all organisations.
    pub app_minute_max: usize,
    /// Invocations of the functions.
    pub invocations: u64,
    /// How long they took together.
    pub milliseconds: i64,
    /// Requests to SQS.
    pub requests: u64,
    /// Bytes of the longest message.
    pub longest_message: usize,
}

impl Meter {
    /// Of so many organisations.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let last_minute = vec![VecDeque::new(); count];
        Self { last_minute, in_day: vec![0; count], ..Self::default() }
    }

    /// Counts a call.
    pub fn call(&mut self, member: usize, now: Timestamp) {
        let since = now.saturating_sub(SignedDuration::from_mins(1)).unwrap_or(now);
        let count = |calls: &mut VecDeque<Timestamp>| {
            calls.push_back(now);
            while calls.front().is_some_and(|at| *at <= since) {
                calls.pop_front();
            }
            calls.len()
        };
        if let (Some(calls), Some(day)) =
            (self.last_minute.get_mut(member), self.in_day.get_mut(member))
        {
            self.minute_max = self.minute_max.max(count(calls));
            *day += 1;
        }
        self.app_minute_max = self.app_minute_max.max(count(&mut self.of_app));
    }

    /// Most calls of one organisation in the simulated time.
    #[must_use]
    pub fn day_max(&self) -> u32 {
        self.in_day.iter().copied().max().unwrap_or(0)
    }

    /// A message of this length was sent among ten, received and deleted.
    pub fn message(&mut self, text: &str) {
        self.requests += 2;
        self.longest_message = self.longest_message.max(text.len());
    }
}
