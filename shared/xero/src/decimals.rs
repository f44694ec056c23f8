//! Exact figures out of JSON. The text of the number is read, so that nothing is ever a float.

use payments::{Currency, Money};
use rust_decimal::Decimal;
use serde_json::value::RawValue;

/// Longest text that can be a figure, in bytes: a sign, 28 digits, a point and an exponent fit.
const FIGURE_BYTES_MAX: usize = 40;

/// Most digits after the point, and largest exponent: what a decimal can hold.
const SCALE_MAX: u32 = 28;

/// Reads an amount. Xero writes amounts as JSON numbers and, in some places, as texts.
pub(crate) fn money(raw: &RawValue, currency: Currency) -> Option<Money> {
    Money::new(decimal(raw)?, currency).ok()
}

/// Reads a JSON number, or a text that holds one.
pub(crate) fn decimal(raw: &RawValue) -> Option<Decimal> {
    if raw.get().len() > FIGURE_BYTES_MAX {
        return None;
    }
    match raw.get().as_bytes().first()? {
        b'"' => figure(&serde_json::from_str::<String>(raw.get()).ok()?),
        _ => figure(raw.get()),
    }
}

/// Reads `-?digits[.digits][e[+-]digits]`. A power of ten only moves the point, so it is exact or
/// refused.
fn figure(text: &str) -> Option<Decimal> {
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let unsigned = digits.strip_prefix('-').unwrap_or(digits);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let numeric = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !numeric(whole) || !numeric(fraction) {
        return None;
    }
    let mut value = Decimal::from_str_exact(digits).ok()?;
    let places = exponent.unsigned_abs();
    if places > SCALE_MAX {
        return None;
    }
    if exponent < 0 {
        value.set_scale(value.scale().checked_add(places)?).ok()?;
        return Some(value);
    }
    let removed = places.min(value.scale());
    value.set_scale(value.scale().checked_sub(removed)?).ok()?;
    let factor =
        Decimal::from_i128_with_scale(10_i128.checked_pow(places.checked_sub(removed)?)?, 0);
    value.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &str) -> Option<String> {
        decimal(serde_json::from_str(json).unwrap()).map(|value| value.to_string())
    }

    #[test]
    fn numbers_and_texts_are_read_digit_by_digit() {
        for (json, expected) in [
            ("46.00", "46.00"),
            ("\"50.00\"", "50.00"),
            ("0.1", "0.1"),
            ("-12", "-12"),
            ("1e2", "100"),
            ("1.5E+3", "1500"),
            ("1.25e1", "12.5"),
            ("125e-2", "1.25"),
            ("12345678901234567890.12345678", "12345678901234567890.12345678"),
        ] {
            assert_eq!(read(json).as_deref(), Some(expected), "{json}");
        }
    }

    #[test]
    fn what_is_not_a_figure_is_refused() {
        for json in [
            "true",
            "[]",
            "{}",
            "\"\"",
            "\" 1\"",
            "\"1,000\"",
            "\"1_000\"",
            "\"+1\"",
            "\".5\"",
            "\"5.\"",
            "\"NaN\"",
            "\"Infinity\"",
            "\"0x10\"",
            "\"1e\"",
            "1e29",
            "1e-29",
            "1e999999999",
            "1e99999999999999999999",
            "99999999999999999999999999999999",
            "0.00000000000000000000000000001",
        ] {
            assert_eq!(read(json), None, "{json}");
        }
    }

    #[test]
    fn money_takes_the_decimals_of_its_currency_and_nothing_absurd() {
        // CM-13
        let aud: Currency = "AUD".parse().unwrap();
        let read = |json| money(serde_json::from_str(json).unwrap(), aud).map(|m| m.to_string());
        assert_eq!(read("46").as_deref(), Some("46.00 AUD"));
        assert_eq!(read("46.000").as_deref(), Some("46.00 AUD"));
        assert_eq!(read("46.001"), None);
        assert_eq!(read("1e20").as_deref(), Some("100000000000000000000.00 AUD"));
        assert_eq!(read("1e27"), None);
    }

    proptest! {
        #[test]
        fn law_every_amount_survives_the_round_trip(cents in -100_000_000_000_i64..100_000_000_000) {
            let value = Decimal::new(cents, 2);
            prop_assert_eq!(read(&value.to_string()), Some(value.to_string()));
            let quoted = format!("\"{value}\"");
            prop_assert_eq!(read(&quoted), Some(value.to_string()));
        }

        #[test]
        fn law_an_exponent_only_moves_the_point(digits in 0_i64..1_000_000, places in 0_u32..8) {
            let small = format!("{digits}e-{places}");
            let large = format!("{digits}e{places}");
            prop_assert_eq!(figure(&small), Some(Decimal::new(digits, places)));
            let tenfold = Decimal::from(digits) * Decimal::from(10_i64.pow(places));
            prop_assert_eq!(figure(&large), Some(tenfold));
        }

        #[test]
        fn law_no_text_panics(text in "\\PC*") {
            let _ = figure(&text);
        }
    }
}
