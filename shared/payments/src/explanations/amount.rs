//! Amounts as people type them.

use rust_decimal::Decimal;

use crate::money::Currency;

/// Characters that an amount may have; with more it is nobody's payment.
const AMOUNT_CHARS_MAX: usize = 15;

/// `46`, `46.00`, `1,234.50`, `$46`, `46 AUD`: digits in groups or not, with a currency or not.
pub(super) fn amount(text: &str) -> Option<(Decimal, Option<Currency>)> {
    let (digits, currency) = without_currency(text);
    let (whole, decimals) = split_decimals(digits);
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let groups: Vec<&str> = whole.split(['.', ',', ' ', '\'']).collect();
    let grouped = match groups.as_slice() {
        [_] => true,
        [first, rest @ ..] => first.len() <= 3 && rest.iter().all(|group| group.len() == 3),
        [] => false,
    };
    let whole = groups.concat();
    let fits = grouped && all_digits(&whole) && groups.iter().all(|group| !group.is_empty());
    if !fits || !decimals.is_none_or(all_digits) {
        return None;
    }
    let plain = decimals.map_or(whole.clone(), |decimals| format!("{whole}.{decimals}"));
    if plain.len() > AMOUNT_CHARS_MAX {
        return None;
    }
    Decimal::from_str_exact(&plain).ok().map(|amount| (amount.normalize(), currency))
}

/// Without a `$`, and without the three letters of a currency before or behind it.
fn without_currency(text: &str) -> (&str, Option<Currency>) {
    let code = |piece: &str| piece.to_ascii_uppercase().parse::<Currency>().ok();
    let middle = text.len().saturating_sub(3);
    let (rest, currency) = match (text.get(..3).and_then(code), text.get(middle..).and_then(code)) {
        (Some(currency), _) => (text.get(3..).unwrap_or_default(), Some(currency)),
        (None, Some(currency)) => (text.get(..middle).unwrap_or_default(), Some(currency)),
        (None, None) => (text, None),
    };
    (rest.trim().trim_start_matches('$').trim(), currency)
}

/// The last point or comma divides, unless it is a comma before three digits, which groups.
fn split_decimals(digits: &str) -> (&str, Option<&str>) {
    let groups = !digits.contains('.')
        && digits.rsplit_once(',').is_some_and(|(_, behind)| behind.len() == 3);
    match digits.rsplit_once(['.', ',']) {
        Some((whole, decimals)) if !groups => (whole, Some(decimals)),
        _ => (digits, None),
    }
}
