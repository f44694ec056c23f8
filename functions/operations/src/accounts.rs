//! The accounts and tax types of Xero on which what goes up is booked: a list to pick from, and the pick, which is checked
//! again here (XC-13, XC-14). No account is ever made.

use commands::reply::{AccountListReply, AccountOption, AccountReply, TaxType, UseOfAccount};
use commands::{Attribution, Kind, SetAccount};
use payments::upload::{
    Account, AccountUse, ChartOfAccounts, FeeAccount, UploadSettings, UploadStart,
};
use payments::{Currency, Occurrence, OrganisationId, Settings, XeroAccountId};
use table::AuditEntry;

use crate::error::tables;
use crate::{ExecutionError, Operations};

/// What Xero shows of the books.
struct Shown {
    base: Currency,
    chart: ChartOfAccounts,
}

impl<C, U, Q, B> Operations<C, U, Q, B> {
    /// Every use of an account, with the accounts that fit it: three calls of Xero's API.
    pub(crate) async fn list_accounts(
        &self,
        organisation: OrganisationId,
    ) -> Result<AccountListReply, ExecutionError> {
        let settings = self.known(organisation, Kind::ListAccounts).await?;
        let shown = self.shown(organisation, Kind::ListAccounts).await?;
        let upload = settings.upload.as_ref();
        let uses = uses(&shown, upload).iter().map(|of| option(&shown, upload, of)).collect();
        let active = shown.chart.taxes().iter().filter(|rate| rate.is_active);
        let tax_types = active
            .map(|rate| TaxType { tax_type: rate.tax_type.clone(), name: rate.name.clone() })
            .collect();
        Ok(AccountListReply { uses, tax_types, recorded: false })
    }

    /// Sets an account of the list, by its id.
    pub(crate) async fn set_account(
        &self,
        wanted: &SetAccount,
        by: &Attribution,
    ) -> Result<AccountReply, ExecutionError> {
        let kind = Kind::SetAccount;
        let wrong = |why: String| ExecutionError::Field(kind, why);
        let of: AccountUse =
            wanted.r#use.parse().map_err(|error| wrong(format!("`use`: {error}")))?;
        let settings = self.known(wanted.organisation, kind).await?;
        let shown = self.shown(wanted.organisation, kind).await?;
        let account = shown.chart.account(wanted.account);
        let account = account.ok_or_else(|| wrong("`account` is not in Xero".to_owned()))?;
        of.fits(account, shown.base).map_err(|why| wrong(format!("`account`: {why}")))?;
        let tax = wanted.tax_type.as_deref().filter(|tax| !tax.trim().is_empty());
        if let Some(tax) = tax {
            taxed(&of, account, &shown.chart, tax).map_err(wrong)?;
        }
        let now = self.clock.now();
        let start = UploadStart::Moment(now);
        let after = with(settings.upload.as_ref(), start, &of, account, tax)
            .ok_or_else(|| wrong("`use`: set the account for payments first".to_owned()))?;
        let code = account.code.as_deref().unwrap_or("without a code");
        let done = format!("{of}: {code} ({})", account.name);
        let subject = format!("set_account:{of}");
        let order = AuditEntry {
            action: Occurrence::Ordered,
            subject: &subject,
            reason: &account.id.to_string(),
            by: by.by(),
            why: by.reason(),
            at: now,
        };
        let change = (settings.upload.as_ref(), &after);
        let stored = self.tables.change_upload_settings(wanted.organisation, change, &order).await;
        stored.map_err(|error| tables(&error))?;
        Ok(AccountReply { done, recorded: true })
    }

    async fn known(
        &self,
        organisation: OrganisationId,
        kind: Kind,
    ) -> Result<Settings, ExecutionError> {
        let known = self.tables.settings(organisation).await.map_err(|error| tables(&error))?;
        known.ok_or_else(|| {
            ExecutionError::Field(kind, "`organisation` is not set up here".to_owned())
        })
    }

    async fn shown(
        &self,
        organisation: OrganisationId,
        kind: Kind,
    ) -> Result<Shown, ExecutionError> {
        let xero = self.sweeper.xero();
        let unread = |error: xero::ReadError| {
            ExecutionError::Field(kind, format!("Xero's lists cannot be read: {error}"))
        };
        let base = xero.organisation(organisation).await.map_err(unread)?.base_currency;
        let accounts = xero.accounts(organisation).await.map_err(unread)?;
        let taxes = xero.tax_rates(organisation).await.map_err(unread)?;
        Ok(Shown { base, chart: accounts.with_taxes(taxes) })
    }
}

