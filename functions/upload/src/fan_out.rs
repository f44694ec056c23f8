//! The nights of a schedule, one task for each organisation, so that one that is slow or fails keeps none of the others
//! back. A night begins by the clock of its organisation (CC-22). A task that comes twice or late does no harm: the
//! night's row says whether it is over, and whose it is.

use host::telemetry;
use jiff::Timestamp;
use payments::Settings;
use payments::upload::Night;
use queue::{Changes, UploadTask, Uploads};

use crate::shadow::due_at;
use crate::{Answer, HandleError, Uploader};

/// A schedule's wish to have its work done by tasks (`"fan_out": true`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct FanOut {
    /// By the clock of which time zone the schedule comes.
    pub(crate) zone: Option<String>,
}

impl FanOut {
    /// Whether the schedule of that moment begins the night of this organisation. One in another time zone waits for
    /// its own evening; the hourly look begins its night.
    pub(crate) fn begins(&self, settings: &Settings, scheduled_at: Timestamp) -> bool {
        let Some(due_at) = due_at(settings) else { return false };
        if self.zone.is_none() || self.zone.as_deref() == settings.zone.iana_name() {
            return true;
        }
        let night = Night::of(scheduled_at, &settings.zone);
        night.due(due_at, &settings.zone).is_some_and(|due| due <= scheduled_at)
    }
}

impl<Q: Uploads, C: Changes> Uploader<Q, C> {
    /// Leaves a task for each of these nights. Those that cannot be left are left by the hourly look.
    pub(crate) async fn hand_out(
        &self,
        nights: Vec<(Settings, Timestamp)>,
    ) -> Result<Answer, HandleError> {
        let mut handed_out = 0_usize;
        let (all, mut failed, mut first) = (nights.len(), 0_usize, None);
        for (settings, scheduled_at) in nights {
            let organisation = settings.organisation;
            let task = UploadTask::Night { organisation, scheduled_at, round: 0 };
            match self.uploads.send(&task, 0).await {
                Ok(()) => handed_out = handed_out.saturating_add(1),
                Err(error) => {
                    let why = telemetry::chain(&error);
                    tracing::error!(
                        xero.tenant_id = %organisation,
                        error = why,
                        "a night's task could not be left"
                    );
                    failed = failed.saturating_add(1);
                    first.get_or_insert(why);
                }
            }
        }
        match first {
            None => Ok(Answer::HandedOut { handed_out }),
            Some(first) => Err(HandleError::Nights { failed, all, first }),
        }
    }
}
