//! How a scenario file is written. Unknown fields are errors, so that no expectation is ignored.

use serde::Deserialize;

/// One file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub rules: Vec<String>,
    pub title: String,
    #[serde(default)]
    pub given: Given,
    pub steps: Vec<Step>,
}

/// How things stand before the first step.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Given {
    pub settings: SettingsText,
    /// The local invoice; without it, the business's own system has none.
    pub invoice: Option<InvoiceText>,
    pub other_invoices: Vec<InvoiceText>,
    /// Payments on `invoice`.
    pub payments: Vec<LocalPaymentText>,
}

/// What the organisation has chosen; what is left out is as usual.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SettingsText {
    /// `on` or `off`.
    pub mirror: Option<String>,
    pub prefix: Option<String>,
    pub time_zone: Option<String>,
    /// A number of days, or `off`.
    pub forward_days: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvoiceText {
    pub number: String,
    pub total: String,
    pub due: Option<String>,
    pub company: Option<String>,
    pub person: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalPaymentText {
    pub id: String,
    /// `imported` (a copy), `manual`, `adopted` (manual once, matched since) or `uploaded`.
    pub kind: String,
    pub date: String,
    pub amount: String,
    pub reference: Option<String>,
    pub status: Option<String>,
    pub note: Option<String>,
    /// The Xero payment it is linked with.
    pub xero: Option<String>,
    #[serde(default)]
    pub journaled: bool,
    #[serde(default)]
    pub multi_invoice: bool,
    pub entered: Option<String>,
    /// When it was noted first; an adopted payment was when it was entered.
    pub first_matched: Option<String>,
}

/// One read of Xero, and what comes of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub now: String,
    /// New settings from here on.
    pub settings: Option<SettingsText>,
    /// What the business's own system reports before the read.
    pub locally: Option<Locally>,
    /// Which local invoice is judged, if not the given one.
    pub judged: Option<String>,
    /// What Xero shows; left out, it shows the same again.
    pub xero: Option<XeroText>,
    pub then: Then,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Locally {
    pub invoice: Option<InvoiceText>,
    pub payments: Vec<LocalPaymentText>,
    /// Ids of payments that have been journaled.
    pub journaled: Vec<String>,
}

/// An invoice in Xero. Figures that are left out follow from the payments.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct XeroText {
    pub organisation: Option<String>,
    pub invoice: Option<String>,
    /// `sales` or `bill`.
    pub kind: Option<String>,
    pub number: Option<String>,
    pub status: Option<String>,
    pub contact: Option<String>,
    pub due: Option<String>,
    pub total: Option<String>,
    pub paid: Option<String>,
    pub credited: Option<String>,
    /// When Xero last changed it (its version).
    pub updated: Option<String>,
    /// When the read was started.
    pub read: Option<String>,
    pub payments: Vec<XeroPaymentText>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct XeroPaymentText {
    pub id: String,
    pub date: String,
    pub amount: String,
    pub reference: Option<String>,
    /// Xero's own word; `ACCRECPAYMENT` if left out.
    pub kind: Option<String>,
    #[serde(default)]
    pub deleted: bool,
}

/// What must be so after the step. The sets are exact: nothing more, nothing less.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Then {
    /// `changed`, `unchanged`, `stale`, or `ignored: <reason>`.
    pub outcome: String,
    /// All payments of the invoice. Only after `changed`: anything else leaves all as it was.
    pub payments: Option<Vec<PaymentThen>>,
    #[serde(default)]
    pub held: Vec<HeldThen>,
    /// The open ones, as `KIND` or `KIND about`.
    #[serde(default)]
    pub discrepancies: Vec<String>,
    /// Words that the explanations of the discrepancies contain.
    #[serde(default)]
    pub explained: Vec<String>,
    /// When the only open discrepancy was found, and until when it is to be resolved.
    pub detected: Option<String>,
    pub resolve_by: Option<String>,
    /// Payments removed by this step, each kept as a tombstone.
    #[serde(default)]
    pub deleted: Vec<String>,
    /// Payments on which nothing at all has changed.
    #[serde(default)]
    pub untouched: Vec<String>,
    /// The day on which the calendar alone will change the verdict; `none` if never.
    pub review_on: Option<String>,
    /// Whether the same read again needs no look at the payments.
    pub settled: Option<bool>,
}

/// A payment afterwards. Fields that are left out do not matter; an empty text means "none".
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentThen {
    pub id: String,
    pub date: String,
    pub amount: String,
    /// `applied`, `adopted`, `uploaded`, or `protected: <why>`.
    pub state: String,
    pub xero: Option<String>,
    pub reference: Option<String>,
    pub note: Option<String>,
    pub status: Option<String>,
    pub balance_after: Option<String>,
    pub first_matched: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldThen {
    pub xero: String,
    pub reason: String,
    /// The first day on which it is judged otherwise.
    pub until: Option<String>,
    pub since: Option<String>,
}
