//! The memory behind `Idempotency-Key` (facts.md 4.10).

use std::collections::BTreeMap;

use axum::{body::Bytes, http::Method};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::admitted_call::AdmittedCall;
use crate::{clock::after, identity, reply::Reply, world::World};

/// How long a key is remembered, counted from its first call.
const REMEMBERED_FOR: SignedDuration = SignedDuration::from_mins(6);
/// Characters of a key.
const KEY_LENGTH_MAX: usize = 128;

/// An app and a key of its own.
pub(super) type Key = (String, String);

#[derive(Clone, Debug, Eq, PartialEq)]
struct Sent {
    organisation: Uuid,
    method: Method,
    path: String,
    query: String,
    body: Bytes,
}

impl From<&AdmittedCall> for Sent {
    fn from(asked: &AdmittedCall) -> Self {
        Self {
            organisation: asked.caller.1,
            method: asked.call.method.clone(),
            path: asked.call.path.clone(),
            query: asked.call.raw_query.clone(),
            body: asked.call.body.clone(),
        }
    }
}

#[derive(Debug)]
struct Remembered {
    sent: Sent,
    /// `None` while the call has not been carried out.
    reply: Option<Reply>,
    since: Timestamp,
}

/// Replies by key.
#[derive(Debug, Default)]
pub(crate) struct Memory(BTreeMap<Key, Remembered>);

/// What the memory says to a key.
#[derive(Debug)]
enum Recall {
    /// Never seen, or forgotten.
    New,
    /// The same call again: the reply it got then, be it an error.
    Replay(Reply),
    /// The same call again, and the first one has not been carried out.
    Pending,
    /// The key belongs to another call.
    Conflict,
}

impl Memory {
    fn recall(&mut self, key: &Key, asked: &AdmittedCall, now: Timestamp) -> Recall {
        self.0.retain(|_, entry| after(entry.since, REMEMBERED_FOR) > now);
        match self.0.get(key) {
            None => Recall::New,
            Some(entry) if entry.sent != Sent::from(asked) => Recall::Conflict,
            Some(entry) => entry.reply.clone().map_or(Recall::Pending, Recall::Replay),
        }
    }

    pub(super) fn keep(&mut self, key: Key, asked: &AdmittedCall, reply: &Reply, now: Timestamp) {
        let reply = Some(reply.clone());
        self.0.insert(key, Remembered { sent: asked.into(), reply, since: now });
    }

    /// Remembers a call that is to be carried out later.
    pub(super) fn expect(&mut self, key: Key, asked: &AdmittedCall, now: Timestamp) {
        self.0.insert(key, Remembered { sent: asked.into(), reply: None, since: now });
    }

    /// The reply to a call that was expected since then. A key that was forgotten meanwhile, or
    /// belongs to a later call, is left alone.
    pub(super) fn settle(&mut self, key: &Key, since: Timestamp, reply: Reply) {
        let expected = self.0.get_mut(key).filter(|entry| entry.since == since);
        if let Some(entry) = expected.filter(|entry| entry.reply.is_none()) {
            entry.reply = Some(reply);
        }
    }

    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }
}

/// What a call's key entitles it to.
#[derive(Debug)]
pub(super) enum Claim {
    /// It has none, or needs none.
    Unkeyed,
    /// To be carried out, and remembered under this key.
    New(Key),
    /// To this answer, and to nothing being done.
    Answered(Reply),
}

/// Looks into the memory before anything is done.
pub(super) fn claim(world: &mut World, asked: &AdmittedCall, now: Timestamp) -> Claim {
    let key = asked.call.header("idempotency-key").filter(|_| asked.call.method != Method::GET);
    let Some(key) = key else {
        return Claim::Unkeyed;
    };
    let refuse = |world: &mut World, status, title, detail| {
        Claim::Answered(Reply::raw_json(status, identity::problem(status, title, detail, world)))
    };
    if key.chars().count() > KEY_LENGTH_MAX {
        let detail = "The Idempotency-Key must not be longer than 128 characters";
        return refuse(world, 400, "Bad Request", detail);
    }
    let key = (asked.caller.0.clone(), key.to_owned());
    match world.memory.recall(&key, asked, now) {
        Recall::New => Claim::New(key),
        Recall::Replay(reply) => Claim::Answered(reply),
        // Xero says nothing of this. A 500 says least to the caller, and Xero's advice after a 500
        // from the key store (look, then use a new key) books twice here.
        Recall::Pending => refuse(world, 500, "Internal Server Error", "An error occurred"),
        Recall::Conflict => {
            let detail = "The Idempotency-Key has already been used with a different request";
            refuse(world, 400, "Bad Request", detail)
        }
    }
}
