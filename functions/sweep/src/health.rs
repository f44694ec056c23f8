//! How an organisation's connection with Xero is: Xero is asked, and the tables (ST-13, ST-17, CC-02 to CC-05).

use commands::reply::{ConnectionHealth, ConnectionIssue};
use jiff::Timestamp;
use payments::connection::{
    BANK_TRANSACTIONS, ConnectionStatus, Facts, HealthIssue, SWITCHED_OFF_AFTER, judge,
    needed_actions, needs_bank_transactions,
};
use payments::failures::Failures;
use payments::grant::{Grant, GrantError, Grants as _};
use payments::sweep::{CertificateState, SweepKind};
use payments::{OrganisationId, Settings};
use queue::Changes;
use table::CONNECTION_LOST;
use xero::ErrorClass;

use crate::failures::tables;
use crate::tally::Tally;
use crate::{HandleError, Sweeper};

/// What a look at a connection has shown.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) status: ConnectionStatus,
    /// Troubles of the connection, the worst first.
    pub(crate) troubles: Vec<HealthIssue>,
    /// Since when changes in Xero have come without a webhook.
    pub(crate) silent_since: Option<Timestamp>,
    /// When a sweep last succeeded.
    pub(crate) last_success_at: Option<Timestamp>,
    /// What the last certificate says; `None` if there is none.
    pub(crate) certificate: Option<CertificateState>,
    /// What fails.
    pub(crate) failures: Failures,
    /// Reports of the business's own system that are parked.
    pub(crate) parked_reports: u32,
}

impl Checked {
    pub(crate) fn answer(&self, organisation: OrganisationId) -> ConnectionHealth {
        let troubles = self.troubles.iter().map(|trouble| ConnectionIssue {
            what: trouble.code().to_owned(),
            class: self.failures.class(*trouble).to_owned(),
            why: self.failures.words(*trouble),
            remedy: trouble.remedy().to_owned(),
        });
        let (status, troubles) = (self.status.code().to_owned(), troubles.collect());
        ConnectionHealth { organisation, status, troubles }
    }
}

impl<C: Changes> Sweeper<C> {
    /// Finds out how a connection is, stores it, and raises messages about troubles that need a person.
    pub(crate) async fn check(
        &self,
        settings: &Settings,
        tally: &mut Tally,
    ) -> Result<ConnectionHealth, HandleError> {
        let checked = self.checked(settings, tally).await?;
        self.watch_discrepancies(settings.organisation).await?;
        Ok(checked.answer(settings.organisation))
    }

    /// Looks at the clocks of what does not agree (SP-19).
    pub(crate) async fn watch_discrepancies(
        &self,
        organisation: OrganisationId,
    ) -> Result<(), HandleError> {
        let watched = discrepancies::watch(&self.tables, organisation, self.clock.now()).await;
        let watched = watched.map_err(|error| tables(&error))?;
        if watched.open > 0 {
            tracing::info!(
                xero.tenant_id = %organisation,
                discrepancies.open = watched.open,
                discrepancies.late = watched.late,
                discrepancies.announced = watched.announced,
                discrepancies.notices = watched.drafted,
                "discrepancies watched"
            );
        }
        Ok(())
    }

