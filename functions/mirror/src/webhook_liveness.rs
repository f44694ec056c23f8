//! Whether webhooks come: what the watch over their silence rests on.

use jiff::Timestamp;
use payments::OrganisationId;
use payments::connection::{FOUND_WITHIN, WEBHOOK_WITHIN};
use queue::{Cause, Changes};

use crate::handler::{Handler, log_failure};
use crate::jobs::Jobs;

impl<C: Changes> Handler<'_, C> {
    /// Notes that webhooks come. No work depends on it.
    pub(crate) async fn record_webhook_seen(&self, organisation: OrganisationId, jobs: &Jobs) {
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
    pub(crate) async fn record_webhook_missed(
        &self,
        organisation: OrganisationId,
        found: &[Timestamp],
    ) {
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
