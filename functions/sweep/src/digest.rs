//! The digest that operators read in the morning (CC-20): a new look at each organisation, and one row of the
//! log for each, from which it goes on to the bus.

use commands::reply::ConnectionHealth;
use jiff::Timestamp;
use jiff::civil::Date;
use payments::digest::Morning;
use payments::morning_close::MorningClose;
use payments::{OrganisationId, Settings};
use queue::Changes;
use table::HELD_COUNTED_MAX;

use crate::failures::tables;
use crate::tally::Tally;
use crate::{HandleError, Sweeper};

impl<C: Changes> Sweeper<C> {
    /// Looks at the connection, and writes the digest. A schedule that comes twice writes one.
    pub(crate) async fn digest(
        &self,
        settings: &Settings,
        scheduled_at: Timestamp,
        tally: &mut Tally,
    ) -> Result<ConnectionHealth, HandleError> {
        let organisation = settings.organisation;
        self.watch_discrepancies(organisation).await?;
        let checked = self.checked(settings, tally).await?;
        let night = match &settings.upload {
            Some(upload) if upload.enabled && settings.shadow.is_none() => {
                let last = self.tables.nights(organisation, 1).await;
                last.map_err(|error| tables(&error))?.pop()
            }
            _ => None,
        };
        let open = self.tables.open_discrepancies(organisation, self.clock.now()).await;
        let open = open.map_err(|error| tables(&error))?;
        let actions = self.tables.count_open_actions(organisation).await;
        let actions = actions.map_err(|error| tables(&error))?;
        let held = self.tables.held_uploads(organisation, HELD_COUNTED_MAX).await;
        let held = held.map_err(|error| tables(&error))?;
        let by_hold = held.by_code();
        let close = self.morning_close(organisation, checked.overdue_close).await?;
        let morning = Morning {
            day: settings.day_of(scheduled_at),
            zone: &settings.zone,
            status: checked.status,
            mode: checked.mode,
            troubles: &checked.troubles,
            silent_since: checked.silent_since,
            last_success_at: checked.last_success_at,
            certificate: checked.certificate,
            close: &close,
            night: night.as_ref(),
            open: open.count,
            oldest_open: open.oldest,
            late: open.late,
            without_owner: open.without_owner,
            actions: actions.count.saturating_add(held.actions()),
            more_actions: actions.more,
            oldest_action: actions.oldest,
            held: &by_hold,
            parked_reports: checked.parked_reports,
            failures: &checked.failures,
        };
        let logged = self.tables.log_digest(organisation, &morning, scheduled_at).await;
        logged.map_err(|error| tables(&error))?;
        Ok(checked.answer(organisation))
    }

    /// The last day that was closed, and the one that is overdue. A row that cannot be read is none (AMB-30).
    async fn morning_close(
        &self,
        organisation: OrganisationId,
        overdue: Option<(Date, Timestamp)>,
    ) -> Result<MorningClose, HandleError> {
        let listed = self.tables.list_closes(organisation, None, 1).await;
        let last = listed.map_err(|error| tables(&error))?.rows.pop();
        let of_last = last.map(|last| (Some((last.closed.day, last.closed.revision)), last.causes));
        let (last, causes) = of_last.unwrap_or_default();
        Ok(MorningClose { last, causes, overdue })
    }
}