    /// The same; returns the facts, for a caller that goes on with them.
    pub(crate) async fn checked(
        &self,
        settings: &Settings,
        tally: &mut Tally,
    ) -> Result<Checked, HandleError> {
        let (organisation, now) = (settings.organisation, self.clock.now());
        let asked = self.xero.organisation(organisation).await;
        let mut class = asked.as_ref().err().map(xero::ReadError::class);
        let mut missing_actions = needed_actions(settings);
        if class.is_none() && !missing_actions.is_empty() {
            match self.xero.allowed_actions(organisation).await {
                Ok(allowed) => missing_actions.retain(|action| !allowed.contains(*action)),
                Err(error) => {
                    class = Some(error.class());
                    missing_actions.clear();
                }
            }
        } else {
            missing_actions.clear();
        }
        let refused = class == Some(ErrorClass::Authentication);
        tally.refused |= refused;
        // Of an organisation that only uploads, nothing else is swept (AMB-37).
        let kind =
            if settings.mirror_enabled { SweepKind::Changes } else { SweepKind::Certificate };
        let sweep = self.tables.sweep(organisation, kind).await;
        let sweep = sweep.map_err(|error| tables(&error))?;
        let caps = self.tables.caps(organisation).await.map_err(|error| tables(&error))?;
        let brake = self.tables.brake(organisation).await.map_err(|error| tables(&error))?;
        let row = self.tables.connection(organisation).await.map_err(|error| tables(&error))?;
        let silent_since = row.as_ref().and_then(|row| row.silent_since);
        // The hourly look of `upload`, which may read them, finds out.
        let refused_there = row.as_ref().and_then(|row| row.prepayments_refused_at).is_some();
        if refused_there && needs_bank_transactions(settings) {
            missing_actions.push(BANK_TRANSACTIONS);
        }
        let runs = row.map(|row| row.failed_runs).unwrap_or_default();
        let failures = self.tables.failures(organisation, runs, now).await;
        let failures = failures.map_err(|error| tables(&error))?;
        let certificate = self.tables.last_certificate(organisation).await;
        let certificate = certificate.map_err(|error| tables(&error))?;
        if let Some(last) = &certificate {
            tally.checked_certificate(last.checked_at, now);
        }
        let parked = self.tables.count_parked(organisation).await;
        let (parked, parked_reports) = parked.map_err(|error| tables(&error))?;
        let budget = self.tables.budget(organisation).await.map_err(|error| tables(&error))?;
        let facts = Facts {
            refused,
            missing_actions,
            day_limit_until: budget.day_used_up_until(settings.calls_per_day, now),
            // The limit of a minute is no trouble: work waits for it, and goes on by itself (A7.3).
            unreachable: class.is_some_and(|class| class != ErrorClass::Limit) && !refused,
            last_success_at: sweep.last_success_at,
            silent_since,
            not_certified: certificate
                .as_ref()
                .is_some_and(|last| last.state != CertificateState::Complete),
            uploads_off: caps.disabled.is_some(),
            mass_change: brake.on_since.is_some(),
            parked: parked > 0,
            failures: Failures { parked, ..failures },
        };
        // Of one that was signed up a moment ago, everything is on its way for the first time.
        let first = facts.last_success_at.or(sweep.queued_at);
        let judged = judge(&Facts { last_success_at: first, ..facts.clone() }, now);
        let short_code = asked.ok().and_then(|organisation| organisation.short_code);
        // After Xero was asked: that is when a grant dies.
        let grant = self.tables.grant_of(organisation).await.map_err(|error| tables(&error))?;
        let with_grants = grant.as_ref().filter(|_| self.xero.grant_secrets().is_some());
        let grant_is_dead = with_grants.is_some_and(|grant| grant.dead.is_some());
        let code = short_code.as_deref();
        let stored = self
            .tables
            .store_connection(organisation, &judged, &facts, code, grant_is_dead, now)
            .await;
        stored.map_err(|error| tables(&error))?;
        self.tell(settings, &judged.1, &facts).await?;
        self.warn_of_expiry(grant, tally).await?;
        self.check_closes(settings, certificate.as_ref(), tally).await?;
        tally.checked(judged.0, &facts, now);
        tracing::info!(
            xero.tenant_id = %organisation,
            status = judged.0.code(),
            troubles = ?judged.1.iter().map(|trouble| trouble.code()).collect::<Vec<_>>(),
            "connection checked"
        );
        let (status, troubles) = judged;
        Ok(Checked {
            status,
            troubles,
            silent_since: facts.silent_since,
            last_success_at: facts.last_success_at,
            certificate: certificate.map(|last| last.state),
            failures: facts.failures,
            parked_reports,
        })
    }

    /// Warns before a user's grant dies because nothing uses it.
    async fn warn_of_expiry(
        &self,
        grant: Option<Grant>,
        tally: &mut Tally,
    ) -> Result<(), HandleError> {
        let now = self.clock.now();
        let Some(grant) = grant else { return Ok(()) };
        tally.checked_grant(&grant, now);
        let Some(days) = grant.warning(now) else { return Ok(()) };
        match self.tables.store_grant(&grant, grant.warned(days), now).await {
            // The process that has changed it uses it.
            Ok(_) | Err(GrantError::Changed) => Ok(()),
            Err(error) => Err(tables(&error)),
        }
    }

    /// Raises a message for a lost connection, silent webhooks, a missing permission or a used-up day, with the
    /// steps to take. Other troubles raise their own messages.
    async fn tell(
        &self,
        settings: &Settings,
        troubles: &[HealthIssue],
        facts: &Facts,
    ) -> Result<(), HandleError> {
        let (organisation, now) = (settings.organisation, self.clock.now());
        for trouble in troubles {
            let (kind, subject, why) = match (trouble, facts.silent_since) {
                (HealthIssue::Refused, _) => {
                    let (kind, subject) = CONNECTION_LOST;
                    (kind, subject.to_owned(), "Xero does not let us in".to_owned())
                }
                (HealthIssue::WebhookSilent | HealthIssue::WebhookOff, Some(since)) => {
                    let off_at = since.saturating_add(SWITCHED_OFF_AFTER).unwrap_or(since);
                    let why = format!(
                        "no webhook has come for what changed in Xero since {since:.0}; the sweep brings it. \
                         Xero switches a webhook off that it cannot deliver for 24 hours: {}",
                        if *trouble == HealthIssue::WebhookOff {
                            format!("it has done so at {off_at:.0}, if that is the reason")
                        } else {
                            format!("that would be at {off_at:.0}")
                        }
                    );
                    ("WEBHOOK_SILENT", since.to_string(), why)
                }
                (HealthIssue::MissingPermission, _) => {
                    let actions = facts.missing_actions.join(", ");
                    let why = format!("Xero does not allow us what the settings need: {actions}");
                    ("MISSING_PERMISSION", actions, why)
                }
                (HealthIssue::DayLimit, _) => {
                    let until = facts.day_limit_until.unwrap_or(now);
                    let why = format!(
                        "the day's calls to Xero are used up until {until:.0}; then everything that waits \
                         goes on by itself"
                    );
                    ("DAY_LIMIT", settings.day_of(now).to_string(), why)
                }
                _ => continue,
            };
            let why = format!("{why}. What to do: {}", trouble.remedy());
            let raised = self.tables.raise_message(organisation, kind, &subject, &why, now).await;
            raised.map_err(|error| tables(&error))?;
        }
        Ok(())
    }
}
