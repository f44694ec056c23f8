//! Which accounts and tax types of Xero may be set, and for what (XC-13, XC-14, XC-17). Only what stands in these lists is
//! ever stored, and none is made.

use std::fmt;
use std::str::FromStr;

use super::bill::FeeKind;
use super::chart::{Account, AccountClass, ChartOfAccounts, TaxRate};
use crate::money::Currency;

/// What an account is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AccountUse {
    /// Payments are received on it.
    Payments,
    /// Payments in another currency than that of the books are received on it (XC-18).
    PaymentsIn(Currency),
    /// The line of a prepayment is booked on it.
    Prepayments,
    /// A kind of the provider's fees is booked on it (EX-19).
    Fee(FeeKind),
}

/// A text names no use of an account.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an account is for payments, payments:USD, prepayments or fee:KIND")]
pub struct AccountUseError;

impl FromStr for AccountUse {
    type Err = AccountUseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "payments" => Ok(Self::Payments),
            None if text == "prepayments" => Ok(Self::Prepayments),
            Some(("payments", of)) => of.parse().map(Self::PaymentsIn).map_err(|_| AccountUseError),
            Some(("fee", of)) => of.parse().map(Self::Fee).map_err(|_| AccountUseError),
            _ => Err(AccountUseError),
        }
    }
}

impl fmt::Display for AccountUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Payments => f.write_str("payments"),
            Self::PaymentsIn(currency) => write!(f, "payments:{currency}"),
            Self::Prepayments => f.write_str("prepayments"),
            Self::Fee(kind) => write!(f, "fee:{kind}"),
        }
    }
}

impl AccountUse {
    /// Why an account is none for this use; `Ok` if it is one. `base` is the currency of the books.
    ///
    /// # Errors
    /// The first reason, in words.
    pub fn fits(&self, account: &Account, base: Currency) -> Result<(), &'static str> {
        if !account.is_active {
            return Err("it is archived in Xero");
        }
        if account.is_system {
            return Err("it is one of Xero's own accounts");
        }
        let receives = |currency| match account.currency.unwrap_or(base) == currency {
            true if account.takes_payments => Ok(()),
            true => Err("no payments can be received on it in Xero"),
            false => Err("it is in another currency"),
        };
        match self {
            Self::Payments => receives(base),
            Self::PaymentsIn(currency) if *currency == base => {
                Err("that is the currency of the books, whose account is set for payments")
            }
            Self::PaymentsIn(currency) => receives(*currency),
            _ if account.code.is_none() => Err("it has no code, which a line needs"),
            Self::Prepayments if account.is_bank => Err("a line cannot be on a bank account"),
            Self::Prepayments => {
                let fits = [AccountClass::Asset, AccountClass::Liability, AccountClass::Revenue];
                match account.class.is_some_and(|class| fits.contains(&class)) {
                    true => Ok(()),
                    false => Err("it is no account of assets, liabilities or revenue"),
                }
            }
            Self::Fee(_) if account.class == Some(AccountClass::Expense) => Ok(()),
            Self::Fee(_) => Err("it is no account of expenses"),
        }
    }

    /// The accounts to pick from, in Xero's order.
    pub fn candidates<'c>(&self, chart: &'c ChartOfAccounts, base: Currency) -> Vec<&'c Account> {
        let fits = |account: &&Account| self.fits(account, base).is_ok();
        chart.accounts().iter().filter(fits).collect()
    }
}

impl TaxRate {
    /// Why a line on this account cannot have this tax rate; `Ok` if it can.
    ///
    /// # Errors
    /// The reason, in words.
    pub fn fits(&self, account: &Account) -> Result<(), &'static str> {
        if !self.is_active {
            return Err("it is archived in Xero");
        }
        match account.class.is_some_and(|class| self.fits.contains(&class)) {
            true => Ok(()),
            false => Err("Xero does not apply it to accounts of this class"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::XeroAccountId;

    #[test]
    fn a_use_is_read_as_it_is_written() {
        // XC-13, XC-14
        for text in ["payments", "payments:USD", "prepayments", "fee:chargeback"] {
            assert_eq!(text.parse::<AccountUse>().unwrap().to_string(), text);
        }
        for text in ["", "payments:", "payments:XYZ", "fee:", "fee:No", "bank", "prepayments:USD"] {
            assert!(text.parse::<AccountUse>().is_err(), "{text}");
        }
    }

    #[test]
    fn each_use_has_accounts_of_its_own() {
        // XC-13, XC-14
        let aud: Currency = "AUD".parse().unwrap();
        let bank = Account {
            id: XeroAccountId::new(uuid::Uuid::from_u128(1)),
            code: Some("090".to_owned()),
            name: "Bank".to_owned(),
            is_active: true,
            takes_payments: true,
            is_system: false,
            is_bank: true,
            class: Some(AccountClass::Asset),
            currency: Some(aud),
        };
        let expense = Account {
            takes_payments: false,
            is_bank: false,
            class: Some(AccountClass::Expense),
            currency: None,
            ..bank.clone()
        };
        let (payments, fee) = (AccountUse::Payments, AccountUse::Fee("rent".parse().unwrap()));
        let prepayments = AccountUse::Prepayments;
        assert_eq!(payments.fits(&bank, aud), Ok(()));
        assert_eq!(fee.fits(&expense, aud), Ok(()));
        let enabled = Account { takes_payments: true, ..expense.clone() };
        assert_eq!(payments.fits(&enabled, aud), Ok(()));
        let liability = Account { class: Some(AccountClass::Liability), ..expense.clone() };
        assert_eq!(prepayments.fits(&liability, aud), Ok(()));

        assert!(fee.fits(&bank, aud).is_err() && prepayments.fits(&bank, aud).is_err());
        assert!(payments.fits(&expense, aud).is_err() && prepayments.fits(&expense, aud).is_err());
        let usd = "USD".parse().unwrap();
        assert!(AccountUse::PaymentsIn(usd).fits(&bank, aud).is_err(), "it is in another currency");
        assert!(AccountUse::PaymentsIn(aud).fits(&bank, aud).is_err());
        let dollars = Account { currency: Some(usd), ..bank.clone() };
        assert_eq!(AccountUse::PaymentsIn(usd).fits(&dollars, aud), Ok(()));
        for changed in [
            Account { is_active: false, ..bank.clone() },
            Account { is_system: true, ..bank.clone() },
            Account { takes_payments: false, ..bank.clone() },
        ] {
            assert!(payments.fits(&changed, aud).is_err(), "{changed:?}");
        }
        let nameless = Account { code: None, ..expense };
        assert!(fee.fits(&nameless, aud).is_err(), "a line names a code");
    }

    #[test]
    fn a_tax_rate_fits_the_class_of_its_account_while_it_is_active() {
        // XC-14, XC-17
        let account = Account {
            id: XeroAccountId::new(uuid::Uuid::from_u128(1)),
            code: Some("404".to_owned()),
            name: "Fees".to_owned(),
            is_active: true,
            takes_payments: false,
            is_system: false,
            is_bank: false,
            class: Some(AccountClass::Expense),
            currency: None,
        };
        let rate = TaxRate {
            tax_type: "INPUT".to_owned(),
            name: "GST on Expenses".to_owned(),
            is_active: true,
            fits: vec![AccountClass::Expense],
        };
        assert_eq!(rate.fits(&account), Ok(()));
        let of_revenue = TaxRate { fits: vec![AccountClass::Revenue], ..rate.clone() };
        assert!(of_revenue.fits(&account).is_err());
        assert!(TaxRate { is_active: false, ..rate }.fits(&account).is_err());
    }
}
