//! Credit that a contact has left in Xero: of credit notes, prepayments and overpayments (ST-25).

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::applied_credit::CreditKind;
use crate::ids::XeroCreditId;
use crate::money::Money;

/// Most documents of a contact that are kept one by one.
pub const CREDITS_KEPT_MAX: usize = 200;

/// A document of which something is left. Xero takes off the parts that were applied to invoices or paid back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CreditBalance {
    /// Which of the three.
    pub kind: CreditKind,
    /// Xero's id.
    pub id: XeroCreditId,
    /// Its number, if it has one.
    pub number: Option<String>,
    /// The day of issue.
    pub date: Date,
    /// `RemainingCredit`.
    pub remaining: Money,
}

/// All credit that a contact has left.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ContactCredit {
    /// The remaining credit, one sum for each currency.
    pub sums: Vec<Money>,
    /// The documents, the oldest first, at most [`CREDITS_KEPT_MAX`].
    pub documents: Vec<CreditBalance>,
}

impl ContactCredit {
    /// Adds up all of a contact's documents. Those of which nothing is left are left out.
    pub fn of(documents: impl IntoIterator<Item = CreditBalance>) -> Self {
        let mut documents: Vec<_> =
            documents.into_iter().filter(|document| document.remaining.is_positive()).collect();
        documents.sort_by_key(|document| (document.date, document.id));
        let mut sums: BTreeMap<&str, Money> = BTreeMap::new();
        for CreditBalance { remaining, .. } in &documents {
            let currency = remaining.currency();
            let sum = sums.entry(currency.code()).or_insert_with(|| Money::zero(currency));
            // A sum that is too large stays at what fits: it is never shown as less than nothing.
            *sum = sum.plus(*remaining).unwrap_or(*sum);
        }
        documents.truncate(CREDITS_KEPT_MAX);
        Self { sums: sums.into_values().collect(), documents }
    }

    /// The sums in words; nothing if there is none.
    pub fn words(&self) -> String {
        self.sums.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use rust_decimal::Decimal;
    use uuid::Uuid;

    use super::*;

    fn left(n: u128, cents: i64, currency: &str) -> CreditBalance {
        CreditBalance {
            kind: CreditKind::Prepayment,
            id: XeroCreditId::new(Uuid::from_u128(n)),
            number: None,
            date: date(2026, 3, 1),
            remaining: Money::new(Decimal::new(cents, 2), currency.parse().unwrap()).unwrap(),
        }
    }

    #[test]
    fn st_25_each_currency_has_its_sum_and_used_up_credit_is_none() {
        let credit = ContactCredit::of([
            left(3, 10_00, "NZD"),
            left(2, 5_50, "AUD"),
            left(1, 4_50, "AUD"),
            left(4, 0, "AUD"),
        ]);
        assert_eq!(credit.words(), "10.00 AUD, 10.00 NZD");
        assert_eq!(credit.documents.len(), 3);
        assert_eq!(ContactCredit::of([left(4, 0, "AUD")]), ContactCredit::default());
    }

    #[test]
    fn st_25_the_sum_is_of_all_documents_also_of_those_that_are_not_kept() {
        let credit = ContactCredit::of((0..300).map(|n| left(n, 1_00, "AUD")));
        assert_eq!((credit.words(), credit.documents.len()), ("300.00 AUD".into(), 200));
    }
}
