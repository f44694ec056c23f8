//! Which parts of credit notes are applied to which bills (EX-15a, EX-17), and what a person has applied by hand
//! (EX-18).
//!
//! An allocation in Xero has no text of its own, and so no stamp. What keeps it from being there twice is its row in the
//! ledger, as of any other part, and the note itself: what is applied to a bill by any hand is not applied again, and
//! what is planned is never more than what Xero, or the ledger, shows to be left.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use super::bill::{Bill, CreditTerms, DocumentForm};
use super::eligibility::UploadDecision;
use super::ledger::Upload;
use super::part::{PartState, Placed, SURE_AFTER, Target, UploadState};
use super::provider_credit::{XeroAllocation, XeroCreditNote};
use super::route::Skip;
use super::stamp::Stamp;
use crate::discrepancy::{DiscrepancyKey, DiscrepancyKind};
use crate::ids::{PaymentId, XeroInvoiceId};
use crate::money::Money;
use crate::payment::PaymentStatus;
use crate::reports::Receipt;

/// What stands for the method of payment where rows of the ledger show one.
const METHOD: &str = "credit_allocation";

/// A bill of ours on which something is due.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DueBill {
    /// `InvoiceID`.
    pub id: XeroInvoiceId,
    /// Its number in Xero.
    pub number: String,
    /// The day of issue.
    pub issued_on: Date,
    /// `AmountDue`.
    pub due: Money,
}

/// A credit invoice that is in Xero, and everything known of what is applied of it.
#[derive(Clone, Debug)]
pub struct CreditStanding {
    /// Its row in the ledger.
    pub upload: Upload,
    /// The credit note as Xero shows it.
    pub note: XeroCreditNote,
    /// The rows of its allocations.
    pub allocations: Vec<Upload>,
    /// Whether one of them is not settled: nothing more is planned before that.
    pub is_pending: bool,
}

/// What is to be done about a credit invoice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AllocationPlan {
    /// What is to be applied now, to which bill.
    pub wanted: Vec<(DueBill, Money)>,
    /// What a person has applied (EX-18).
    pub by_hand: Vec<XeroAllocation>,
    /// Allocations of ours that are no longer in Xero.
    pub deleted: Vec<PaymentId>,
    /// Whether nothing of it is left.
    pub is_used_up: bool,
}

/// The figures of one credit invoice while it is planned.
struct Draft<'c> {
    standing: &'c CreditStanding,
    terms: &'c CreditTerms,
    /// What is left for further allocations.
    left: Money,
    /// What of that the provider has applied to bills on which it does not stand yet.
    reserved: Money,
    wanted: Vec<(DueBill, Money)>,
}

impl CreditStanding {
    fn terms(&self) -> Option<&CreditTerms> {
        self.upload.bill.as_ref().and_then(Bill::credit_terms)
    }

    /// Allocations of ours that are proven: Xero's id, the bill, the amount, and the row.
    fn proven(&self) -> impl Iterator<Item = (Uuid, XeroInvoiceId, Money, &Upload)> {
        self.allocations.iter().flat_map(|row| {
            row.parts.iter().filter_map(move |part| match (&part.target, part.placed) {
                (Target::Allocation { bill, .. }, Some(Placed::Allocation(id)))
                    if part.state == PartState::Done =>
                {
                    Some((id, *bill, part.amount, row))
                }
                _ => None,
            })
        })
    }

    /// Those of them that this read of the note does not show: it is older, or a person has taken them back.
    fn unseen(&self) -> impl Iterator<Item = (XeroInvoiceId, Money, &Upload)> {
        let shown = |id| self.note.allocations.iter().any(|allocation| allocation.id == id);
        self.proven()
            .filter(move |(id, ..)| !shown(*id))
            .map(|(_, bill, amount, row)| (bill, amount, row))
    }

    /// What is applied to a bill, by any hand.
    fn applied_to(&self, bill: XeroInvoiceId) -> Option<Money> {
        let shown =
            self.note.allocations.iter().filter(|one| one.bill == bill).map(|one| one.amount);
        let unseen = self.unseen().filter(|(on, ..)| *on == bill).map(|(_, amount, _)| amount);
        Money::sum(self.note.total.currency(), shown.chain(unseen)).ok()
    }

    fn left(&self) -> Option<Money> {
        if !self.note.counts {
            return Some(Money::zero(self.note.total.currency()));
        }
        let unseen = self.unseen().map(|(_, amount, _)| amount);
        let unseen = Money::sum(self.note.total.currency(), unseen).ok()?;
        self.note.remaining.minus(unseen).ok()
    }

    fn by_hand(&self) -> Vec<XeroAllocation> {
        if self.is_pending {
            // It may be ours.
            return Vec::new();
        }
        let is_ours = |id| self.proven().any(|(ours, ..)| ours == id);
        self.note.allocations.iter().filter(|one| !is_ours(one.id)).cloned().collect()
    }

