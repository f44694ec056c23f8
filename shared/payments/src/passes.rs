//! Passes 0 to 5 of rules A1.1: a fresh snapshot against the local payments of its invoice.

use jiff::{Timestamp, ToSpan};

use crate::change::{Change, Verdict};
use crate::decision::{Action, Decision};
use crate::fingerprint;
use crate::ids::{PaymentId, XeroPaymentId};
use crate::invoice::{Snapshot, XeroFacts, XeroPayment};
use crate::invoice_amounts::due_on;
use crate::invoice_discrepancies;
use crate::mass_change::REPLACED_BY_REPORT;
use crate::matching::{self, Matching, Pass, Unmatched};
use crate::money::Money;
use crate::payment::{
    HeldPayment, Kind, NOTE_IMPORTED, NOTE_MATCHED, NOTE_TAKEN_BACK, Origin, Payment,
};
use crate::reason::Held;
use crate::settings::Settings;
use crate::stored::{Settled, StoredInvoice};
use crate::upload::{Stamp, Upload, on_their_way};

/// Why a payment that bears a stamp like ours is held no longer, though no upload of ours was found.
const NOT_OURS: &str =
    "it bears a stamp like ours, and no upload on its way bears it; it is taken for what it is";

/// Judges a snapshot that has passed the guards.
pub(crate) fn run(
    stored: &StoredInvoice,
    snapshot: &Snapshot,
    (settings, uploads): (&Settings, &[Upload]),
    now: Timestamp,
) -> Verdict {
    let mut run =
        Comparison { stored, snapshot, settings, uploads, now, change: Change::of(stored) };
    run.after.xero = Some(XeroFacts::from(snapshot));
    run.after.moved_away = stored.moved_away.filter(|moved| moved.invoice != snapshot.invoice);
    if stored.local.is_some() {
        run.compare();
    }
    run.finish()
}

/// One run over one invoice.
struct Comparison<'a> {
    stored: &'a StoredInvoice,
    snapshot: &'a Snapshot,
    settings: &'a Settings,
    uploads: &'a [Upload],
    now: Timestamp,
    change: Change,
}

impl std::ops::Deref for Comparison<'_> {
    type Target = Change;

    fn deref(&self) -> &Change {
        &self.change
    }
}

impl std::ops::DerefMut for Comparison<'_> {
    fn deref_mut(&mut self) -> &mut Change {
        &mut self.change
    }
}

