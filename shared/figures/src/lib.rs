#![doc = include_str!("../README.md")]

mod basis;
mod episode;
mod facts;
mod figure_row;
mod lists;
mod measure;
mod orders;
mod period;
mod sheet;
mod statement;

pub use basis::Basis;
pub use episode::DiscrepancyEnd;
pub use facts::PeriodFacts;
pub use measure::{Share, Times};
pub use period::{DAYS_MAX, NoPeriod, PeriodKind, ReportPeriod};
pub use sheet::{Cell, Sheet};
pub use statement::{
    ADVICE_PERCENT, INVOICES_ADVISED, RESOLVED_WITHIN_MS, SEEN_WITHIN_MS, Statement,
};
