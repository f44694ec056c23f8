//! The ledger row of one payment, or one invoice of the provider, on its way to Xero, and its legal moves.
//!
//! `waiting → reserved → sent → uploaded | partly_uploaded | refused | unknown`; further states are `held`
//! and `skipped`. A payment becomes one or several parts: payments on invoices, and perhaps a prepayment.
//! Each part has its own stamp and its own fate; the row's state follows from its parts.
//!
//! Two rules make it impossible to send money twice: a part is sent again, with another key, only after
//! two reads of Xero, long enough after it was sent, did not show its stamp; and the parts that may be in
//! Xero never add up to more than the payment.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::bill::{Bill, CreditLine, DocumentForm};
use super::caps::{ReleasedSlot, SendMode};
use super::night::Night;
use super::part::{LedgerError, Line, Part, PartState, Target, UploadState};
use super::payment_command::GivenCommand;
use super::route::{Hold, Route, Skip, route};
use super::suspicion::{Counterpart, Suspicion};
use crate::money::Money;
use crate::reports::Receipt;

/// A payment of the business on its way to Xero.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Upload {
    /// The payment that is sent, as it was reported. Of a provider's invoice, which is no payment, what
    /// it has in common with one.
    pub receipt: Receipt,
    /// The further content of a document of the provider; none for payments.
    pub bill: Option<Bill>,
    /// The credit invoices that become lines of a bill (EX-15b).
    pub credited: Vec<CreditLine>,
    /// Counts the writes; 0 if nothing has been written. A write that has not seen the latest
    /// revision is refused.
    pub revision: u64,
    /// Its state.
    pub state: UploadState,
    /// Why it is in that state: a code.
    pub reason: String,
    /// The same in a sentence. For tables, never for logs: it may hold amounts.
    pub why: String,
    /// Since when.
    pub since: Timestamp,
    /// The night that last dealt with it.
    pub night: Option<Night>,
    /// When its slot was reserved.
    pub reserved_at: Option<Timestamp>,
    /// In how many runs it was sent.
    pub attempts: u32,
    /// Whether a person has included it although it is not younger than the start date (AMB-14).
    pub included: bool,
    /// Whether what Xero refused of it has been weighed since its slot was reserved: it was planned
    /// again, or there is no better plan.
    pub replanned: bool,
    /// Its parts, refused ones included.
    pub parts: Vec<Part>,
    /// What it may be the same as in Xero, while it is held for that (A8.3).
    pub suspicion: Option<Suspicion>,
    /// What a person has said it is not the same as; never asked again.
    pub apart_from: BTreeSet<Counterpart>,
    /// What a person has said it is the same as, where it may not be linked: nothing else is compared with that
    /// any more (A8.3).
    pub same_as: BTreeSet<Counterpart>,
    /// The newest report that came while it was, or may have been, in Xero, with the bill of a provider's
    /// invoice. It counts for what turns out not to be there (AMB-28).
    pub reported_since: Option<Box<(Receipt, Option<Bill>)>>,
    /// The order that a person gave in that time. It counts from the proof of absence on (A8.3).
    pub ordered_since: Option<GivenCommand>,
}

impl Upload {
    /// A row for a payment, or a provider's invoice, that waits.
    pub(crate) fn waiting(receipt: Receipt, bill: Option<Bill>, now: Timestamp) -> Self {
        let mut upload = Self {
            receipt,
            bill,
            credited: Vec::new(),
            revision: 0,
            state: UploadState::Waiting,
            reason: String::new(),
            why: String::new(),
            since: now,
            night: None,
            reserved_at: None,
            attempts: 0,
            included: false,
            replanned: false,
            parts: Vec::new(),
            suspicion: None,
            apart_from: BTreeSet::new(),
            same_as: BTreeSet::new(),
            reported_since: None,
            ordered_since: None,
        };
        upload.wait("reported", now);
        upload
    }

    /// The way it goes.
    ///
    /// # Errors
    /// Why it goes none.
    pub fn route(&self) -> Result<Route, Skip> {
        match self.bill.as_ref().map(|bill| &bill.form) {
            Some(DocumentForm::Bill) => Ok(Route::ProviderInvoice),
            Some(DocumentForm::CreditNote(_)) => Ok(Route::ProviderCredit),
            Some(DocumentForm::Allocation { .. }) => Ok(Route::CreditAllocation),
            None => route(&self.receipt),
        }
    }