impl Comparison<'_> {
    /// Passes 0 to 5.
    fn compare(&mut self) {
        let all = self.snapshot.counted_payments();
        let (under_way, counted): (Vec<_>, Vec<_>) =
            all.iter().partition(|incoming| self.is_upload_under_way(incoming));
        if self.stored.blocked {
            self.hold_back(&under_way, &counted);
            return;
        }
        let on_their_way = on_their_way(self.uploads);
        let unmatched = |payment: &Payment| self.unmatched(payment);
        let matching = matching::pair(&self.stored.payments, &counted, &on_their_way, unmatched);
        let mut held: Vec<_> = under_way
            .into_iter()
            .map(|incoming| self.held(incoming, Held::UploadUnderWay))
            .collect();
        for incoming in &counted {
            if let Some((payment, pass)) = matching.pairs.get(&incoming.id) {
                if let Some(copy) = matching.replaced.get(&incoming.id) {
                    self.replace(copy, payment);
                }
                self.carry_out(incoming, payment, *pass, &mut held);
            }
        }
        for incoming in &matching.xero_rest {
            self.admit(incoming, &mut held);
        }
        self.judge_unmatched(&matching);
        self.replace_held(held);
        self.rebalance(&all);
    }

    /// While an action about the customer is open, nothing here changes (EX-28, AMB-15): what Xero shows and is
    /// not here yet is known and held, what is here stays. Our own uploads are linked all the same.
    fn hold_back(&mut self, under_way: &[&XeroPayment], counted: &[&XeroPayment]) {
        let ours = under_way.iter().map(|incoming| self.held(incoming, Held::UploadUnderWay));
        let new = counted.iter().filter(|incoming| self.stored.linked(incoming.id).is_none());
        let new = new.map(|incoming| self.held(incoming, Held::BlockedByAction));
        let held = ours.chain(new).collect();
        self.replace_held(held);
    }

    /// Whether we made it, on this invoice, and have not taken note of that here yet. It is the upload's
    /// to link it (V20); until then it is neither copied nor matched with anything. The same reference
    /// on another invoice, or on a payment that a person entered in its place, is no sign of ours.
    fn is_upload_under_way(&self, incoming: &XeroPayment) -> bool {
        let stamp = incoming.reference.as_deref().and_then(Stamp::find_in);
        stamp.is_some_and(|stamp| {
            let known = |payment: &Payment| {
                payment.stamp.as_ref() == Some(&stamp) || payment.link == Some(incoming.id)
            };
            // Held for what it is already: consumed by a part, dated ahead, held back (CM-28, CM-40, EX-28).
            let judged = |held: &HeldPayment| {
                held.reason != Held::UploadUnderWay && held.payment.id == incoming.id
            };
            stamp.is_for(self.snapshot.invoice)
                && !self.stored.strangers.contains(&incoming.id)
                && !self.stored.payments.iter().any(known)
                && !self.stored.held.iter().any(judged)
        })
    }

    /// Passes 0 to 3: what a match means for the local payment.
    fn carry_out(
        &mut self,
        incoming: &XeroPayment,
        id: &PaymentId,
        pass: Pass,
        held: &mut Vec<HeldPayment>,
    ) {
        match pass {
            Pass::Identity => self.follow(incoming, id),
            Pass::Imported | Pass::Uploaded => self.relink(incoming, id),
            Pass::Manual | Pass::Report => self.adopt(incoming, id),
            Pass::MultiInvoice => held.push(self.held(incoming, Held::MultiInvoice)),
        }
    }

    /// Pass 0: a copy follows its original (CM-08, CM-26), unless it is protected (CM-27, CM-28).
    fn follow(&mut self, incoming: &XeroPayment, id: &PaymentId) {
        let now_equal = |payment: &Payment| {
            payment.equals(incoming)
                // A copy has no reference of its own; a hand-entered payment keeps the one it had.
                && (payment.origin == Origin::Local || payment.reference == incoming.reference)
        };
        let Some(payment) = self.payment_mut(id) else { return };
        if !payment.follows_xero() || now_equal(payment) {
            return;
        }
        let why = format!(
            "{} of {} became {} of {}, as in Xero",
            payment.amount, payment.date, incoming.amount, incoming.date
        );
        payment.amount = incoming.amount;
        payment.date = incoming.date;
        if payment.origin == Origin::Xero {
            payment.reference.clone_from(&incoming.reference);
        }
        self.note(Action::Updated, "CM-26", Some(id), Some(incoming.id), why);
    }

    /// Pass 1: already there under another PaymentID, or without one: the link is stored, and with
    /// it what a copy has from its original, apart from amount and date (CM-14).
    fn relink(&mut self, incoming: &XeroPayment, id: &PaymentId) {
        let now = self.now;
        let Some(payment) = self.payment_mut(id) else { return };
        payment.link = Some(incoming.id);
        if payment.origin == Origin::Xero && payment.follows_xero() {
            payment.reference.clone_from(&incoming.reference);
            payment.transaction_id = incoming.id.to_string();
        }
        payment.first_match_at.get_or_insert(now);
        let note = if payment.origin == Origin::Xero { NOTE_IMPORTED } else { NOTE_MATCHED };
        payment.note.get_or_insert_with(|| note.to_owned());
        let why = format!("{} of {} is already there", incoming.amount, incoming.date);
        self.note(Action::Matched, "CM-32", Some(id), Some(incoming.id), why);
    }

    /// Pass 2: a hand-entered payment turns out to be a Xero payment (CM-33).
    fn adopt(&mut self, incoming: &XeroPayment, id: &PaymentId) {
        let now = self.now;
        let Some(payment) = self.payment_mut(id) else { return };
        payment.adopt(incoming.id, now);
        let why = format!("{} of {} was entered by hand", incoming.amount, incoming.date);
        self.note(Action::Adopted, "CM-33", Some(id), Some(incoming.id), why);
    }

    /// A report takes the place of the copy of the same payment (A8.3). What the business has said of the copy
    /// is said of the payment from now on.
    fn replace(&mut self, copy: &Payment, id: &PaymentId) {
        let why = format!("replaced by the report {id}");
        let (now, version) = (self.now, self.snapshot.version());
        self.change.remove_by(REPLACED_BY_REPORT, copy, Some(version), now, &why);
        if let Some(payment) = self.payment_mut(id) {
            payment.journaled |= copy.journaled;
        }
    }

    /// The original of a payment that goes up by itself was deleted in Xero. It is the business's own money: its
    /// link goes, and its upload is judged afresh (A8.3).
    fn unlink(&mut self, payment: &Payment) {
        let (id, xero) = (payment.id.clone(), payment.link);
        let Some(payment) = self.payment_mut(&id) else { return };
        payment.link = None;
        payment.kind = Kind::Manual;
        payment.settle_state();
        let why = format!(
            "{} of {} is no longer in Xero; it is the business's own and is judged afresh for upload",
            payment.amount, payment.date
        );
        self.note(Action::Updated, "A8.3", Some(&id), xero, why);
    }

    fn goes_up(&self, payment: &Payment) -> bool {
        let enabled = self.settings.upload.as_ref().is_some_and(|uploading| uploading.enabled);
        let of_payment = |upload: &&Upload| upload.receipt.id == payment.id;
        enabled && self.uploads.iter().find(of_payment).is_some_and(Upload::goes_up)
    }

    /// Pass 4: a Xero payment that equals nothing local becomes a copy, or waits for its date (CM-40).
    fn admit(&mut self, incoming: &XeroPayment, held: &mut Vec<HeldPayment>) {
        if self.first_day_in_range(incoming).is_some_and(|day| self.settings.today(self.now) < day)
        {
            held.push(self.held(incoming, Held::FutureDated));
            return;
        }
        let id = self.free_copy_id(incoming.id);
        let mut copy = Payment::copy_of(incoming, id.clone(), self.now);
        copy.settle_state();
        self.after.payments.push(copy);
        let why = format!("{} of {}", incoming.amount, incoming.date);
        self.note(Action::Imported, "CM-34", Some(&id), Some(incoming.id), why);
    }

    /// Pass 5: what is left on the local side. Hand-entered payments stay (CM-39), and so do
    /// uploaded (AMB-08), journaled (CM-27) and multi-invoice ones (CM-28).
    fn judge_unmatched(&mut self, matching: &Matching<'_>) {
        if !self.snapshot.ties_out() {
            return;
        }
        for payment in &matching.local_rest {
            if payment.is_taken_back() {
                self.note_taken_back(&payment.id);
            }
            match self.unmatched(payment) {
                Unmatched::Stays => {}
                Unmatched::Unlinked => self.unlink(payment),
                Unmatched::Removed => {
                    let why = "no longer among the invoice's payments in Xero";
                    self.change.remove(payment, self.snapshot, self.now, why);
                }
            }
        }
    }

    /// What becomes of a local payment that equals nothing in Xero. An incomplete read says nothing about it.
    fn unmatched(&self, payment: &Payment) -> Unmatched {
        let adopted = payment.origin == Origin::Local && payment.kind == Kind::Imported;
        if !self.snapshot.ties_out() {
            Unmatched::Stays
        } else if adopted && payment.link.is_some() && self.goes_up(payment) {
            Unmatched::Unlinked
        } else if payment.follows_xero() {
            Unmatched::Removed
        } else {
            Unmatched::Stays
        }
    }

    /// Both sides agree that the money is not there: the payment says so (AMB-32).
    fn note_taken_back(&mut self, id: &PaymentId) {
        if let Some(payment) = self.payment_mut(id) {
            payment.note = Some(NOTE_TAKEN_BACK.to_owned());
        }
    }

    /// What an incomplete read does not show stays held.
    fn replace_held(&mut self, mut held: Vec<HeldPayment>) {
        for new in &held {
            if !self.stored.held.contains(new) {
                let rule = match new.reason {
                    Held::FutureDated => "CM-40",
                    Held::MultiInvoice => "CM-28",
                    Held::BlockedByAction => "EX-28",
                    Held::UploadUnderWay => "AMB-05",
                };
                let why = format!("{}: {} of {}", new.reason, new.payment.amount, new.payment.date);
                self.note(Action::Held, rule, None, Some(new.payment.id), why);
            }
        }
        for old in &self.stored.held {
            if held.iter().any(|new| new.payment.id == old.payment.id) {
                continue;
            }
            let linked = self.after.linked(old.payment.id).is_some();
            if linked || self.snapshot.ties_out() {
                let why = match linked {
                    true if self.stored.strangers.contains(&old.payment.id) => NOT_OURS,
                    true => "it is here now",
                    false => "it is no longer in Xero",
                };
                self.change.release(old, why);
            } else {
                held.push(old.clone());
            }
        }
        self.after.held = held;
    }

    /// What the invoice still owed after each payment, in the order of their dates (ST-09). Credit
    /// has no place in that order, so it is taken off first (AMB-19).
    fn rebalance(&mut self, counted: &[&XeroPayment]) {
        let mut by_date = counted.to_vec();
        by_date.sort_by_key(|payment| (payment.date, payment.id));
        let figures = self.snapshot.figures;
        let mut left = figures.total.minus(figures.credited).ok();
        for incoming in by_date {
            left = left.and_then(|left: Money| left.minus(incoming.amount).ok());
            let linked = self
                .after
                .payments
                .iter_mut()
                .find(|payment| payment.link == Some(incoming.id) && !payment.journaled);
            if let Some(payment) = linked {
                payment.balance_after = left;
            }
        }
    }

    fn finish(mut self) -> Verdict {
        invoice_discrepancies::update(&mut self.change, self.snapshot, self.settings, self.now);
        self.after.sort();
        // A payment held back is judged again with each read, and by the next full sweep at the latest.
        self.after.held_back = self.stored.blocked;
        let settled = self.snapshot.ties_out() && !self.stored.blocked;
        self.after.settled = settled.then(|| Settled {
            fingerprint: fingerprint::of(self.snapshot, self.settings),
            review_on: self.review_on(),
        });
        if self.differs() { Verdict::Changed(Box::new(self.change)) } else { Verdict::Unchanged }
    }

    /// Whether anything but the time of the read is new.
    fn differs(&self) -> bool {
        let mut before = self.stored.clone();
        if let (Some(before), Some(after)) = (&mut before.xero, &self.after.xero) {
            before.version.fetched_at = after.version.fetched_at;
        }
        before != self.after
    }

    /// The first day on which the calendar alone changes the verdict.
    fn review_on(&self) -> Option<jiff::civil::Date> {
        let released = self.after.held.iter().filter_map(|held| held.until);
        let today = self.settings.today(self.now);
        let underpaid_from = due_on(&self.after)
            .filter(|due| *due >= today)
            .and_then(|due| due.checked_add(1.day()).ok());
        // Our own payment may be known under another number of its invoice by then (AMB-33).
        let under_way = self.after.held.iter().any(|held| held.reason == Held::UploadUnderWay);
        let tomorrow = today.checked_add(1.day()).ok().filter(|_| under_way);
        released.chain(underpaid_from).chain(tomorrow).min()
    }

    /// The first day on which a payment of that date is let in (CM-40: exactly N days ahead is).
    fn first_day_in_range(&self, incoming: &XeroPayment) -> Option<jiff::civil::Date> {
        let days = self.settings.forward_days?;
        incoming.date.checked_sub(i32::from(days).days()).ok()
    }

    fn held(&self, incoming: &XeroPayment, reason: Held) -> HeldPayment {
        let before = self
            .stored
            .held
            .iter()
            .find(|held| held.payment.id == incoming.id && held.reason == reason);
        HeldPayment {
            payment: incoming.clone(),
            reason,
            until: match reason {
                Held::FutureDated => self.first_day_in_range(incoming),
                Held::MultiInvoice | Held::BlockedByAction | Held::UploadUnderWay => None,
            },
            held_at: before.map_or(self.now, |held| held.held_at),
        }
    }

    /// The id of a new copy. The plain one can be taken by a copy that has been relinked since.
    fn free_copy_id(&self, xero: XeroPaymentId) -> PaymentId {
        (0..)
            .map(|attempt| PaymentId::of_copy(xero, attempt))
            .find(|id| self.after.payment(id).is_none())
            .unwrap_or_else(|| PaymentId::of_copy(xero, u32::MAX))
    }

    fn payment_mut(&mut self, id: &PaymentId) -> Option<&mut Payment> {
        self.after.payments.iter_mut().find(|payment| payment.id == *id)
    }

    fn note(
        &mut self,
        action: Action,
        rule: &'static str,
        payment: Option<&PaymentId>,
        xero: Option<XeroPaymentId>,
        why: String,
    ) {
        let payment = payment.cloned();
        self.decisions.push(Decision { action, rule, payment, xero, discrepancy: None, why });
    }
}
