//! One organisation: what it is, what is in its books, and how a change is stamped.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Account, AccountKind, BankTransaction, BatchPayment, Change, Contact, ContactChoice, Contacts,
    CreditDocument, Invoice, InvoiceKind, Payment, PaymentStatus, Refusal, TaxRate, index::Index,
};
use crate::{
    clock::{after, to_millisecond, to_second},
    random::Random,
};

/// `UpdatedDateUTC` moves on by this when the clock has not moved, so that no two changes share it.
const TICK: SignedDuration = SignedDuration::from_millis(1);

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

/// The dates on and before which nothing can be booked; the later one counts.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LockDates {
    /// `PeriodLockDate`.
    pub period_lock_date: Option<Date>,
    /// `EndOfYearLockDate`.
    pub end_of_year_lock_date: Option<Date>,
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
    /// The tax rates.
    #[serde(default = "TaxRate::usual")]
    pub tax_rates: Vec<TaxRate>,
    /// `PeriodLockDate`.
    pub period_lock_date: Option<Date>,
    /// `EndOfYearLockDate`.
    pub end_of_year_lock_date: Option<Date>,
    /// Names of `/Organisation/Actions` that are forbidden to the user who authorised the app.
    #[serde(default)]
    pub forbidden_actions: BTreeSet<String>,
    /// `CreatedDateUTC`.
    pub created: Timestamp,
    /// Every invoice and bill.
    pub invoices: BTreeMap<Uuid, Invoice>,
    /// Every payment, the deleted ones too.
    pub payments: BTreeMap<Uuid, Payment>,
    /// Every bank transaction, the deleted ones too.
    #[serde(default)]
    pub bank_transactions: BTreeMap<Uuid, BankTransaction>,
    /// Every batch payment, the deleted ones too.
    #[serde(default)]
    pub batch_payments: BTreeMap<Uuid, BatchPayment>,
    /// Every credit note, prepayment and overpayment, the voided ones too.
    #[serde(default)]
    pub credit_documents: BTreeMap<Uuid, CreditDocument>,
    #[serde(default)]
    pub(super) earlier_credits: BTreeMap<Uuid, Option<CreditDocument>>,
    /// Each invoice as it was before its last change, `None` when it did not exist: for stale reads.
    pub(super) earlier: BTreeMap<Uuid, Option<Invoice>>,
    pub(crate) contacts: Contacts,
    /// Whether stamps are whole seconds, which several changes may share.
    #[serde(skip)]
    pub(crate) equal_stamps: bool,
    #[serde(skip)]
    index: Index,
    last_update: Timestamp,
    last_serial: u64,
}

