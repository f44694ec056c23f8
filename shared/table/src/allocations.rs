//! Allocations to an invoice in Xero, inside the invoice's row.

use aws_sdk_dynamodb::types::AttributeValue;
use payments::{AppliedCredit, CreditKind, Currency};

use crate::attributes::{Reader, Writer};
use crate::error::ReadError;

/// Most of them that are stored, so that the row stays far below what a row may be.
const STORED_MAX: usize = 500;

pub(crate) fn list(allocations: &[AppliedCredit]) -> AttributeValue {
    let rows = allocations.iter().take(STORED_MAX).map(|allocation| {
        let row = Writer::default()
            .text("kind", allocation.kind)
            .text("credit", allocation.credit)
            .text_if("number", allocation.number.as_deref())
            .number("amount", allocation.amount.amount())
            .text_if("date", allocation.date);
        AttributeValue::M(row.finish())
    });
    AttributeValue::L(rows.collect())
}

/// Rows that were written before have none.
pub(crate) fn read(row: Reader<'_>, currency: Currency) -> Result<Vec<AppliedCredit>, ReadError> {
    if !row.has("allocations") {
        return Ok(Vec::new());
    }
    let rows = row.maps("allocations")?;
    let read = rows.into_iter().map(|row| {
        Ok(AppliedCredit {
            kind: row.code("kind", CreditKind::from_code)?,
            credit: row.parsed("credit")?,
            number: row.text_if("number")?.map(str::to_owned),
            amount: row.money("amount", currency)?,
            date: row.parsed_if("date")?,
        })
    });
    read.collect()
}
