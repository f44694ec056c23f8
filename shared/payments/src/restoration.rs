//! A copy that was deleted, brought back from its tombstone by a person.

use crate::change::Change;
use crate::decision::{Action, Decision};
use crate::payment::{Kind, Payment};
use crate::stored::StoredInvoice;

/// Why a payment cannot be brought back.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RestoreError {
    /// It is there.
    #[error("the payment is on the invoice already")]
    Present,
    /// Another payment here is the same as the one in Xero that it was the copy of.
    #[error("the Xero payment that it was the copy of is here as another payment")]
    LinkedElsewhere,
}

/// Brings a payment back as it was, but that it is the business's own from now on: matched with nothing in
/// Xero, so that the next read does not delete it again. If Xero has the same payment, that read
/// matches the two.
///
/// # Errors
/// [`RestoreError`].
pub fn restore(
    stored: &StoredInvoice,
    was: &Payment,
    by: &str,
    why: &str,
) -> Result<Change, RestoreError> {
    if stored.payment(&was.id).is_some() {
        return Err(RestoreError::Present);
    }
    if was.link.is_some_and(|link| stored.linked(link).is_some()) {
        return Err(RestoreError::LinkedElsewhere);
    }
    let mut payment = Payment {
        kind: Kind::Manual,
        link: None,
        first_match_at: None,
        note: Some("Restored after it was deleted".to_owned()),
        balance_after: None,
        ..was.clone()
    };
    payment.settle_state();
    let mut change = Change::of(stored);
    change.decisions.push(Decision {
        action: Action::Restored,
        rule: "CM-39",
        payment: Some(payment.id.clone()),
        xero: was.link,
        discrepancy: None,
        why: format!("{} of {} restored by {by}: {why}", payment.amount, payment.date),
    });
    change.after.payments.push(payment);
    change.after.sort();
    // The next read is judged, and not skipped as settled.
    change.after.settled = None;
    Ok(change)
}
