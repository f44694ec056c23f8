//! An account, in the chart of accounts and where a document names it.

use serde::Serialize;
use uuid::Uuid;

use crate::books::{Account, AccountKind, Organisation};

/// The account named in a payment or a bank transaction.
#[derive(Debug, Serialize)]
pub(crate) struct AccountOut {
    #[serde(rename = "AccountID", skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Uuid>,
    #[serde(rename = "Code", skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    #[serde(rename = "Name", skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}

impl AccountOut {
    /// The account with its name, or without it as in the list of payments.
    pub(crate) fn new(account: &Account, named: bool) -> Self {
        Self {
            id: Some(account.id),
            code: account.code.clone(),
            name: named.then(|| account.name.clone()),
        }
    }
}

/// An account as `GET /Accounts` shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AccountListed {
    #[serde(rename = "AccountID")]
    id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    name: String,
    status: &'static str,
    #[serde(rename = "Type")]
    kind: &'static str,
    tax_type: &'static str,
    class: &'static str,
    enable_payments_to_account: bool,
    show_in_expense_claims: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    bank_account_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency_code: Option<String>,
    has_attachments: bool,
}

impl AccountListed {
    pub(crate) fn new(organisation: &Organisation, account: &Account) -> Self {
        Self {
            id: account.id,
            code: account.code.clone(),
            name: account.name.clone(),
            status: account.status(),
            kind: account.kind.as_str(),
            tax_type: if account.kind == AccountKind::Revenue { "OUTPUT" } else { "NONE" },
            class: account.kind.class(),
            enable_payments_to_account: account.payments_enabled,
            show_in_expense_claims: false,
            // Only bank accounts have a type and a currency of their own.
            bank_account_type: account.is_bank().then_some("BANK"),
            currency_code: account
                .is_bank()
                .then(|| account.currency.clone().unwrap_or_else(|| organisation.currency.clone())),
            has_attachments: false,
        }
    }
}
