//! An account of the chart of accounts; only what payments and lines need to know of it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Xero's `Type` of an account; the ones that a payments integration meets.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum AccountKind {
    /// A bank account, a credit card or the like.
    Bank,
    /// A current asset, for instance a clearing account.
    Current,
    /// A current liability, for instance money taken in advance.
    CurrLiab,
    /// The owners' share.
    Equity,
    /// What running the business costs.
    Expense,
    /// Any other liability.
    Liability,
    /// Income that is no sale.
    OtherIncome,
    /// Sales and other revenue.
    Revenue,
}

impl AccountKind {
    /// Xero's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bank => "BANK",
            Self::Current => "CURRENT",
            Self::CurrLiab => "CURRLIAB",
            Self::Equity => "EQUITY",
            Self::Expense => "EXPENSE",
            Self::Liability => "LIABILITY",
            Self::OtherIncome => "OTHERINCOME",
            Self::Revenue => "REVENUE",
        }
    }

    /// `Class`, to which the type belongs.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::Bank | Self::Current => "ASSET",
            Self::CurrLiab | Self::Liability => "LIABILITY",
            Self::Equity => "EQUITY",
            Self::Expense => "EXPENSE",
            Self::OtherIncome | Self::Revenue => "REVENUE",
        }
    }
}

/// An account as it is now.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(from = "Row")]
pub struct Account {
    /// `AccountID`.
    pub id: Uuid,
    /// `Code`; some accounts have none.
    pub code: Option<String>,
    /// `Name`.
    pub name: String,
    /// `Type`.
    #[serde(rename = "type")]
    pub kind: AccountKind,
    /// `EnablePaymentsToAccount`.
    pub payments_enabled: bool,
    /// Whether its `Status` is ARCHIVED: nothing new can be booked on it.
    pub archived: bool,
    /// `CurrencyCode` of a bank account, if it is not that of the books.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// An account as it is written down; state files of version 1 know bank accounts and others only.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: Uuid,
    #[serde(default)]
    code: Option<String>,
    name: String,
    #[serde(rename = "type")]
    kind: Option<AccountKind>,
    #[serde(default)]
    bank: bool,
    #[serde(default)]
    payments_enabled: bool,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    currency: Option<String>,
}

impl From<Row> for Account {
    fn from(row: Row) -> Self {
        let by_bank = if row.bank { AccountKind::Bank } else { AccountKind::Revenue };
        Self {
            id: row.id,
            code: row.code,
            name: row.name,
            kind: row.kind.unwrap_or(by_bank),
            payments_enabled: row.payments_enabled,
            archived: row.archived,
            currency: row.currency,
        }
    }
}

impl Account {
    pub(super) fn new(id: Uuid, code: &str, name: &str, kind: AccountKind) -> Self {
        Self {
            id,
            code: Some(code.to_owned()),
            name: name.to_owned(),
            kind,
            payments_enabled: false,
            archived: false,
            currency: None,
        }
    }

    /// Xero's word for its state.
    #[must_use]
    pub fn status(&self) -> &'static str {
        if self.archived { "ARCHIVED" } else { "ACTIVE" }
    }

    /// Whether its `Type` is BANK.
    #[must_use]
    pub fn is_bank(&self) -> bool {
        self.kind == AccountKind::Bank
    }
}

/// An account to open.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// `Code`, unique where there is one.
    #[serde(default)]
    pub code: Option<String>,
    /// `Name`.
    pub name: String,
    /// `Type`.
    #[serde(rename = "type")]
    pub kind: AccountKind,
    /// `EnablePaymentsToAccount`.
    #[serde(default)]
    pub payments_enabled: bool,
    /// `CurrencyCode` of a bank account, if it is not that of the books.
    #[serde(default)]
    pub currency: Option<String>,
}
