//! What one invocation did: its one log line and its metrics.

use host::metrics::Metric;
use jiff::{SignedDuration, Timestamp};
use payments::connection::{ConnectionStatus, Facts};
use payments::grant::{Grant, WARNING_DAYS};
use payments::sweep::{SyncKind, SyncState};
use xero::ErrorClass;

use crate::run::Outcome;

/// After so long without a webhook it is time to act: Xero switches one off after 24 hours of failures (CM-42).
const WEBHOOK_ENDS_AFTER: SignedDuration = SignedDuration::from_hours(20);

/// The counts of one invocation.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    runs: u32,
    failed: u32,
    stopped: u32,
    not_run: u32,
    calls: u32,
    rows: u32,
    queued: u32,
    lag_ms: Option<u64>,
    not_certified: u32,
    checking: Checked,
    is_checked: bool,
    /// Whether Xero refused our credentials.
    pub(crate) refused: bool,
}

/// What the hourly look at the connections found. All of it is for alarms.
#[derive(Debug, Default)]
struct Checked {
    inactive: u32,
    refused: u32,
    uploads_off: u32,
    mass_changes: u32,
    not_certified: u32,
    parked: u32,
    grants_ending: u32,
    webhooks_ending: u32,
    silence_ms: u64,
    certificate_age_ms: u64,
}

impl Tally {
    /// Adds what was counted for another organisation.
    pub(crate) fn absorb(&mut self, other: Self) {
        let add = |sum: &mut u32, more: u32| *sum = sum.saturating_add(more);
        add(&mut self.runs, other.runs);
        add(&mut self.failed, other.failed);
        add(&mut self.stopped, other.stopped);
        add(&mut self.not_run, other.not_run);
        add(&mut self.calls, other.calls);
        add(&mut self.rows, other.rows);
        add(&mut self.queued, other.queued);
        add(&mut self.not_certified, other.not_certified);
        self.lag_ms = self.lag_ms.max(other.lag_ms);
        self.refused |= other.refused;
        let (found, more) = (&mut self.checking, other.checking);
        add(&mut found.inactive, more.inactive);
        add(&mut found.refused, more.refused);
        add(&mut found.uploads_off, more.uploads_off);
        add(&mut found.mass_changes, more.mass_changes);
        add(&mut found.not_certified, more.not_certified);
        add(&mut found.parked, more.parked);
        add(&mut found.grants_ending, more.grants_ending);
        add(&mut found.webhooks_ending, more.webhooks_ending);
        found.silence_ms = found.silence_ms.max(more.silence_ms);
        found.certificate_age_ms = found.certificate_age_ms.max(more.certificate_age_ms);
    }

    /// Adds what became of a wish.
    pub(crate) fn add(&mut self, outcome: &Outcome, now: Timestamp) {
        let (run, cursor) = match outcome {
            Outcome::Ran(run, cursor) => (run, cursor),
            Outcome::NotRun(..) => {
                self.not_run = self.not_run.saturating_add(1);
                return;
            }
        };
        self.runs = self.runs.saturating_add(1);
        self.failed = self.failed.saturating_add(u32::from(run.state == SyncState::Failed));
        self.stopped = self.stopped.saturating_add(u32::from(run.state == SyncState::Stopped));
        self.calls = self.calls.saturating_add(run.calls);
        self.rows = self.rows.saturating_add(run.counted("rows"));
        self.queued = self.queued.saturating_add(run.counted("queued"));
        self.refused |= run.errors.contains_key(ErrorClass::Authentication.code());
        let complete = run.state == SyncState::Finished && run.counted("missing") == 0;
        let not_certified = run.kind == SyncKind::Certificate && !complete;
        self.not_certified = self.not_certified.saturating_add(u32::from(not_certified));
        if let (SyncKind::Sweep, Some(cursor)) = (run.kind, cursor) {
            let lag = u64::try_from(now.duration_since(*cursor).as_millis()).unwrap_or(0);
            self.lag_ms = self.lag_ms.max(Some(lag));
        }
    }

    /// Adds an organisation whose run could not even be written down.
    pub(crate) fn add_failure(&mut self) {
        self.runs = self.runs.saturating_add(1);
        self.failed = self.failed.saturating_add(1);
    }

