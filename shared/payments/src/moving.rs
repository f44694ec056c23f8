//! An invoice whose number was changed in Xero: its payments leave the number they were under.

use jiff::Timestamp;

use crate::decision::{Action, Decision};
use crate::findings;
use crate::invoice::Snapshot;
use crate::mirroring::{Change, Verdict};
use crate::stored::{MovedAway, StoredInvoice};

/// The Xero invoice that was linked with this number now bears another one. Its copies go, as if
/// its payments had been deleted; the run for its new number imports them there. `None` if it was
/// not linked with this number, or if not its number but the prefix in the settings has changed.
pub(crate) fn moved_away(
    stored: &StoredInvoice,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Option<Verdict> {
    let known = stored.xero.as_ref().filter(|known| known.invoice == snapshot.invoice)?;
    if snapshot.version() < known.version {
        return Some(Verdict::Stale);
    }
    if snapshot.number == known.number {
        return None;
    }
    let mut change = Change::of(stored);
    if !snapshot.ties_out() {
        findings::contradictory(&mut change, snapshot, now);
        let differs = change.after != *stored;
        return Some(if differs { Verdict::Changed(Box::new(change)) } else { Verdict::Unchanged });
    }
    change.decisions.push(Decision {
        action: Action::NumberChanged,
        rule: "CM-05",
        payment: None,
        xero: None,
        discrepancy: None,
        why: "the invoice bears another number in Xero now".to_owned(),
    });
    change.after.xero = None;
    change.after.moved_away =
        Some(MovedAway { invoice: snapshot.invoice, version: snapshot.version() });
    change.after.settled = None;
    let why = "its invoice bears another number in Xero";
    for held in std::mem::take(&mut change.after.held) {
        change.release(&held, why);
    }
    for payment in &stored.payments {
        if payment.follows_xero() {
            change.remove(payment, snapshot, now, why);
        }
    }
    findings::update_after_move(&mut change, now);
    Some(Verdict::Changed(Box::new(change)))
}
