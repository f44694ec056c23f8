//! Counts Xero's side: calls in a minute and in a day, by organisation and of the app; and what AWS asks for.

use std::collections::{BTreeMap, VecDeque};

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
    /// Invocations, by function.
    pub invocations: BTreeMap<&'static str, u64>,
    /// How many milliseconds they took together, times the function's memory in MB.
    pub megabyte_milliseconds: u64,
    /// Requests to SQS, in hundredths: ten messages are received, and deleted, by one.
    pub request_hundredths: u64,
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

    /// All calls.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.in_day.iter().map(|calls| u64::from(*calls)).sum()
    }

    /// An invocation of a function with so much memory has taken so long.
    pub fn invocation(&mut self, function: &'static str, memory: u32, took: SignedDuration) {
        *self.invocations.entry(function).or_default() += 1;
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(0);
        self.megabyte_milliseconds += milliseconds * u64::from(memory);
    }

    /// This message was sent among ten, received among ten and deleted among ten.
    pub fn message(&mut self, text: &str) {
        self.request_hundredths += 30;
        self.longest_message = self.longest_message.max(text.len());
    }

    /// A message was sent by itself, received among ten and deleted among ten.
    pub fn messages_alone(&mut self, count: u64) {
        self.request_hundredths += 120 * count;
    }
}