    /// Where it stands among those that wait: the oldest payment first, by its date, then by id
    /// (A2.1). Dates sort as text.
    pub fn order(&self) -> String {
        format!("{}#{}", self.receipt.date, self.receipt.id)
    }

    /// In which line it stands; `None` when it is all in Xero, since no query asks for it any more.
    pub fn line(&self) -> Option<Line> {
        if self.needs_new_plan() {
            return Some(Line::Reserved);
        }
        Some(match self.state {
            UploadState::Waiting if self.route().is_ok_and(Route::is_nightly) => Line::Waiting,
            UploadState::Waiting => Line::Direct,
            UploadState::Held => Line::Held,
            UploadState::Skipped if self.is_said_same() => Line::Same,
            UploadState::Skipped => Line::Skipped,
            UploadState::Reserved => Line::Reserved,
            UploadState::Sent => Line::Sent,
            UploadState::Unknown => Line::Unknown,
            UploadState::PartlyUploaded => Line::PartlyUploaded,
            UploadState::Refused => Line::Refused,
            UploadState::Uploaded => {
                let terms = self.bill.as_ref().and_then(Bill::credit_terms)?;
                return (!terms.used_up).then_some(Line::Credit);
            }
        })
    }

    /// Why it is held.
    pub fn hold(&self) -> Option<Hold> {
        if self.state == UploadState::Held { Hold::from_code(&self.reason) } else { None }
    }

    /// Whether something of it is, or may be, in Xero. A part that is proven absent is not.
    pub fn may_be_in_xero(&self) -> bool {
        self.is_out() || self.is_partly_there()
    }

    /// Whether something of it was sent, and the answer is not known.
    pub fn is_out(&self) -> bool {
        let out = [PartState::Sent, PartState::Unknown];
        self.parts.iter().any(|part| out.contains(&part.state))
    }

    /// Whether something of it is in Xero, proven by Xero's id.
    pub(crate) fn is_partly_there(&self) -> bool {
        self.parts.iter().any(|part| part.state == PartState::Done)
    }

    /// Whether Xero has refused parts of it, and it is not weighed yet whether there is a better plan.
    /// Until then a run has it in hand: the one that sent it, or the next one.
    pub fn needs_new_plan(&self) -> bool {
        let refused = matches!(self.state, UploadState::Refused | UploadState::PartlyUploaded);
        refused && !self.replanned
    }

    /// It waits for its turn.
    pub(crate) fn wait(&mut self, reason: &str, now: Timestamp) {
        let nightly = self.route().is_ok_and(Route::is_nightly);
        let turn = if nightly { "for a night with a free slot" } else { "to be posted at once" };
        self.enter(UploadState::Waiting, reason, format!("waits {turn}"), now);
    }

    /// It does not go. The night that decides so is remembered. Of a payment of which something is in Xero,
    /// the rest does not go.
    pub fn skip(
        &mut self,
        skip: Skip,
        why: impl Into<String>,
        night: Option<Night>,
        now: Timestamp,
    ) {
        self.night = night.or(self.night);
        if self.is_partly_there() {
            self.withdraw_planned();
            self.replanned = true;
            self.enter(UploadState::PartlyUploaded, skip.code(), why.into(), now);
        } else {
            self.enter(UploadState::Skipped, skip.code(), why.into(), now);
        }
    }

    /// It waits for something else.
    pub fn put_on_hold(
        &mut self,
        hold: Hold,
        why: impl Into<String>,
        night: Option<Night>,
        now: Timestamp,
    ) {
        self.night = night.or(self.night);
        self.enter(UploadState::Held, hold.code(), why.into(), now);
    }

    /// What it was held for is over.
    ///
    /// # Errors
    /// It is not held, or only a person may say so.
    pub fn release_hold(&mut self, now: Timestamp) -> Result<(), LedgerError> {
        if !self.hold().is_some_and(Hold::is_judged_anew) {
            return Err(LedgerError::State { from: self.state, what: "released" });
        }
        self.wait("released", now);
        Ok(())
    }

    /// It has a slot. These parts cover what is neither in Xero nor on its way there. A part that was sent in
    /// vain and is among them is sent again as it is, with its stamp; one that is not, is withdrawn.
    ///
    /// # Errors
    /// It does not wait, or the parts do not add up.
    pub fn reserve(
        &mut self,
        night: Night,
        parts: Vec<(Target, Money)>,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        if self.state != UploadState::Waiting {
            return Err(LedgerError::State { from: self.state, what: "reserved" });
        }
        self.replace_planned(parts)?;
        self.night = Some(night);
        self.reserved_at = Some(now);
        self.replanned = false;
        self.attempts = self.attempts.saturating_add(1);
        self.enter(UploadState::Reserved, "slot_reserved", "has a slot of the night", now);
        Ok(())
    }

