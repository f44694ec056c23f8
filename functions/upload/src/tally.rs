//! What one invocation did: its one log line and its metrics.

use access::XeroCounters;
use jiff::Timestamp;
use payments::upload::{NightReport, UploadState, is_overdue};
use queue::Uploads;

use crate::night::Outcome;
use crate::run::Run;

host::counters! {
    /// The counts of one invocation.
    pub(crate) struct Tally, logged as "upload done" {
        runs: u32, log runs, metric "UploadRuns";
        failed: u32, log runs.failed, metric "UploadRunsFailed";
        calls: u32, log xero.calls, metric "XeroCalls";
        uploaded: u32, log payments.uploaded, metric "PaymentsUploaded";
        partly: u32, log payments.partly_uploaded, metric "PaymentsPartlyUploaded";
        refused_by_xero: u32, log payments.refused, metric "PaymentsRefused";
        unknown: u32, log payments.unknown, metric "PaymentsUnknown";
        held: u32, log payments.held, metric "PaymentsHeld";
        skipped: u32, log payments.skipped, metric "PaymentsSkipped";
        carried: u32, log payments.carried, metric "PaymentsCarried";
        /// Whether the hourly look was made. Only that knows the two below: without it the metrics do not say that
        /// nothing is wrong.
        is_looked: bool;
        overdue: u32, log nights.overdue, metric "NightsOverdue" when is_looked;
        unknown_too_long: u32, log payments.unknown_too_long when is_looked,
            metric "PaymentsUnknownTooLong" when is_looked;
        /// Whether Xero refused our credentials.
        pub(crate) refused: bool;
    }
}

impl Tally {
    /// Adds a run.
    pub(crate) fn add<Q: Uploads>(&mut self, run: &Run<'_, Q>, failed: bool) {
        self.runs = self.runs.saturating_add(1);
        self.failed = self.failed.saturating_add(u32::from(failed));
        self.calls = self.calls.saturating_add(run.spent().calls);
        self.refused |= run.refused.get();
    }

    /// Adds what became of a night.
    pub(crate) fn add_night(&mut self, outcome: &Outcome) {
        if let Outcome::Ran(report) = outcome {
            self.count(report);
        }
    }

    /// Adds a night that was due, however it went: it may be overdue all the same.
    pub(crate) fn add_due<E>(
        &mut self,
        due: Timestamp,
        outcome: Result<&Outcome, E>,
        now: Timestamp,
    ) {
        let state = match outcome {
            Ok(Outcome::Ran(report) | Outcome::AlreadyRun(report)) => Some(report.state),
            // The run that is at it counts it; a night too late to be run was counted before.
            Ok(Outcome::Running | Outcome::InShadow | Outcome::NotNow(_)) => return,
            Err(_) => None,
        };
        self.overdue = self.overdue.saturating_add(u32::from(is_overdue(due, state, now)));
    }

    /// Adds what the hourly look found: so many payments are unknown for too long.
    pub(crate) fn looked(&mut self, unknown_too_long: usize) {
        let more = u32::try_from(unknown_too_long).unwrap_or(u32::MAX);
        self.unknown_too_long = self.unknown_too_long.saturating_add(more);
        self.is_looked = true;
    }

    fn count(&mut self, report: &NightReport) {
        let of = |state| report.totals.in_state(state);
        let add = |sum: &mut u32, count: u32| *sum = sum.saturating_add(count);
        add(&mut self.uploaded, of(UploadState::Uploaded));
        add(&mut self.partly, of(UploadState::PartlyUploaded));
        add(&mut self.refused_by_xero, of(UploadState::Refused));
        add(&mut self.unknown, of(UploadState::Unknown));
        add(&mut self.held, of(UploadState::Held));
        add(&mut self.skipped, of(UploadState::Skipped));
        add(&mut self.carried, report.carried);
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
    use jiff::SignedDuration;
    use payments::OrganisationId;
    use payments::upload::{Night, NightState};

    use super::*;

    fn due() -> Timestamp {
        "2026-11-25T11:00:00Z".parse().unwrap()
    }

    fn ran(state: NightState) -> Outcome {
        let night: Night = "2026-11-25".parse().unwrap();
        let organisation = OrganisationId::new(uuid::Uuid::nil());
        let report = NightReport::begun(organisation, night, due(), due());
        Outcome::Ran(Box::new(NightReport { state, ..report }))
    }

    fn overdue_after(hours: i64, outcome: Result<&Outcome, ()>) -> u32 {
        let mut tally = Tally::default();
        tally.add_due(due(), outcome, due() + SignedDuration::from_hours(hours));
        tally.overdue
    }

    #[test]
    fn a_night_that_fails_is_overdue_after_a_while_and_one_that_is_through_is_not() {
        // EX-31
        assert_eq!(overdue_after(1, Err(())), 0);
        assert_eq!(overdue_after(3, Err(())), 1);
        assert_eq!(overdue_after(3, Ok(&ran(NightState::Running))), 1);
        assert_eq!(overdue_after(3, Ok(&ran(NightState::WaitingForProof))), 0);
        assert_eq!(overdue_after(3, Ok(&ran(NightState::Finished))), 0);
        assert_eq!(overdue_after(3, Ok(&Outcome::Running)), 0);
    }

    #[test]
    fn only_the_hourly_look_says_that_nothing_is_overdue_or_unknown() {
        let says = |tally: &Tally, name| {
            [0_u32, 3].into_iter().find(|n| tally.metrics().contains(&Metric::count(name, *n)))
        };
        let mut tally = Tally::default();
        assert_eq!(says(&tally, "NightsOverdue"), None);
        assert_eq!(says(&tally, "PaymentsUnknownTooLong"), None);
        tally.looked(0);
        assert_eq!(says(&tally, "NightsOverdue"), Some(0));
        assert_eq!(says(&tally, "PaymentsUnknownTooLong"), Some(0));
        tally.looked(3);
        assert_eq!(says(&tally, "PaymentsUnknownTooLong"), Some(3));
    }

    #[test]
    fn the_catalogue_lists_what_is_written() {
        harness::catalogue::assert_lists("upload", &Tally::catalogue());
    }
}
