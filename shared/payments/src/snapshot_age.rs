//! Whether a snapshot is older than what is stored.

use crate::invoice::Snapshot;
use crate::stored::StoredInvoice;

/// Whether a snapshot may be judged against what is stored under its number (guard 3).
pub(crate) fn is_fresh(stored: &StoredInvoice, snapshot: &Snapshot) -> bool {
    matches!(order(stored, snapshot), SnapshotAge::Fresh)
}

pub(crate) enum SnapshotAge {
    Fresh,
    Stale,
    Superseded,
}

/// Guard 3: an older snapshot never overwrites a newer one.
pub(crate) fn order(stored: &StoredInvoice, snapshot: &Snapshot) -> SnapshotAge {
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
