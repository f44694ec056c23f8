//! One organisation: what it is, what is in its books, and how a change is stamped.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Change, Invoice, InvoiceKind, Payment, PaymentStatus, Refusal, invoice::ContactChoice,
};
use crate::{
    clock::{after, to_millisecond},
    random::Random,
};

/// `UpdatedDateUTC` moves on by this when the clock has not moved, so that no two changes share it.
const TICK: SignedDuration = SignedDuration::from_millis(1);

/// An account of the chart of accounts; only what a payment needs to know of it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// `AccountID`.
    pub id: Uuid,
    /// `Code`; some accounts have none.
    pub code: Option<String>,
    /// `Name`.
    pub name: String,
    /// Whether its `Type` is BANK.
    pub bank: bool,
    /// `EnablePaymentsToAccount`.
    pub payments_enabled: bool,
}

/// An organisation to open.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewOrganisation {
    /// `OrganisationID`, which is the tenant id; a new one when left out.
    pub id: Option<Uuid>,
    /// `Name`.
    pub name: String,
    /// `BaseCurrency`.
    pub currency: String,
    /// `CountryCode`, which decides `Version`.
    pub country: String,
    /// `Timezone`, in Xero's words.
    pub timezone: String,
    /// Accounts; a bank account "090" and a revenue account "200" when left out.
    pub accounts: Vec<Account>,
    /// `PeriodLockDate`.
    pub period_lock_date: Option<Date>,
    /// `EndOfYearLockDate`.
    pub end_of_year_lock_date: Option<Date>,
}

impl Default for NewOrganisation {
    fn default() -> Self {
        Self {
            id: None,
            name: "Demo Company (AU)".to_owned(),
            currency: "AUD".to_owned(),
            country: "AU".to_owned(),
            timezone: "AUSEASTERNSTANDARDTIME".to_owned(),
            accounts: Vec::new(),
            period_lock_date: None,
            end_of_year_lock_date: None,
        }
    }
}

/// An organisation with its books.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Organisation {
    /// `OrganisationID`.
    pub id: Uuid,
    /// `Name`.
    pub name: String,
    /// `BaseCurrency`.
    pub currency: String,
    /// `CountryCode`.
    pub country: String,
    /// `Timezone`.
    pub timezone: String,
    /// The chart of accounts.
    pub accounts: Vec<Account>,
    /// `PeriodLockDate`.
    pub period_lock_date: Option<Date>,
    /// `EndOfYearLockDate`.
    pub end_of_year_lock_date: Option<Date>,
    /// `CreatedDateUTC`.
    pub created: Timestamp,
    /// Every invoice and bill.
    pub invoices: BTreeMap<Uuid, Invoice>,
    /// Every payment, the deleted ones too.
    pub payments: BTreeMap<Uuid, Payment>,
    /// Each invoice as it was before its last change, `None` when it did not exist: for stale reads.
    pub(super) earlier: BTreeMap<Uuid, Option<Invoice>>,
    pub(super) contacts: BTreeMap<String, Uuid>,
    last_update: Timestamp,
    last_serial: u64,
}

impl Organisation {
    pub(crate) fn new(wanted: NewOrganisation, ids: &mut Random, now: Timestamp) -> Self {
        let mut accounts = wanted.accounts;
        if accounts.is_empty() {
            accounts = vec![
                Account {
                    id: ids.uuid(),
                    code: Some("090".to_owned()),
                    name: "Business Bank Account".to_owned(),
                    bank: true,
                    payments_enabled: false,
                },
                Account {
                    id: ids.uuid(),
                    code: Some("200".to_owned()),
                    name: "Sales".to_owned(),
                    bank: false,
                    payments_enabled: false,
                },
            ];
        }
        Self {
            id: wanted.id.unwrap_or_else(|| ids.uuid()),
            name: wanted.name,
            currency: wanted.currency,
            country: wanted.country,
            timezone: wanted.timezone,
            accounts,
            period_lock_date: wanted.period_lock_date,
            end_of_year_lock_date: wanted.end_of_year_lock_date,
            created: to_millisecond(now),
            invoices: BTreeMap::new(),
            payments: BTreeMap::new(),
            earlier: BTreeMap::new(),
            contacts: BTreeMap::new(),
            last_update: Timestamp::UNIX_EPOCH,
            last_serial: 0,
        }
    }

