//! Who owes what, and who pays what, in the story of the night: customers pay an invoice each in
//! daily instalments, 230 payments in all. Everything is marked with the number of the first
//! invoice, so that every play has its own.

use jiff::{Timestamp, ToSpan as _, civil::Date};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;
use xero_simulator::{InvoiceKind, NewInvoice};

use super::{
    business::{Business, Paid},
    money::{CURRENCY, amount},
};
use crate::simulator::SAMPLE_ORGANISATION;

/// How many payments there are, the oldest first.
pub(super) const PAYMENTS: usize = 230;
/// How many customers there are, with an invoice each. The first one pays all of it at once, and too
/// much; every other one pays an instalment a day.
pub(super) const CUSTOMERS: usize = 24;
/// What the first customer pays too much, in whole dollars.
pub(super) const TOO_MUCH: i64 = 50;
/// The smallest instalment, in whole dollars. Each customer's is a dollar more.
const SMALLEST: i64 = 40;

/// The invoices and the payments, each by its index from 0.
#[derive(Debug)]
pub(super) struct Bills {
    /// The number of the first invoice.
    pub(super) first: u64,
    pub(super) today: Date,
    pub(super) now: Timestamp,
}

impl Bills {
    /// The number of a customer's invoice.
    pub(super) fn number(&self, customer: usize) -> u64 {
        self.first.saturating_add(u64::try_from(customer).unwrap_or(u64::MAX))
    }

    /// What every payer of this play writes before anything else.
    pub(super) fn mark(&self) -> String {
        format!("{}-", self.first)
    }

    /// What the payer writes.
    pub(super) fn payer(&self, index: usize) -> String {
        format!("{}{:03}", self.mark(), index.saturating_add(1))
    }

    /// What the first so many payers write.
    pub(super) fn payers(&self, count: usize) -> Vec<String> {
        (0..count).map(|index| self.payer(index)).collect()
    }

    /// The business's own id of the payment.
    pub(super) fn id(&self, index: usize) -> String {
        format!("B-{}", self.payer(index))
    }

    /// Whether a payment belongs to this play.
    pub(super) fn has(&self, id: &str) -> bool {
        id.strip_prefix("B-").is_some_and(|payer| payer.starts_with(&self.mark()))
    }

    /// The names of the customers.
    pub(super) fn customers(&self) -> Vec<String> {
        (0..CUSTOMERS)
            .map(|customer| format!("Customer {}{:02}", self.mark(), customer + 1))
            .collect()
    }

    fn customer_id(&self, customer: usize) -> String {
        format!("C-{}{:02}", self.mark(), customer.saturating_add(1))
    }

    fn issued(&self) -> Date {
        self.today.saturating_sub(30.days())
    }

    fn due(&self) -> Date {
        self.today.saturating_add(14.days())
    }

    fn paid(&self, index: usize) -> Paid {
        let more = if index == 0 { amount(TOO_MUCH) } else { Decimal::ZERO };
        let days_ago = day_of(PAYMENTS.saturating_sub(1)).saturating_sub(day_of(index));
        let days_ago = i64::try_from(days_ago).unwrap_or_default();
        Paid {
            id: self.id(index),
            amount: instalment(customer_of(index)).saturating_add(more),
            date: self.today.saturating_sub(days_ago.days()),
            entered_at: self.now,
        }
    }

    /// What the business's own system reports of it all; `contacts` are the customers' in Xero.
    pub(super) fn reports(&self, business: &Business<'_>, contacts: &[Uuid]) -> Vec<Value> {
        let mut reports = Vec::new();
        for (customer, (name, contact)) in self.customers().iter().zip(contacts).enumerate() {
            reports.push(business.customer(&self.customer_id(customer), name, *contact));
            let (number, issued, due) = (self.number(customer), self.issued(), self.due());
            reports.push(business.invoice(number, name, total(customer), issued, due));
        }
        let payments = (0..PAYMENTS).map(|index| {
            let (customer, payer) = (self.customer_id(customer_of(index)), self.payer(index));
            business.bpay(&self.paid(index), &customer, &payer)
        });
        reports.extend(payments);
        reports
    }

    /// The customers' invoices as they are entered in Xero.
    pub(super) fn in_xero(&self) -> impl Iterator<Item = NewInvoice> {
        (0..CUSTOMERS).map(|customer| NewInvoice {
            organisation: SAMPLE_ORGANISATION,
            number: format!("CM-{}", self.number(customer)),
            contact_name: String::new(),
            total: total(customer),
            currency: CURRENCY.to_owned(),
            date: self.issued(),
            due_date: self.due(),
            kind: InvoiceKind::Accrec,
        })
    }
}

/// Who pays: the first customer once, then the others in turn.
fn customer_of(index: usize) -> usize {
    index.checked_sub(1).map_or(0, |rest| rest % (CUSTOMERS - 1) + 1)
}

/// On which day, from 0: a round of the customers is a day.
fn day_of(index: usize) -> usize {
    index.saturating_sub(1) / (CUSTOMERS - 1)
}

fn instalment(customer: usize) -> Decimal {
    amount(SMALLEST.saturating_add(i64::try_from(customer).unwrap_or_default()))
}

/// What an invoice is over: what is paid for it in the end.
fn total(customer: usize) -> Decimal {
    (0..PAYMENTS).map(customer_of).filter(|of| *of == customer).map(instalment).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bills() -> Bills {
        let now: Timestamp = "2026-11-25T01:00:00Z".parse().expect("a moment");
        Bills { first: 10_004, today: Date::constant(2026, 11, 25), now }
    }

    #[test]
    fn the_oldest_payments_come_first_and_nobody_pays_twice_a_day() {
        let bills = bills();
        let dates: Vec<_> = (0..PAYMENTS).map(|index| bills.paid(index).date).collect();

        assert!(dates.is_sorted());
        assert_eq!((dates[0], dates[PAYMENTS - 1]), (Date::constant(2026, 11, 16), bills.today));
        let mut a_day: Vec<_> = (0..PAYMENTS).map(|i| (customer_of(i), dates[i])).collect();
        a_day.sort_unstable();
        assert!(a_day.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn every_invoice_is_paid_in_the_end_and_only_the_first_too_much() {
        let bills = bills();
        let paid: Decimal = (0..PAYMENTS).map(|index| bills.paid(index).amount).sum();
        let due: Decimal = (0..CUSTOMERS).map(total).sum();

        assert_eq!(paid - due, amount(TOO_MUCH));
        assert_eq!(bills.paid(0).amount - total(0), amount(TOO_MUCH));
        assert_eq!(bills.customers().len(), bills.in_xero().count());
    }

    #[test]
    fn no_two_plays_share_a_payment() {
        let bills = bills();

        assert!(bills.has("B-10004-001") && !bills.has("B-100041-001") && !bills.has("P-10004-1"));
    }
}
