//! The fields of each command, as types.

use jiff::Timestamp;
use jiff::civil::Date;
use payments::{
    CustomerId, GrantId, InvoiceNumber, OrderId, OrganisationId, PaymentId, XeroAccountId,
    XeroContactId, XeroInvoiceId,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An organisation.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct OnOrganisation {
    #[serde(deserialize_with = "organisation")]
    pub organisation: OrganisationId,
}

/// The range of a sync: everything that changed, one invoice, or the changes between two moments.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct SyncNow {
    #[serde(deserialize_with = "organisation")]
    pub organisation: OrganisationId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoice: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
}

/// A payment.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct OnPayment {
    #[serde(deserialize_with = "organisation")]
    pub organisation: OrganisationId,
    #[serde(deserialize_with = "payment")]
    pub payment: PaymentId,
}

/// A customer.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct OnCustomer {
    #[serde(deserialize_with = "organisation")]
    pub organisation: OrganisationId,
    #[serde(deserialize_with = "customer")]
    pub customer: CustomerId,
}

/// A customer and the contact in Xero that is its own.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct PickContact {
    #[serde(deserialize_with = "organisation")]
    pub organisation: OrganisationId,
    #[serde(deserialize_with = "customer")]
    pub customer: CustomerId,
    pub contact: XeroContactId,
}

/// Parked work: all of it, if nothing is chosen; without an organisation, that of no known one.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct Replay {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<OrganisationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parked_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoice: Option<XeroInvoiceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
}

/// A discrepancy on an invoice, a contact, an order or a payment.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct Accept {
    #[serde(deserialize_with = "organisation")]
    pub organisation: OrganisationId,
    pub discrepancy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoice: Option<InvoiceNumber>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<XeroContactId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
}

/// Settings of an organisation, each as `NAME=TEXT`; an empty text takes its default.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct Configure {
    #[serde(deserialize_with = "organisation")]
    pub organisation: OrganisationId,
    pub settings: Vec<String>,
}

/// The business days that are due, or one of them again.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct CloseDays {
    #[serde(deserialize_with = "organisation")]
    pub organisation: OrganisationId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<Date>,
}

/// Discrepancies, each as `10234/OVERPAID#`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct OnDiscrepancies {
    #[serde(deserialize_with = "organisation")]
    pub organisation: OrganisationId,
    pub discrepancies: Vec<String>,
}

/// Discrepancies, and the person who is to work on them.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct AssignDiscrepancies {
    #[serde(deserialize_with = "organisation")]
    pub organisation: OrganisationId,
    pub discrepancies: Vec<String>,
    pub owner: String,
}

/// Discrepancies, and their cause, if a person has found it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct NoteDiscrepancies {
    #[serde(deserialize_with = "organisation")]
    pub organisation: OrganisationId,
    pub discrepancies: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// Discrepancies that were dealt with, and the text that the person has read.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct CloseDiscrepancies {
    #[serde(deserialize_with = "organisation")]
    pub organisation: OrganisationId,
    pub discrepancies: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
}

/// A record that is to be adjusted because of discrepancies, and how.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct AdjustRecord {
    #[serde(deserialize_with = "organisation")]
    pub organisation: OrganisationId,
    pub discrepancies: Vec<String>,
    pub record: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_invoice: Option<InvoiceNumber>,
}

/// A payment that was removed from an invoice.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct Restore {
    #[serde(deserialize_with = "organisation")]
    pub organisation: OrganisationId,
    #[serde(deserialize_with = "invoice")]
    pub invoice: InvoiceNumber,
    #[serde(deserialize_with = "payment")]
    pub payment: PaymentId,
}

/// A night of one organisation, or of all.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct PreviewPlan {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<OrganisationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// Days of one organisation, in UTC; all that there are, if nothing is said.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct DaysOf {
    #[serde(deserialize_with = "organisation")]
    pub organisation: OrganisationId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_day: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_day: Option<Date>,
}

/// The days of a report, by the organisation's calendar.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct PeriodOf {
    #[serde(deserialize_with = "organisation")]
    pub organisation: OrganisationId,
    pub first_day: Date,
    pub last_day: Date,
}

/// A dead-letter queue, by the name of its queue.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct OnQueue {
    pub queue: String,
}

/// A message of a dead-letter queue.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct MessageOfQueue {
    pub queue: String,
    pub message: String,
}

/// The decisions from a moment to another, both included, of an organisation.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct Republish {
    #[serde(deserialize_with = "organisation")]
    pub organisation: OrganisationId,
    pub from: Timestamp,
    pub to: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The settings of a new organisation.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct SignUp {
    #[serde(deserialize_with = "organisation")]
    pub organisation: OrganisationId,
    pub time_zone: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward_days: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cutover_on: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_per_day: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mass_change_max: Option<u32>,
    #[serde(default)]
    pub shadow: bool,
}

/// An account of Xero, and what it is for.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct SetAccount {
    #[serde(deserialize_with = "organisation")]
    pub organisation: OrganisationId,
    pub r#use: String,
    #[serde(deserialize_with = "account")]
    pub account: XeroAccountId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_type: Option<String>,
}

/// When tokens may have been read first.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct ContainLeak {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// A user's way to Xero.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct Authorise {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<OrganisationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    #[serde(default)]
    pub read_only: bool,
}

/// A user's way back from Xero.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the table describes each field")]
pub struct Connect {
    pub code: SecretText,
    pub state: SecretText,
}

/// A text that is passed on and never shown, not even by `Debug`.
#[derive(Clone, Debug)]
pub struct SecretText(pub SecretString);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose_secret())
    }
}

macro_rules! named {
    ($($name:ident: $type:ty;)*) => {$(
        /// Reads it; the error names the field, and does not quote its value.
        fn $name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
            let text = String::deserialize(deserializer)?;
            text.trim().parse().map_err(|_| {
                let what = concat!("`", stringify!($name), "` is no id or number as the tables have it");
                serde::de::Error::custom(what)
            })
        }
    )*};
}

named! {
    account: XeroAccountId;
    organisation: OrganisationId;
    payment: PaymentId;
    customer: CustomerId;
    invoice: InvoiceNumber;
}
