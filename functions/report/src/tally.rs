//! What one invocation did: its one log line and its metrics.

host::counters! {
    /// The counts of the seals of one invocation.
    pub(crate) struct Tally, logged as "days of the log sealed" {
        /// Days that were sealed.
        pub(crate) sealed: usize, log seals.made, metric "DaysSealed";
        /// Days that could not be sealed.
        pub(crate) failed: usize, log seals.failed, metric "SealsFailed";
        /// Days that are left for the next schedule.
        pub(crate) left: usize, log seals.left;
        /// Rows of the log that were read.
        pub(crate) rows_read: usize, log rows.read, metric "SealRowsRead";
        /// Rows that came after their day was sealed.
        pub(crate) late: usize, log rows.late, metric "SealRowsLate";
        /// Rows that are not as they were sealed, and seals whose pages are not.
        pub(crate) differences: usize, log rows.different, metric "SealDifferences";
    }
}

#[cfg(test)]
mod tests {
    use host::counters::Counters as _;

    use super::*;

    #[test]
    fn the_catalogue_lists_what_is_written() {
        harness::catalogue::assert_lists("report", &Tally::catalogue());
    }
}