    fn deleted(&self, now: Timestamp) -> Vec<PaymentId> {
        let is_old = |row: &Upload| now.duration_since(row.since) >= SURE_AFTER;
        let gone = self.unseen().filter(|(.., row)| is_old(row));
        gone.map(|(.., row)| row.receipt.id.clone()).collect()
    }
}

/// Plans what of these credit invoices is applied now: first what the provider has said, then what is left over, to the
/// next bill, the oldest first. `bills` are the provider's invoices in the ledger that they name; `due` the bills of ours
/// on which something is due. What Xero shows of another currency is left alone.
pub fn plan_allocations(
    credits: &[CreditStanding],
    bills: &BTreeMap<PaymentId, Upload>,
    due: Vec<DueBill>,
    now: Timestamp,
) -> BTreeMap<PaymentId, AllocationPlan> {
    let mut due = due;
    due.sort_by(|one, other| (one.issued_on, &one.number).cmp(&(other.issued_on, &other.number)));
    let mut oldest: Vec<_> = credits.iter().collect();
    oldest.sort_by_key(|credit| credit.upload.order());
    let mut drafts: Vec<Draft<'_>> = oldest
        .into_iter()
        .filter_map(|standing| {
            let left = standing.left()?;
            let reserved = Money::zero(left.currency());
            Some(Draft { terms: standing.terms()?, standing, left, reserved, wanted: Vec::new() })
        })
        .collect();
    for draft in &mut drafts {
        draft.follow_application(bills, &mut due);
    }
    for draft in &mut drafts {
        draft.spread_remainder(bills, &mut due);
    }
    drafts.into_iter().map(|draft| draft.finish(now)).collect()
}

impl Draft<'_> {
    fn follow_application(&mut self, bills: &BTreeMap<PaymentId, Upload>, due: &mut [DueBill]) {
        for part in &self.terms.applied {
            let Some(bill) = bills.get(&part.invoice).and_then(placed_bill) else {
                self.reserve(part.amount);
                continue;
            };
            let applied = self.standing.applied_to(bill);
            let Some(need) = applied.and_then(|applied| part.amount.minus(applied).ok()) else {
                continue;
            };
            if !need.is_positive() {
                continue;
            }
            let taken = match due.iter_mut().find(|known| known.id == bill) {
                Some(bill) => self.take(bill, need),
                None => None,
            };
            let open = taken.map_or(Some(need), |taken| need.minus(taken).ok());
            self.reserve(open.unwrap_or(need));
        }
    }

    fn reserve(&mut self, amount: Money) {
        if let Ok(reserved) = self.reserved.plus(amount) {
            self.reserved = reserved;
        }
    }

    /// What the provider has not applied goes to the bills issued on the day of the credit or later.
    fn spread_remainder(&mut self, bills: &BTreeMap<PaymentId, Upload>, due: &mut [DueBill]) {
        let named = self.terms.applied.iter().filter_map(|part| bills.get(&part.invoice));
        let named: Vec<&Upload> = named.collect();
        for bill in due.iter_mut() {
            let is_named = named.iter().any(|named| is_of(bill, named));
            if bill.issued_on < self.standing.upload.receipt.date || is_named {
                continue;
            }
            let Ok(over) = self.left.minus(self.reserved) else { return };
            if !over.is_positive() {
                return;
            }
            self.take(bill, over);
        }
    }

    /// Takes up to so much for a bill, as far as it is there and due.
    fn take(&mut self, bill: &mut DueBill, most: Money) -> Option<Money> {
        let amounts = [most, self.left, bill.due];
        let least = amounts.iter().map(|amount| amount.amount()).min()?;
        let taken = Money::new(least, self.left.currency()).ok()?;
        let (left, due) = (self.left.minus(taken).ok()?, bill.due.minus(taken).ok()?);
        if !taken.is_positive() || self.standing.is_pending {
            return None;
        }
        self.wanted.push((bill.clone(), taken));
        (self.left, bill.due) = (left, due);
        Some(taken)
    }

    fn finish(self, now: Timestamp) -> (PaymentId, AllocationPlan) {
        let standing = self.standing;
        let is_idle = self.wanted.is_empty() && !standing.is_pending;
        let plan = AllocationPlan {
            is_used_up: is_idle && !self.left.is_positive(),
            by_hand: standing.by_hand(),
            deleted: standing.deleted(now),
            wanted: self.wanted,
        };
        (standing.upload.receipt.id.clone(), plan)
    }
}

/// Whether a bill in Xero is this invoice of the provider: it may be there and not be proven yet.
fn is_of(bill: &DueBill, invoice: &Upload) -> bool {
    let stamp = Stamp::find_in(&bill.number);
    let is_stamped = stamp.is_some_and(|stamp| invoice.stamped(&stamp).is_some());
    is_stamped || placed_bill(invoice) == Some(bill.id)
}

