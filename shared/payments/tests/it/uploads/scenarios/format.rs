//! How a scenario file is written. Unknown fields are errors, so that no expectation is ignored.

use std::collections::BTreeMap;

use serde::Deserialize;

/// One file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub rules: Vec<String>,
    pub title: String,
    pub given: Given,
    pub nights: Vec<NightText>,
}

/// How things stand before the first night.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Given {
    pub settings: SettingsText,
    /// Xero's lock date; none if left out.
    pub locked_until: Option<String>,
    pub customers: Vec<CustomerText>,
    /// Invoices as Xero shows them.
    pub invoices: Vec<InvoiceText>,
    /// Numbers of local invoices that are paid off by a payment plan.
    pub payment_plans: Vec<String>,
    pub payments: Vec<PaymentText>,
    /// What the payment provider has invoiced the business for.
    pub provider_invoices: Vec<ProviderInvoiceText>,
    /// Many payments that are alike: `p-001` is the youngest, each a day older than the one before.
    pub many: Option<ManyText>,
    /// Attempts of the last days, made in the night before the first one.
    pub attempts_so_far: u32,
}

/// What the organisation has chosen; what is left out is as usual.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SettingsText {
    /// A day, or a moment.
    pub start: Option<String>,
    /// `approved`, `confirmed` or `settled`.
    pub when: Option<String>,
    pub nightly_max: Option<u32>,
    /// `none` if there is no account for prepayments.
    pub prepayment_account: Option<String>,
    pub prefix: Option<String>,
    pub time_zone: Option<String>,
    /// `c1`, `c2`, …: the contact that stands for the payment provider; `none` if there is none.
    pub merchant_contact: Option<String>,
    /// The account of each kind of fee.
    pub fee_accounts: Option<BTreeMap<String, String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomerText {
    pub id: String,
    /// `c1`, `c2`, …; none if Xero has no contact yet.
    pub contact: Option<String>,
    /// The issue that has to be solved first.
    pub blocked: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvoiceText {
    pub number: String,
    /// `c1` if left out.
    pub contact: Option<String>,
    pub issued: Option<String>,
    pub due_on: Option<String>,
    /// The amount left to pay.
    pub due: String,
    pub currency: Option<String>,
    /// `AUTHORISED` if left out.
    pub status: Option<String>,
    /// `sales` or `bill`.
    pub kind: Option<String>,
}

/// A payment as the business's own system reports it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentText {
    pub id: String,
    pub amount: String,
    pub currency: Option<String>,
    pub date: Option<String>,
    pub method: String,
    /// `pay_now` or `virtual_terminal`.
    pub channel: Option<String>,
    pub customer: Option<String>,
    /// `confirmed` if left out.
    pub status: Option<String>,
    #[serde(default)]
    pub approved: bool,
    #[serde(default)]
    pub settled: bool,
    /// `60.00 on 10234`.
    #[serde(default)]
    pub allocations: Vec<String>,
    /// When it was entered.
    pub entered: Option<String>,
    /// Whether the mirror has found it in Xero.
    #[serde(default)]
    pub found_in_xero: bool,
}

/// An invoice of the payment provider, as the business's own system reports it. Its total is what the fees
/// add up to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderInvoiceText {
    pub id: String,
    pub date: Option<String>,
    pub currency: Option<String>,
    /// `80.00 processing`.
    pub fees: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManyText {
    pub count: u32,
    pub amount: String,
    pub customer: String,
    /// The date of the youngest.
    pub date: String,
}

/// A night, what happens before it, and what must become of every payment that is not in Xero yet.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NightText {
    pub night: String,
    /// Reported before the night, new or once more.
    #[serde(default)]
    pub reported: Vec<PaymentText>,
    /// Invoices of the provider, likewise.
    #[serde(default)]
    pub provider_invoices: Vec<ProviderInvoiceText>,
    /// Customers as they are from now on.
    #[serde(default)]
    pub customers: Vec<CustomerText>,
    /// Invoices as Xero shows them from now on.
    #[serde(default)]
    pub invoices: Vec<InvoiceText>,
    pub locked_until: Option<String>,
    pub settings: Option<SettingsText>,
    /// `hold a`, `release a`, `do_not_send a`.
    #[serde(default)]
    pub orders: Vec<String>,
    /// A person switches uploading on again.
    #[serde(default)]
    pub switched_on: bool,
    pub then: Then,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Then {
    /// Every payment that was not in Xero before the night, but for the many.
    #[serde(default)]
    pub payments: Vec<PaymentThen>,
    /// Every invoice of the provider, likewise.
    #[serde(default)]
    pub provider_invoices: Vec<PaymentThen>,
    /// How many went in the night; those that are posted at once are not among them.
    pub sent: Option<u32>,
    /// How many wait for the next one.
    pub carried: Option<u32>,
    /// Which.
    pub carried_ids: Option<Vec<String>>,
    /// How many more nights those will take.
    pub nights_to_clear: Option<u32>,
    /// Whether uploading is still on after it.
    pub on: Option<bool>,
    pub attempts: Option<u32>,
}

/// What became of a payment: exactly one of the four, or nothing if it is carried to the next night.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentThen {
    pub id: String,
    /// Goes in the night: `100.00 on CM-1`, `70.00 as prepayment`.
    pub send: Option<Vec<String>>,
    /// Is posted at once.
    pub at_once: Option<Vec<String>>,
    pub held: Option<String>,
    pub skipped: Option<String>,
    /// Words that the explanation contains.
    pub why: Option<String>,
}