    /// Takes over everything but the id and, when none are named, the accounts.
    pub(crate) fn rename(&mut self, wanted: NewOrganisation) {
        self.name = wanted.name;
        self.currency = wanted.currency;
        self.country = wanted.country;
        self.timezone = wanted.timezone;
        self.period_lock_date = wanted.period_lock_date;
        self.end_of_year_lock_date = wanted.end_of_year_lock_date;
        if !wanted.accounts.is_empty() {
            self.accounts = wanted.accounts;
        }
    }

    /// The account that money goes to when nobody says otherwise.
    #[must_use]
    pub fn bank_account(&self) -> Option<&Account> {
        self.accounts.iter().find(|account| account.bank)
    }

    /// Whether this credit note was applied to a bill.
    pub(crate) fn credits_a_bill(&self, credit: Uuid) -> bool {
        let mut bills =
            self.invoices.values().filter(|invoice| invoice.kind == InvoiceKind::Accpay);
        bills.any(|bill| bill.credits.iter().any(|known| known.id == credit))
    }

    /// The invoice as it was before its last change: `None` when it did not exist then.
    pub(crate) fn invoice_before(&self, invoice: &Invoice) -> Option<Invoice> {
        match self.earlier.get(&invoice.id) {
            Some(earlier) => earlier.clone(),
            None => Some(invoice.clone()),
        }
    }

    /// The payment as it was before the last change of its invoice.
    pub(crate) fn payment_before(&self, payment: &Payment) -> Option<Payment> {
        let invoice_updated = self.invoices.get(&payment.invoice).map(|invoice| invoice.updated);
        if invoice_updated != Some(payment.updated) {
            return Some(payment.clone());
        }
        (payment.status == PaymentStatus::Deleted).then(|| payment.undeleted())
    }

    /// The invoice with this id, or else with this number (xero.md 4.2: both work in the path).
    pub(crate) fn find_invoice(&self, id_or_number: &str) -> Option<&Invoice> {
        match Uuid::parse_str(id_or_number) {
            Ok(id) => self.invoices.get(&id),
            Err(_) => self.invoices.values().find(|invoice| invoice.number == id_or_number),
        }
    }

    /// The one place where an invoice changes: keeps what it was, works out what it is, stamps it.
    pub(super) fn change(
        &mut self,
        id: Uuid,
        at: Timestamp,
        alter: impl FnOnce(&mut Invoice),
    ) -> Result<Change, Refusal> {
        let invoice = self
            .invoices
            .get_mut(&id)
            .ok_or_else(|| Refusal::because(format!("there is no invoice {id}")))?;
        self.earlier.insert(id, Some(invoice.clone()));
        alter(invoice);
        let paid: Vec<(Decimal, Date)> = invoice
            .payments
            .iter()
            .filter_map(|payment| self.payments.get(payment))
            .map(|payment| (payment.amount, payment.date))
            .collect();
        invoice.settle(&paid);
        invoice.updated = at;
        Ok(Change { invoice: id, created: false, at })
    }

    pub(super) fn contact(&mut self, choice: ContactChoice, ids: &mut Random) -> (Uuid, String) {
        match choice {
            ContactChoice::Named(name) => {
                let id = *self.contacts.entry(name.clone()).or_insert_with(|| ids.uuid());
                (id, name)
            }
            ContactChoice::Known(id) => {
                let known = self.contacts.iter().find(|(_, known)| **known == id);
                (id, known.map(|(name, _)| name.clone()).unwrap_or_default())
            }
            ContactChoice::Missing => (Uuid::nil(), String::new()),
        }
    }

    pub(super) fn tick(&mut self, now: Timestamp) -> Timestamp {
        self.last_update = to_millisecond(now).max(after(self.last_update, TICK));
        self.last_update
    }

    pub(super) fn next_serial(&mut self) -> u64 {
        self.last_serial += 1;
        self.last_serial
    }
}