    /// New parts take the place of refused ones, once a night.
    ///
    /// # Errors
    /// It was done before, its slot is gone, or the parts do not add up.
    pub fn replan(
        &mut self,
        parts: Vec<(Target, Money)>,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        if !self.needs_new_plan() || self.reserved_at.is_none() {
            return Err(LedgerError::State { from: self.state, what: "planned anew" });
        }
        self.add_parts(parts)?;
        self.replanned = true;
        self.enter(UploadState::Reserved, "planned_anew", "planned anew on fresh figures", now);
        Ok(())
    }

    /// The refused part of it is planned again when it has a slot of another night; the one it had, if
    /// it was refused as a whole, is free.
    ///
    /// # Errors
    /// Nothing of it was refused, or that has been weighed.
    pub fn plan_later(&mut self, now: Timestamp) -> Result<Option<ReleasedSlot>, LedgerError> {
        if !self.needs_new_plan() {
            return Err(LedgerError::State { from: self.state, what: "planned anew later" });
        }
        let freed = self.free_slot();
        self.wait("to_plan_anew", now);
        Ok(freed)
    }

    /// The refused part of it waits for something else, and is judged afresh when that has come; the slot that it
    /// had, if it was refused as a whole, is free.
    pub fn hold_refused(
        &mut self,
        hold: Hold,
        why: &str,
        night: Night,
        now: Timestamp,
    ) -> Option<ReleasedSlot> {
        let freed = self.free_slot();
        self.put_on_hold(hold, why, Some(night), now);
        freed
    }

    /// The refused part of it stays so until a person acts. `why` says why there is no better plan, if
    /// one was sought.
    pub fn settle_refusal(&mut self, why: Option<&str>) {
        if !self.needs_new_plan() {
            return;
        }
        self.replanned = true;
        if let Some(why) = why {
            self.why = format!("{}; planned anew: {why}", self.why);
        }
    }

    /// These parts are about to be sent with this key. To be stored before they are.
    ///
    /// # Errors
    /// A part is not planned, or the row has no slot.
    pub fn send(&mut self, numbers: &[u32], key: &str, now: Timestamp) -> Result<(), LedgerError> {
        // Of several bundles that a row goes in, earlier ones may be under way, or unknown by now.
        let in_hand =
            matches!(self.state, UploadState::Reserved | UploadState::Sent | UploadState::Unknown);
        if self.reserved_at.is_none() || !in_hand {
            return Err(LedgerError::State { from: self.state, what: "sent" });
        }
        let mut parts = self.parts.clone();
        for number in numbers {
            let found = parts.iter_mut().find(|part| part.number == *number);
            let part = found.ok_or(LedgerError::NoPart(*number))?;
            if part.state != PartState::Planned {
                return Err(LedgerError::State { from: self.state, what: "sent" });
            }
            part.state = PartState::Sent;
            part.tries = part.tries.saturating_add(1);
            part.key = Some(key.to_owned());
            part.sent_at = Some(now);
            part.absences = 0;
            part.looked_at = None;
        }
        self.parts = parts;
        self.follow_parts(now);
        Ok(())
    }

    /// A run ended before it sent this row, or before it knew what came of it. A part that was sent becomes
    /// unknown. A row of which nothing more can be on its way waits again and is judged afresh, by the
    /// newest report and the orders given meanwhile (AMB-28); what it had reserved is free unless something
    /// of it is in Xero. Whether it goes, and in which slot, is decided when it is sent (AMB-29).
    pub fn resume(&mut self, now: Timestamp) -> Option<ReleasedSlot> {
        for part in &mut self.parts {
            if part.state == PartState::Sent {
                part.state = PartState::Unknown;
            }
        }
        self.follow_parts(now);
        if self.state != UploadState::Reserved {
            return None;
        }
        let sent_in_vain = self.planned().any(|part| part.tries > 0);
        self.parts.retain(|part| part.state != PartState::Planned || part.tries > 0);
        let unsent = self.parts.is_empty();
        self.attempts = self.attempts.saturating_sub(u32::from(unsent));
        let freed = if self.is_partly_there() { None } else { self.free(unsent) };
        let reason = if sent_in_vain { "proven_absent" } else { "run_interrupted" };
        self.back_in_line(reason, now);
        freed
    }

