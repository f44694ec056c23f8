//! A discrepancy that may stay as it is, on the word of a person (AMB-31).

use jiff::Timestamp;

use crate::case::Ending;
use crate::change::Change;
use crate::decision::Action;
use crate::discrepancy::{Discrepancy, DiscrepancyKey};
use crate::discrepancy_work::{AcceptError, Attributed};
use crate::invoice_discrepancies::decision;
use crate::stored::StoredInvoice;

impl Discrepancy {
    /// A person says that it may stay as it is (AMB-31). `seen` is the detail that the person has read.
    ///
    /// # Errors
    /// [`AcceptError`].
    pub fn accept(
        &mut self,
        seen: Option<&str>,
        by: &str,
        why: &str,
        now: Timestamp,
    ) -> Result<(), AcceptError> {
        self.end(Ending::Accepted, seen, Attributed { by: Some(by), why }, now)
    }
}

/// Closes a discrepancy of an invoice on a person's word (AMB-31).
///
/// # Errors
/// [`AcceptError`].
pub fn accept(
    stored: &StoredInvoice,
    key: &DiscrepancyKey,
    seen: Option<&str>,
    (by, why): (&str, &str),
    now: Timestamp,
) -> Result<Change, AcceptError> {
    let mut change = Change::of(stored);
    let found = change.after.discrepancies.iter_mut().find(|known| known.key == *key);
    let found = found.ok_or(AcceptError::NotThere)?;
    found.accept(seen, by, why, now)?;
    let mut accepted = decision(Action::DiscrepancyAccepted, key, &found.detail);
    accepted.rule = "AMB-31";
    accepted.why = format!("{}; accepted: {why}", accepted.why);
    change.decisions.push(accepted);
    Ok(change)
}
