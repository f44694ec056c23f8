//! What one invocation did: its one log line and its metrics.

use access::XeroCounters;
use host::counters::{Counters as _, Delays, FailureCounts};
use jiff::Timestamp;
use payments::sweep::SyncRun;
use queue::Cause;
use xero::ErrorClass;

use crate::applied::Applied;

host::counters! {
    /// The counts of one invocation.
    pub(crate) struct Tally, logged as "batch done" {
        pub(crate) records: usize, log records;
        pub(crate) calls: u32, log xero.calls, metric "XeroCalls";
        pub(crate) changed: usize, log invoices.changed, run "changed", metric "InvoicesChanged";
        pub(crate) decisions: usize, log decisions, run "decisions";
        pub(crate) unchanged: usize, log invoices.unchanged, run "unchanged", metric "InvoicesUnchanged";
        pub(crate) stale: usize, log invoices.stale, run "stale", metric "InvoicesStale";
        pub(crate) ignored: usize, log invoices.ignored, run "ignored", metric "InvoicesIgnored";
        pub(crate) braked: usize, log invoices.braked, run "braked", metric "InvoicesBraked";
        pub(crate) parked: usize, log invoices.parked, run "parked", metric "Parked";
        pub(crate) postponed: usize, log invoices.postponed, run "postponed";
        pub(crate) handed_back: usize, log invoices.handed_back, run "handed_back", metric "HandedBack";
        pub(crate) again: usize, log records.again, metric "RecordsAgain";
        /// Of those changed: something was wrong here, and only a sweep has noticed.
        pub(crate) repaired_by_sweep: usize, log repaired_by_sweep, run "repaired_by_sweep", metric "RepairedBySweep";
        pub(crate) bytes: u64, log xero.bytes;
        /// How long each change took from its event until it was visible.
        delays: Delays, log slowest_ms = Delays::slowest, log late = Delays::late,
            metric "SlowestSync" = Delays::slowest_or_zero, metric "LateSyncs" = Delays::late_or_zero;
        /// Invoices that could not be read or written, by class (A7.3).
        pub(crate) failures: FailureCounts, log invoices.failed = FailureCounts::by_class,
            metric "InvoicesFailed" = FailureCounts::total;
    }
}

impl Tally {
    /// Counts an applied snapshot, and how long its event took to become visible.
    pub(crate) fn count(
        &mut self,
        applied: &Applied,
        cause: Cause,
        event_at: Option<Timestamp>,
        now: Timestamp,
    ) {
        match applied {
            Applied::Changed(decisions) => {
                self.changed += 1;
                self.decisions += decisions;
                // Without a decision, nothing but Xero's stamp is new.
                self.repaired_by_sweep += usize::from(cause == Cause::Sweep && *decisions > 0);
                self.delays.add(event_at, now);
            }
            Applied::Unchanged => self.unchanged += 1,
            Applied::Stale(_) | Applied::ReadAhead(_) => self.stale += 1,
            Applied::Ignored(_) => self.ignored += 1,
            Applied::Braked => self.braked += 1,
        }
    }

    /// Adds what was counted to the row of a run.
    pub(crate) fn add_to(&self, run: &mut SyncRun) {
        run.spent(self.calls, self.bytes);
        run.latency = self.delays.latency();
        for (outcome, count) in self.counts() {
            run.count(outcome, count);
        }
        self.failures.add_to(run);
    }
}

impl XeroCounters for Tally {
    fn was_refused(&self) -> bool {
        self.failures.has(ErrorClass::Authentication.code())
    }
}

#[cfg(test)]
mod tests {
    use host::metrics::Metric;

    use super::*;

    #[test]
    fn repaired_by_sweep_is_what_only_a_sweep_has_noticed_and_what_took_a_decision() {
        let now: Timestamp = "2026-10-05T03:41:25Z".parse().unwrap();
        let mut tally = Tally::default();
        for (applied, cause) in [
            (Applied::Changed(2), Cause::Sweep),
            (Applied::Changed(1), Cause::Webhook),
            (Applied::Changed(1), Cause::Manual),
            // Only Xero's stamp was new.
            (Applied::Changed(0), Cause::Sweep),
            (Applied::Unchanged, Cause::Sweep),
        ] {
            tally.count(&applied, cause, None, now);
        }
        assert_eq!((tally.changed, tally.repaired_by_sweep), (4, 1));
        // Each organisation is counted by itself, and all are reported together.
        let mut all = Tally::default();
        all.absorb(tally);
        assert!(all.metrics().contains(&Metric::count("RepairedBySweep", 1_u32)));
    }

    #[test]
    fn the_catalogue_lists_what_is_written() {
        harness::catalogue::assert_lists("mirror", &Tally::catalogue());
    }
}
