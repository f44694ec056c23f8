//! A payment against an invoice. It is never edited: Xero only knows recording and deleting one.

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::CreditKind;

/// Xero's two states of a payment.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum PaymentStatus {
    /// It counts.
    Authorised,
    /// It was taken back, and stays in the list of payments.
    Deleted,
}

impl PaymentStatus {
    /// Xero's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authorised => "AUTHORISED",
            Self::Deleted => "DELETED",
        }
    }
}

/// A payment as it is now.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Payment {
    /// `PaymentID`.
    pub id: Uuid,
    /// The invoice it is for; of a refund, the document of credit that it pays back.
    pub invoice: Uuid,
    /// What it pays back, where it is a refund.
    #[serde(default)]
    pub credit: Option<CreditKind>,
    /// The batch payment that it is a part of.
    #[serde(default)]
    pub batch: Option<Uuid>,
    /// The account the money went to or came from.
    pub account: Uuid,
    /// `Date`.
    pub date: Date,
    /// `Amount`.
    pub amount: Decimal,
    /// `Reference`, empty when there is none.
    pub reference: String,
    /// `IsReconciled`.
    pub reconciled: bool,
    /// `Status`.
    pub status: PaymentStatus,
    /// When it was recorded, by the organisation's own count of time.
    pub recorded: Timestamp,
    /// `UpdatedDateUTC`.
    pub updated: Timestamp,
    /// Place in the order of recording, which is the order of an unsorted list.
    pub serial: u64,
}

impl Payment {
    /// The payment as it was before it was deleted.
    pub(crate) fn undeleted(&self) -> Self {
        Self { status: PaymentStatus::Authorised, updated: self.recorded, ..self.clone() }
    }
}

/// A payment to record, as a person would in Xero.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewPayment {
    /// When the money moved.
    pub date: Date,
    /// How much. A string in JSON.
    pub amount: Decimal,
    /// Free text.
    #[serde(default)]
    pub reference: String,
}

/// A payment whose fields were read but not yet accepted.
#[derive(Clone, Debug)]
pub(crate) struct PaymentDraft {
    pub(crate) invoice: Uuid,
    pub(crate) account: Uuid,
    pub(crate) date: Date,
    pub(crate) amount: Decimal,
    pub(crate) reference: String,
    pub(crate) reconciled: bool,
}
