//! The announcement of a decision to the business's own system.
//!
//! One row of the activity log is none or one announcement: [`Kind::of`] chooses, [`announce`] says it. Every
//! decision is a row of the log, written in one step with what it changed, so there is an announcement if and
//! only if there is the decision. Read `event_type.rs` first, then `log_entry.rs`, `subject.rs`,
//! `content.rs` and `detail.rs`.

mod content;
mod detail;
mod event_type;
mod log_entry;
mod subject;

pub use detail::{Detail, VERSION};
pub use event_type::Kind;
pub use log_entry::{
    Entry, EntryClose, EntryComponent, EntryDiscrepancy, EntryInvoice, EntryOrder,
    EntryOrderReport, EntryPayment, EntryReport, EntrySeal, TEXT_CHARS_MAX,
};

use jiff::Timestamp;

use crate::ids::PaymentId;

/// One announcement.
#[derive(Clone, Debug, PartialEq)]
pub struct Announcement {
    /// What it is about, in a word.
    pub kind: Kind,
    /// When it was decided.
    pub at: Timestamp,
    /// Everything about it.
    pub detail: Detail,
}

/// A row of the log lacks what its announcement has to say. The name is the attribute's, never its value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a row that is announced as {kind} has no `{attribute}`")]
pub struct Incomplete {
    /// What it would have been.
    pub kind: Kind,
    /// What it lacks.
    pub attribute: &'static str,
}

/// The announcement of a row of the log to the business's own system; `None` if it has none.
///
/// # Errors
/// [`Incomplete`].
pub fn announce(entry: &Entry) -> Result<Option<Announcement>, Incomplete> {
    let id = entry.payment.id.as_ref();
    // What becomes of a credit of the provider is in the log and on the pages; the bus has no event for it.
    if id.is_some_and(|id| id.is_provider_credit() || id.is_credit_allocation()) {
        return Ok(None);
    }
    let is_provider_invoice = id.is_some_and(PaymentId::is_provider_invoice);
    let Some(kind) = Kind::of(entry.logged, is_provider_invoice) else { return Ok(None) };
    let detail = Detail::of(kind, entry)?;
    Ok(Some(Announcement { kind, at: entry.at, detail }))
}

#[cfg(test)]
mod tests;