    /// Adds a connection that was looked at.
    pub(crate) fn checked(&mut self, status: ConnectionStatus, facts: &Facts, now: Timestamp) {
        let found = &mut self.checking;
        let add = |sum: &mut u32, holds: bool| *sum = sum.saturating_add(u32::from(holds));
        add(&mut found.inactive, status != ConnectionStatus::Active);
        add(&mut found.refused, facts.refused);
        add(&mut found.uploads_off, facts.uploads_off);
        add(&mut found.mass_changes, facts.mass_change);
        add(&mut found.not_certified, facts.not_certified);
        add(&mut found.parked, facts.parked);
        if let Some(since) = facts.silent_since {
            let silent = now.duration_since(since);
            add(&mut found.webhooks_ending, silent > WEBHOOK_ENDS_AFTER);
            let silence = u64::try_from(silent.as_millis()).unwrap_or(0);
            found.silence_ms = found.silence_ms.max(silence);
        }
    }

    /// Adds the grant on which a connection hangs: whether it is dead, or dies soon if nothing uses it.
    pub(crate) fn checked_grant(&mut self, grant: &Grant, now: Timestamp) {
        let first = WARNING_DAYS.into_iter().max().unwrap_or_default();
        let soon = SignedDuration::from_hours(i64::from(first) * 24);
        let ends = grant.dead.is_some() || grant.ends_at().duration_since(now) <= soon;
        let count = &mut self.checking.grants_ending;
        *count = count.saturating_add(u32::from(ends));
    }

    /// Adds when an organisation's last certificate was made, complete or not.
    pub(crate) fn checked_certificate(&mut self, made_at: Timestamp, now: Timestamp) {
        let age = u64::try_from(now.duration_since(made_at).as_millis()).unwrap_or(0);
        self.checking.certificate_age_ms = self.checking.certificate_age_ms.max(age);
    }

    /// Every connection was looked at. Without this call the log reports none of them: zeros would read as
    /// healthy.
    pub(crate) fn check_is_complete(&mut self) {
        self.is_checked = true;
    }

    /// Writes the one line about the invocation.
    pub(crate) fn log(&self) {
        let found = self.is_checked.then_some(&self.checking);
        tracing::info!(
            runs = self.runs,
            runs.failed = self.failed,
            runs.stopped = self.stopped,
            runs.not_made = self.not_run,
            xero.calls = self.calls,
            rows = self.rows,
            invoices.queued = self.queued,
            lag_ms = self.lag_ms,
            not_certified = self.not_certified,
            connections.inactive = found.map(|found| found.inactive),
            connections.refused = found.map(|found| found.refused),
            uploads.off = found.map(|found| found.uploads_off),
            mass_changes = found.map(|found| found.mass_changes),
            grants.ending = found.map(|found| found.grants_ending),
            webhooks.silence_ms = found.map(|found| found.silence_ms),
            certificates.oldest_ms = found.map(|found| found.certificate_age_ms),
            "sweep done"
        );
    }

    /// The same as metrics.
    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let mut metrics = vec![
            Metric::count("SweepRuns", self.runs),
            Metric::count("SweepRunsFailed", self.failed),
            Metric::count("SweepRunsStopped", self.stopped),
            Metric::count("XeroCalls", self.calls),
            Metric::count("RowsSeen", self.rows),
            Metric::count("InvoicesQueued", self.queued),
            Metric::count("NotCertified", self.not_certified),
        ];
        if self.is_checked {
            let found = &self.checking;
            metrics.extend([
                Metric::count("ConnectionsNotActive", found.inactive),
                Metric::count("ConnectionsRefused", found.refused),
                Metric::count("UploadsOff", found.uploads_off),
                Metric::count("MassChangesWaiting", found.mass_changes),
                Metric::count("OrganisationsNotCertified", found.not_certified),
                Metric::count("OrganisationsWithParked", found.parked),
                Metric::count("GrantsEnding", found.grants_ending),
                Metric::count("WebhooksEnding", found.webhooks_ending),
                Metric::milliseconds("WebhookSilence", found.silence_ms),
                Metric::milliseconds("OldestCertificate", found.certificate_age_ms),
            ]);
        }
        metrics.extend(self.lag_ms.map(|lag_ms| Metric::milliseconds("SweepLag", lag_ms)));
        metrics
    }
}

