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
    /// Payments that were compared with their orders, invoices and receipts.
    pub(crate) payments: usize,
    /// Orders, payments and rows of the log that cannot be read.
    pub(crate) passed_over: usize,
}

impl Tally {
    /// Counts one order, or one payment, that was judged.
    pub(crate) fn count(&mut self, is_order: bool, changed: bool) {
        if is_order {
            self.judged += 1;
            self.changed += usize::from(changed);
        } else {
            self.payments += 1;
        }
    }

    /// Writes the one line about the invocation.
    pub(crate) fn log(&self) {
        tracing::info!(
            records = self.records,
            orders.judged = self.judged,
            orders.changed = self.changed,
            payments.judged = self.payments,
            rows.passed_over = self.passed_over,
            "orders judged by a batch of the activity log"
        );
    }

    pub(crate) fn metrics(&self) -> [Metric; 4] {
        [
            Metric::count("OrdersJudged", self.judged),
            Metric::count("OrdersChanged", self.changed),
            Metric::count("PaymentsJudged", self.payments),
            Metric::count("RowsPassedOver", self.passed_over),
        ]
    }
}
