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
        /// Reports that were made.
        pub(crate) reports_made: usize, log reports.made;
        /// Reports that could not be made, or not be counted again.
        pub(crate) reports_failed: usize, log reports.failed;
        /// Reports that are left for the next schedule.
        pub(crate) reports_left: usize, log reports.left;
        /// Reports that were counted again, and are the same.
        pub(crate) reports_same: usize, log reports.same;
        /// Reports that were counted again, and are other ones.
        pub(crate) reports_different: usize, log reports.different;
        /// Rows that are not as they were sealed, and seals whose pages are not.
        pub(crate) differences: usize, log rows.different, metric "SealDifferences";
    }
}

impl Tally {
    /// Counts what became of a report.
    pub(crate) fn count(&mut self, outcome: &str) {
        let count = match outcome {
            "made" => &mut self.reports_made,
            "same" => &mut self.reports_same,
            "differs" => &mut self.reports_different,
            "other_version" => return,
            _ => &mut self.reports_failed,
        };
        *count += 1;
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
