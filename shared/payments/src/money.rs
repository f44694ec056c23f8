//! Money: an exact decimal with its currency. No float comes near it.

use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};

/// Largest absolute amount we accept, in major units. Far above any payment and far below where
/// a sum of ten thousand of them could leave the 28 digits of a decimal.
const AMOUNT_MAX: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// Why a figure is not an amount of money.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MoneyError {
    /// Not an ISO 4217 code, or one without a minor unit (gold, test codes).
    #[error("`{code}` is not a currency that payments are made in")]
    UnknownCurrency {
        /// What was given.
        code: String,
    },
    /// More decimals than the currency has.
    #[error("an amount in {currency} has at most {decimals} decimals")]
    TooPrecise {
        /// The currency.
        currency: Currency,
        /// Its minor unit as a power of ten.
        decimals: u32,
    },
    /// The figure is outside of what we accept, or a sum left it.
    #[error("an amount must lie between -{AMOUNT_MAX} and {AMOUNT_MAX}")]
    OutOfRange,
    /// Two currencies where one was needed.
    #[error("{left} and {right} cannot be added or compared")]
    CurrencyMismatch {
        /// The first currency.
        left: Currency,
        /// The second currency.
        right: Currency,
    },
    /// The text is not a plain decimal number such as `125.40`.
    #[error("an amount is written in plain decimal digits, for example 125.40")]
    NotANumber,
}

/// An ISO 4217 currency that has a minor unit.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Currency {
    iso: iso_currency::Currency,
    decimals: u32,
}

impl Currency {
    /// How many decimals an amount in this currency has: 2 for AUD, 0 for JPY.
    pub fn decimals(self) -> u32 {
        self.decimals
    }

    /// The three letters.
    pub fn code(self) -> &'static str {
        self.iso.code()
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(code: &str) -> Result<Self, MoneyError> {
        iso_currency::Currency::from_code(code)
            .and_then(|iso| {
                let decimals = u32::from(iso.exponent()?);
                Some(Self { iso, decimals })
            })
            .ok_or_else(|| MoneyError::UnknownCurrency { code: code.chars().take(8).collect() })
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount in a currency, with exactly the decimals of that currency.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

impl Money {
    /// Nothing, in a currency.
    pub fn zero(currency: Currency) -> Self {
        Self { amount: Decimal::new(0, currency.decimals), currency }
    }

    /// Takes a figure as money.
    ///
    /// # Errors
    /// `TooPrecise` if rounding would be needed, `OutOfRange` if the figure is absurd.
    pub fn new(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let rounded = amount.round_dp_with_strategy(currency.decimals, RoundingStrategy::ToZero);
        if rounded != amount {
            return Err(MoneyError::TooPrecise { currency, decimals: currency.decimals });
        }
        if amount.abs() > AMOUNT_MAX {
            return Err(MoneyError::OutOfRange);
        }
        let mut amount = rounded;
        amount.rescale(currency.decimals);
        Ok(Self { amount, currency })
    }

    /// Reads a plain decimal such as `125.40`; no exponent, no separators, no sign but `-`.
    ///
    /// # Errors
    /// As [`Money::new`], and `NotANumber`.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = digits.chars().all(|c| c.is_ascii_digit() || c == '.')
            && digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.ends_with(|c: char| c.is_ascii_digit());
        if !plain {
            return Err(MoneyError::NotANumber);
        }
        let amount = Decimal::from_str_exact(text).map_err(|_| MoneyError::NotANumber)?;
        Self::new(amount, currency)
    }

    /// The figure, with the currency's decimals.
    pub fn amount(self) -> Decimal {
        self.amount
    }

    /// The currency.
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// Whether it is more than nothing.
    pub fn is_positive(self) -> bool {
        self.amount > Decimal::ZERO
    }

    /// The sum.
    ///
    /// # Errors
    /// `CurrencyMismatch`, `OutOfRange`.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let sum = self.amount.checked_add(other.amount).ok_or(MoneyError::OutOfRange)?;
        Self::new(sum, self.currency)
    }

    /// The difference.
    ///
    /// # Errors
    /// `CurrencyMismatch`, `OutOfRange`.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let difference = self.amount.checked_sub(other.amount).ok_or(MoneyError::OutOfRange)?;
        Self::new(difference, self.currency)
    }

    /// The sum of many.
    ///
    /// # Errors
    /// `CurrencyMismatch`, `OutOfRange`.
    pub fn sum(
        currency: Currency,
        amounts: impl IntoIterator<Item = Self>,
    ) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::plus)
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency })
        }
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aud(text: &str) -> Result<Money, MoneyError> {
        Money::parse(text, "AUD".parse().unwrap())
    }

    #[test]
    fn amounts_are_equal_to_the_cent_whatever_their_zeros() {
        // CM-13
        assert_eq!(aud("100"), aud("100.00"));
        assert_eq!(aud("100.000"), aud("100.0"));
        assert_ne!(aud("100.00"), aud("100.01"));
        assert_eq!(aud("100").unwrap().to_string(), "100.00 AUD");
    }

    #[test]
    fn more_decimals_than_the_currency_has_are_refused() {
        assert!(matches!(aud("1.005"), Err(MoneyError::TooPrecise { .. })));
        let yen: Currency = "JPY".parse().unwrap();
        assert!(matches!(Money::parse("1.5", yen), Err(MoneyError::TooPrecise { .. })));
        assert_eq!(Money::parse("150.00", yen).unwrap().to_string(), "150 JPY");
        let dinar: Currency = "BHD".parse().unwrap();
        assert_eq!(Money::parse("1.005", dinar).unwrap().to_string(), "1.005 BHD");
    }

    #[test]
    fn only_plain_decimals_are_amounts() {
        for text in [
            "", ".", "1.", ".5", "1e3", "1,000", "+1", " 1", "1 ", "NaN", "0x10", "1_0", "--1",
            "1.2.3",
        ] {
            assert_eq!(aud(text), Err(MoneyError::NotANumber), "{text:?}");
        }
        assert!(matches!(aud("1000000000.01"), Err(MoneyError::OutOfRange)));
        assert!(aud("99999999999999999999999999999999").is_err());
    }

    #[test]
    fn only_currencies_that_money_is_paid_in_are_known() {
        for code in ["", "aud", "XXX", "XAU", "ABC", "AUDX"] {
            assert!(code.parse::<Currency>().is_err(), "{code:?}");
        }
    }

    #[test]
    fn two_currencies_never_mix() {
        let dollars = aud("1").unwrap();
        let euros = Money::parse("1", "EUR".parse().unwrap()).unwrap();
        assert!(matches!(dollars.plus(euros), Err(MoneyError::CurrencyMismatch { .. })));
        assert_ne!(dollars, euros);
    }
}
