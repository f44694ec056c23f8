//! What one invocation did: its one log line and its metrics.

use host::metrics::Metric;
use jiff::Timestamp;

/// Longest a report may take from its sending to the tables (SP-09).
const SYNC_MS_MAX: i128 = 5 * 60 * 1000;

/// The counts of one invocation.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) records: usize,
    pub(crate) invoices: usize,
    pub(crate) payments: usize,
    pub(crate) journalings: usize,
    pub(crate) customers: usize,
    pub(crate) provider_invoices: usize,
    pub(crate) unchanged: usize,
    pub(crate) warnings: usize,
    pub(crate) parked: usize,
    pub(crate) looks: usize,
    /// How often the `upload` function was asked to post payments at once.
    pub(crate) wakes: usize,
    /// Reports that came before the one they build on.
    pub(crate) early: usize,
    pub(crate) again: usize,
    pub(crate) slowest_ms: u64,
    pub(crate) late: usize,
}

impl Tally {
    /// Counts how long a report took to become visible.
    pub(crate) fn took(&mut self, sent_at: Option<Timestamp>, now: Timestamp) {
        let Some(sent_at) = sent_at else { return };
        let ms = now.duration_since(sent_at).as_millis();
        self.slowest_ms = self.slowest_ms.max(u64::try_from(ms).unwrap_or(0));
        self.late += usize::from(ms > SYNC_MS_MAX);
    }

    /// Writes the one line about the invocation.
    pub(crate) fn log(&self) {
        tracing::info!(
            records = self.records,
            invoices.recorded = self.invoices,
            payments.recorded = self.payments,
            journaling.recorded = self.journalings,
            customers.recorded = self.customers,
            provider_invoices.recorded = self.provider_invoices,
            unchanged = self.unchanged,
            warnings = self.warnings,
            parked = self.parked,
            invoices.to_look_at = self.looks,
            uploads.woken = self.wakes,
            early = self.early,
            records.again = self.again,
            slowest_ms = self.slowest_ms,
            late = self.late,
            "batch done"
        );
    }

    /// The same as metrics.
    pub(crate) fn metrics(&self) -> Vec<Metric> {
        vec![
            Metric::count("InvoicesRecorded", self.invoices),
            Metric::count("PaymentsRecorded", self.payments),
            Metric::count("JournalingRecorded", self.journalings),
            Metric::count("CustomersRecorded", self.customers),
            Metric::count("ProviderInvoicesRecorded", self.provider_invoices),
            Metric::count("Unchanged", self.unchanged),
            Metric::count("Warnings", self.warnings),
            Metric::count("Parked", self.parked),
            Metric::count("LooksAsked", self.looks),
            Metric::count("UploadsWoken", self.wakes),
            Metric::count("RecordsAgain", self.again),
            Metric::milliseconds("SlowestSync", self.slowest_ms),
            Metric::count("LateSyncs", self.late),
        ]
    }
}
