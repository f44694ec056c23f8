//! The content of a bill: its fees, their kinds, and the accounts on which they are booked.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

use crate::money::Money;

/// Longest name of a fee kind, in characters.
pub const FEE_KIND_CHARS_MAX: usize = 40;

/// What a fee is for, in the provider's words: a lower-case name such as `chargeback`. The business says
/// for each of them where it is booked (EX-19).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FeeKind(String);

/// A text that names no kind of fee.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "a fee kind is a lower-case name such as chargeback, with at most {FEE_KIND_CHARS_MAX} letters"
)]
pub struct FeeKindError;

impl FromStr for FeeKind {
    type Err = FeeKindError;

    fn from_str(text: &str) -> Result<Self, FeeKindError> {
        let fits = text.len() <= FEE_KIND_CHARS_MAX
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if fits { Ok(Self(text.to_owned())) } else { Err(FeeKindError) }
    }
}

impl fmt::Display for FeeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One fee of an invoice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fee {
    /// What it is for.
    pub kind: FeeKind,
    /// The provider's own words for it.
    pub description: Option<String>,
    /// How much, taxes included.
    pub amount: Money,
}

/// Where a kind of fee is booked in Xero.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FeeAccount {
    /// The code of the account.
    pub code: String,
    /// The tax type of the line; Xero's default for the account if it is left out.
    pub tax: Option<String>,
}

/// The content of a bill that it does not have in common with a payment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bill {
    /// The provider's number.
    pub number: String,
    /// Day on which it is due; the day of issue if the provider names none.
    pub due_on: Option<Date>,
    /// What it consists of; at least one.
    pub fees: Vec<Fee>,
}
