//! The lines of a document, as they are sent.

use rust_decimal::{Decimal, RoundingStrategy};

use super::request::LineIn;
use crate::{
    books::{Line, Refusal},
    random::Random,
};

/// `LineAmountTypes`, where it is one that exists.
pub(super) fn line_amounts(word: Option<&str>) -> Result<Option<String>, Refusal> {
    match word {
        None | Some("Exclusive" | "Inclusive" | "NoTax") => Ok(word.map(str::to_owned)),
        Some(word) => Err(Refusal::because(format!("{word} is not a valid LineAmountTypes"))),
    }
}

/// `LineItems`. The tax of a line is what was sent.
pub(super) fn lines(sent: &[LineIn], ids: &mut Random) -> Result<Vec<Line>, Refusal> {
    sent.iter().map(|line| read(line, ids)).collect()
}

fn read(line: &LineIn, ids: &mut Random) -> Result<Line, Refusal> {
    let quantity = line.quantity.map_or(Decimal::ONE, |quantity| quantity.0);
    let unit_amount = line.unit_amount.map(|amount| amount.0);
    let product = quantity
        .checked_mul(unit_amount.unwrap_or_default())
        .map(to_cents)
        .ok_or_else(|| Refusal::because("The line total is too large"))?;
    let amount = line.line_amount.map_or(product, |amount| to_cents(amount.0));
    if unit_amount.is_some() && amount != product {
        return Err(Refusal::because(format!(
            "The line total {amount} does not match the expected line total {product}"
        )));
    }
    let description = line.description.clone().filter(|text| !text.is_empty());
    Ok(Line {
        id: line.id.unwrap_or_else(|| ids.uuid()),
        description: description
            .ok_or_else(|| Refusal::because("Description is mandatory for line items"))?,
        quantity,
        // Without a price, the line is as if its whole amount were the price of one.
        unit_amount: unit_amount.unwrap_or_else(|| per_one(amount, quantity)),
        amount,
        tax: to_cents(line.tax_amount.map_or(Decimal::ZERO, |amount| amount.0)),
        account_code: line.account_code.clone().unwrap_or_default(),
        tax_type: line.tax_type.clone(),
    })
}

fn per_one(amount: Decimal, quantity: Decimal) -> Decimal {
    amount.checked_div(quantity).map_or(amount, to_cents)
}

fn to_cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}
