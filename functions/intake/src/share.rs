//! An organisation's part of a batch.

use host::batch::RecordOutcome;

use crate::tally::Tally;

/// An organisation's part of a batch.
#[derive(Debug, Default)]
pub(crate) struct Share {
    pub(crate) tally: Tally,
    /// Its records, as they were worked on.
    pub(crate) positions: Vec<usize>,
}

impl Share {
    /// Counts its records, and those that are to come again.
    pub(crate) fn count(&mut self, outcomes: &[RecordOutcome]) {
        let outcomes = self.positions.iter().filter_map(|position| outcomes.get(*position));
        self.tally.again = outcomes.filter(|outcome| **outcome == RecordOutcome::Again).count();
        self.tally.records = self.positions.len();
    }
}
