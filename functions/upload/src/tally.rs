//! What one invocation did: its one log line and its metrics.

use host::metrics::Metric;
use payments::upload::{NightReport, UploadState};
use queue::Uploads;

use crate::night::Outcome;
use crate::run::Run;

/// The counts of one invocation.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    runs: u32,
    failed: u32,
    calls: u32,
    uploaded: u32,
    partly: u32,
    refused_by_xero: u32,
    unknown: u32,
    held: u32,
    skipped: u32,
    carried: u32,
    /// Whether Xero refused our credentials.
    pub(crate) refused: bool,
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

    /// Writes the one line about the invocation.
    pub(crate) fn log(&self) {
        tracing::info!(
            runs = self.runs,
            runs.failed = self.failed,
            xero.calls = self.calls,
            payments.uploaded = self.uploaded,
            payments.partly_uploaded = self.partly,
            payments.refused = self.refused_by_xero,
            payments.unknown = self.unknown,
            payments.held = self.held,
            payments.skipped = self.skipped,
            payments.carried = self.carried,
            "upload done"
        );
    }

    /// The same as metrics.
    pub(crate) fn metrics(&self) -> Vec<Metric> {
        vec![
            Metric::count("UploadRuns", self.runs),
            Metric::count("UploadRunsFailed", self.failed),
            Metric::count("XeroCalls", self.calls),
            Metric::count("PaymentsUploaded", self.uploaded),
            Metric::count("PaymentsPartlyUploaded", self.partly),
            Metric::count("PaymentsRefused", self.refused_by_xero),
            Metric::count("PaymentsUnknown", self.unknown),
            Metric::count("PaymentsHeld", self.held),
            Metric::count("PaymentsSkipped", self.skipped),
            Metric::count("PaymentsCarried", self.carried),
        ]
    }
}
