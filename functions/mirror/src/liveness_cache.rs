//! When this process has last written of each organisation that webhooks come.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use payments::OrganisationId;

/// How often it is written that a webhook came: each one would cost as much as a change.
const WRITTEN_EVERY: SignedDuration = SignedDuration::from_mins(5);

/// When this process has last written that a webhook came.
#[derive(Debug, Default)]
pub(crate) struct LivenessCache(Mutex<BTreeMap<OrganisationId, Timestamp>>);

impl LivenessCache {
    pub(crate) fn is_news(&self, organisation: OrganisationId, accepted_at: Timestamp) -> bool {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = written.get(&organisation);
        let news = last.is_none_or(|last| accepted_at.duration_since(*last) >= WRITTEN_EVERY);
        if news {
            written.insert(organisation, accepted_at);
        }
        news
    }
}
