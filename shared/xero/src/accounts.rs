//! The chart of accounts, archived accounts included (XC-15).

use payments::OrganisationId;
use payments::budget::CallBudget;
use payments::grant::{Grants, Pairs};
use payments::upload::{Account, AccountClass, ChartOfAccounts};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::client::{Client, SCOPE_SETTINGS};
use crate::error::{Outage, ReadError};
use crate::wire::{Member, id, object, optional_text, required_text, schema, text};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireAccounts<'a> {
    #[serde(borrow)]
    accounts: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireAccount<'a> {
    #[serde(borrow, rename = "AccountID")]
    account_id: Member<'a>,
    #[serde(borrow)]
    code: Member<'a>,
    #[serde(borrow)]
    name: Member<'a>,
    #[serde(borrow)]
    status: Member<'a>,
    #[serde(borrow)]
    class: Member<'a>,
    #[serde(borrow, rename = "Type")]
    kind: Member<'a>,
    #[serde(borrow)]
    system_account: Member<'a>,
    #[serde(borrow)]
    enable_payments_to_account: Member<'a>,
    #[serde(borrow)]
    currency_code: Member<'a>,
}

impl<B: CallBudget, G: Grants + Pairs> Client<B, G> {
    /// Reads the chart of accounts: one call, since the list has no pages.
    ///
    /// # Errors
    /// Whenever the accounts are not known afterwards; see [`ReadError`].
    pub async fn accounts(
        &self,
        organisation: OrganisationId,
    ) -> Result<ChartOfAccounts, ReadError> {
        let url = self.url(&["Accounts"]);
        let answer = self.get(organisation, url, SCOPE_SETTINGS, &mut self.meter()).await?;
        let whole: &RawValue =
            serde_json::from_slice(&answer.body).map_err(|_| Outage::Unreadable)?;
        let wire: WireAccounts<'_> = object(whole).ok_or(Outage::Unreadable)?;
        let accounts: Result<Vec<_>, _> = wire.accounts.into_iter().map(account).collect();
        Ok(ChartOfAccounts::new(accounts?))
    }
}

fn account(raw: &RawValue) -> Result<Account, ReadError> {
    let wire: WireAccount<'_> = object(raw).ok_or(schema("Accounts"))?;
    let is_bank = required_text(wire.kind, "Type")? == "BANK";
    let enabled = wire.enable_payments_to_account.is_some_and(|raw| raw.get() == "true");
    let is_system = text(wire.system_account).is_some_and(|of| !of.is_empty());
    let id = id(wire.account_id).ok().flatten().ok_or(schema("AccountID"))?;
    let currency = optional_text(wire.currency_code, "CurrencyCode")?;
    let class = optional_text(wire.class, "Class")?;
    Ok(Account {
        id: payments::XeroAccountId::new(id),
        code: optional_text(wire.code, "Code")?,
        name: required_text(wire.name, "Name")?,
        is_active: required_text(wire.status, "Status")? == "ACTIVE",
        takes_payments: (is_bank || enabled) && !is_system,
        is_system,
        is_bank,
        class: AccountClass::ALL.into_iter().find(|of| class.as_deref() == Some(of.code())),
        // One that is not known here is none of ours, and no account that is set.
        currency: currency.and_then(|code| code.parse().ok()),
    })
}
