//! Money: an exact decimal with its currency. No float comes near it.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

/// Decimals that Xero keeps of an amount, in every currency: two of a yen, and no third one of a dinar
/// (AMB-30).
pub const XERO_DECIMALS: u32 = 2;

/// Currencies that are paid in no more, and stand in books all the same, with their decimals: ISO 4217 has
/// withdrawn them since 2000. Xero offers eleven of them (its `CurrencyCode`).
const WITHDRAWN: [(&str, u32); 28] = [
    ("ANG", 2),
    ("AZM", 2),
    ("BYB", 0),
    ("BYR", 0),
    ("CSD", 2),
    ("CYP", 2),
    ("EEK", 2),
    ("GHC", 2),
    ("LTL", 2),
    ("LVL", 2),
    ("MGF", 0),
    ("MRO", 2),
    ("MTL", 2),
    ("MZM", 2),
    ("ROL", 2),
    ("SDD", 2),
    ("SIT", 2),
    ("SKK", 2),
    ("SRG", 2),
    ("STD", 2),
    ("TMM", 2),
    ("TRL", 0),
    ("VEB", 2),
    ("VEF", 2),
    ("ZMK", 2),
    ("ZWD", 2),
    ("ZWN", 2),
    ("ZWR", 2),
];

/// Why a figure is not an amount of money.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MoneyError {
    /// Not an ISO 4217 code, or one without a minor unit (gold, test codes).
    #[error("`{code}` is not a currency that payments are made in")]
    UnknownCurrency {
        /// The given code.
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
    /// The figure, or a sum, is larger than what is kept exactly: 28 digits.
    #[error("an amount, decimals included, has at most 28 digits")]
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

/// An ISO 4217 currency that has a minor unit, or one that had and was withdrawn.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Currency {
    code: &'static str,
    decimals: u32,
}

impl Currency {
    /// How many decimals an amount in this currency has outside of Xero: 2 for AUD, 0 for JPY.
    pub fn decimals(self) -> u32 {
        self.decimals
    }

    /// The three letters.
    pub fn code(self) -> &'static str {
        self.code
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(code: &str) -> Result<Self, MoneyError> {
        let current = iso_currency::Currency::from_code(code)
            .and_then(|iso| Some((iso.code(), u32::from(iso.exponent()?))));
        let withdrawn = || WITHDRAWN.into_iter().find(|(known, _)| *known == code);
        let (code, decimals) = current
            .or_else(withdrawn)
            .ok_or_else(|| MoneyError::UnknownCurrency { code: code.chars().take(8).collect() })?;
        Ok(Self { code, decimals })
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

/// An amount in a currency, with exactly the decimals of that currency; or with two if Xero has shown it so.
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

    /// Takes a figure as money, with the decimals of its currency or of Xero: the larger number.
    ///
    /// # Errors
    /// `TooPrecise` if rounding would be needed, `OutOfRange` if the figure is not kept exactly.
    pub fn new(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let most = currency.decimals.max(XERO_DECIMALS);
        let exact = scaled(amount, most).ok_or(MoneyError::OutOfRange)?;
        if exact != amount {
            return Err(MoneyError::TooPrecise { currency, decimals: most });
        }
        // Only what needs more decimals than its currency has is shown with more.
        let usual = scaled(exact, currency.decimals).filter(|usual| *usual == exact);
        Ok(Self { amount: usual.unwrap_or(exact), currency })
    }

    /// Reads a plain decimal such as `125.40`; no exponent, no separators, no sign but `-`, and no more
    /// decimals than the currency has.
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
        let decimals = currency.decimals;
        let given = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let is_too_precise = u32::try_from(given).map_or(true, |given| given > decimals);
        let amount = Decimal::from_str_exact(text).map_err(|error| match error {
            rust_decimal::Error::Underflow if is_too_precise => {
                MoneyError::TooPrecise { currency, decimals }
            }
            rust_decimal::Error::Underflow | rust_decimal::Error::ExceedsMaximumPossibleValue => {
                MoneyError::OutOfRange
            }
            _ => MoneyError::NotANumber,
        })?;
        let money = Self::new(amount, currency)?;
        if money.amount.scale() > decimals {
            return Err(MoneyError::TooPrecise { currency, decimals });
        }
        Ok(money)
    }

    /// The figure, with the currency's decimals.
    pub fn amount(self) -> Decimal {
        self.amount
    }

