//! What changes for a payment in the ledger when Xero turns out to hold its money, or not to (rules A8.3).

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::admission::judge_report;
use super::caps::ReleasedSlot;
use super::command::obey_quiet;
use super::ledger::Upload;
use super::night::Night;
use super::part::{Part, PartState, Placed, Target, UploadState};
use super::route::{Hold, Route, Skip};
use super::stamp::Stamp;
use super::suspicion::{Certain, Counterpart, Suspicion};
use crate::change::Change;
use crate::ids::{PaymentId, XeroPaymentId};
use crate::payment::{Kind, Origin, Payment};
use crate::reason::Held;
use crate::stored::StoredInvoice;

/// The payments that have a slot or were sent, and are not known to be in Xero or not. The mirror links them
/// with nothing: ours may yet appear (A8.3).
pub(crate) fn on_their_way(uploads: &[Upload]) -> BTreeSet<PaymentId> {
    let out = |upload: &&Upload| upload.is_out() || upload.state == UploadState::Reserved;
    uploads.iter().filter(out).map(|upload| upload.receipt.id.clone()).collect()
}

/// The payments of the business's own on an invoice whose way to Xero the mirror has to know.
pub fn concerned(stored: &StoredInvoice) -> Vec<PaymentId> {
    let own = stored.payments.iter().filter(|payment| payment.origin == Origin::Local);
    own.filter(|payment| payment.kind != Kind::Uploaded).map(|payment| payment.id.clone()).collect()
}

/// What a change of an invoice means for the uploads of its payments: each as it was, and as it is to be. To be
/// written together with the change.
pub fn follow(
    stored: &StoredInvoice,
    change: &Change,
    uploads: &[Upload],
    now: Timestamp,
) -> Vec<(Upload, Upload)> {
    let after = &change.after;
    let part_gone = stored.held.iter().any(|held| {
        held.reason == Held::MultiInvoice
            && !after.held.iter().any(|kept| kept.payment.id == held.payment.id)
    });
    // What a night has found, and the mirror never saw before it was deleted again.
    let is_held = |payment: &Payment| {
        let parts = after.held.iter().filter(|held| held.reason == Held::MultiInvoice);
        parts.into_iter().any(|held| payment.equals(&held.payment))
    };
    let complete = after.settled.is_some();
    let followed = uploads.iter().filter_map(|upload| {
        let old = stored.payment(&upload.receipt.id)?;
        let mut moved = upload.clone();
        let Some(new) = after.payment(&old.id) else {
            let is_removed = change.tombstones.iter().any(|gone| gone.payment.id == old.id);
            if is_removed && upload.is_found() {
                moved.removed_with_original(now);
            }
            return (moved != *upload).then(|| (upload.clone(), moved));
        };
        match (old.link, new.link) {
            (None, Some(_)) if new.kind == Kind::Imported => moved.adopted(now),
            (Some(_), None) => moved.original_deleted(now),
            (None, None) if new.multi_invoice && part_gone => moved.original_deleted(now),
            (None, None) if complete && upload.is_found() && !is_held(new) => {
                moved.original_deleted(now);
            }
            _ => {}
        }
        (moved != *upload).then(|| (upload.clone(), moved))
    });
    followed.collect()
}

/// What an upload says when its money was found in Xero.
const FOUND: &str = "a payment in Xero was found to be the same";

impl Upload {
    /// It stands in its line again, by the newest report and the order given while it was on its way: what is
    /// not in Xero is judged afresh (AMB-28).
    pub(crate) fn back_in_line(&mut self, reason: &str, now: Timestamp) {
        if let Some(newest) = self.reported_since.take() {
            (self.receipt, self.bill) = *newest;
            // A plan for more money than the payment has now is withdrawn, and another one is made.
            if self.unallocated().is_ok_and(|left| left.amount().is_sign_negative()) {
                self.withdraw_planned();
            }
        }
        let nothing_left =
            self.is_partly_there() && self.to_place().is_ok_and(|left| !left.is_positive());
        if nothing_left {
            self.withdraw_planned();
            self.follow_parts(now);
            return;
        }
        self.wait(reason, now);
        judge_report(self, now);
        if let Some(given) = self.ordered_since.take() {
            obey_quiet(self, &given, now);
        }
    }

    /// All that was to be placed of it stands in Xero already: it does not go. What it had reserved is free
    /// unless something of it is in Xero by our own hand.
    pub fn found(
        &mut self,
        certain: &[Certain],
        night: Option<Night>,
        now: Timestamp,
    ) -> Option<ReleasedSlot> {
        let unsent = self.parts.iter().all(|part| part.tries == 0);
        self.withdraw_planned();
        if self.is_partly_there() {
            self.night = night.or(self.night);
            self.add_found(certain);
            self.follow_parts(now);
            return None;
        }
        self.attempts =
            self.attempts.saturating_sub(u32::from(unsent && self.reserved_at.is_some()));
        let freed = self.free(unsent);
        self.night = night.or(self.night);
        self.enter(UploadState::Skipped, Skip::AlreadyInXero.code(), FOUND, now);
        freed
    }

