//! What one invocation did: its one log line and its metrics.

use access::XeroCounters;
use host::counters::Longest;
use jiff::{SignedDuration, Timestamp};
use payments::connection::{ConnectionStatus, Facts};
use payments::grant::{Grant, WARNING_DAYS};
use payments::sweep::{SyncKind, SyncState};
use xero::ErrorClass;

use crate::run::Outcome;

/// After so long without a webhook it is time to act: Xero switches one off after 24 hours of failures (CM-42).
const WEBHOOK_ENDS_AFTER: SignedDuration = SignedDuration::from_hours(20);

host::counters! {
    /// The counts of one invocation.
    pub(crate) struct Tally, logged as "sweep done" {
        runs: u32, log runs, metric "SweepRuns";
        failed: u32, log runs.failed, metric "SweepRunsFailed";
        stopped: u32, log runs.stopped, metric "SweepRunsStopped";
        not_run: u32, log runs.not_made;
        calls: u32, log xero.calls, metric "XeroCalls";
        rows: u32, log rows, metric "RowsSeen";
        queued: u32, log invoices.queued, metric "InvoicesQueued";
        lag: Longest, log lag_ms = Longest::if_any, metric "SweepLag" = Longest::milliseconds_if_any;
        not_certified: u32, log not_certified, metric "NotCertified";
        /// Organisations with a business day that should be closed for hours, and is not.
        closes_overdue: u32, log closes.overdue, metric "ClosesOverdue";
        /// Whether every connection was looked at. Else the log reports none of them: zeros would read as healthy.
        is_checked: bool;
        inactive: u32, log connections.inactive when is_checked, metric "ConnectionsNotActive" when is_checked;
        refused_connections: u32, log connections.refused when is_checked, metric "ConnectionsRefused" when is_checked;
        uploads_off: u32, log uploads.off when is_checked, metric "UploadsOff" when is_checked;
        mass_changes: u32, log mass_changes when is_checked, metric "MassChangesWaiting" when is_checked;
        without_certificate: u32, metric "OrganisationsNotCertified" when is_checked;
        with_parked: u32, metric "OrganisationsWithParked" when is_checked;
        grants_ending: u32, log grants.ending when is_checked, metric "GrantsEnding" when is_checked;
        webhooks_ending: u32, metric "WebhooksEnding" when is_checked;
        silence: Longest, log webhooks.silence_ms when is_checked = Longest::or_zero,
            metric "WebhookSilence" when is_checked = Longest::milliseconds;
        certificate_age: Longest, log certificates.oldest_ms when is_checked = Longest::or_zero,
            metric "OldestCertificate" when is_checked = Longest::milliseconds;
        /// Whether Xero refused our credentials.
        pub(crate) refused: bool;
    }
}

impl Tally {
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
            self.lag.add(now.duration_since(*cursor));
        }
    }

    /// Adds an organisation whose run could not even be written down.
    pub(crate) fn add_failure(&mut self) {
        self.runs = self.runs.saturating_add(1);
        self.failed = self.failed.saturating_add(1);
    }

    /// Adds a connection that was looked at.
    pub(crate) fn checked(&mut self, status: ConnectionStatus, facts: &Facts, now: Timestamp) {
        let add = |sum: &mut u32, holds: bool| *sum = sum.saturating_add(u32::from(holds));
        add(&mut self.inactive, status != ConnectionStatus::Active);
        add(&mut self.refused_connections, facts.refused);
        add(&mut self.uploads_off, facts.uploads_off);
        add(&mut self.mass_changes, facts.mass_change);
        add(&mut self.without_certificate, facts.not_certified);
        add(&mut self.with_parked, facts.parked);
        if let Some(since) = facts.silent_since {
            let silent = now.duration_since(since);
            add(&mut self.webhooks_ending, silent > WEBHOOK_ENDS_AFTER);
            self.silence.add(silent);
        }
    }

    /// Adds an organisation with a close that is overdue.
    pub(crate) fn add_overdue_close(&mut self) {
        self.closes_overdue = self.closes_overdue.saturating_add(1);
    }

    /// Adds the grant on which a connection hangs: whether it is dead, or dies soon if nothing uses it.
    pub(crate) fn checked_grant(&mut self, grant: &Grant, now: Timestamp) {
        let first = WARNING_DAYS.into_iter().max().unwrap_or_default();
        let soon = SignedDuration::from_hours(i64::from(first) * 24);
        let ends = grant.dead.is_some() || grant.ends_at().duration_since(now) <= soon;
        self.grants_ending = self.grants_ending.saturating_add(u32::from(ends));
    }

    /// Adds when an organisation's last certificate was made, complete or not.
    pub(crate) fn checked_certificate(&mut self, made_at: Timestamp, now: Timestamp) {
        self.certificate_age.add(now.duration_since(made_at));
    }

    /// Every connection was looked at.
    pub(crate) fn check_is_complete(&mut self) {
        self.is_checked = true;
    }
}

impl XeroCounters for Tally {
    fn was_refused(&self) -> bool {
        self.refused
    }
}

#[cfg(test)]
mod tests {
    use host::counters::Counters as _;
    use host::metrics::Metric;
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

    #[test]
    fn the_catalogue_lists_what_is_written() {
        harness::catalogue::assert_lists("sweep", &Tally::catalogue());
    }
}
