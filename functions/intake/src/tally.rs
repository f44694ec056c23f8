//! What one invocation did: its one log line and its metrics.

use host::counters::{Counters as _, Delays, FailureCounts};
use payments::sweep::SyncRun;

host::counters! {
    /// The counts of one invocation.
    pub(crate) struct Tally, logged as "batch done" {
        pub(crate) records: usize, log records, run "records";
        pub(crate) invoices: usize, log invoices.recorded, run "invoices", metric "InvoicesRecorded";
        pub(crate) payments: usize, log payments.recorded, run "payments", metric "PaymentsRecorded";
        pub(crate) journalings: usize, log journaling.recorded, run "journalings", metric "JournalingRecorded";
        pub(crate) customers: usize, log customers.recorded, run "customers", metric "CustomersRecorded";
        pub(crate) provider_invoices: usize, log provider_invoices.recorded, run "provider_invoices",
            metric "ProviderInvoicesRecorded";
        pub(crate) orders: usize, log orders.recorded, run "orders", metric "OrdersRecorded";
        pub(crate) notices: usize, log notices.recorded, run "notices";
        pub(crate) feeds: usize, log feeds.recorded, run "feeds";
        pub(crate) unchanged: usize, log unchanged, run "unchanged", metric "Unchanged";
        pub(crate) warnings: usize, log warnings, run "warnings", metric "Warnings";
        pub(crate) parked: usize, log parked, run "parked", metric "Parked";
        pub(crate) looks: usize, log invoices.to_look_at, run "looks_asked", metric "LooksAsked";
        /// How often the `upload` function was asked to post payments at once.
        pub(crate) wakes: usize, log uploads.woken, run "uploads_woken", metric "UploadsWoken";
        /// Reports that came before the one they build on.
        pub(crate) early: usize, log early, run "early";
        pub(crate) again: usize, log records.again, run "records_again", metric "RecordsAgain";
        /// How long each report took from its sending until it was visible.
        pub(crate) delays: Delays, log slowest_ms = Delays::slowest, log late = Delays::late,
            metric "SlowestSync" = Delays::slowest_or_zero, metric "LateSyncs" = Delays::late_or_zero;
        /// What could not be recorded, because a table or a queue did not answer.
        pub(crate) failures: FailureCounts, log records.failed = FailureCounts::by_class;
    }
}

impl Tally {
    /// Adds what was counted to the row of a run.
    pub(crate) fn add_to(&self, run: &mut SyncRun) {
        run.latency = self.delays.latency();
        for (outcome, count) in self.counts() {
            run.count(outcome, count);
        }
        self.failures.add_to(run);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_lists_what_is_written() {
        harness::catalogue::assert_lists("intake", &Tally::catalogue());
    }
}