#[cfg(test)]
mod tests {
    use payments::GrantId;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-25T11:00:00Z".parse().unwrap()
    }

    fn hours(hours: i64) -> SignedDuration {
        SignedDuration::from_hours(hours)
    }

    #[test]
    fn the_longest_silence_of_webhooks_is_measured() {
        // CM-42: `behind` rings after an hour, and in between the message and the digest say when it ends.
        let mut tally = Tally::default();
        for silent in [None, Some(hours(7)), Some(hours(2))] {
            let facts = Facts { silent_since: silent.map(|ago| now() - ago), ..Facts::default() };
            tally.checked(ConnectionStatus::Error, &facts, now());
        }
        tally.check_is_complete();
        let metrics = tally.metrics();
        assert!(metrics.contains(&Metric::milliseconds("WebhookSilence", 7 * 3_600_000_u32)));
        assert!(metrics.contains(&Metric::count("ConnectionsNotActive", 3_u32)));
    }

    #[test]
    fn a_webhook_that_ends_in_four_hours_needs_a_person() {
        // CM-42: it is not a matter for tomorrow.
        let mut tally = Tally::default();
        for silent in [None, Some(hours(7)), Some(hours(20)), Some(hours(21)), Some(hours(30))] {
            let facts = Facts { silent_since: silent.map(|ago| now() - ago), ..Facts::default() };
            tally.checked(ConnectionStatus::Error, &facts, now());
        }
        tally.check_is_complete();
        assert!(tally.metrics().contains(&Metric::count("WebhooksEnding", 2_u32)));
    }

    #[test]
    fn each_thing_that_needs_a_person_is_counted_by_itself() {
        // EX-32, CC-16: one alarm stands for all of them, and the line says which of them it is.
        let refused = Facts { refused: true, ..Facts::default() };
        let off = Facts { uploads_off: true, parked: true, ..Facts::default() };
        let braked = Facts { mass_change: true, not_certified: true, ..off.clone() };
        let mut tally = Tally::default();
        for facts in [&refused, &off, &braked, &Facts::default()] {
            tally.checked(ConnectionStatus::Active, facts, now());
        }
        tally.check_is_complete();
        let metrics = tally.metrics();
        for (name, count) in [
            ("ConnectionsNotActive", 0_u32),
            ("ConnectionsRefused", 1),
            ("UploadsOff", 2),
            ("MassChangesWaiting", 1),
            ("OrganisationsNotCertified", 1),
            ("OrganisationsWithParked", 2),
        ] {
            assert!(metrics.contains(&Metric::count(name, count)), "{name}: {metrics:?}");
        }
    }

    #[test]
    fn a_grant_ends_soon_two_weeks_before_its_day_and_when_it_is_dead() {
        //
        let used = |days: i64| Grant {
            refreshed_at: now() - hours(days * 24),
            ..Grant::new(GrantId::new(uuid::Uuid::nil()))
        };
        for (grant, count) in [
            (used(45), 0_u32),
            (used(46), 1),
            (used(1).ended(payments::grant::GrantEnd::InvalidGrant, now()), 1),
        ] {
            let mut tally = Tally::default();
            tally.checked_grant(&grant, now());
            tally.check_is_complete();
            assert!(tally.metrics().contains(&Metric::count("GrantsEnding", count)), "{grant:?}");
        }
    }

    #[test]
    fn the_oldest_of_the_last_certificates_is_measured() {
        let mut tally = Tally::default();
        for ago in [3, 27, 2] {
            tally.checked_certificate(now() - hours(ago), now());
        }
        tally.check_is_complete();
        let oldest = Metric::milliseconds("OldestCertificate", 27 * 3_600_000_u32);
        assert!(tally.metrics().contains(&oldest));
    }

    #[test]
    fn a_check_that_could_not_be_made_says_nothing() {
        let mut tally = Tally::default();
        tally.checked(ConnectionStatus::Active, &Facts::default(), now());
        assert!(!tally.metrics().contains(&Metric::count("ConnectionsNotActive", 0_u32)));
        tally.check_is_complete();
        assert!(tally.metrics().contains(&Metric::count("ConnectionsNotActive", 0_u32)));
        // Also where no organisation is set up yet: an alarm that takes missing numbers as bad must be quiet.
        let mut tally = Tally::default();
        tally.check_is_complete();
        assert!(tally.metrics().contains(&Metric::milliseconds("WebhookSilence", 0_u32)));
    }
}
