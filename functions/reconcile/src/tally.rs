//! What one invocation did: its one log line and its metrics.

host::counters! {
    /// The counts of one batch.
    pub(crate) struct Tally, logged as "orders and payments judged by a batch of the activity log" {
        pub(crate) records: usize, log records;
        /// Orders whose standing was derived.
        pub(crate) judged: usize, log orders.judged, metric "OrdersJudged";
        /// Of these, orders whose standing is another one than before.
        pub(crate) changed: usize, log orders.changed, metric "OrdersChanged";
        /// Payments that were compared with their orders, invoices and receipts.
        pub(crate) payments: usize, log payments.judged, metric "PaymentsJudged";
        /// Orders, payments and rows of the log that cannot be read.
        pub(crate) passed_over: usize, log rows.passed_over, metric "RowsPassedOver";
    }
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
}

host::counters! {
    /// The counts of the closes of one invocation.
    pub(crate) struct CloseTally, logged as "days closed" {
        /// Days that were closed for the first time.
        pub(crate) completed: usize, log closes.completed, metric "ClosesCompleted";
        /// Closed days that were closed again with another outcome.
        pub(crate) reopened: usize, log closes.reopened, metric "ClosesReopened";
        /// Days that could not be closed.
        pub(crate) failed: usize, log closes.failed, metric "ClosesFailed";
        /// Closes that were due hours ago when they were found.
        pub(crate) overdue: usize, log closes.overdue, metric "ClosesOverdue";
        /// Closes that are left for the next schedule.
        pub(crate) left: usize, log closes.left;
        /// Discrepancies that closes have opened or closed.
        pub(crate) raised: usize, log discrepancies.changed;
        /// Rows that were read: of the log, and what earlier closes have left.
        pub(crate) rows_read: usize, log rows.read, metric "CloseRowsRead";
        /// Rows about invoices, orders, contacts and payments that were written.
        pub(crate) rows_written: usize, log rows.written, metric "CloseRowsWritten";
        /// Rows of the log that cannot be read.
        pub(crate) passed_over: usize, log rows.passed_over, metric "RowsPassedOver";
    }
}

#[cfg(test)]
mod tests {
    use host::counters::Counters as _;

    use super::*;

    #[test]
    fn the_catalogue_lists_what_is_written() {
        let all = [Tally::catalogue(), CloseTally::catalogue()].concat();
        harness::catalogue::assert_lists("reconcile", &all);
    }
}
