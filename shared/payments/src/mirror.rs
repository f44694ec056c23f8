//! What a fresh snapshot of a Xero invoice does to its local payments (rules A1.1).
//!
//! One pure function: stored + snapshot + settings + now → verdict. It looks at the whole
//! collection of payments, never at one payment alone (CM-31), and deletes nothing unless the
//! snapshot is complete and at least as new as what is stored.

use jiff::Timestamp;

use crate::decision::{Action, Decision};
use crate::fingerprint;
use crate::ids::InvoiceNumber;
use crate::invoice::{InvoiceKind, Snapshot, Version};
use crate::passes;
use crate::payment::{HeldPayment, Payment, Tombstone};
use crate::reason::Ignored;
use crate::renumbering::moved_away;
use crate::settings::Settings;
use crate::stored::StoredInvoice;
use crate::upload::Upload;

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

/// The local number of a Xero invoice, if the mirror has anything to do with it (guard 1).
///
/// # Errors
/// Why not.
pub fn eligible(snapshot: &Snapshot, settings: &Settings) -> Result<InvoiceNumber, Ignored> {
    if snapshot.organisation != settings.organisation {
        return Err(Ignored::OtherTenant);
    }
    if !settings.mirror_enabled {
        return Err(Ignored::Disabled);
    }
    if snapshot.kind != InvoiceKind::Sales {
        return Err(Ignored::NotSalesInvoice);
    }
    settings.prefix.to_local(&snapshot.number)
}

/// Whether the invoice's rows already are the answer to this very snapshot, so that nothing needs
/// to be read or decided. Needs only the invoice itself, not its payments.
pub fn is_settled(
    stored: &StoredInvoice,
    snapshot: &Snapshot,
    settings: &Settings,
    now: Timestamp,
) -> bool {
    stored.settled.as_ref().is_some_and(|settled| {
        settled.fingerprint == fingerprint::of(snapshot, settings)
            && settled.review_on.is_none_or(|day| settings.today(now) < day)
    })
}

/// Judges a fresh snapshot against what is stored under its number.
///
/// Running it again on its own result changes nothing.
pub fn mirror(
    stored: &StoredInvoice,
    snapshot: &Snapshot,
    settings: &Settings,
    now: Timestamp,
) -> Verdict {
    mirror_with_uploads(stored, snapshot, settings, &[], now)
}

/// The same, where it is known how the invoice's payments of the business's own stand on their way to Xero
/// (A8.3).
pub fn mirror_with_uploads(
    stored: &StoredInvoice,
    snapshot: &Snapshot,
    settings: &Settings,
    uploads: &[Upload],
    now: Timestamp,
) -> Verdict {
    match eligible(snapshot, settings) {
        Ok(number) if number == stored.number => {}
        Ok(_) => return moved_away(stored, snapshot, now).unwrap_or(Verdict::Unchanged),
        Err(reason @ (Ignored::NotCmPrefix | Ignored::EmptyNumber | Ignored::NumberUnusable)) => {
            return moved_away(stored, snapshot, now).unwrap_or(Verdict::Ignored(reason));
        }
        Err(reason) => return Verdict::Ignored(reason),
    }
    match order(stored, snapshot) {
        SnapshotAge::Fresh => {}
        SnapshotAge::Stale => return Verdict::Stale,
        SnapshotAge::Superseded => return Verdict::Ignored(Ignored::Superseded),
    }
    passes::run(stored, snapshot, (settings, uploads), now)
}

/// Whether a snapshot may be judged against what is stored under its number (guard 3).
pub(crate) fn is_fresh(stored: &StoredInvoice, snapshot: &Snapshot) -> bool {
    matches!(order(stored, snapshot), SnapshotAge::Fresh)
}

enum SnapshotAge {
    Fresh,
    Stale,
    Superseded,
}

/// Guard 3: an older snapshot never overwrites a newer one.
fn order(stored: &StoredInvoice, snapshot: &Snapshot) -> SnapshotAge {
    if let Some(moved) = &stored.moved_away
        && moved.invoice == snapshot.invoice
        && snapshot.version() < moved.version
    {
        return SnapshotAge::Stale;
    }
    let Some(known) = &stored.xero else { return SnapshotAge::Fresh };
    if known.invoice != snapshot.invoice {
        // Xero gives a sales number to one standing invoice only; a voided or deleted one may
        // have left its number to another.
        match (known.status.is_dead(), snapshot.status.is_dead()) {
            (true, false) => return SnapshotAge::Fresh,
            (false, true) => return SnapshotAge::Superseded,
            _ => {}
        }
    }
    if snapshot.version() < known.version { SnapshotAge::Stale } else { SnapshotAge::Fresh }
}
