//! The chart of accounts in Xero with its tax rates, as far as what goes up is booked on it (XC-13 to XC-18).

use super::bill::FeeAccount;
use super::books::Books;
use super::eligibility::UploadDecision;
use super::ledger::Upload;
use super::part::Target;
use super::route::Hold;
use super::settings::UploadSettings;
use crate::ids::XeroAccountId;
use crate::money::Currency;

/// The group that an account's type belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(missing_docs, reason = "Xero's own words")]
pub enum AccountClass {
    Asset,
    Equity,
    Expense,
    Liability,
    Revenue,
}

impl AccountClass {
    /// Each of them.
    pub const ALL: [Self; 5] =
        [Self::Asset, Self::Equity, Self::Expense, Self::Liability, Self::Revenue];

    /// Xero's word for it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Asset => "ASSET",
            Self::Equity => "EQUITY",
            Self::Expense => "EXPENSE",
            Self::Liability => "LIABILITY",
            Self::Revenue => "REVENUE",
        }
    }
}

/// An account, as Xero shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Account {
    /// Its id.
    pub id: XeroAccountId,
    /// Its code; some bank accounts have none.
    pub code: Option<String>,
    /// Its name.
    pub name: String,
    /// Whether anything new can be booked on it: it is neither archived nor deleted.
    pub is_active: bool,
    /// Whether payments can be received on it: a bank account, or one for which Xero allows it.
    pub takes_payments: bool,
    /// Whether it is one of Xero's own, such as that of receivables: no line may name it.
    pub is_system: bool,
    /// Whether it is a bank account.
    pub is_bank: bool,
    /// Its group, if that is a known one.
    pub class: Option<AccountClass>,
    /// The currency of a bank account.
    pub currency: Option<Currency>,
}

/// A tax rate, as Xero shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TaxRate {
    /// The tax type that a line names, such as `INPUT`.
    pub tax_type: String,
    /// Its name.
    pub name: String,
    /// Whether it can be used: it is neither archived nor deleted, nor waits for approval.
    pub is_active: bool,
    /// The groups of accounts that it fits.
    pub fits: Vec<AccountClass>,
}

/// All accounts of an organisation that could be read, and its tax rates, as far as any is needed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ChartOfAccounts {
    accounts: Vec<Account>,
    taxes: Vec<TaxRate>,
}

impl ChartOfAccounts {
    /// A chart of these accounts.
    pub fn new(accounts: Vec<Account>) -> Self {
        Self { accounts, taxes: Vec::new() }
    }

    /// The same with these tax rates.
    #[must_use]
    pub fn with_taxes(self, taxes: Vec<TaxRate>) -> Self {
        Self { taxes, ..self }
    }

    /// Its accounts.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// Its tax rates.
    pub fn taxes(&self) -> &[TaxRate] {
        &self.taxes
    }

    /// The account of this id.
    pub fn account(&self, id: XeroAccountId) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    /// The settings with the codes that the chosen accounts have now: the id binds, and the code is a label that people
    /// change in Xero (XC-14).
    pub fn followed(&self, uploading: &UploadSettings) -> UploadSettings {
        let mut followed = uploading.clone();
        let code = |id| self.account(id).and_then(|account| account.code.clone());
        if let Some(code) = followed.prepayment_account_id.and_then(code) {
            followed.prepayment_account = Some(code);
        }
        for account in followed.fee_accounts.values_mut() {
            if let Some(code) = account.id.and_then(code) {
                account.code = code;
            }
        }
        followed
    }

    /// The decision about an upload, which is held if an account that it needs cannot be used (XC-15).
    pub fn checked(
        &self,
        row: &Upload,
        decision: UploadDecision,
        books: &Books,
        uploading: &UploadSettings,
    ) -> UploadDecision {
        let UploadDecision::Send(parts) = &decision else { return decision };
        let usable = parts.iter().try_for_each(|(target, amount)| match target {
            Target::Invoice { .. } => self.receives(uploading, amount.currency()),
            Target::Prepayment { .. } if amount.currency() != books.currency => {
                let why =
                    format!("{} is left over, and no prepayment is made of it", amount.currency());
                Err((Hold::CurrencyMismatch, why))
            }
            Target::Prepayment { .. } => {
                self.receives(uploading, amount.currency())?;
                let id = uploading.prepayment_account_id;
                let code = uploading.prepayment_account.iter();
                code.map(String::as_str).try_for_each(|code| self.books(code, id))?;
                uploading.prepayment_tax.iter().try_for_each(|tax| self.taxes_with(tax))
            }
            Target::Bill { .. } | Target::CreditNote { .. } => {
                row.document_lines().try_for_each(|fee| {
                    let account = uploading.fee_accounts.get(&fee.kind);
                    account.map_or(Ok(()), |account| self.books_fee(account))
                })
            }
            Target::Allocation { .. } => Ok(()),
        });
        match usable {
            Ok(()) => decision,
            Err((hold, why)) => UploadDecision::Hold(hold, why),
        }
    }

