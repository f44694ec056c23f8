//! Events that wait, in order, and what became of those that were sent.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::time::{Duration, Instant};

use super::{
    Delivery, Event, Resource, WebhookSettings, WebhookStatus,
    envelope::{self, ENTROPY_LENGTH},
};
use crate::{
    clock::{after, before},
    random::Random,
};

/// A webhook that fails for so long is disabled (facts.md 1.10).
const FAILING_MAX: SignedDuration = SignedDuration::from_hours(24);
/// Events that could not be delivered are kept for so long (facts.md 1.10).
const KEPT_MAX: SignedDuration = SignedDuration::from_hours(31 * 24);
/// Deliveries in the log; older ones are forgotten.
const DELIVERIES_MAX: usize = 10_000;

/// Events packed for one delivery; a retry sends the very same bytes.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Parcel {
    events: Vec<Event>,
    first: u32,
    last: u32,
    entropy: String,
    attempts: u32,
}

/// A delivery that is due.
#[derive(Clone, Debug)]
pub(super) struct Shipment {
    pub(super) url: String,
    pub(super) signature: String,
    pub(super) body: String,
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) events: usize,
    pub(super) attempt: u32,
    pub(super) duplicates: u32,
}

/// What the deliverer is to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Next {
    /// Nothing waits.
    Sleep,
    /// Nothing is due before this.
    Wait(Instant),
    /// Something is due.
    Deliver,
}

/// The webhook and its events.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Outbox {
    pub(crate) settings: WebhookSettings,
    pub(crate) status: WebhookStatus,
    sequence: u32,
    waiting: VecDeque<Event>,
    parcels: VecDeque<Parcel>,
    failing_since: Option<Timestamp>,
    #[serde(skip)]
    window_closes: Option<Instant>,
    #[serde(skip)]
    retry_at: Option<Instant>,
    #[serde(skip)]
    log: VecDeque<Delivery>,
}

impl Outbox {
    /// Replaces the settings of the webhook. Events kept by a disabled one are delivered first.
    pub(crate) fn set_up(&mut self, settings: WebhookSettings, now: Timestamp) {
        let on = settings.enabled && !settings.url.is_empty();
        self.settings = settings;
        if on {
            self.enable(now);
        } else {
            self.status = WebhookStatus::Off;
        }
    }

    /// Starts delivering again, beginning with the events that are not too old.
    pub(crate) fn enable(&mut self, now: Timestamp) {
        let oldest = before(now, KEPT_MAX);
        self.parcels.retain(|parcel| parcel.events.iter().any(|event| event.at >= oldest));
        self.waiting.retain(|event| event.at >= oldest);
        self.status = WebhookStatus::Ok;
        self.failing_since = None;
        self.retry_at = None;
    }

    /// Takes an event; a webhook that is off loses it, a disabled one keeps it.
    pub(crate) fn announce(&mut self, event: Event) {
        let subscribed = match event.resource {
            Resource::Invoice => true,
            Resource::Contact => self.settings.contacts,
            Resource::CreditNote { .. } => self.settings.credit_notes,
        };
        if self.status == WebhookStatus::Off || !subscribed {
            return;
        }
        if self.waiting.is_empty() {
            let window = Duration::from_millis(self.settings.batch_window_ms);
            self.window_closes = Some(Instant::now() + window);
        }
        self.waiting.push_back(event);
    }

    /// Events that were not delivered yet.
    pub(crate) fn undelivered(&self) -> usize {
        let packed: usize = self.parcels.iter().map(|parcel| parcel.events.len()).sum();
        packed + self.waiting.len()
    }

    pub(crate) fn log(&self) -> Vec<Delivery> {
        self.log.iter().cloned().collect()
    }

    pub(super) fn next(&self, now: Instant) -> Next {
        if matches!(self.status, WebhookStatus::Off | WebhookStatus::Disabled) {
            return Next::Sleep;
        }
        let due = if !self.parcels.is_empty() {
            self.retry_at
        } else if !self.waiting.is_empty() {
            self.window_closes
        } else {
            return Next::Sleep;
        };
        match due {
            Some(due) if due > now => Next::Wait(due),
            _ => Next::Deliver,
        }
    }

    /// Packs what waits, when its window has closed or `at_once`; `true` when there was something.
    pub(crate) fn pack(&mut self, noise: &mut Random, at_once: bool) -> bool {
        let closed = self.window_closes.is_none_or(|closes| closes <= Instant::now());
        if self.waiting.is_empty() || (!closed && !at_once) {
            return false;
        }
        let events_max = self.settings.events_max.max(1);
        while !self.waiting.is_empty() {
            let count = self.waiting.len().min(events_max);
            let events: Vec<Event> = self.waiting.drain(..count).collect();
            let first = self.sequence.saturating_add(1);
            self.sequence = self.sequence.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
            self.parcels.push_back(Parcel {
                events,
                first,
                last: self.sequence,
                entropy: noise.capitals(ENTROPY_LENGTH),
                attempts: 0,
            });
        }
        self.window_closes = None;
        true
    }

    /// The oldest parcel, unless the webhook is not to deliver.
    pub(super) fn shipment(&self) -> Option<Shipment> {
        if matches!(self.status, WebhookStatus::Off | WebhookStatus::Disabled) {
            return None;
        }
        let parcel = self.parcels.front()?;
        let body = envelope::body(&parcel.events, parcel.first, parcel.last, &parcel.entropy);
        Some(Shipment {
            url: self.settings.url.clone(),
            signature: envelope::sign(&self.settings.key, body.as_bytes()),
            body,
            first: parcel.first,
            last: parcel.last,
            events: parcel.events.len(),
            attempt: parcel.attempts + 1,
            duplicates: self.settings.duplicates,
        })
    }

    /// Notes how an attempt went. `true` asks for another one right away.
    pub(crate) fn settle(&mut self, delivery: Delivery, now: Timestamp) -> bool {
        let succeeded = delivery.succeeded();
        let (first, duplicate) = (delivery.first_sequence, delivery.duplicate);
        if self.log.len() == DELIVERIES_MAX {
            self.log.pop_front();
        }
        self.log.push_back(delivery);
        // The webhook may have been set up again while the answer was awaited.
        let is_front = self.parcels.front().is_some_and(|parcel| parcel.first == first);
        if duplicate || !is_front {
            return false;
        }
        if succeeded {
            self.parcels.pop_front();
            self.failing_since = None;
            self.retry_at = None;
            if self.status == WebhookStatus::Retry {
                self.status = WebhookStatus::Ok;
            }
            return false;
        }
        self.failed(now)
    }

    fn failed(&mut self, now: Timestamp) -> bool {
        let Some(parcel) = self.parcels.front_mut() else {
            return false;
        };
        parcel.attempts += 1;
        let is_first = parcel.attempts == 1;
        let since = *self.failing_since.get_or_insert(now);
        if now >= after(since, FAILING_MAX) {
            self.status = WebhookStatus::Disabled;
            return false;
        }
        if self.status != WebhookStatus::Off {
            self.status = WebhookStatus::Retry;
        }
        let interval = Duration::from_millis(self.settings.retry_interval_ms);
        self.retry_at = Some(Instant::now() + interval);
        is_first
    }
}
