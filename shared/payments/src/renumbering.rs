//! An invoice whose number was changed in Xero: its payments leave the number they were under. Ids bind and
//! numbers are labels: what we uploaded goes along with its invoice's id (AMB-33).

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::change::{Change, Verdict};
use crate::decision::{Action, Decision};
use crate::ids::{InvoiceNumber, PaymentId, XeroPaymentId};
use crate::invoice::Snapshot;
use crate::invoice_discrepancies;
use crate::payment::{Kind, Payment};
use crate::snapshot_age::is_fresh;
use crate::stored::{MovedAway, StoredInvoice};
use crate::upload::Stamp;

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
        invoice_discrepancies::contradictory(&mut change, snapshot, now);
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
    invoice_discrepancies::update_after_move(&mut change, now);
    Some(Verdict::Changed(Box::new(change)))
}

/// Our own payments that go along with their invoice to the number that it bears now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GoingAlong {
    /// Their coming onto that number, to be written before they leave the other ones; `None` if an earlier
    /// run came so far and no further.
    pub arrival: Option<Box<Change>>,
    /// What leaves which number afterwards.
    pub leaving: BTreeSet<(InvoiceNumber, PaymentId)>,
}

/// The payments of a snapshot that bear our stamp for its invoice and are not known under its number: they may
/// be known under another one.
pub fn unknown_uploads(here: &StoredInvoice, snapshot: &Snapshot) -> Vec<XeroPaymentId> {
    let stamped = |reference: &str| {
        Stamp::find_in(reference).is_some_and(|stamp| stamp.is_for(snapshot.invoice))
    };
    let counted = snapshot.counted_payments().into_iter();
    let ours = counted.filter(|payment| payment.reference.as_deref().is_some_and(stamped));
    ours.map(|payment| payment.id).filter(|id| here.linked(*id).is_none()).collect()
}

/// What of our own goes along with the invoice of a snapshot onto its number, from these other ones.
pub fn going_along(
    here: &StoredInvoice,
    others: &[StoredInvoice],
    snapshot: &Snapshot,
    now: Timestamp,
) -> Option<GoingAlong> {
    if !is_fresh(here, snapshot) {
        return None;
    }
    let shown: BTreeSet<_> = snapshot.counted_payments().iter().map(|payment| payment.id).collect();
    let stands = |payment: &Payment| payment.link.is_some_and(|link| shown.contains(&link));
    let mut change = Change::of(here);
    let mut leaving = BTreeSet::new();
    for other in others {
        for payment in other.payments.iter().filter(|p| p.kind == Kind::Uploaded && stands(p)) {
            let link = payment.link;
            let is_here = link.is_some_and(|link| change.after.linked(link).is_some());
            let same = change.after.payment(&payment.id);
            // A part of it that stands on this invoice by another PaymentID has its own row.
            if !is_here && same.is_some_and(|same| same.kind == Kind::Uploaded && stands(same)) {
                continue;
            }
            leaving.insert((other.number.clone(), payment.id.clone()));
            if !is_here {
                change.take_in(payment, &other.number, snapshot);
            }
        }
    }
    if leaving.is_empty() {
        return None;
    }
    let arrives = !change.decisions.is_empty();
    let arrival = arrives.then(|| Box::new(change.locally_changed(now)));
    Some(GoingAlong { arrival, leaving })
}

/// Takes our own payments off a number that their invoice does not bear any more.
pub fn depart(
    stored: &StoredInvoice,
    snapshot: &Snapshot,
    leaving: &BTreeSet<(InvoiceNumber, PaymentId)>,
    now: Timestamp,
) -> Option<Change> {
    let mut change = Change::of(stored);
    let why = format!("its invoice is {} in Xero now, and it went along", snapshot.number);
    for payment in &stored.payments {
        if leaving.contains(&(stored.number.clone(), payment.id.clone())) {
            change.remove(payment, snapshot, now, &why);
            invoice_discrepancies::close_about(&mut change, &payment.id, now);
        }
    }
    (!change.tombstones.is_empty()).then(|| change.locally_changed(now))
}

impl Change {
    /// What the business has reported of it under this number, if it has, becomes this payment.
    fn take_in(&mut self, payment: &Payment, from: &InvoiceNumber, snapshot: &Snapshot) {
        let mut moved = Payment { balance_after: None, ..payment.clone() };
        if let Some(newer) = self.after.payment(&payment.id).filter(|p| p.revision > moved.revision)
        {
            moved.revision = newer.revision;
            moved.status = newer.status;
            moved.journaled = newer.journaled;
            moved.settle_state();
        }
        let held = self.after.held.iter().find(|held| Some(held.payment.id) == payment.link);
        if let Some(held) = held.cloned() {
            self.release(&held, "it is our own upload, and went along with its invoice");
            self.after.held.retain(|other| other.payment.id != held.payment.id);
        }
        self.decisions.push(Decision {
            action: Action::Uploaded,
            rule: "AMB-33",
            payment: Some(moved.id.clone()),
            xero: moved.link,
            discrepancy: None,
            why: format!(
                "{} of {} went along with its invoice, which was {from} and is {} in Xero now",
                moved.amount, moved.date, snapshot.number
            ),
        });
        self.after.payments.retain(|other| other.id != moved.id);
        self.after.payments.push(moved);
        self.after.sort();
    }
}