    /// Some or all of it may stand in Xero already: it waits until a person says *the same* or *two payments*.
    pub fn suspect(
        &mut self,
        suspicion: Suspicion,
        night: Option<Night>,
        now: Timestamp,
    ) -> Option<ReleasedSlot> {
        let unsent = self.parts.iter().all(|part| part.tries == 0);
        self.parts.retain(|part| part.state != PartState::Planned || part.tries > 0);
        let freed = if self.is_partly_there() {
            None
        } else {
            self.attempts =
                self.attempts.saturating_sub(u32::from(unsent && self.reserved_at.is_some()));
            self.free(unsent)
        };
        self.put_on_hold(Hold::PossibleDuplicate, suspicion.why.clone(), night, now);
        self.suspicion = Some(suspicion);
        freed
    }

    /// The mirror has linked it with a payment in Xero: nothing of it goes. A person's order stays.
    pub fn adopted(&mut self, now: Timestamp) {
        let by_person = self.hold() == Some(Hold::HeldByPerson)
            || (self.state == UploadState::Skipped && self.reason == Skip::DoNotSend.code());
        let idle = matches!(
            self.state,
            UploadState::Waiting | UploadState::Held | UploadState::Skipped | UploadState::Refused
        );
        let whole = self.receipt.allocations.len() == 1 && self.receipt.unallocated().is_none();
        if idle && !by_person && whole && !self.may_be_in_xero() {
            self.withdraw_planned();
            self.enter(UploadState::Skipped, Skip::AlreadyInXero.code(), FOUND, now);
        }
    }

    /// Whether Xero was found to have it, by no word of a person.
    fn is_found(&self) -> bool {
        self.state == UploadState::Skipped
            && self.reason == Skip::AlreadyInXero.code()
            && self.why == FOUND
    }

    /// The payment in Xero that was the same was deleted there. It is the business's own money, and is judged
    /// afresh.
    pub fn original_deleted(&mut self, now: Timestamp) {
        self.parts.retain(|part| !(part.state == PartState::Done && part.tries == 0));
        if self.state == UploadState::Skipped && self.reason == Skip::AlreadyInXero.code() {
            self.back_in_line("original_deleted", now);
        }
    }

    /// The payment in Xero that was the same was deleted there, and it was removed here with it, since it is of no
    /// route that goes up (CM-35).
    fn removed_with_original(&mut self, now: Timestamp) {
        let why = "the payment in Xero that was the same was deleted there";
        self.enter(UploadState::Skipped, Skip::RemovedInXero.code(), why, now);
    }

    /// Whether it goes up by itself, so that its money stays the business's own when a payment in Xero that
    /// was the same is deleted.
    pub fn goes_up(&self) -> bool {
        self.route().is_ok_and(Route::is_counted)
    }

    /// A person says that it is not what it was held for: it goes, as far as it is not in Xero, and is not
    /// asked about these again.
    pub(super) fn is_apart(&mut self, now: Timestamp) {
        let Some(suspicion) = self.suspicion.take() else { return };
        self.same_as.retain(|same| !suspicion.with.contains(same));
        self.apart_from.extend(suspicion.with);
        self.add_found(&suspicion.certain);
        self.back_in_line("two_payments", now);
    }

    /// A person says that it is what it was held for: it does not go.
    pub(super) fn is_the_same(&mut self, said: &str, now: Timestamp) {
        let suspicion = self.suspicion.take().unwrap_or_default();
        self.same_as.extend(suspicion.with);
        let certain = suspicion.certain.iter().map(|found| found.payment.uuid());
        self.same_as.extend(certain.map(Counterpart::Xero));
        if self.is_partly_there() {
            self.add_found(&suspicion.certain);
        }
        let why = format!("{said}: a payment in Xero is the same");
        self.skip(Skip::AlreadyInXero, why, None, now);
    }

    /// The one payment in Xero, on the invoice that it names, that it is held for.
    pub fn same_in_xero(&self) -> Option<XeroPaymentId> {
        let suspicion = self.suspicion.as_ref()?;
        let whole = self.receipt.allocations.len() == 1 && self.receipt.unallocated().is_none();
        let in_xero = suspicion.with.iter().filter_map(Counterpart::in_xero);
        let mut in_xero = in_xero.map(XeroPaymentId::new);
        let only = in_xero.next()?;
        (whole && in_xero.next().is_none()).then_some(only)
    }

    /// Takes in what another hand has put into Xero for it: parts that are there and were never sent.
    fn add_found(&mut self, certain: &[Certain]) {
        for found in certain {
            let number = self.parts.iter().map(|part| part.number).max().unwrap_or(0);
            let number = number.saturating_add(1);
            let (organisation, id) = (self.receipt.organisation, &self.receipt.id);
            self.parts.push(Part {
                number,
                target: Target::Invoice { id: found.invoice, number: found.number.clone() },
                amount: found.amount,
                stamp: Stamp::new(organisation, id, number, found.invoice),
                state: PartState::Done,
                tries: 0,
                key: None,
                sent_at: None,
                absences: 0,
                looked_at: None,
                refusal: None,
                placed: Some(Placed::Payment(found.payment)),
            });
        }
    }
}
