//! Discrepancies by the rows of the log: each time that one was open is an episode of its own, with its own 48 hours.

use std::collections::BTreeMap;

use jiff::Timestamp;
use payments::close::CloseCause;
use payments::events::{Entry, EntryDiscrepancy};
use payments::{Action, CustomerId, DiscrepancyKey, Logged};

payments::codes! {
    /// How a discrepancy came to its end.
    DiscrepancyEnd {
        /// A person has accepted it as it is (AMB-31).
        Accepted = "accepted",
        /// A person has closed it.
        Closed = "closed",
        /// The facts agree again.
        Resolved = "resolved",
    }
}

/// How an episode ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// How.
    pub outcome: DiscrepancyEnd,
    /// Who said so, if a person did.
    pub by: Option<String>,
    /// Why, in the person's words.
    pub why: Option<String>,
}

/// A discrepancy, from when it was found, or came back, until it ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Episode {
    /// When it was found, or came back: its 48 hours run from here (A7.1).
    pub opened_at: Timestamp,
    /// When it was found for the first time.
    pub detected_at: Timestamp,
    /// Until when it is to be resolved.
    pub due_at: Timestamp,
    /// How often it had come back before.
    pub returned: u32,
    /// Who works on it.
    pub owner: Option<String>,
    /// Its customer.
    pub customer: Option<CustomerId>,
    /// How it ended, if it has.
    pub ended: Option<Ended>,
}

impl Episode {
    /// How long it was open, in milliseconds, at its end or at a moment.
    pub fn age(&self, at: Timestamp) -> u64 {
        let end = self.ended.as_ref().map_or(at, |ended| ended.at);
        millis(self.opened_at, end)
    }

    /// Whether it ended in time: 48 hours sharp are in time.
    pub fn is_in_time(&self) -> bool {
        self.ended.as_ref().is_some_and(|ended| ended.at <= self.due_at)
    }
}

/// From one moment to a later one.
pub(crate) fn millis(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_millis()).unwrap_or(0)
}

/// What a kind of discrepancy comes from, as closes call it (SP-15).
pub(crate) fn cause(key: &DiscrepancyKey) -> &'static str {
    CloseCause::of(key.kind).map_or(key.kind.code(), CloseCause::code)
}

/// All episodes, by what they are about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Episodes {
    found: BTreeMap<(String, DiscrepancyKey), Vec<Episode>>,
}

impl Episodes {
    /// Takes a row, if it is about a discrepancy.
    pub(crate) fn take(&mut self, entry: &Entry) {
        let (Logged::Decided(action), Some(said)) = (entry.logged, &entry.discrepancy) else {
            return;
        };
        let Some(about) = about(entry) else { return };
        let key = DiscrepancyKey { kind: said.kind, subject: said.subject.clone() };
        let episodes = self.found.entry((about, key)).or_default();
        let open = episodes.last_mut().filter(|episode| episode.ended.is_none());
        match (action, open) {
            (Action::DiscrepancyRaised, None) => episodes.push(opened(entry, said)),
            (Action::DiscrepancyRaised, Some(open)) => open.due_at = said.due_at,
            (_, Some(open)) => {
                open.owner = entry.owner.clone().or(open.owner.take());
                open.ended = outcome(action).map(|outcome| Ended {
                    at: entry.at,
                    outcome,
                    by: entry.by.clone(),
                    why: entry.why.clone().filter(|_| outcome != DiscrepancyEnd::Resolved),
                });
            }
            // The beginning of the log, or the facts of what was accepted agree in the end.
            (_, None) => {}
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &DiscrepancyKey, &Episode)> {
        self.found.iter().flat_map(|((about, key), episodes)| {
            episodes.iter().map(move |episode| (about.as_str(), key, episode))
        })
    }
}

fn opened(entry: &Entry, said: &EntryDiscrepancy) -> Episode {
    Episode {
        opened_at: said.reopened_at.unwrap_or(said.detected_at),
        detected_at: said.detected_at,
        due_at: said.due_at,
        returned: said.reopened_count.unwrap_or(0),
        owner: entry.owner.clone(),
        customer: entry.customer.clone(),
        ended: None,
    }
}

fn outcome(action: Action) -> Option<DiscrepancyEnd> {
    Some(match action {
        Action::DiscrepancyAccepted => DiscrepancyEnd::Accepted,
        Action::DiscrepancyClosed => DiscrepancyEnd::Closed,
        Action::DiscrepancyResolved => DiscrepancyEnd::Resolved,
        _ => return None,
    })
}

/// What a row is about, as a close names its subjects.
pub(crate) fn about(entry: &Entry) -> Option<String> {
    if let Some(invoice) = &entry.invoice {
        return Some(format!("invoice/{}", invoice.number));
    }
    if let Some(contact) = entry.contact {
        return Some(format!("contact/{contact}"));
    }
    if let Some(order) = &entry.order {
        return Some(format!("order/{}", order.id));
    }
    entry.payment.id.as_ref().map(|payment| format!("payment/{payment}"))
}
