//! Events of webhooks, on the queue `changes` and at both of its ends.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use jiff::Timestamp;

use crate::fleet::Fleet;

/// Events of an organisation that go through the queue together.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Message {
    pub(crate) member: usize,
    pub(crate) count: u64,
    /// When the oldest of them arrived.
    pub(crate) since: Timestamp,
}

/// What an invocation of the mirror asks Xero for next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pack {
    pub(crate) invocation: usize,
    pub(crate) left: Message,
}

#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) begun: Timestamp,
    pub(crate) jobs: VecDeque<Message>,
    pub(crate) running: usize,
}

/// The queue `changes` with both of its ends.
#[derive(Debug)]
pub(crate) struct Flood {
    pub(crate) queue: VecDeque<(Timestamp, Message)>,
    pub(crate) delayed: BinaryHeap<Reverse<(Timestamp, Message)>>,
    pub(crate) turned_away: VecDeque<(Timestamp, Message)>,
    pub(crate) invocations: Vec<Invocation>,
    pub(crate) busy: usize,
    /// Organisations of which events come; large ones stand twice.
    pub(crate) senders: Vec<usize>,
    /// Rows of the log that no function has heard of yet.
    pub(crate) unheard: u64,
    /// What of the events of a day does not fill a second yet.
    pub(crate) rest: u64,
    random: u64,
}

impl Flood {
    pub(crate) fn new(fleet: Fleet) -> Self {
        let large = (0..fleet.large as usize).chain(0..fleet.healthy() as usize);
        Self {
            queue: VecDeque::new(),
            delayed: BinaryHeap::new(),
            turned_away: VecDeque::new(),
            invocations: Vec::new(),
            busy: 0,
            senders: large.collect(),
            unheard: 0,
            rest: 0,
            random: 1,
        }
    }

    /// Events that are not in the tables yet.
    pub(crate) fn waiting(&self) -> u64 {
        let of = |messages: &VecDeque<(Timestamp, Message)>| -> u64 {
            messages.iter().map(|(_, message)| message.count).sum()
        };
        let delayed = self.delayed.iter().map(|Reverse((_, message))| message.count).sum::<u64>();
        of(&self.queue) + of(&self.turned_away) + delayed
    }

    /// The same in each simulation.
    pub(crate) fn chance(&mut self, below: usize) -> usize {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as usize % below.max(1)
    }
}
