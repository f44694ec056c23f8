//! Whether webhooks come: what the watch over their silence rests on.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use payments::OrganisationId;
use payments::connection::{FOUND_WITHIN, WEBHOOK_WITHIN};
use queue::{Cause, Changes};

use crate::handler::{Handler, log_failure};
use crate::jobs::Jobs;

/// How often it is written that a webhook came: each one would cost as much as a change.
const WRITTEN_EVERY: SignedDuration = SignedDuration::from_mins(5);

/// When this process has last written that a webhook came.
#[derive(Debug, Default)]
pub(crate) struct LivenessCache(Mutex<BTreeMap<OrganisationId, Timestamp>>);

impl LivenessCache {
    fn is_news(&self, organisation: OrganisationId, accepted_at: Timestamp) -> bool {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = written.get(&organisation);
        let news = last.is_none_or(|last| accepted_at.duration_since(*last) >= WRITTEN_EVERY);
        if news {
            written.insert(organisation, accepted_at);
        }
        news
    }
}

impl<C: Changes> Handler<'_, C> {
    /// Notes that webhooks come. No work depends on it.
    pub(crate) async fn hear(&self, organisation: OrganisationId, jobs: &Jobs) {
        let webhooks = jobs.values().filter(|job| job.cause == Cause::Webhook);
        let latest = webhooks.flat_map(|job| job.records.values()).max().copied();
        let Some(accepted_at) = latest.filter(|at| self.heard.is_news(organisation, *at)) else {
            return;
        };
        if let Err(error) = self.tables.heard(organisation, accepted_at).await {
            log_failure(organisation, &error, "it could not be noted that a webhook came");
        }
    }

    /// Notes that a sweep had to find changes; of when they are. A change of a moment ago does not count: its
    /// webhook may be on its way.
    pub(crate) async fn miss(&self, organisation: OrganisationId, found: &[Timestamp]) {
        let now = self.now();
        let says = |at: &&Timestamp| {
            let age = now.duration_since(**at);
            age > WEBHOOK_WITHIN && age <= FOUND_WITHIN
        };
        let late: Vec<_> = found.iter().filter(says).collect();
        let Some(oldest) = late.iter().min() else { return };
        if let Err(error) = self.tables.missed(organisation, **oldest, late.len()).await {
            log_failure(organisation, &error, "it could not be noted what webhooks had missed");
        }
    }
}
