//! A prepayment of ours that was deleted in Xero: the money was taken, and Xero has it no longer (AMB-08).

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::ledger::Upload;
use super::stamp::Stamp;
use crate::discrepancy::{DiscrepancyKey, DiscrepancyKind};
use crate::ids::{PaymentId, XeroContactId};
use crate::reports::Receipt;

/// A deleted prepayment that bears a stamp of ours.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeletedPrepayment {
    /// What it bears.
    pub stamp: Stamp,
    /// Whose it was.
    pub contact: XeroContactId,
    /// How much.
    pub amount: Decimal,
    /// In which currency, where Xero says it.
    pub currency: Option<String>,
    /// The calendar day.
    pub date: Date,
}

impl DeletedPrepayment {
    /// Whether it is a part of this upload.
    pub fn is_of(&self, upload: &Upload) -> bool {
        upload.stamped(&self.stamp).is_some()
    }

    /// Whether a person has to be asked: it is ours, and its money was not given back (AMB-32). Without the upload
    /// that it was a part of, its stamp has to have been made for its contact.
    pub fn is_missed(&self, upload: Option<&Upload>, receipt: Option<&Receipt>) -> bool {
        let is_ours = upload.is_some() || self.stamp.is_for(self.contact);
        is_ours && receipt.is_none_or(|receipt| receipt.status.counts())
    }

    /// The discrepancy that says it, on its contact.
    pub fn key(&self, upload: Option<&Upload>) -> DiscrepancyKey {
        match upload {
            Some(upload) => uploaded_deleted(&upload.receipt.id),
            None => DiscrepancyKey::about(DiscrepancyKind::UploadedDeletedInXero, &self.stamp),
        }
    }

    /// The figures, and what a person can do about it.
    pub fn detail(&self) -> String {
        let currency = self.currency.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
        format!(
            "{}{currency} of {} was uploaded as a prepayment ({}); it was deleted in Xero; the money was taken. \
             Enter it in Xero again, or report that it was given back",
            self.amount, self.date, self.stamp
        )
    }
}

/// What says on a contact that a prepayment made of this payment is gone.
pub fn uploaded_deleted(payment: &PaymentId) -> DiscrepancyKey {
    DiscrepancyKey::about(DiscrepancyKind::UploadedDeletedInXero, payment)
}
