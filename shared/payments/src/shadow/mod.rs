//! Shadow: both systems are still typed by hand, and everything is decided as if it were done (CM-03, CM-30).
//!
//! `observation.rs` says what a read of an invoice in Xero has shown and what would have been done, `comparison.rs` what
//! differs between the two hands, `report.rs` what stands in the report of a day, `switch.rs` when it is safe to switch
//! on. An organisation in shadow has both directions off ([`crate::Settings::in_shadow`]).

mod comparison;
mod observation;
mod report;
mod switch;

use jiff::Timestamp;

pub use comparison::{
    BooksEntry, EntryDifference, EntryDifferenceKind, LocalEntry, OTHER_DAY_MAX, compare_entries,
};
pub use observation::{ObservedPayment, ShadowObservation, ShadowStep};
pub use report::{LISTED_MAX, LeftAlone, ShadowNight, ShadowReport, books_entries};
pub use switch::{QUIET_DAYS, SwitchFacts, SwitchPoint, points};

/// Since when an organisation is in shadow, and what its settings switch on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shadow {
    /// Since when.
    pub since: Timestamp,
    /// Whether it would mirror.
    pub mirrors: bool,
    /// Whether it would upload.
    pub uploads: bool,
}
