//! How an organisation's connection with Xero is: Xero is asked, and the tables (ST-13, ST-17, CC-02 to CC-05).

use std::collections::BTreeSet;

use commands::reply::{ConnectionHealth, ConnectionIssue};
use jiff::Timestamp;
use jiff::civil::Date;
use payments::connection::{
    AccessMode, BANK_TRANSACTIONS, ConnectionStatus, Facts, HealthIssue, SWITCHED_OFF_AFTER, judge,
    needed_actions, needs_bank_transactions,
};
use payments::failures::Failures;
use payments::grant::{Grant, GrantError, Grants as _};
use payments::permission::{self, Feature};
use payments::sweep::{CertificateState, SweepKind};
use payments::{OrganisationId, Settings};
use queue::Changes;
use table::CONNECTION_LOST;
use xero::ErrorClass;

use crate::failures::tables;
use crate::tally::Tally;
use crate::{HandleError, Sweeper};

/// The permissions that the features which are switched on need and that the user has not given; nothing is known of a
/// grant that was made before they were written down (XC-11).
fn lacks(grant: &Grant, settings: &Settings) -> BTreeSet<&'static str> {
    if grant.scopes.is_empty() {
        return BTreeSet::new();
    }
    let lacking = permission::lacking(&Feature::of(settings), &grant.scopes);
    lacking.iter().map(|permission| permission.scope).collect()
}

/// What a look at a connection has shown.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) status: ConnectionStatus,
    /// How Xero lets us in.
    pub(crate) mode: AccessMode,
    /// Troubles of the connection, the worst first.
    pub(crate) troubles: Vec<HealthIssue>,
    /// Since when changes in Xero have come without a webhook.
    pub(crate) silent_since: Option<Timestamp>,
    /// When a sweep last succeeded.
    pub(crate) last_success_at: Option<Timestamp>,
    /// What the last certificate says; `None` if there is none.
    pub(crate) certificate: Option<CertificateState>,
    /// A business day that should be closed and is not, and when it ended.
    pub(crate) overdue_close: Option<(Date, Timestamp)>,
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
            remedy: trouble.remedy_in(self.mode).to_owned(),
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
        let mut problem = asked.as_ref().err().copied();
        let mut missing_actions = needed_actions(settings);
        if problem.is_none() && !missing_actions.is_empty() {
            match self.xero.allowed_actions(organisation).await {
                Ok(allowed) => missing_actions.retain(|action| !allowed.contains(*action)),
                Err(error) => {
                    problem = Some(error);
                    missing_actions.clear();
                }
            }
        } else {
            missing_actions.clear();
        }
        // A permission that is missing is no lost connection: everything else goes on (XC-12).
        let missing_scope = problem.and_then(|problem| problem.missing_scope());
        let class = problem.filter(|_| missing_scope.is_none()).map(|problem| problem.class());
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
        // After Xero was asked: that is when a grant dies.
        let grant = self.tables.grant_of(organisation).await.map_err(|error| tables(&error))?;
        let mode = match self.xero.token_vault() {
            Some(_) => AccessMode::Grants,
            None => AccessMode::CustomConnection,
        };
        let with_grants = grant.as_ref().filter(|_| mode == AccessMode::Grants);
        let mut missing_scopes =
            with_grants.map_or_else(BTreeSet::new, |grant| lacks(grant, settings));
        missing_scopes.extend(missing_scope);
        let facts = Facts {
            mode,
            missing_scopes,
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
        let short_code = match asked {
            Ok(shown) => {
                self.note_name(organisation, &shown.name).await?;
                shown.short_code
            }
            Err(_) => None,
        };
        let grant_is_dead = with_grants.is_some_and(|grant| grant.dead.is_some());
        let code = short_code.as_deref();
        let stored = self
            .tables
            .store_connection(organisation, &judged, &facts, code, grant_is_dead, now)
            .await;
        stored.map_err(|error| tables(&error))?;
        self.tell(settings, &judged.1, &facts).await?;
        self.warn_of_expiry(grant, tally).await?;
        let overdue_close = self.check_closes(settings, certificate.as_ref(), tally).await?;
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
            mode,
            troubles,
            silent_since: facts.silent_since,
            last_success_at: facts.last_success_at,
            certificate: certificate.map(|last| last.state),
            overdue_close,
            failures: facts.failures,
            parked_reports,
        })
    }

    /// Keeps the name that Xero has for an organisation (XC-04).
    async fn note_name(&self, organisation: OrganisationId, name: &str) -> Result<(), HandleError> {
        let row = self.tables.organisation(organisation).await.map_err(|error| tables(&error))?;
        let before = row.and_then(|row| row.xero_name);
        if before.as_deref() == Some(name) {
            return Ok(());
        }
        let names = (before.as_deref(), name);
        let noted = self.tables.note_xero_name(organisation, names, self.clock.now()).await;
        noted.map_err(|error| tables(&error))
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
                (HealthIssue::MissingScope, _) => {
                    let scopes: Vec<_> = facts.missing_scopes.iter().copied().collect();
                    let scopes = scopes.join(", ");
                    let why =
                        format!("a permission was not granted that the settings need: {scopes}");
                    ("MISSING_SCOPE", scopes, why)
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
            let why = format!("{why}. What to do: {}", trouble.remedy_in(facts.mode));
            let raised = self.tables.raise_message(organisation, kind, &subject, &why, now).await;
            raised.map_err(|error| tables(&error))?;
        }
        Ok(())
    }
}