/// Every use: payments, each currency of a bank account or of the settings, prepayments, each kind of fee that is set.
fn uses(shown: &Shown, upload: Option<&UploadSettings>) -> Vec<AccountUse> {
    let mut uses = vec![AccountUse::Payments];
    let of_banks = shown.chart.accounts().iter().filter_map(|account| account.currency);
    let set = upload.into_iter().flat_map(|upload| upload.currency_accounts.keys().copied());
    let mut currencies: Vec<_> = of_banks.chain(set).filter(|of| *of != shown.base).collect();
    currencies.sort();
    currencies.dedup();
    uses.extend(currencies.into_iter().map(AccountUse::PaymentsIn));
    uses.push(AccountUse::Prepayments);
    let fees = upload.into_iter().flat_map(|upload| upload.fee_accounts.keys().cloned());
    uses.extend(fees.map(AccountUse::Fee));
    uses
}

fn option(shown: &Shown, upload: Option<&UploadSettings>, of: &AccountUse) -> UseOfAccount {
    let as_option = |account: &Account| {
        let taxes = shown.chart.taxes().iter().filter(|rate| rate.fits(account).is_ok());
        AccountOption::of(account, taxes.map(|rate| rate.tax_type.clone()).collect())
    };
    let (set, tax_type) = upload.map_or((None, None), |upload| chosen(upload, of, &shown.chart));
    let (chosen, problem) = match set {
        None => (None, None),
        Some(Err(problem)) => (None, Some(problem)),
        Some(Ok(account)) => {
            let problem = of.fits(account, shown.base).err();
            (Some(as_option(account)), problem.map(str::to_owned))
        }
    };
    let candidates: Vec<_> =
        of.candidates(&shown.chart, shown.base).into_iter().map(as_option).collect();
    let suggested = match &candidates[..] {
        [only] if chosen.is_none() => Some(only.id),
        _ => None,
    };
    UseOfAccount { r#use: of.to_string(), chosen, problem, tax_type, candidates, suggested }
}

/// The account that is set for a use, if one is, and its tax type.
fn chosen<'c>(
    upload: &UploadSettings,
    of: &AccountUse,
    chart: &'c ChartOfAccounts,
) -> (Option<Result<&'c Account, String>>, Option<String>) {
    let by_id = |id: XeroAccountId| {
        chart.account(id).ok_or_else(|| format!("the account with the id {id} is not in Xero"))
    };
    let by_code = |code: &str| {
        let found = chart.accounts().iter().find(|account| account.code.as_deref() == Some(code));
        found.ok_or_else(|| format!("the account {code} is not in Xero"))
    };
    match of {
        AccountUse::Payments => (Some(by_id(upload.account)), None),
        AccountUse::PaymentsIn(currency) => {
            (upload.currency_accounts.get(currency).copied().map(by_id), None)
        }
        AccountUse::Prepayments => {
            let code = upload.prepayment_account.as_deref();
            let set = upload.prepayment_account_id.map(by_id).or_else(|| code.map(by_code));
            (set, upload.prepayment_tax.clone())
        }
        AccountUse::Fee(kind) => {
            let set = upload.fee_accounts.get(kind);
            let account = set.map(|set| set.id.map_or_else(|| by_code(&set.code), by_id));
            (account, set.and_then(|set| set.tax.clone()))
        }
    }
}

/// Whether a line on this account can have the tax type.
fn taxed(
    of: &AccountUse,
    account: &Account,
    chart: &ChartOfAccounts,
    tax_type: &str,
) -> Result<(), String> {
    if !matches!(of, AccountUse::Prepayments | AccountUse::Fee(_)) {
        return Err("`tax_type`: a payment has no line and no tax".to_owned());
    }
    let rate = chart.taxes().iter().find(|rate| rate.tax_type == tax_type);
    let rate = rate.ok_or_else(|| "`tax_type` is not in Xero".to_owned())?;
    rate.fits(account).map_err(|why| format!("`tax_type`: {why}"))
}

/// The settings with this account. Without any, only the account for payments begins them: off, and from now on.
fn with(
    before: Option<&UploadSettings>,
    start: UploadStart,
    of: &AccountUse,
    account: &Account,
    tax: Option<&str>,
) -> Option<UploadSettings> {
    let mut after = match (before, of) {
        (Some(before), _) => before.clone(),
        (None, AccountUse::Payments) => {
            UploadSettings { enabled: false, ..UploadSettings::new(start, account.id) }
        }
        (None, _) => return None,
    };
    let tax = tax.map(str::to_owned);
    let code = account.code.clone().unwrap_or_default();
    match of {
        AccountUse::Payments => after.account = account.id,
        AccountUse::PaymentsIn(currency) => {
            after.currency_accounts.insert(*currency, account.id);
        }
        AccountUse::Prepayments => {
            after.prepayment_account = Some(code);
            after.prepayment_account_id = Some(account.id);
            after.prepayment_tax = tax;
        }
        AccountUse::Fee(kind) => {
            after.fee_accounts.insert(kind.clone(), FeeAccount { code, id: Some(account.id), tax });
        }
    }
    Some(after)
}
