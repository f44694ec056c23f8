//! The checksums of single rows, in pages that fit into a row of a table.

use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use super::checksum::{Checksum, feed};

/// Most rows of a page.
pub const PAGE_ROWS_MAX: usize = 1_000;
/// Most bytes of the rows of a page: DynamoDB takes 400 KB for a row.
pub const PAGE_BYTES_MAX: usize = 300_000;
/// What a row takes in addition to its key: the digits of its checksum.
const CHECKSUM_BYTES: usize = 72;

/// A row of the log as it was sealed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SealedRow {
    /// Its sort key, by which it is found within its day.
    pub at: String,
    /// The checksum of everything in it but its key: two rows whose contents were exchanged are known by it.
    pub content: Checksum,
}

/// Some rows of a day of the log, in the order of their keys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SealPage {
    /// In which day of the log they stand.
    pub log_day: Date,
    /// The rows.
    pub rows: Vec<SealedRow>,
}

impl SealPage {
    /// A page without rows.
    pub const fn new(log_day: Date) -> Self {
        Self { log_day, rows: Vec::new() }
    }

    /// Whether a row still fits.
    pub fn has_room_for(&self, row: &SealedRow) -> bool {
        let size = |row: &SealedRow| row.at.len() + CHECKSUM_BYTES;
        let taken: usize = self.rows.iter().map(size).sum();
        self.rows.len() < PAGE_ROWS_MAX && taken + size(row) <= PAGE_BYTES_MAX
    }

    /// Its checksum: over the keys and the contents of its rows, in their order.
    pub fn checksum(&self) -> Checksum {
        let mut hasher = Sha256::new();
        feed(&mut hasher, &["paymirror seal page 1", &self.log_day.to_string()]);
        for row in &self.rows {
            feed(&mut hasher, &[&row.at, &row.content.to_string()]);
        }
        Checksum::of(hasher)
    }
}