    /// The planned parts cannot be sent: they are taken back, and the row waits for what is in its way. A part
    /// that was sent before, and is proven not to be there, keeps its stamp to itself. Nothing of it may be
    /// under way.
    ///
    /// # Errors
    /// It is not reserved, or something of it may be in Xero without proof.
    pub fn take_back(
        &mut self,
        hold: Hold,
        why: &str,
        night: Night,
        now: Timestamp,
    ) -> Result<Option<ReleasedSlot>, LedgerError> {
        let is_open = |part: &Part| matches!(part.state, PartState::Sent | PartState::Unknown);
        if self.state != UploadState::Reserved || self.parts.iter().any(is_open) {
            return Err(LedgerError::State { from: self.state, what: "taken back" });
        }
        self.withdraw_planned();
        let mut freed = None;
        if !self.parts.iter().any(|part| part.state.stands()) {
            let unsent = self.parts.is_empty();
            self.attempts = self.attempts.saturating_sub(u32::from(unsent));
            freed = self.free(unsent);
        }
        self.put_on_hold(hold, why, Some(night), now);
        Ok(freed)
    }

    /// The slot of a row that was refused as a whole, which is free now; once.
    pub fn free_slot(&mut self) -> Option<ReleasedSlot> {
        if self.state == UploadState::Refused { self.free(false) } else { None }
    }

    pub(super) fn free(&mut self, attempt: bool) -> Option<ReleasedSlot> {
        let route = self.route();
        let nightly = route.is_ok_and(Route::is_nightly);
        let sending = if nightly { SendMode::Nightly(self.night?) } else { SendMode::Direct };
        let reserved_at = self.reserved_at.take()?;
        // A slot that was never counted is not given back: it would be another payment's.
        let counted = route.is_ok_and(Route::is_counted);
        counted.then_some(ReleasedSlot { sending, reserved_at, slot: true, attempt })
    }

    pub(super) fn part_mut(&mut self, number: u32) -> Result<&mut Part, LedgerError> {
        let found = self.parts.iter_mut().find(|part| part.number == number);
        found.ok_or(LedgerError::NoPart(number))
    }

    /// The row's state, as it follows from its parts.
    pub(super) fn follow_parts(&mut self, now: Timestamp) {
        let any = |state| self.parts.iter().any(|part| part.state == state);
        let (done, all) = self.progress();
        if any(PartState::Sent) {
            self.enter(UploadState::Sent, "sent", "sent to Xero", now);
        } else if any(PartState::Unknown) {
            let why =
                "sent to Xero without a clear answer; Xero is asked before anything is sent again";
            self.enter(UploadState::Unknown, "no_answer", why, now);
        } else if any(PartState::Planned) {
            self.enter(UploadState::Reserved, "slot_reserved", "has a slot of the night", now);
        } else if self.unallocated().is_ok_and(|left| !left.is_positive()) {
            let why = match done {
                1 => "in Xero".to_owned(),
                _ => format!("in Xero, in {done} parts"),
            };
            self.enter(UploadState::Uploaded, "in_xero", why, now);
        } else if done > 0 {
            let why = format!("partly in Xero: {done} of {all} parts; {}", self.refusals());
            self.enter(UploadState::PartlyUploaded, "rest_refused", why, now);
        } else {
            let why = self.refusals();
            self.enter(UploadState::Refused, "refused_by_xero", why, now);
        }
    }

    fn refusals(&self) -> String {
        let mut said: Vec<&str> =
            self.parts.iter().filter_map(|part| part.refusal.as_deref()).collect();
        said.sort_unstable();
        said.dedup();
        format!("Xero says: {}", said.join("; "))
    }

    pub(super) fn enter(
        &mut self,
        state: UploadState,
        reason: &str,
        why: impl Into<String>,
        now: Timestamp,
    ) {
        let why = why.into();
        if state != UploadState::Held {
            self.suspicion = None;
        }
        if state == UploadState::Uploaded {
            self.ordered_since = None;
        }
        if (self.state, self.reason.as_str(), self.why.as_str()) != (state, reason, &why) {
            self.since = now;
        }
        self.state = state;
        reason.clone_into(&mut self.reason);
        self.why = why;
    }
}
