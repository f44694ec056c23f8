//! Amounts in the currency of the sample organisation.

use rust_decimal::Decimal;

/// Currency of the sample organisation.
pub(super) const CURRENCY: &str = "AUD";

/// So many whole dollars.
pub(super) fn amount(dollars: i64) -> Decimal {
    Decimal::new(dollars.saturating_mul(100), 2)
}
