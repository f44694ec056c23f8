//! What one invocation did: its one log line and its metrics.

use host::counters::Longest;
use jiff::Timestamp;

host::counters! {
    /// The counts of one batch.
    pub(crate) struct Tally, logged as "announced a batch of the activity log" {
        pub(crate) records: usize, log records;
        /// Events that are on the bus.
        pub(crate) sent: usize, log events.sent, metric "EventsSent";
        /// Of these, digests of the morning (CC-20).
        pub(crate) digests: usize, log events.digests, metric "DigestsTold";
        /// Events that are not, and come again.
        pub(crate) failed: usize, log events.failed, metric "EventsFailed";
        /// Rows that cannot be announced.
        pub(crate) passed_over: usize, log rows.passed_over, metric "RowsPassedOver";
        /// Rows that announce nothing.
        pub(crate) quiet: usize, log rows.quiet, metric "RowsQuiet";
        /// How long it took from a decision to its event.
        slowest: Longest, log slowest_ms = Longest::or_zero, metric "SlowestEvent" = Longest::milliseconds;
    }
}

host::counters! {
    /// The counts of an order to announce again.
    pub(crate) struct Republished {
        pub(crate) sent: usize, metric "EventsSent";
    }
}

impl Tally {
    /// Counts how long it took from a decision to its event.
    pub(crate) fn took(&mut self, decided_at: Timestamp, now: Timestamp) {
        self.slowest.add(now.duration_since(decided_at));
    }
}

#[cfg(test)]
mod tests {
    use host::counters::Counters as _;

    use super::*;

    #[test]
    fn the_catalogue_lists_what_is_written() {
        let both = [Tally::catalogue(), Republished::catalogue()].concat();
        harness::catalogue::assert_lists("announce", &both);
    }
}
