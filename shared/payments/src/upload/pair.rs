//! A payment that names no invoice, and money in Xero that may be the same: what does not agree stands on their
//! contact, since there is no invoice on which it could stand (A8.3).
//!
//! Of a payment that is held, the discrepancy is about the payment, and lasts as long as it is held for that. Of one
//! that is in Xero, or may be, it is about the pair: each pair is flagged once, and stays until a person decides.

use std::collections::BTreeSet;

use super::duplicate::Claim;
use super::ledger::Upload;
use super::part::UploadState;
use super::planner::Planner;
use super::route::Route;
use super::suspicion::{Counterpart, Suspicion};
use crate::discrepancy::{Discrepancy, DiscrepancyKey, DiscrepancyKind};
use crate::ids::{PaymentId, XeroContactId};
use crate::money::Money;
use crate::payment::PaymentStatus;

/// What does not agree about a contact.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OnContact {
    /// The contact.
    pub contact: XeroContactId,
    /// What it is about.
    pub key: DiscrepancyKey,
    /// Both sides.
    pub detail: String,
}

impl Upload {
    /// The issue of its contact while it is held as a possible duplicate and names no invoice.
    pub fn held_on_contact(&self) -> Option<OnContact> {
        let suspicion = self.suspicion.as_ref()?;
        let key = DiscrepancyKey::about(DiscrepancyKind::PossibleDuplicate, &self.receipt.id);
        let reported = format!(
            "{} of {} is reported as {}",
            self.receipt.amount, self.receipt.date, self.receipt.id
        );
        let detail = both_sides(&reported, suspicion);
        Some(OnContact { contact: suspicion.contact?, key, detail })
    }

    /// What of it names no invoice and is in Xero, or may be, as a claim on what another hand has entered there.
    pub fn sent_claim(&self, contact: XeroContactId) -> Option<Claim> {
        let sent = [
            UploadState::Sent,
            UploadState::Unknown,
            UploadState::Uploaded,
            UploadState::PartlyUploaded,
        ];
        let newest = self.reported_since.as_ref().map_or(&self.receipt, |newest| &newest.0);
        if !sent.contains(&self.state)
            || self.route() != Ok(Route::Bpay)
            || newest.status == PaymentStatus::Failed
        {
            return None;
        }
        let receipt = &self.receipt;
        let is_named = Planner::is_named_by_receipt(self);
        let named = receipt.allocations.iter().filter(|_| is_named).map(|part| part.amount);
        let named = Money::sum(receipt.amount.currency(), named).ok()?;
        let unnamed = receipt.amount.minus(named).ok().filter(|left| left.is_positive())?;
        Some(Claim {
            payment: receipt.id.clone(),
            date: receipt.date,
            entered_at: receipt.entered_at,
            named: Vec::new(),
            unnamed: Some((contact, unnamed)),
            twins: Vec::new(),
            apart_from: self.apart_from.union(&self.same_as).cloned().collect(),
            same_as: BTreeSet::new(),
        })
    }

    /// The issue of its contact after another hand has entered what may be the same.
    pub fn entered_since(
        &self,
        contact: XeroContactId,
        suspicion: &Suspicion,
    ) -> Option<OnContact> {
        let first = suspicion.with.first()?;
        let went = format!(
            "{} of {} went up as {}, which names no invoice",
            self.receipt.amount, self.receipt.date, self.receipt.id
        );
        let detail = both_sides(&went, suspicion);
        Some(OnContact { contact, key: pair_key(&self.receipt.id, first), detail })
    }
}

fn both_sides(ours: &str, suspicion: &Suspicion) -> String {
    let with: Vec<_> = suspicion.with.iter().map(ToString::to_string).collect();
    format!("{ours}; {} ({}); the two may be one", suspicion.why, with.join(", "))
}

fn pair_key(payment: &PaymentId, with: &Counterpart) -> DiscrepancyKey {
    DiscrepancyKey::about(DiscrepancyKind::PossibleDuplicate, format!("{payment} {with}"))
}

/// What a discrepancy of a contact says may be one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PaymentPair {
    /// The payment of the business's own.
    pub payment: PaymentId,
    /// The other side, of a payment that went up; none of one that is held.
    pub with: Option<Counterpart>,
}

impl PaymentPair {
    /// The pair that a discrepancy is about; `None` if it is about something else.
    pub fn of(key: &DiscrepancyKey) -> Option<Self> {
        if key.kind != DiscrepancyKind::PossibleDuplicate {
            return None;
        }
        let pair = key.subject.rsplit_once(' ');
        let pair = pair.and_then(|(payment, with)| {
            Some(Self { payment: payment.parse().ok()?, with: Some(with.parse().ok()?) })
        });
        pair.or_else(|| Some(Self { payment: key.subject.parse().ok()?, with: None }))
    }

    /// Whether what is known of the payment still leaves the question open; so it does if its row is not known.
    pub fn is_open(&self, upload: Option<&Upload>) -> bool {
        match (&self.with, upload) {
            (None, Some(upload)) => upload.held_on_contact().is_some(),
            (Some(with), Some(upload)) => {
                !upload.apart_from.contains(with) && !upload.same_as.contains(with)
            }
            (_, None) => true,
        }
    }
}

/// The other sides with which a payment was flagged before, answered or not: no pair is flagged twice.
pub fn flagged_with<'d>(
    payment: &PaymentId,
    known: impl Iterator<Item = &'d Discrepancy>,
) -> BTreeSet<Counterpart> {
    let pairs = known.filter_map(|known| PaymentPair::of(&known.key));
    pairs.filter(|pair| pair.payment == *payment).filter_map(|pair| pair.with).collect()
}
