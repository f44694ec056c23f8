//! Balances of invoices, by age: what customers owe, and what they have paid too much (ST-05, ST-12, ST-24).

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::close::{Sum, add_to};
use crate::invoice::InvoiceStatus;
use crate::invoice_amounts::{due_on, left, rest};
use crate::money::Money;
use crate::reason::codes;
use crate::stored::StoredInvoice;

codes! {
    /// How long something has been due (ST-24).
    Age {
        /// It is not due yet, or no day is known on which it is.
        NotDue = "not_due",
        /// For 1 to 30 days.
        Days30 = "days_1_to_30",
        /// For 31 to 60 days.
        Days60 = "days_31_to_60",
        /// For 61 to 90 days.
        Days90 = "days_61_to_90",
        /// For more than 90 days.
        Older = "over_90_days",
        /// More was paid than is asked for (ST-05).
        Overpaid = "overpaid",
    }
}

/// The balance of an invoice that is not settled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Balance {
    /// The amount left to pay; less than nothing where too much is here.
    pub left: Money,
    /// When it is due.
    pub due_on: Option<Date>,
}

/// The balance of an invoice; `None` if nothing is left of it, if it no longer stands or is no claim yet in Xero, and where its
/// money cannot be added up. What was applied to it in Xero other than payments is paid as well (AMB-19).
pub fn balance(invoice: &StoredInvoice) -> Option<Balance> {
    let status = invoice.xero.as_ref().map(|xero| xero.status);
    let stands = match (&invoice.local, status) {
        (_, Some(status)) if status.is_dead() => false,
        // The business itself says what it asks for.
        (Some(_), _) => true,
        (None, Some(status)) => {
            matches!(status, InvoiceStatus::Authorised | InvoiceStatus::Paid)
        }
        (None, None) => false,
    };
    let local = invoice.local.as_ref().map(|local| local.total);
    let total = local.or(invoice.xero.as_ref().map(|xero| xero.figures.total));
    let total = total.filter(|_| stands)?;
    let too_much = || left(invoice, total).filter(|left| left.is_negative());
    let left = rest(invoice, total).or_else(too_much)?;
    Some(Balance { left, due_on: due_on(invoice) })
}

impl Age {
    /// The age of a balance on a day of the organisation's calendar.
    pub fn of(balance: &Balance, today: Date) -> Self {
        if balance.left.is_negative() {
            return Self::Overpaid;
        }
        let late = balance.due_on.map(|due_on| due_on.duration_until(today).as_hours() / 24);
        match late {
            Some(1..=30) => Self::Days30,
            Some(31..=60) => Self::Days60,
            Some(61..=90) => Self::Days90,
            Some(91..) => Self::Older,
            _ => Self::NotDue,
        }
    }

    /// Whether it is to be followed up (ST-12).
    pub fn is_overdue(self) -> bool {
        !matches!(self, Self::NotDue | Self::Overpaid)
    }
}

/// Balances added up by the code of their currency and by age.
pub type Ages = BTreeMap<(&'static str, Age), Sum>;

/// The sums of some balances on a day.
pub fn ages<'a>(balances: impl IntoIterator<Item = &'a Balance>, today: Date) -> Ages {
    let mut ages = Ages::new();
    for balance in balances {
        let key = (balance.left.currency().code(), Age::of(balance, today));
        add_to(&mut ages, key, &Sum { count: 1, money: Some(balance.left) });
    }
    ages
}

/// Adds sums of other balances.
pub fn add_ages(ages: &mut Ages, more: &Ages) {
    for (key, sum) in more {
        add_to(ages, *key, sum);
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;

    fn of(cents: i64, due_on: Option<&str>) -> Balance {
        let left = Money::new(Decimal::new(cents, 2), "AUD".parse().unwrap()).unwrap();
        Balance { left, due_on: due_on.map(|day| day.parse().unwrap()) }
    }

    /// Due today is not late; the buckets meet without a gap, also across a leap day (ST-24).
    #[test]
    fn st_24_each_day_late_has_one_bucket() {
        let today: Date = "2028-03-31".parse().unwrap();
        for (due_on, age) in [
            ("2028-04-01", Age::NotDue),
            ("2028-03-31", Age::NotDue),
            ("2028-03-30", Age::Days30),
            ("2028-03-01", Age::Days30),
            ("2028-02-29", Age::Days60),
            ("2028-01-31", Age::Days60),
            ("2028-01-30", Age::Days90),
            ("2028-01-01", Age::Days90),
            ("2027-12-31", Age::Older),
            ("1999-01-01", Age::Older),
        ] {
            assert_eq!(Age::of(&of(1, Some(due_on)), today), age, "{due_on}");
        }
        assert_eq!(Age::of(&of(1, None), today), Age::NotDue);
        assert_eq!(Age::of(&of(-1, Some("2020-01-01")), today), Age::Overpaid);
        let sums = ages(&[of(1, None), of(2, Some("2028-05-01")), of(-3, None)], today);
        let sums: Vec<_> = sums.iter().map(|((_, age), sum)| (*age, sum.count)).collect();
        assert_eq!(sums, [(Age::NotDue, 2), (Age::Overpaid, 1)]);
    }
}
