//! Seals of the activity log: a checksum over all rows of a day, chained to the seal of the day before (SP-29).
//!
//! Read it in this order: `checksum.rs` (a checksum as a value), `page.rs` (the checksums of single rows, by which a row is
//! named later), `chain.rs` (the seal of a day, and whether it follows the one before), `comparison.rs` (a log against
//! its seals, row by row).

mod chain;
mod checksum;
mod comparison;
mod page;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

pub use chain::{Contents, Seal, SealFault, fault_of};
pub use checksum::Checksum;
pub use comparison::{
    Advance, DIFFERENCES_MAX, LogComparison, RowDifference, RowFault, name_exchanges,
};
pub use page::{PAGE_BYTES_MAX, PAGE_ROWS_MAX, SealPage, SealedRow};

/// How long after its end a day is sealed: far more than an invocation lasts, or the clocks of two hosts differ. A row
/// that comes later is late, and the seal of the next day takes it up.
pub const SEAL_MARGIN: SignedDuration = SignedDuration::from_hours(3);

/// The last day, in UTC, that may be sealed at a moment.
pub fn last_over(now: Timestamp) -> Date {
    let settled = now.saturating_sub(SEAL_MARGIN).unwrap_or(now);
    let day = settled.to_zoned(TimeZone::UTC).date();
    day.yesterday().unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_over_three_hours_after_midnight_in_utc() {
        for (now, last) in [
            ("2026-11-24T02:59:59Z", "2026-11-22"),
            ("2026-11-24T03:00:00Z", "2026-11-23"),
            ("2026-11-25T02:59:59Z", "2026-11-23"),
        ] {
            assert_eq!(last_over(now.parse().unwrap()).to_string(), last, "{now}");
        }
    }
}
