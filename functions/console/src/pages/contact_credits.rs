//! The credit that customers have left in Xero, in the pages of customers and of balances (ST-25, AMB-38).

use std::collections::BTreeMap;

use payments::explanations::{Link, XeroLinks};
use payments::sweep::SweepKind;
use payments::upload::Customer;
use payments::{CreditBalance, CreditKind, Discrepancy, DiscrepancyKind, Money, XeroContactId};
use table::StoredContact;

use super::{PageError, Stage};
use crate::csv::csv;

/// Unsettled invoices that are read for what one customer owes.
const INVOICES_MAX: usize = 10_000;
/// Contacts with credit that are read.
const CONTACTS_MAX: usize = 1_000;
/// Contacts that are shown.
const SHOWN_MAX: usize = 200;

/// A document of which something is left.
pub(super) struct CreditRow {
    pub(super) what: String,
    pub(super) date: String,
    pub(super) left: String,
    pub(super) link: Option<Link>,
}

/// A customer with what it owes and what it has left.
pub(super) struct OneCustomer {
    pub(super) owes: String,
    pub(super) left: String,
    pub(super) as_of: String,
    pub(super) credits: Vec<CreditRow>,
    pub(super) refunds: Vec<String>,
}

/// The credit of a contact.
pub(super) struct ContactLine {
    pub(super) name: String,
    pub(super) account_number: String,
    pub(super) left: String,
    pub(super) documents: usize,
    pub(super) link: Option<Link>,
}

/// The credit of all contacts.
pub(super) struct CreditList {
    pub(super) as_of: String,
    pub(super) lines: Vec<ContactLine>,
    pub(super) lines_left_out: usize,
    pub(super) left_out: bool,
    pub(super) csv: String,
}

impl OneCustomer {
    pub(super) async fn read(
        stage: &Stage<'_>,
        customer: &Customer,
        contacts: &BTreeMap<XeroContactId, StoredContact>,
        links: &XeroLinks,
    ) -> Result<Self, PageError> {
        let found = stage.tables.list_balances(stage.organisation(), None, INVOICES_MAX).await?;
        stage.count(found.looked_at);
        let of = |row: &&table::InvoiceBalance| row.customer.as_ref() == Some(&customer.id);
        let left = found.rows.iter().filter(of).map(|row| row.balance.left);
        let owes = in_words(left.filter(|left| left.is_positive()));
        let mut refunds = Vec::new();
        for contact in customer.contact.into_iter().chain(customer.former_contacts()) {
            let known = stage.tables.contact_discrepancies(stage.organisation(), contact).await?;
            stage.count(known.len());
            refunds.extend(known.iter().filter(|one| is_refund(one)).map(refund));
        }
        let contact = customer.contact.and_then(|contact| contacts.get(&contact));
        let line = |credit: &CreditBalance| credit_line(credit, customer.contact, links);
        Ok(Self {
            owes: if found.next.is_some() { format!("at least {owes}") } else { owes },
            left: contact.map(|contact| contact.credit.words()).unwrap_or_default(),
            as_of: as_of(stage).await?,
            credits: contact
                .map(|contact| contact.credit.documents.iter().map(line).collect())
                .unwrap_or_default(),
            refunds,
        })
    }
}

impl CreditList {
    pub(super) async fn read(stage: &Stage<'_>) -> Result<Self, PageError> {
        let found = stage.tables.contact_credits(stage.organisation(), CONTACTS_MAX).await?;
        stage.count(found.rows.len());
        let mut links = XeroLinks::default();
        if !found.rows.is_empty() {
            links = stage.tables.xero_links(stage.organisation()).await?;
            stage.count(1);
        }
        let mut rows = found.rows;
        rows.sort_by_cached_key(|row| row.record.contact.name.clone());
        let line = |row: &StoredContact| ContactLine {
            name: row.record.contact.name.clone().unwrap_or_default(),
            account_number: row.record.account_number.clone().unwrap_or_default(),
            left: row.credit.words(),
            documents: row.credit.documents.len(),
            link: links.contact(row.record.contact.id),
        };
        Ok(Self {
            as_of: as_of(stage).await?,
            lines: rows.iter().take(SHOWN_MAX).map(line).collect(),
            lines_left_out: rows.len().saturating_sub(SHOWN_MAX),
            left_out: found.more,
            csv: as_csv(&rows),
        })
    }
}

/// When it was read last.
async fn as_of(stage: &Stage<'_>) -> Result<String, PageError> {
    let read = stage.tables.sweep(stage.organisation(), SweepKind::Credits).await?;
    stage.count(1);
    Ok(stage.moment_or(read.last_success_at, "never"))
}

fn in_words(moneys: impl Iterator<Item = Money>) -> String {
    let mut sums: BTreeMap<&str, Money> = BTreeMap::new();
    for money in moneys {
        let currency = money.currency();
        let sum = sums.entry(currency.code()).or_insert_with(|| Money::zero(currency));
        *sum = sum.plus(money).unwrap_or(*sum);
    }
    match sums.is_empty() {
        true => "nothing".to_owned(),
        false => sums.values().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

fn is_refund(discrepancy: &Discrepancy) -> bool {
    discrepancy.key.kind == DiscrepancyKind::RefundInXero
}

fn refund(discrepancy: &Discrepancy) -> String {
    let state = if discrepancy.is_open() { "open" } else { "settled" };
    format!("{} ({state})", discrepancy.detail)
}

const fn kind(kind: CreditKind) -> &'static str {
    match kind {
        CreditKind::CreditNote => "credit note",
        CreditKind::Prepayment => "prepayment",
        CreditKind::Overpayment => "overpayment",
    }
}

/// Xero has an address of its own for a credit note. Prepayments and overpayments stand on their contact's page.
fn credit_line(
    credit: &CreditBalance,
    contact: Option<XeroContactId>,
    links: &XeroLinks,
) -> CreditRow {
    let number = credit.number.as_deref().unwrap_or_default();
    let of_contact = contact.and_then(|contact| links.contact(contact));
    CreditRow {
        what: format!("{} {number}", kind(credit.kind)).trim_end().to_owned(),
        date: credit.date.to_string(),
        left: credit.remaining.to_string(),
        link: match credit.kind {
            CreditKind::CreditNote => of_contact.map(|_| links.customer_credit_note(credit.id)),
            CreditKind::Prepayment | CreditKind::Overpayment => of_contact,
        },
    }
}

/// A line for each document.
fn as_csv(rows: &[StoredContact]) -> String {
    let lines = rows.iter().flat_map(|row| {
        row.credit.documents.iter().map(|credit| {
            [
                row.record.contact.name.clone().unwrap_or_default(),
                row.record.account_number.clone().unwrap_or_default(),
                kind(credit.kind).to_owned(),
                credit.number.clone().unwrap_or_default(),
                credit.date.to_string(),
                credit.remaining.currency().code().to_owned(),
                credit.remaining.amount().to_string(),
            ]
        })
    });
    csv(["contact", "account_number", "document", "number", "date", "currency", "left"], lines)
}
