//! The accounts of Xero from which a page lets people pick.

use payments::XeroAccountId;
use payments::upload::Account;
use serde::{Deserialize, Serialize};

/// Every use of an account, with the accounts that fit it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct AccountListReply {
    /// Payments, each currency, prepayments, each kind of fee that is set.
    pub uses: Vec<UseOfAccount>,
    /// The tax types in use in Xero.
    pub tax_types: Vec<TaxType>,
    /// Never: it is a look.
    pub recorded: bool,
}

/// A use of an account, as `set_account` names it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub struct UseOfAccount {
    /// `payments`, `payments:USD`, `prepayments` or `fee:KIND`.
    pub r#use: String,
    /// The account that is set, as Xero shows it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<AccountOption>,
    /// Why the account that is set cannot be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The tax type that is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_type: Option<String>,
    /// The accounts that fit.
    pub candidates: Vec<AccountOption>,
    /// The only one that fits. It is proposed, and stored by nothing but an order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggested: Option<XeroAccountId>,
}

/// An account to pick.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AccountOption {
    /// Xero's AccountID.
    pub id: XeroAccountId,
    /// Its code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Its name.
    pub name: String,
    /// Its currency, if it is a bank account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The tax types that its lines can have.
    #[serde(default)]
    pub tax_types: Vec<String>,
}

impl AccountOption {
    /// An account with the tax types that fit it.
    pub fn of(account: &Account, tax_types: Vec<String>) -> Self {
        Self {
            id: account.id,
            code: account.code.clone(),
            name: account.name.clone(),
            currency: account.currency.map(|currency| currency.to_string()),
            tax_types,
        }
    }
}

/// A tax type to pick.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct TaxType {
    /// As a line names it, such as `INPUT`.
    pub tax_type: String,
    /// The name of the rate.
    pub name: String,
}

/// An account that is set.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct AccountReply {
    /// The use and the account, in words.
    pub done: String,
    /// Whether the activity log has a row with who ordered it, and why.
    pub recorded: bool,
}
