//! What operators read in the morning (CC-20): found out anew, and one row of the log for each organisation,
//! from which it goes on to the bus.

use host::telemetry;
use jiff::Timestamp;
use payments::Settings;
use payments::digest::Morning;
use queue::Changes;
use table::HELD_COUNTED_MAX;

use crate::answer::ConnectionAnswer;
use crate::orders::tables;
use crate::tally::Tally;
use crate::{HandleError, Sweeper};

impl<C: Changes, Q> Sweeper<C, Q> {
    /// Tells of each organisation. One of which nothing can be told does not keep the others back; the schedule
    /// comes again for it.
    pub(crate) async fn digests(
        &self,
        organisations: &[Settings],
        scheduled_at: Timestamp,
        tally: &mut Tally,
    ) -> Result<Vec<ConnectionAnswer>, HandleError> {
        let mut connections = Vec::new();
        let mut first = None;
        for settings in organisations {
            match self.digest(settings, scheduled_at, tally).await {
                Ok(connection) => connections.push(connection),
                Err(error) => {
                    let why = telemetry::chain(&error);
                    tracing::error!(
                        xero.tenant_id = %settings.organisation,
                        error = why,
                        "the digest of an organisation failed"
                    );
                    first.get_or_insert(why);
                }
            }
        }
        let (all, failed) = (organisations.len(), organisations.len() - connections.len());
        match first {
            None => Ok(connections),
            Some(first) => Err(HandleError::Digests { failed, all, first }),
        }
    }

    /// Looks at the connection, and tells how things are. A schedule that comes twice tells once.
    async fn digest(
        &self,
        settings: &Settings,
        scheduled_at: Timestamp,
        tally: &mut Tally,
    ) -> Result<ConnectionAnswer, HandleError> {
        let organisation = settings.organisation;
        let checked = self.checked(settings, tally).await?;
        let night = match &settings.upload {
            Some(upload) if upload.enabled => {
                let last = self.tables.nights(organisation, 1).await;
                last.map_err(|error| tables(&error))?.pop()
            }
            _ => None,
        };
        let open = self.tables.open_discrepancies(organisation).await;
        let open = open.map_err(|error| tables(&error))?;
        let actions = self.tables.count_open_actions(organisation).await;
        let actions = actions.map_err(|error| tables(&error))?;
        let held = self.tables.held_uploads(organisation, HELD_COUNTED_MAX).await;
        let held = held.map_err(|error| tables(&error))?;
        let by_hold = held.by_code();
        let morning = Morning {
            day: settings.day_of(scheduled_at),
            zone: &settings.zone,
            status: checked.status,
            troubles: &checked.troubles,
            last_success_at: checked.last_success_at,
            certificate: checked.certificate,
            night: night.as_ref(),
            open: open.count,
            oldest_open: open.oldest,
            actions: actions.count.saturating_add(held.without_customer),
            more_actions: actions.more,
            oldest_action: actions.oldest,
            held: &by_hold,
            parked_reports: checked.parked_reports,
            failures: &checked.failures,
        };
        let told = self.tables.log_digest(organisation, &morning, scheduled_at).await;
        told.map_err(|error| tables(&error))?;
        Ok(checked.answer(organisation))
    }
}
