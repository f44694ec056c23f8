//! What one invocation did: its one log line and its metrics.

use host::metrics::Metric;

/// The counts of one invocation.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) records: usize,
    /// Orders whose standing was derived.
    pub(crate) judged: usize,
    /// Of these, orders whose standing is another one than before.
    pub(crate) changed: usize,
    /// Orders and rows of the log that cannot be read.
    pub(crate) passed_over: usize,
}

impl Tally {
    /// Writes the one line about the invocation.
    pub(crate) fn log(&self) {
        tracing::info!(
            records = self.records,
            orders.judged = self.judged,
            orders.changed = self.changed,
            rows.passed_over = self.passed_over,
            "orders judged by a batch of the activity log"
        );
    }

    pub(crate) fn metrics(&self) -> [Metric; 3] {
        [
            Metric::count("OrdersJudged", self.judged),
            Metric::count("OrdersChanged", self.changed),
            Metric::count("RowsPassedOver", self.passed_over),
        ]
    }
}
