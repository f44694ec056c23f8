//! The hourly look: it resumes all work that waits without a message, in every organisation.

use host::telemetry;
use jiff::{SignedDuration, Timestamp};
use payments::Settings;
use payments::sweep::Trigger;
use payments::upload::{Night, NightState};
use queue::{Changes, UploadTask, Uploads};

use crate::resumption::standing;
use crate::run::STEP;
use crate::start_date::remembered;
use crate::tally::Tally;
use crate::{Answer, HandleError, Uploader, uploading};

/// How long a night may be resumed. After that the next one has been due.
const NIGHT_GOES_ON: SignedDuration = SignedDuration::from_hours(24);

/// The work of an organisation that is to be resumed.
#[derive(Default)]
struct Due {
    /// The scheduled time of its night.
    night: Option<Timestamp>,
    /// Something that is to be posted at once.
    direct: bool,
}

impl<Q: Uploads, C: Changes> Uploader<Q, C> {
    /// Runs the nights that are due and have not been run or were interrupted, posts what should have been posted
    /// by now, and counts what stands still for too long. An organisation that cannot be looked at stops no other.
    pub(crate) async fn catch_up(
        &self,
        by_tasks: bool,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> Result<Answer, HandleError> {
        let all = self.organisations(None).await?;
        let mut nights = Vec::new();
        let mut direct = Vec::new();
        let mut failed = None;
        for settings in &all {
            match self.due(settings).await {
                Ok(due) => {
                    nights.extend(due.night.map(|at| (settings.clone(), at)));
                    direct.extend(due.direct.then_some(settings));
                }
                Err(error) => drop(failed.get_or_insert(not_looked_at(settings, &error))),
            }
        }
        let answer = if by_tasks {
            self.hand_out(nights).await
        } else {
            Box::pin(self.nights(nights, deadline, tally)).await
        };
        for settings in direct {
            if let Err(error) = self.post_late(settings, deadline, tally).await {
                failed.get_or_insert(error);
            }
        }
        for settings in &all {
            if self.is_short_of_time(deadline) {
                break;
            }
            // Xero's trouble shows in the runs; the next look comes in an hour.
            if let Err(error) = self.look_at_prepayments(settings).await {
                tracing::warn!(
                    xero.tenant_id = %settings.organisation,
                    error = telemetry::chain(&error),
                    "deleted prepayments could not be looked for"
                );
            }
        }
        let mut too_long = 0;
        for settings in &all {
            match standing(&self.tables, settings.organisation, self.clock.now()).await {
                Ok(standing) => too_long += standing.too_long,
                Err(error) => drop(failed.get_or_insert(not_looked_at(settings, &error))),
            }
        }
        // Where it could not look, it does not say that nothing is wrong.
        match failed {
            None => {
                tally.looked(too_long);
                answer
            }
            Some(error) => answer.and(Err(error)),
        }
    }

    /// Whether there is no time left for another call.
    fn is_short_of_time(&self, deadline: Timestamp) -> bool {
        self.clock.now().saturating_add(STEP).is_ok_and(|end| end > deadline)
    }

    async fn due(&self, settings: &Settings) -> Result<Due, table::ReadError> {
        let now = self.clock.now();
        if settings.shadow.is_some() {
            return Ok(Due { night: self.shadow_due(settings, now).await?, direct: false });
        }
        let Some(uploading) = uploading(settings) else { return Ok(Due::default()) };
        let standing = standing(&self.tables, settings.organisation, now).await?;
        let night = Night::of(now, &settings.zone);
        let due = night.due(uploading.due_at, &settings.zone).filter(|due| *due <= now);
        let last = self.tables.nights(settings.organisation, 1).await?.pop();
        let night = match last {
            // Until the next one is due, the last one goes on: also after noon, which ends its day.
            Some(last) if due.is_none() || last.night >= night => {
                let open = last.state != NightState::Finished || standing.night;
                let goes_on = now.duration_since(last.scheduled_at) <= NIGHT_GOES_ON;
                (open && goes_on).then_some(last.scheduled_at)
            }
            _ => due,
        };
        // A start date that was changed is followed by a run (AMB-35).
        let row = remembered(&self.tables, settings.organisation).await?;
        let judged = row.and_then(|row| row.judged_start);
        let is_changed = judged.is_some() && judged != settings.starting();
        Ok(Due { night, direct: standing.direct || is_changed })
    }

    /// Posts what should have been posted by now, or leaves that to an invocation with more time.
    async fn post_late(
        &self,
        settings: &Settings,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> Result<(), HandleError> {
        let Some(of) = uploading(settings) else { return Ok(()) };
        if self.is_short_of_time(deadline) {
            let task = UploadTask::Direct { organisation: settings.organisation };
            let sent = self.uploads.send(&task, 0).await;
            return sent.map_err(|error| HandleError::Run(telemetry::chain(&error)));
        }
        match Box::pin(self.post((settings, of), Trigger::Schedule, deadline, tally)).await {
            Err(error) if !error.is_xeros() => Err(HandleError::Run(telemetry::chain(&error))),
            // Xero's trouble has been recorded; the next look comes in an hour.
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

fn not_looked_at(settings: &Settings, error: &table::ReadError) -> HandleError {
    let chain = telemetry::chain(error);
    tracing::error!(
        xero.tenant_id = %settings.organisation,
        error = chain,
        "an organisation could not be looked at"
    );
    HandleError::Tables(chain)
}
