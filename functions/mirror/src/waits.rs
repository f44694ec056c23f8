//! Until when an organisation is not to be called, because Xero has said so.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use payments::OrganisationId;
use xero::{LimitProblem, ReadError};

use crate::retrying::limit_pause;

/// Remembers call limits that are used up, so that an event which arrives during the wait does
/// not knock again (scenario 18). Known to this process only: another one finds out by itself.
#[derive(Debug, Default)]
pub(crate) struct Waits(Mutex<BTreeMap<OrganisationId, (Timestamp, LimitProblem)>>);

impl Waits {
    /// Why the organisation is not to be called now, and for how long.
    pub(crate) fn current(
        &self,
        organisation: OrganisationId,
        now: Timestamp,
    ) -> Option<ReadError> {
        let mut waits = self.lock();
        let (until, problem) = waits.get(&organisation).copied()?;
        // A moment that has passed gives a negative duration, which does not convert.
        let left = Duration::try_from(until.duration_since(now)).unwrap_or_default();
        if left.is_zero() {
            waits.remove(&organisation);
            return None;
        }
        Some(ReadError::Limited { problem, after: Some(left) })
    }

    /// Takes note of a limit. Other failures may be over at any moment.
    pub(crate) fn note(&self, organisation: OrganisationId, error: &ReadError, now: Timestamp) {
        if let ReadError::Limited { problem, after } = *error
            && let Ok(until) = now.checked_add(limit_pause(problem, after))
        {
            self.lock().insert(organisation, (until, problem));
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<OrganisationId, (Timestamp, LimitProblem)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
