//! What one invocation did: its one log line and its metrics.

<<<<<<< HEAD
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
=======
host::counters! {
    /// The counts of one batch.
    pub(crate) struct Tally, logged as "orders judged by a batch of the activity log" {
        pub(crate) records: usize, log records;
        /// Orders whose standing was derived.
        pub(crate) judged: usize, log orders.judged, metric "OrdersJudged";
        /// Of these, orders whose standing is another one than before.
        pub(crate) changed: usize, log orders.changed, metric "OrdersChanged";
        /// Orders and rows of the log that cannot be read.
        pub(crate) passed_over: usize, log rows.passed_over, metric "RowsPassedOver";
>>>>>>> counters
    }
}

/// The counts of the closes of one invocation.
#[derive(Debug, Default)]
pub(crate) struct CloseTally {
    /// Days that were closed for the first time.
    pub(crate) completed: usize,
    /// Closed days that were closed again with another outcome.
    pub(crate) reopened: usize,
    /// Days that could not be closed.
    pub(crate) failed: usize,
    /// Closes that were due hours ago when they were found.
    pub(crate) overdue: usize,
    /// Closes that are left for the next schedule.
    pub(crate) left: usize,
    /// Discrepancies that closes have opened.
    pub(crate) raised: usize,
    /// Rows that were read: of the log, and what earlier closes have left.
    pub(crate) rows_read: usize,
    /// Rows about invoices, contacts and payments that were written.
    pub(crate) rows_written: usize,
    /// Rows of the log that cannot be read.
    pub(crate) passed_over: usize,
}

impl CloseTally {
    /// Adds the counts of another.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.completed += other.completed;
        self.reopened += other.reopened;
        self.failed += other.failed;
        self.overdue += other.overdue;
        self.left += other.left;
        self.raised += other.raised;
        self.rows_read += other.rows_read;
        self.rows_written += other.rows_written;
        self.passed_over += other.passed_over;
    }

    /// Writes the one line about the invocation.
    pub(crate) fn log(&self) {
        tracing::info!(
            closes.completed = self.completed,
            closes.reopened = self.reopened,
            closes.failed = self.failed,
            closes.overdue = self.overdue,
            closes.left = self.left,
            discrepancies.raised = self.raised,
            rows.read = self.rows_read,
            rows.written = self.rows_written,
            rows.passed_over = self.passed_over,
            "days closed"
        );
    }

    pub(crate) fn metrics(&self) -> [Metric; 7] {
        [
            Metric::count("ClosesCompleted", self.completed),
            Metric::count("ClosesReopened", self.reopened),
            Metric::count("ClosesFailed", self.failed),
            Metric::count("ClosesOverdue", self.overdue),
            Metric::count("CloseRowsRead", self.rows_read),
            Metric::count("CloseRowsWritten", self.rows_written),
            Metric::count("RowsPassedOver", self.passed_over),
        ]
    }
}
