//! The suspicion that a payment is in Xero already, entered by another hand, and the payments that it may be.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::ids::{PaymentId, XeroContactId, XeroInvoiceId, XeroPaymentId};
use crate::money::Money;

/// The other side of a pair, as a decision of a person names it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Counterpart {
    /// Money in Xero.
    Xero(Uuid),
    /// Another payment of the business's own.
    Local(PaymentId),
}

impl Counterpart {
    /// Xero's id, of money there.
    pub fn in_xero(&self) -> Option<Uuid> {
        match self {
            Self::Xero(id) => Some(*id),
            Self::Local(_) => None,
        }
    }
}

impl fmt::Display for Counterpart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Xero(id) => write!(f, "xero/{id}"),
            Self::Local(id) => write!(f, "payment/{id}"),
        }
    }
}

/// A text that names no counterpart.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a counterpart is written `xero/ID` or `payment/ID`")]
pub struct CounterpartError;

impl FromStr for Counterpart {
    type Err = CounterpartError;

    fn from_str(text: &str) -> Result<Self, CounterpartError> {
        match text.split_once('/') {
            Some(("xero", id)) => Uuid::parse_str(id).map(Self::Xero).map_err(|_| CounterpartError),
            Some(("payment", id)) => id.parse().map(Self::Local).map_err(|_| CounterpartError),
            _ => Err(CounterpartError),
        }
    }
}

/// A portion of a payment that stands in Xero for certain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Certain {
    /// On which invoice.
    pub invoice: XeroInvoiceId,
    /// Its number in Xero.
    pub number: String,
    /// How much.
    pub amount: Money,
    /// The payment in Xero.
    pub payment: XeroPaymentId,
}

/// Why a payment is held until a person says *the same* or *two payments*.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Suspicion {
    /// What of it stands in Xero for certain.
    pub certain: Vec<Certain>,
    /// What it may be the same as.
    pub with: BTreeSet<Counterpart>,
    /// The contact on which that stands, of a payment that names no invoice.
    pub contact: Option<XeroContactId>,
    /// Both sides in a sentence. For tables, never for logs: it holds amounts.
    pub why: String,
}
