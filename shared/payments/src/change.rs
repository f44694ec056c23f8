//! The change of an invoice that a decision asks for: a value, written by its caller.

use jiff::Timestamp;

use crate::decision::{Action, Decision};
use crate::discrepancy::Discrepancy;
use crate::invoice::{Snapshot, Version};
use crate::payment::{HeldPayment, Payment, Tombstone};
use crate::reason::Ignored;
use crate::stored::StoredInvoice;

/// What to do about a snapshot.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The invoice is none of ours: do nothing.
    Ignored(Ignored),
    /// The snapshot is older than what is stored: do nothing.
    Stale,
    /// Everything is as it should be: write nothing.
    Unchanged,
    /// Write this.
    Changed(Box<Change>),
}

/// A change of one invoice and its payments, to be written as one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// The invoice as it is to be. Its revision is still that of the invoice it replaces.
    pub after: StoredInvoice,
    /// The payments that are removed.
    pub tombstones: Vec<Tombstone>,
    /// Every decision, with its rule and reason.
    pub decisions: Vec<Decision>,
}

impl Change {
    /// Nothing yet.
    pub(crate) fn of(stored: &StoredInvoice) -> Self {
        Self { after: stored.clone(), tombstones: Vec::new(), decisions: Vec::new() }
    }

    /// A change of one discrepancy, and of nothing else.
    pub fn with_discrepancy(stored: &StoredInvoice, after: &Discrepancy) -> Self {
        let mut change = Self::of(stored);
        for known in change.after.discrepancies.iter_mut().filter(|known| known.key == after.key) {
            known.clone_from(after);
        }
        change
    }

    /// This change and the one that was decided on its result, as one.
    #[must_use]
    pub fn and_then(mut self, next: Self) -> Self {
        self.after = next.after;
        self.tombstones.extend(next.tombstones);
        self.decisions.extend(next.decisions);
        self
    }

    /// Removes a payment on the word of a snapshot; a tombstone stays.
    pub(crate) fn remove(
        &mut self,
        payment: &Payment,
        snapshot: &Snapshot,
        now: Timestamp,
        why: &str,
    ) {
        self.remove_by("CM-37", payment, Some(snapshot.version()), now, why);
    }

    /// Removes a payment by a rule; a tombstone stays.
    pub(crate) fn remove_by(
        &mut self,
        rule: &'static str,
        payment: &Payment,
        snapshot: Option<Version>,
        now: Timestamp,
        why: &str,
    ) {
        self.after.payments.retain(|kept| kept.id != payment.id);
        self.decisions.push(Decision {
            action: Action::Deleted,
            rule,
            payment: Some(payment.id.clone()),
            xero: payment.link,
            discrepancy: None,
            why: format!("{} of {} deleted: {why}", payment.amount, payment.date),
        });
        self.tombstones.push(Tombstone {
            payment: payment.clone(),
            removed_at: now,
            removed_by: "mirror",
            why: why.to_owned(),
            snapshot,
        });
    }

    /// Says that a Xero payment is held no longer.
    pub(crate) fn release(&mut self, held: &HeldPayment, why: &str) {
        self.decisions.push(Decision {
            action: Action::Released,
            rule: "AMB-20",
            payment: None,
            xero: Some(held.payment.id),
            discrepancy: None,
            why: format!("no longer held as {}: {why}", held.reason),
        });
    }
}