impl Organisation {
    pub(crate) fn new(wanted: NewOrganisation, ids: &mut Random, now: Timestamp) -> Self {
        let mut accounts = wanted.accounts;
        if accounts.is_empty() {
            accounts = vec![
                Account::new(ids.uuid(), "090", "Business Bank Account", AccountKind::Bank),
                Account::new(ids.uuid(), "200", "Sales", AccountKind::Revenue),
            ];
        }
        Self {
            id: wanted.id.unwrap_or_else(|| ids.uuid()),
            name: wanted.name,
            currency: wanted.currency,
            country: wanted.country,
            timezone: wanted.timezone,
            accounts,
            tax_rates: TaxRate::usual(),
            period_lock_date: wanted.period_lock_date,
            end_of_year_lock_date: wanted.end_of_year_lock_date,
            forbidden_actions: BTreeSet::new(),
            created: to_millisecond(now),
            invoices: BTreeMap::new(),
            payments: BTreeMap::new(),
            bank_transactions: BTreeMap::new(),
            batch_payments: BTreeMap::new(),
            credit_documents: BTreeMap::new(),
            earlier_credits: BTreeMap::new(),
            earlier: BTreeMap::new(),
            contacts: Contacts::default(),
            equal_stamps: false,
            index: Index::default(),
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

    /// The account that money goes to by default.
    #[must_use]
    pub fn bank_account(&self) -> Option<&Account> {
        self.accounts.iter().find(|account| account.is_bank() && !account.archived)
    }

    /// The account with this id.
    #[must_use]
    pub fn account(&self, id: Uuid) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    /// The account that a request means: by its id, or else by its code.
    pub(crate) fn account_meant(&self, id: Option<Uuid>, code: Option<&str>) -> Option<Uuid> {
        match (id, code) {
            (Some(id), _) => Some(id),
            (None, Some(code)) => {
                let mut accounts = self.accounts.iter();
                let found = accounts.find(|account| account.code.as_deref() == Some(code));
                Some(found.map_or(Uuid::nil(), |account| account.id))
            }
            (None, None) => None,
        }
    }

    /// The contact with this id.
    #[must_use]
    pub fn contact(&self, id: Uuid) -> Option<&Contact> {
        self.contacts.get(id)
    }

    /// The contact whose document this payment is of.
    pub(crate) fn contact_of(&self, payment: &Payment) -> Option<Uuid> {
        let invoice = self.invoices.get(&payment.invoice).map(|invoice| invoice.contact);
        invoice.or_else(|| self.credit_documents.get(&payment.invoice).map(|credit| credit.contact))
    }

    /// Whether this credit note is a supplier's, or was applied to a bill.
    pub(crate) fn credits_a_bill(&self, credit: Uuid) -> bool {
        if self.credit_documents.get(&credit).is_some_and(|known| known.of_supplier) {
            return true;
        }
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
        let document = self.invoices.get(&payment.invoice).map(|invoice| invoice.updated);
        let credit = self.credit_documents.get(&payment.invoice).map(|credit| credit.updated);
        if document.or(credit) != Some(payment.updated) {
            return Some(payment.clone());
        }
        (payment.status == PaymentStatus::Deleted).then(|| payment.undeleted())
    }

    /// The invoice with this id, or else with this number (facts.md 4.2: both work in the path).
    pub(crate) fn find_invoice(&self, id_or_number: &str) -> Option<&Invoice> {
        match Uuid::parse_str(id_or_number) {
            Ok(id) => self.invoices.get(&id),
            Err(_) => self.invoices_numbered(id_or_number).next(),
        }
    }

    /// The invoices and bills with this number.
    pub(crate) fn invoices_numbered(&self, number: &str) -> impl Iterator<Item = &Invoice> {
        self.index.numbered(number).filter_map(|id| self.invoices.get(&id))
    }

    /// The invoices and bills of a contact.
    pub(crate) fn invoices_of(&self, contact: Uuid) -> impl Iterator<Item = &Invoice> {
        self.index.of_contact(contact).filter_map(|id| self.invoices.get(&id))
    }

    /// Rebuilds the index, after the books were read from a file.
    pub(crate) fn reindex(&mut self) {
        self.index = Index::of(self.invoices.values());
        let transactions: Vec<BankTransaction> = self.bank_transactions.values().cloned().collect();
        for transaction in transactions {
            let id = transaction.prepayment;
            if !self.credit_documents.contains_key(&id) {
                let document = transaction.credit_document(self.currency.clone());
                self.credit_documents.insert(id, document);
            }
        }
    }

    /// Puts a new invoice into the books.
    pub(super) fn put_invoice(&mut self, invoice: Invoice) {
        self.index.add(&invoice);
        self.earlier.insert(invoice.id, None);
        self.invoices.insert(invoice.id, invoice);
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
        let was = invoice.clone();
        alter(invoice);
        if invoice.number != was.number {
            self.index.renumber(invoice, &was.number);
        }
        self.earlier.insert(id, Some(was));
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

    /// The contact that a document names, made when its name is new.
    pub(super) fn take_contact(
        &mut self,
        choice: ContactChoice,
        ids: &mut Random,
        now: Timestamp,
    ) -> (Uuid, String) {
        match choice {
            ContactChoice::Named(name) => {
                let id = self.contacts.named(&name).unwrap_or_else(|| {
                    let id = ids.uuid();
                    self.contacts.add(id, name.clone(), to_millisecond(now));
                    id
                });
                (id, name)
            }
            ContactChoice::Known(id) => {
                let known = self.contacts.get(id);
                (id, known.map(|contact| contact.name.clone()).unwrap_or_default())
            }
            ContactChoice::Missing => (Uuid::nil(), String::new()),
        }
    }

    pub(super) fn tick(&mut self, now: Timestamp) -> Timestamp {
        self.last_update = match self.equal_stamps {
            true => to_second(now).max(self.last_update),
            false => to_millisecond(now).max(after(self.last_update, TICK)),
        };
        self.last_update
    }

    pub(super) fn next_serial(&mut self) -> u64 {
        self.last_serial += 1;
        self.last_serial
    }
}