    /// The currency.
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// Whether Xero can hold it: it keeps [`XERO_DECIMALS`] and would round what has more, so that what is
    /// there would not be what was paid (AMB-30).
    pub fn fits_xero(self) -> bool {
        self.amount.normalize().scale() <= XERO_DECIMALS
    }

    /// Whether it is more than nothing.
    pub fn is_positive(self) -> bool {
        self.amount > Decimal::ZERO
    }

    /// Whether it is less than nothing.
    pub fn is_negative(self) -> bool {
        self.amount < Decimal::ZERO
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

/// The figure with so many decimals, rounded if it has more; `None` if it would have too many digits.
fn scaled(amount: Decimal, decimals: u32) -> Option<Decimal> {
    let mut scaled = amount;
    scaled.rescale(decimals);
    (scaled.scale() == decimals).then_some(scaled)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
    }

    #[test]
    fn amounts_are_kept_as_far_as_they_are_exact_and_sums_are_checked() {
        // AMB-30: rupiahs and dong by the billion are ordinary.
        let most = "792281625142643375935439503.35";
        assert_eq!(aud("1000000000.01").unwrap().to_string(), "1000000000.01 AUD");
        assert_eq!(aud(most).unwrap().to_string(), format!("{most} AUD"));
        assert_eq!(aud("792281625142643375935439503.36"), Err(MoneyError::OutOfRange));
        assert_eq!(aud("79228162514264337593543950335"), Err(MoneyError::OutOfRange));
        assert!(aud("99999999999999999999999999999999").is_err());
        let (most, cent) = (aud(most).unwrap(), aud("0.01").unwrap());
        assert_eq!(most.plus(cent), Err(MoneyError::OutOfRange));
        assert_eq!(most.minus(cent).unwrap().plus(cent), Ok(most));
    }

    #[test]
    fn what_xero_shows_is_taken_as_xero_shows_it() {
        // AMB-30: two decimals in every currency, and no third one.
        let shown = |text: &str, code: &str| {
            Money::new(text.parse().unwrap(), code.parse().unwrap()).map(|money| money.to_string())
        };
        assert_eq!(shown("100.50", "JPY").unwrap(), "100.50 JPY");
        assert_eq!(shown("100.00", "JPY").unwrap(), "100 JPY");
        assert_eq!(shown("10.5", "BYR").unwrap(), "10.50 BYR");
        assert!(matches!(shown("100.505", "JPY"), Err(MoneyError::TooPrecise { decimals: 2, .. })));
        assert!(matches!(shown("1.005", "AUD"), Err(MoneyError::TooPrecise { .. })));
        let yen: Currency = "JPY".parse().unwrap();
        let half = Money::new(Decimal::new(10_050, 2), yen).unwrap();
        assert_eq!(half.plus(half).unwrap().to_string(), "201 JPY");
        assert!(
            half.fits_xero()
                && !Money::parse("10.125", "KWD".parse().unwrap()).unwrap().fits_xero()
        );
        assert!(Money::parse("10.120", "KWD".parse().unwrap()).unwrap().fits_xero());
    }

    #[test]
    fn currencies_that_were_withdrawn_stand_in_books() {
        // AMB-30: what Xero offers and ISO 4217 does not have any more.
        for code in [
            "ANG", "BYR", "EEK", "LTL", "LVL", "MRO", "SKK", "STD", "VEF", "ZMK", "ZWD", "HRK",
            "XCG",
        ] {
            assert_eq!(code.parse::<Currency>().map(Currency::code), Ok(code));
        }
    }

    proptest! {
        #[test]
        fn law_a_sum_is_exact_or_refused(
            a in -(1_i128 << 96) + 1..(1_i128 << 96), b in -(1_i128 << 96) + 1..(1_i128 << 96),
            scales in (0_u32..3, 0_u32..3),
        ) {
            let yen: Currency = "JPY".parse().unwrap();
            let money = |units, scale| Money::new(Decimal::from_i128_with_scale(units, scale), yen);
            let (Ok(left), Ok(right)) = (money(a, scales.0), money(b, scales.1)) else { return Ok(()) };
            let cents = |money: Money| {
                let mut amount = money.amount();
                amount.rescale(2);
                amount.mantissa()
            };
            if let Ok(sum) = left.plus(right) {
                prop_assert_eq!(cents(sum), cents(left) + cents(right));
            }
        }
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
