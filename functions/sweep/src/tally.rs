//! What one invocation did: its one log line and its metrics.

use host::metrics::Metric;
use jiff::Timestamp;
use payments::sweep::{SyncKind, SyncState};
use xero::ErrorClass;

use crate::run::Outcome;

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
    /// Whether Xero refused our credentials.
    pub(crate) refused: bool,
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
            let lag = u64::try_from(now.duration_since(*cursor).as_millis()).unwrap_or(0);
            self.lag_ms = self.lag_ms.max(Some(lag));
        }
    }

    /// Adds an organisation whose run could not even be written down.
    pub(crate) fn add_failure(&mut self) {
        self.runs = self.runs.saturating_add(1);
        self.failed = self.failed.saturating_add(1);
    }

    /// Writes the one line about the invocation.
    pub(crate) fn log(&self) {
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
        metrics.extend(self.lag_ms.map(|lag_ms| Metric::milliseconds("SweepLag", lag_ms)));
        metrics
    }
}
