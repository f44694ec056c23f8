//! What one invocation did: its one log line and its metrics.

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
    }
}
