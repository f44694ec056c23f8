//! The parts of amounts that order, invoice and receipt have in common (SP-10).

use crate::money::{Money, MoneyError};
use crate::reason::codes;

codes! {
    /// A part of an amount, or all of it.
    Component {
        /// Goods and services, without tax.
        Goods = "goods",
        /// Taxes on all of it.
        Tax = "tax",
        /// Shipping, without tax.
        Shipping = "shipping",
        /// The deduction.
        Discount = "discount",
        /// The amount to pay.
        Total = "total",
    }
}

/// Tax and shipping within the total of an invoice or a receipt. A part that was not reported is compared with nothing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TaxAndShipping {
    /// Taxes on all of it.
    pub tax: Option<Money>,
    /// Shipping, without tax.
    pub shipping: Option<Money>,
}

impl TaxAndShipping {
    /// The part of that kind, if it was reported.
    pub fn part(&self, component: Component) -> Option<Money> {
        match component {
            Component::Tax => self.tax,
            Component::Shipping => self.shipping,
            Component::Goods | Component::Discount | Component::Total => None,
        }
    }

    /// What both add up to, if they are more than a total.
    ///
    /// # Errors
    /// Two currencies, or more than is kept exactly.
    pub fn excess(&self, total: Money) -> Result<Option<Money>, MoneyError> {
        let parts = [self.tax, self.shipping].into_iter().flatten();
        let sum = Money::sum(total.currency(), parts)?;
        Ok((sum.amount() > total.amount()).then_some(sum))
    }
}

/// What the customer was given as a receipt for a payment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReceiptDocument {
    /// Its number.
    pub number: String,
    /// The amount that it says was paid.
    pub total: Money,
    /// Tax and shipping within that.
    pub parts: TaxAndShipping,
}
