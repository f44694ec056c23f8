//! The chart of accounts in Xero, as far as what goes up is booked on it (XC-15, XC-18).

use super::books::Books;
use super::eligibility::UploadDecision;
use super::ledger::Upload;
use super::part::Target;
use super::route::Hold;
use super::settings::UploadSettings;
use crate::ids::XeroAccountId;
use crate::money::Currency;

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
    /// The currency of a bank account.
    pub currency: Option<Currency>,
}

/// All accounts of an organisation that could be read.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ChartOfAccounts {
    accounts: Vec<Account>,
}

impl ChartOfAccounts {
    /// A chart of these accounts.
    pub fn new(accounts: Vec<Account>) -> Self {
        Self { accounts }
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
                uploading.prepayment_account.iter().try_for_each(|code| self.books(code))
            }
            Target::Bill { .. } | Target::CreditNote { .. } => {
                row.document_lines().try_for_each(|fee| {
                    let account = uploading.fee_accounts.get(&fee.kind);
                    account.map_or(Ok(()), |account| self.books(&account.code))
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
        let account = self.accounts.iter().find(|account| account.id == id);
        let account = usable(account, &format!("with the id {id}"))?;
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

    /// Whether something can be booked on the account of this code.
    fn books(&self, code: &str) -> Result<(), (Hold, String)> {
        let account = self.accounts.iter().find(|account| account.code.as_deref() == Some(code));
        usable(account, code).map(drop)
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
    /// The accounts that a setting can name: active ones, in the order of their codes and names (XC-13, XC-14).
    pub fn choices(&self) -> Vec<&Account> {
        let mut active: Vec<_> = self.accounts.iter().filter(|account| account.is_active).collect();
        active.sort_by_key(|account| (account.code.clone(), account.name.clone()));
        active
    }

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
                let known = self.choices().iter().any(|of| of.code.as_ref() == Some(code));
                (!known)
                    .then(|| (setting, format!("no active account in Xero has the code {code}")))
            })
        })
    }
}
