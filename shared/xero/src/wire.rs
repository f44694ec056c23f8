//! Reading single members out of JSON. Their text is kept as it stands until it is known what a
//! member is, so that no amount becomes a float and each refusal can name its member.

use jiff::Timestamp;
use jiff::civil::Date;
use payments::{Currency, Money};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::error::ReadError;
use crate::{dates, decimals};

/// Longest text of a member, in characters. Xero's own limits for numbers, names and references
/// are 255; a table row has room for this much and not for megabytes.
const TEXT_CHARS_MAX: usize = 1_000;

/// A member as it stands in the answer; `None` when it is absent or null.
pub(crate) type Member<'a> = Option<&'a RawValue>;

/// Reads an object. An array is refused although serde would take its elements for the members
/// in their order; so is an object in which a member that we know stands twice.
pub(crate) fn object<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    if raw.get().starts_with('{') { serde_json::from_str(raw.get()).ok() } else { None }
}

/// Reads a text.
pub(crate) fn text(raw: Member<'_>) -> Option<String> {
    serde_json::from_str(raw?.get()).ok()
}

/// An id: none, one, or something that is no id (`Err`). An element that was not stored carries none
/// or one of zeros.
pub(crate) fn id(member: Member<'_>) -> Result<Option<Uuid>, ()> {
    let Some(raw) = member else { return Ok(None) };
    let text: String = serde_json::from_str(raw.get()).map_err(|_| ())?;
    if text.is_empty() {
        return Ok(None);
    }
    let id = Uuid::parse_str(&text).map_err(|_| ())?;
    Ok(Some(id).filter(|id| !id.is_nil()))
}

/// The error for a member.
pub(crate) const fn schema(field: &'static str) -> ReadError {
    ReadError::Schema { field }
}

/// Reads a text that may be absent; an empty one is as good as none (CM-14).
pub(crate) fn optional_text(
    member: Member<'_>,
    field: &'static str,
) -> Result<Option<String>, ReadError> {
    let Some(raw) = member else { return Ok(None) };
    let text: String = serde_json::from_str(raw.get()).map_err(|_| schema(field))?;
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(schema(field));
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// Reads a text that must be there.
pub(crate) fn required_text(member: Member<'_>, field: &'static str) -> Result<String, ReadError> {
    optional_text(member, field)?.ok_or(schema(field))
}

/// Reads a calendar day that may be absent.
pub(crate) fn optional_day(
    member: Member<'_>,
    field: &'static str,
) -> Result<Option<Date>, ReadError> {
    match optional_text(member, field)? {
        None => Ok(None),
        Some(text) => dates::day(&text).map(Some).ok_or(schema(field)),
    }
}

/// Reads a calendar day that must be there.
pub(crate) fn required_day(member: Member<'_>, field: &'static str) -> Result<Date, ReadError> {
    optional_day(member, field)?.ok_or(schema(field))
}

/// Reads a point in time that must be there.
pub(crate) fn required_instant(
    member: Member<'_>,
    field: &'static str,
) -> Result<Timestamp, ReadError> {
    dates::instant(&required_text(member, field)?).ok_or(schema(field))
}

/// Reads the currency, without which no figure means anything.
pub(crate) fn required_currency(
    member: Member<'_>,
    field: &'static str,
) -> Result<Currency, ReadError> {
    required_text(member, field)?.parse().map_err(|_| schema(field))
}

/// Reads an amount that must be there.
pub(crate) fn required_money(
    member: Member<'_>,
    currency: Currency,
    field: &'static str,
) -> Result<Money, ReadError> {
    member.and_then(|raw| decimals::money(raw, currency)).ok_or(schema(field))
}
