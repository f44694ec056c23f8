//! Requests that are carried out after their caller was given up on.
//!
//! A gateway that closes the connection does not stop what it has already handed on. Such a
//! request is checked and booked when its time has come, as if it had arrived then.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{
    admitted_call::AdmittedCall,
    dispatch::answered,
    idempotency::{Claim, Key, claim},
};
use crate::{clock::after, world::World};

/// Requests that wait for their time, the first one first.
#[derive(Debug, Default)]
pub(crate) struct Postponed {
    waiting: BTreeMap<(Timestamp, u64), Waiting>,
    arrived: u64,
}

#[derive(Debug)]
struct Waiting {
    asked: AdmittedCall,
    since: Timestamp,
    key: Option<Key>,
}

impl Postponed {
    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    fn take_due(&mut self, now: Timestamp) -> Option<(Timestamp, Waiting)> {
        let first = self.waiting.first_entry().filter(|first| first.key().0 <= now)?;
        let ((due, _), waiting) = first.remove_entry();
        Some((due, waiting))
    }
}

/// Puts a request off. One whose key is known already has its outcome, and is not put off.
pub(super) fn postpone(world: &mut World, asked: &AdmittedCall, millis: u64, now: Timestamp) {
    let key = match claim(world, asked, now) {
        Claim::Unkeyed => None,
        Claim::Answered(_) => return,
        Claim::New(key) => {
            world.memory.expect(key.clone(), asked, now);
            Some(key)
        }
    };
    let delay = SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX));
    world.postponed.arrived += 1;
    let place = (after(now, delay), world.postponed.arrived);
    world.postponed.waiting.insert(place, Waiting { asked: asked.clone(), since: now, key });
}

/// Carries out every request whose time has come by `now`, in their order, each at its own time.
pub(crate) fn apply_due(world: &mut World, now: Timestamp) {
    while let Some((due, waiting)) = world.postponed.take_due(now) {
        let reply = answered(world, &waiting.asked, due);
        tracing::debug!(
            method = %waiting.asked.call.method,
            path = %waiting.asked.call.path,
            status = reply.status,
            "a late request was carried out"
        );
        if let Some(key) = waiting.key {
            world.memory.settle(&key, waiting.since, reply);
        }
    }
}
