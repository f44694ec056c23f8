//! What an organisation has chosen about uploading.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, Time};

use super::bill::{BillStatus, FeeAccount, FeeKind};
use super::caps::NIGHTLY_MAX;
use super::route::Certainty;
use crate::ids::{XeroAccountId, XeroContactId};
use crate::money::Currency;

/// Most payments that one call to Xero may carry: what Xero recommends (facts.md 3.6).
pub const BUNDLE_MAX: u32 = 50;

/// Most days for `same_money_days`.
pub const SAME_MONEY_DAYS_MAX: u32 = 31;

/// How far the money must have come before a payment goes up (EX-35).
pub type UploadWhen = Certainty;

/// From when on payments go up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UploadStart {
    /// After this moment, such as that of the connection.
    Moment(Timestamp),
    /// After this day; the moment is not known (AMB-14).
    Day(Date),
}

impl FromStr for UploadStart {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains('T') {
            text.parse().map(Self::Moment)
        } else {
            // Strictly: the usual reader would take a time behind it for nothing.
            Date::strptime("%Y-%m-%d", text).map(Self::Day)
        }
    }
}

impl fmt::Display for UploadStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Moment(moment) => moment.fmt(f),
            Self::Day(day) => day.fmt(f),
        }
    }
}

/// The settings of uploading; an organisation without them uploads nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UploadSettings {
    /// Whether anything goes up.
    pub enabled: bool,
    /// From when on (EX-14, EX-33).
    pub start: UploadStart,
    /// How far the money must have come.
    pub when: UploadWhen,
    /// Most payments in a night, 1 to 200 (EX-31). A lower pace never reaches the limit of 30 days.
    pub nightly_max: u32,
    /// Most payments in one call, 1 to 50.
    pub bundle_max: u32,
    /// The bank account in Xero on which payments are received.
    pub account: XeroAccountId,
    /// The accounts on which payments in other currencies are received, each on an invoice of its currency; what is in any
    /// other is held (XC-18).
    pub currency_accounts: BTreeMap<Currency, XeroAccountId>,
    /// The code of the account that prepayments are booked to; without one there are none.
    pub prepayment_account: Option<String>,
    /// The id of that account, which binds where its code is another one by now (XC-14). One that was typed has none.
    pub prepayment_account_id: Option<XeroAccountId>,
    /// The tax type of a prepayment's line; Xero's default for the account if it is left out.
    pub prepayment_tax: Option<String>,
    /// The contact in Xero that stands for the payment provider; without one its invoices are held (EX-13).
    pub merchant_contact: Option<XeroContactId>,
    /// How far bills are approved when they are made (XC-23).
    pub bill_status: BillStatus,
    /// Where each kind of the provider's fees is booked; an invoice with any other is held (EX-19).
    pub fee_accounts: BTreeMap<FeeKind, FeeAccount>,
    /// When the night's upload is due, by the wall clock. Outside of 00:00 to 04:00, so that it exists on
    /// every day.
    pub due_at: Time,
    /// How many days apart two dates may lie for one payment that two hands have entered, 0 to
    /// [`SAME_MONEY_DAYS_MAX`]: such a payment is held until a person decides (A8.3).
    pub same_money_days: u32,
}

impl UploadSettings {
    /// How many days apart unless the organisation says otherwise.
    pub const SAME_MONEY_DAYS: u32 = 3;

    /// The usual settings.
    pub fn new(start: UploadStart, account: XeroAccountId) -> Self {
        Self {
            enabled: true,
            start,
            when: Certainty::Approved,
            nightly_max: NIGHTLY_MAX,
            bundle_max: BUNDLE_MAX,
            account,
            currency_accounts: BTreeMap::new(),
            prepayment_account: None,
            prepayment_account_id: None,
            prepayment_tax: None,
            merchant_contact: None,
            bill_status: BillStatus::Authorised,
            fee_accounts: BTreeMap::new(),
            due_at: Self::DUE_AT,
            same_money_days: Self::SAME_MONEY_DAYS,
        }
    }

    /// The account on which payments of a currency are received.
    pub fn account_for(&self, currency: Currency) -> XeroAccountId {
        self.currency_accounts.get(&currency).copied().unwrap_or(self.account)
    }

    /// When the night's upload is due unless the organisation says otherwise.
    pub const DUE_AT: Time = Time::constant(22, 0, 0, 0);

    /// Whether a time is one that clock changes never skip.
    pub fn always_exists(time: Time) -> bool {
        time.hour() >= 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_a_day_or_a_moment() {
        // AMB-14
        for text in ["2026-03-10", "2026-03-10T02:00:00Z"] {
            let start: UploadStart = text.parse().unwrap();
            assert_eq!(start.to_string(), text);
            assert_eq!(matches!(start, UploadStart::Moment(_)), text.contains('T'));
        }
        // A time without a zone does not say which moment it is.
        for text in ["", "soon", "2026-02-30", "2026-03-10T02:00:00", "10/03/2026"] {
            assert!(text.parse::<UploadStart>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_usual_settings_are_within_their_limits() {
        let account = "00000000-0000-0000-0000-000000000007".parse().unwrap();
        let usual = UploadSettings::new("2026-03-10".parse().unwrap(), account);
        assert!(usual.enabled && UploadSettings::always_exists(usual.due_at));
        assert_eq!((usual.nightly_max, usual.bundle_max), (200, 50));
        assert_eq!(usual.when, Certainty::Approved);
        assert!(!UploadSettings::always_exists(Time::constant(3, 59, 59, 0)));
        assert!(UploadSettings::always_exists(Time::constant(4, 0, 0, 0)));
    }

    #[test]
    fn money_that_is_settled_is_confirmed_and_approved_too() {
        // EX-35
        assert!(
            Certainty::Approved < Certainty::Confirmed && Certainty::Confirmed < Certainty::Settled
        );
    }
}
