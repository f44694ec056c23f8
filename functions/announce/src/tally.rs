//! What one invocation did: its one log line and its metrics.

use host::metrics::Metric;
use jiff::Timestamp;

/// The counts of one invocation.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) records: usize,
    /// Events that are on the bus.
    pub(crate) sent: usize,
    /// Of these, digests of the morning (CC-20).
    pub(crate) digests: usize,
    /// Events that are not, and come again.
    pub(crate) failed: usize,
    /// Rows that cannot be announced.
    pub(crate) passed_over: usize,
    /// Rows that announce nothing.
    pub(crate) quiet: usize,
    pub(crate) slowest_ms: u64,
}

impl Tally {
    /// Counts how long it took from a decision to its event.
    pub(crate) fn took(&mut self, decided_at: Timestamp, now: Timestamp) {
        let ms = now.duration_since(decided_at).as_millis();
        self.slowest_ms = self.slowest_ms.max(u64::try_from(ms).unwrap_or(0));
    }

    /// Writes the one line about the invocation.
    pub(crate) fn log(&self) {
        tracing::info!(
            records = self.records,
            events.sent = self.sent,
            events.digests = self.digests,
            events.failed = self.failed,
            rows.passed_over = self.passed_over,
            rows.quiet = self.quiet,
            slowest_ms = self.slowest_ms,
            "announced a batch of the activity log"
        );
    }

    pub(crate) fn metrics(&self) -> [Metric; 6] {
        [
            Metric::count("EventsSent", self.sent),
            Metric::count("DigestsTold", self.digests),
            Metric::count("EventsFailed", self.failed),
            Metric::count("RowsPassedOver", self.passed_over),
            Metric::count("RowsQuiet", self.quiet),
            Metric::milliseconds("SlowestEvent", self.slowest_ms),
        ]
    }
}
