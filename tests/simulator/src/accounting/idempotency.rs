//! The memory behind `Idempotency-Key` (xero.md 4.10).

use std::collections::BTreeMap;

use axum::{body::Bytes, http::Method};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::request::Call;
use crate::{clock::after, reply::Reply};

/// How long a key is remembered, counted from its first call.
const REMEMBERED_FOR: SignedDuration = SignedDuration::from_mins(6);
/// Characters of a key.
pub(super) const KEY_LENGTH_MAX: usize = 128;

/// An app and a key of its own.
type Key = (String, String);

#[derive(Clone, Debug, Eq, PartialEq)]
struct Sent {
    organisation: Uuid,
    method: Method,
    path: String,
    query: String,
    body: Bytes,
}

impl Sent {
    fn new(call: &Call, organisation: Uuid) -> Self {
        Self {
            organisation,
            method: call.method.clone(),
            path: call.path.clone(),
            query: call.raw_query.clone(),
            body: call.body.clone(),
        }
    }
}

#[derive(Debug)]
struct Remembered {
    sent: Sent,
    reply: Reply,
    since: Timestamp,
}

/// Replies by key.
#[derive(Debug, Default)]
pub(crate) struct Memory(BTreeMap<Key, Remembered>);

/// What the memory says to a key.
#[derive(Debug)]
pub(super) enum Recall {
    /// Never seen, or forgotten.
    New,
    /// The same call again: the reply it got then, be it an error.
    Replay(Reply),
    /// The key belongs to another call.
    Conflict,
}

impl Memory {
    pub(super) fn recall(
        &mut self,
        key: &Key,
        call: &Call,
        organisation: Uuid,
        now: Timestamp,
    ) -> Recall {
        self.0.retain(|_, entry| after(entry.since, REMEMBERED_FOR) > now);
        match self.0.get(key) {
            None => Recall::New,
            Some(entry) if entry.sent == Sent::new(call, organisation) => {
                Recall::Replay(entry.reply.clone())
            }
            Some(_) => Recall::Conflict,
        }
    }

    pub(super) fn keep(
        &mut self,
        key: Key,
        call: &Call,
        organisation: Uuid,
        reply: &Reply,
        now: Timestamp,
    ) {
        let sent = Sent::new(call, organisation);
        let reply = reply.clone();
        self.0.insert(key, Remembered { sent, reply, since: now });
    }
}
