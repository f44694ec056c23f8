//! What one invocation did: its one log line and its metrics.

host::counters! {
    /// The counts of one batch.
    pub(crate) struct Tally, logged as "orders judged by a batch of the activity log" {
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

#[cfg(test)]
mod tests {
    use host::counters::Counters as _;

    use super::*;

    #[test]
    fn the_catalogue_lists_what_is_written() {
        harness::catalogue::assert_lists("reconcile", &Tally::catalogue());
    }
}