/// The bill that a provider's invoice is in Xero, if that is proven.
fn placed_bill(upload: &Upload) -> Option<XeroInvoiceId> {
    upload.parts.iter().find_map(|part| match part.placed {
        Some(Placed::Bill(id)) => Some(id),
        _ => None,
    })
}

impl Upload {
    /// The credit note that a credit invoice is in Xero, if that is proven.
    pub fn placed_note(&self) -> Option<crate::ids::XeroCreditId> {
        self.parts.iter().find_map(|part| match part.placed {
            Some(Placed::CreditNote(id)) => Some(id),
            _ => None,
        })
    }

    /// A new row of the ledger for the next allocation of this credit invoice, and the credit invoice as it is
    /// afterwards: both are to be written in one step. `None` if it is no credit invoice in Xero.
    pub fn begin_allocation(
        &self,
        bill: &DueBill,
        amount: Money,
        (today, now): (Date, Timestamp),
    ) -> Option<(Self, Self)> {
        let mut credit = self.clone();
        let document = credit.bill.as_mut()?;
        let number = document.number.clone();
        let terms = document.credit_terms_mut()?;
        terms.allocations = terms.allocations.saturating_add(1);
        let id = self.receipt.id.of_credit_allocation(terms.allocations)?;
        let receipt = Receipt {
            organisation: self.receipt.organisation,
            id,
            revision: 1,
            amount,
            date: today,
            reference: None,
            method: METHOD.to_owned(),
            channel: None,
            customer: None,
            transaction_id: number.clone(),
            document: None,
            status: PaymentStatus::Confirmed,
            approved: false,
            settled: false,
            journaled: false,
            allocations: Vec::new(),
            entered_at: now,
        };
        let form =
            DocumentForm::Allocation { credit: self.receipt.id.clone(), bill: bill.number.clone() };
        let document = Bill { number, due_on: None, fees: Vec::new(), form };
        Some((credit, Self::waiting(receipt, Some(document), now)))
    }

    /// The names of the allocations that the ledger has begun of this credit invoice.
    pub fn begun_allocations(&self) -> Vec<PaymentId> {
        let terms = self.bill.as_ref().and_then(Bill::credit_terms);
        let count = terms.map_or(0, |terms| terms.allocations);
        (1..=count).filter_map(|number| self.receipt.id.of_credit_allocation(number)).collect()
    }

    /// Whether an allocation is over: it is in Xero, or does not go. One that Xero has refused is, if `may_pass`.
    pub fn is_settled_allocation(&self, may_pass: impl Fn(&str) -> bool) -> bool {
        match self.state {
            UploadState::Uploaded | UploadState::Skipped => true,
            UploadState::Refused => {
                self.parts.iter().filter_map(|part| part.refusal.as_deref()).all(may_pass)
            }
            _ => false,
        }
    }
}

/// Judges an allocation that waits, since its run was interrupted, or since it is proven not to be in Xero: it goes
/// if the credit and what is due still suffice, and nobody has applied the same by hand.
pub fn judge_allocation(
    upload: &Upload,
    on: (&Target, Money),
    standing: Option<&CreditStanding>,
    due: &[DueBill],
) -> UploadDecision {
    let (target, amount) = on;
    let Target::Allocation { bill, .. } = target else {
        return UploadDecision::Send(Vec::new());
    };
    let no_longer = |why: &str| UploadDecision::Skip(Skip::NoLongerNeeded, why.to_owned());
    let Some(standing) = standing else {
        return no_longer("the credit note is not in Xero any more");
    };
    let is_ours = |id| standing.proven().any(|(ours, ..)| ours == id);
    let same =
        |one: &&XeroAllocation| one.bill == *bill && one.amount == amount && !is_ours(one.id);
    if standing.note.allocations.iter().find(same).is_some() {
        let why = format!("{amount} of the credit note was applied to the bill by hand");
        return UploadDecision::Skip(Skip::AlreadyInXero, why);
    }
    let suffices = |of: Option<Money>| of.is_some_and(|of| of.amount() >= amount.amount());
    if !suffices(standing.left()) {
        return no_longer("less is left of the credit note");
    }
    let of_bill = due.iter().find(|known| known.id == *bill).map(|known| known.due);
    if !suffices(of_bill) {
        return no_longer("less is due on the bill");
    }
    match upload.to_place() {
        Ok(left) if left.is_positive() => UploadDecision::Send(vec![(target.clone(), left)]),
        _ => UploadDecision::Send(Vec::new()),
    }
}

/// What says on the provider's contact that a person has applied a credit by hand (EX-18).
pub fn applied_by_hand(allocation: &XeroAllocation) -> DiscrepancyKey {
    DiscrepancyKey::about(DiscrepancyKind::CreditAppliedByHand, allocation.id)
}
