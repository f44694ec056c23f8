//! A batch payment: one sum of money for several invoices, each of which gets a payment of its own (facts.md 4.4).

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Change, InvoiceKind, Organisation, PaymentDraft, PaymentStatus, Refusal};
use crate::random::Random;

/// A batch payment as it is now.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct BatchPayment {
    /// `BatchPaymentID`.
    pub id: Uuid,
    /// Sales make a RECBATCH, bills a PAYBATCH.
    pub kind: InvoiceKind,
    /// The account the money went to or came from.
    pub account: Uuid,
    /// `Date`, which is that of each of its payments.
    pub date: Date,
    /// `Reference`, empty when there is none.
    pub reference: String,
    /// `TotalAmount`, which stays as it was when the batch is deleted.
    pub total: Decimal,
    /// `Status`.
    pub status: PaymentStatus,
    /// Its payments.
    pub payments: Vec<Uuid>,
    /// `UpdatedDateUTC`.
    pub updated: Timestamp,
    /// Place in the order of recording.
    pub serial: u64,
}

/// A batch payment to record into the bank account, as a person would in Xero.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewBatchPayment {
    /// When the money moved.
    pub date: Date,
    /// Free text.
    #[serde(default)]
    pub reference: String,
    /// How much goes to which invoice. Amounts are strings in JSON.
    pub payments: Vec<(Uuid, Decimal)>,
}

/// A batch payment whose fields were read but not yet accepted.
#[derive(Clone, Debug)]
pub(crate) struct BatchPaymentDraft {
    pub(crate) account: Uuid,
    pub(crate) date: Date,
    pub(crate) reference: String,
    pub(crate) payments: Vec<PaymentDraft>,
}

impl Organisation {
    /// What stands in the way of this batch: one bad payment, and none of it is booked.
    pub(crate) fn objections_to_batch(&self, draft: &BatchPaymentDraft) -> Vec<String> {
        let mut claimed: BTreeMap<Uuid, Decimal> = BTreeMap::new();
        let mut objections = Vec::new();
        for payment in &draft.payments {
            let claimed = claimed.entry(payment.invoice).or_default();
            objections.extend(self.objections_to(payment, *claimed));
            *claimed += payment.amount;
        }
        let kinds = draft.payments.iter().map(|payment| self.kind_of(payment.invoice));
        if kinds.clone().any(|kind| kind != kinds.clone().next().flatten()) {
            objections.push("A batch payment is of sales invoices or of bills".to_owned());
        }
        if draft.payments.is_empty() {
            objections.push("A batch payment must have at least one payment".to_owned());
        }
        objections
    }

    fn kind_of(&self, invoice: Uuid) -> Option<InvoiceKind> {
        self.invoices.get(&invoice).map(|invoice| invoice.kind)
    }

    /// Records a batch payment, with a payment on each invoice.
    pub(crate) fn add_batch_payment(
        &mut self,
        draft: BatchPaymentDraft,
        ids: &mut Random,
        now: Timestamp,
    ) -> Result<(Uuid, Vec<Change>), Refusal> {
        let objections = self.objections_to_batch(&draft);
        if !objections.is_empty() {
            return Err(Refusal(objections));
        }
        let id = ids.uuid();
        let kind = draft.payments.first().and_then(|payment| self.kind_of(payment.invoice));
        let total = draft.payments.iter().map(|payment| payment.amount).sum();
        let (mut payments, mut changes) = (Vec::new(), Vec::new());
        for payment in draft.payments {
            let (payment, change) = self.add_payment(payment, ids, now)?;
            if let Some(payment) = self.payments.get_mut(&payment) {
                payment.batch = Some(id);
            }
            payments.push(payment);
            changes.push(change);
        }
        let batch = BatchPayment {
            id,
            kind: kind.unwrap_or(InvoiceKind::Accrec),
            account: draft.account,
            date: draft.date,
            reference: draft.reference,
            total,
            status: PaymentStatus::Authorised,
            payments,
            updated: self.tick(now),
            serial: self.next_serial(),
        };
        self.batch_payments.insert(id, batch);
        Ok((id, changes))
    }

    /// Deletes a batch payment, and each of its payments with it.
    pub(crate) fn delete_batch_payment(
        &mut self,
        id: Uuid,
        now: Timestamp,
    ) -> Result<Vec<Change>, Refusal> {
        let batch = self.batch_payments.get(&id);
        let batch =
            batch.ok_or_else(|| Refusal::because(format!("there is no batch payment {id}")))?;
        if batch.status == PaymentStatus::Deleted {
            return Err(Refusal::because("Batch payment has already been deleted"));
        }
        let (date, payments) = (batch.date, batch.payments.clone());
        if let Some(objection) = self.lock_objection(date) {
            return Err(Refusal::because(objection));
        }
        let mut changes = Vec::new();
        for payment in payments {
            changes.extend(self.take_payment_back(payment, now)?);
        }
        let updated = self.tick(now);
        if let Some(batch) = self.batch_payments.get_mut(&id) {
            (batch.status, batch.updated) = (PaymentStatus::Deleted, updated);
        }
        Ok(changes)
    }
}
