//! What a fresh snapshot of a Xero invoice does to its local payments (rules A1.1).
//!
//! One pure function: stored + snapshot + settings + now → verdict. It looks at the whole
//! collection of payments, never at one payment alone (CM-31), and deletes nothing unless the
//! snapshot is complete and at least as new as what is stored.

use jiff::Timestamp;

use crate::change::Verdict;
use crate::fingerprint;
use crate::ids::InvoiceNumber;
use crate::invoice::{InvoiceKind, Snapshot};
use crate::passes;
use crate::reason::Ignored;
use crate::renumbering::moved_away;
use crate::settings::Settings;
use crate::snapshot_age::{SnapshotAge, order};
use crate::stored::StoredInvoice;
use crate::upload::Upload;

/// The local number of a Xero invoice, if the mirror has anything to do with it (guard 1).
///
/// # Errors
/// Why not.
pub fn eligible(snapshot: &Snapshot, settings: &Settings) -> Result<InvoiceNumber, Ignored> {
    if snapshot.organisation != settings.organisation {
        return Err(Ignored::OtherTenant);
    }
    if let Some(off) = settings.mirror_off() {
        return Err(off);
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