    /// Whether payments of this currency can be received on the account that is set for it (XC-18).
    fn receives(
        &self,
        uploading: &UploadSettings,
        currency: Currency,
    ) -> Result<(), (Hold, String)> {
        let id = uploading.account_for(currency);
        let account = usable(self.account(id), &format!("with the id {id}"))?;
        let name = named(account);
        if !account.takes_payments {
            return Err(unusable(format!("{name} does not take payments in Xero")));
        }
        match account.currency {
            Some(other) if other != currency => {
                Err(unusable(format!("{name} is in {other}, and the payment in {currency}")))
            }
            _ => Ok(()),
        }
    }

    /// Whether something can be booked on the account of this id, or of this code where no id was stored.
    fn books(&self, code: &str, id: Option<XeroAccountId>) -> Result<(), (Hold, String)> {
        let by_code = || self.accounts.iter().find(|of| of.code.as_deref() == Some(code));
        usable(id.map_or_else(by_code, |id| self.account(id)), code).map(drop)
    }

    fn books_fee(&self, account: &FeeAccount) -> Result<(), (Hold, String)> {
        self.books(&account.code, account.id)?;
        account.tax.iter().try_for_each(|tax| self.taxes_with(tax))
    }

    /// Whether a line can have this tax type (XC-17).
    fn taxes_with(&self, tax_type: &str) -> Result<(), (Hold, String)> {
        let rate = self.taxes.iter().find(|rate| rate.tax_type == tax_type);
        let why = match rate {
            None => format!("the tax type {tax_type} is not in Xero"),
            Some(rate) if !rate.is_active => {
                format!("the tax rate {tax_type} ({}) is archived in Xero", rate.name)
            }
            Some(_) => return Ok(()),
        };
        Err((Hold::TaxUnusable, why))
    }
}

fn usable<'a>(account: Option<&'a Account>, what: &str) -> Result<&'a Account, (Hold, String)> {
    match account {
        None => Err(unusable(format!("the account {what} is not in Xero"))),
        Some(account) if !account.is_active => {
            Err(unusable(format!("{} is archived in Xero", named(account))))
        }
        Some(account) => Ok(account),
    }
}

fn named(account: &Account) -> String {
    let code = account.code.as_deref().unwrap_or("without a code");
    format!("the account {code} ({})", account.name)
}

fn unusable(why: String) -> (Hold, String) {
    (Hold::AccountUnusable, why)
}

impl ChartOfAccounts {
    /// The first setting that names an account on which nothing can be booked, with the reason (XC-13, XC-14).
    pub fn misfit(
        &self,
        uploading: &UploadSettings,
        books: Currency,
    ) -> Option<(&'static str, String)> {
        let received = [("upload_account_id", books)].into_iter();
        let others = uploading.currency_accounts.keys().map(|of| ("currency_accounts", *of));
        let mut received = received.chain(others);
        let of_received = received.find_map(|(setting, currency)| {
            let (_, why) = self.receives(uploading, currency).err()?;
            Some((setting, why))
        });
        let prepayments = uploading.prepayment_account.iter();
        let prepayments = prepayments.map(|code| ("prepayment_account_code", code));
        let fees = uploading.fee_accounts.values().map(|fee| ("fee_accounts", &fee.code));
        of_received.or_else(|| {
            prepayments.chain(fees).find_map(|(setting, code)| {
                let known =
                    self.accounts.iter().any(|of| of.is_active && of.code.as_ref() == Some(code));
                (!known)
                    .then(|| (setting, format!("no active account in Xero has the code {code}")))
            })
        })
    }
}
