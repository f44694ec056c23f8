//! One invoice in Xero, as reads of it have shown it in shadow, and what the mirror would have done.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::decision::{Action, Decision};
use crate::ids::{InvoiceNumber, OrganisationId, PaymentId, XeroInvoiceId, XeroPaymentId};
use crate::invoice::{Snapshot, Version};
use crate::money::Money;

/// A payment that Xero has shown on the invoice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ObservedPayment {
    /// Its `PaymentID`.
    pub id: XeroPaymentId,
    /// Its amount.
    pub amount: Money,
    /// Its day.
    pub day: Date,
    /// When a whole read no longer showed it.
    pub gone_at: Option<Timestamp>,
}

/// Something that the mirror would have done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ShadowStep {
    /// What.
    pub action: Action,
    /// By which rule.
    pub rule: String,
    /// With which local payment.
    pub payment: Option<PaymentId>,
    /// With which payment in Xero.
    pub xero: Option<XeroPaymentId>,
    /// The figures and the reason.
    pub why: String,
    /// When it was decided first: every later read decides it again, since nothing is done.
    pub since: Timestamp,
}

impl ShadowStep {
    fn of(decision: &Decision, now: Timestamp) -> Self {
        Self {
            action: decision.action,
            rule: decision.rule.to_owned(),
            payment: decision.payment.clone(),
            xero: decision.xero,
            why: decision.why.clone(),
            since: now,
        }
    }

    /// Whether it is the same step, decided again. A copy has the id of its original in Xero.
    fn is(&self, other: &Self) -> bool {
        self.action == other.action && self.xero == other.xero && self.payment == other.payment
    }
}

/// The knowledge of an invoice in Xero.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ShadowObservation {
    /// Whose books.
    pub organisation: OrganisationId,
    /// The local number.
    pub number: InvoiceNumber,
    /// Which invoice.
    pub invoice: XeroInvoiceId,
    /// How new the read was.
    pub version: Version,
    /// Every payment that any read has shown, in the order of their ids.
    pub payments: Vec<ObservedPayment>,
    /// What would have been done, by the last read.
    pub steps: Vec<ShadowStep>,
}

impl ShadowObservation {
    /// The knowledge after a read, if it says anything new: an older one, and one that shows the same, change nothing.
    /// A read that does not add up is no evidence that a payment is gone.
    pub fn after(
        before: Option<&Self>,
        snapshot: &Snapshot,
        number: &InvoiceNumber,
        decisions: &[Decision],
        now: Timestamp,
    ) -> Option<Self> {
        if before.is_some_and(|before| snapshot.version() < before.version) {
            return None;
        }
        let shown = snapshot.counted_payments();
        let mut payments: Vec<_> = shown
            .iter()
            .map(|payment| ObservedPayment {
                id: payment.id,
                amount: payment.amount,
                day: payment.date,
                gone_at: None,
            })
            .collect();
        let known = before.map(|before| before.payments.as_slice()).unwrap_or_default();
        for earlier in known.iter().filter(|known| !shown.iter().any(|p| p.id == known.id)) {
            let gone_at = earlier.gone_at.or_else(|| snapshot.ties_out().then_some(now));
            payments.push(ObservedPayment { gone_at, ..earlier.clone() });
        }
        payments.sort_by_key(|payment| payment.id);
        let earlier = before.map(|before| before.steps.as_slice()).unwrap_or_default();
        let steps: Vec<_> = decisions
            .iter()
            .map(|decision| {
                let step = ShadowStep::of(decision, now);
                let known = earlier.iter().find(|known| known.is(&step));
                ShadowStep { since: known.map_or(now, |known| known.since), ..step }
            })
            .collect();
        let same = before.is_some_and(|known| {
            known.payments == payments && known.steps == steps && known.invoice == snapshot.invoice
        });
        (!same).then(|| Self {
            organisation: snapshot.organisation,
            number: number.clone(),
            invoice: snapshot.invoice,
            version: snapshot.version(),
            payments,
            steps,
        })
    }
}
