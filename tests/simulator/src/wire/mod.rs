//! What Xero writes: JSON with its own dates, its own capitals, and money as exact numbers.
//!
//! The shapes follow the examples of `xero_accounting.yaml`. No amount passes through a float:
//! the digits of a decimal are written as they are.

mod account;
mod allocation;
mod bank_transaction;
mod batch_payment;
mod contact;
mod credit;
mod invoice;
mod line;
mod payment;
mod tax_rate;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use rust_decimal::Decimal;
use serde::{Serialize, Serializer, ser::Error as _, ser::SerializeMap as _};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::books::Organisation;

pub(crate) use account::{AccountListed, AccountOut};
pub(crate) use allocation::{AllocationTaken, AllocationWritten};
pub(crate) use bank_transaction::{
    BankTransactionForm, BankTransactionOut, BankTransactionRefused,
};
use batch_payment::BatchOfPayment;
pub(crate) use batch_payment::{BatchPaymentOut, BatchPaymentRefused};
use contact::ContactOut;
pub(crate) use contact::{ContactListed, ContactNamed};
use credit::{AppliedCredit, CreditOfRefund};
pub(crate) use credit::{CreditNoteRefused, CreditOut};
pub(crate) use invoice::{InvoiceForm, InvoiceOut, InvoiceRefused};
use line::LineOut;
pub(crate) use payment::{InvoiceNamed, PaymentForm, PaymentOut, PaymentRefused, payment_type};
pub(crate) use tax_rate::TaxRateListed;

/// Decimals of an amount of money (facts.md 4.1).
const MONEY_DECIMALS: u32 = 2;
/// Decimals of a currency rate in the examples.
const RATE_DECIMALS: u32 = 6;
/// Decimals of a quantity in the examples.
const QUANTITY_DECIMALS: u32 = 4;
/// `ProviderName`, which is the name of the app that calls.
const PROVIDER_NAME: &str = "Xero simulator";

/// A decimal that becomes a JSON number with a fixed count of decimals.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number {
    value: Decimal,
    decimals: u32,
}

impl Number {
    pub(crate) fn money(value: Decimal) -> Self {
        Self { value, decimals: MONEY_DECIMALS }
    }

    /// The rate of a document in its organisation's own currency.
    pub(crate) fn rate() -> Self {
        Self::rate_of(None)
    }

    /// The rate of a document; 1 if it has none.
    pub(crate) fn rate_of(rate: Option<Decimal>) -> Self {
        Self { value: rate.unwrap_or(Decimal::ONE), decimals: RATE_DECIMALS }
    }

    pub(crate) fn quantity(value: Decimal) -> Self {
        Self { value, decimals: QUANTITY_DECIMALS }
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut value = self.value;
        value.rescale(self.decimals);
        RawValue::from_string(value.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// An instant as `/Date(1573755038314+0000)/`.
pub(crate) fn ms_date(at: Timestamp) -> String {
    format!("/Date({}+0000)/", at.as_millisecond())
}

/// A calendar date as midnight UTC in Xero's form: no zone takes part (facts.md 4.1).
pub(crate) fn ms_day(date: Date) -> String {
    let midnight = date.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
    ms_date(midnight.unwrap_or(Timestamp::UNIX_EPOCH))
}

/// The twin of [`ms_day`]: `2019-03-11T00:00:00`.
pub(crate) fn day_string(date: Date) -> String {
    format!("{date}T00:00:00")
}

/// The twin of [`ms_date`]: `2019-11-14T18:10:38Z`, in whole seconds as in the examples.
pub(crate) fn date_string(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The page that an answer holds.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pagination {
    pub(crate) page: usize,
    pub(crate) page_size: usize,
    pub(crate) page_count: usize,
    pub(crate) item_count: usize,
}

/// What every good answer is wrapped in.
pub(crate) struct Envelope<T> {
    pub(crate) id: Uuid,
    pub(crate) at: Timestamp,
    pub(crate) pagination: Option<Pagination>,
    /// The name of the array, which is the name of the endpoint in the plural.
    pub(crate) name: &'static str,
    pub(crate) items: Vec<T>,
}

impl<T: Serialize> Serialize for Envelope<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("Id", &self.id)?;
        map.serialize_entry("Status", "OK")?;
        map.serialize_entry("ProviderName", PROVIDER_NAME)?;
        map.serialize_entry("DateTimeUTC", &format!("/Date({})/", self.at.as_millisecond()))?;
        if let Some(pagination) = &self.pagination {
            map.serialize_entry("pagination", pagination)?;
        }
        map.serialize_entry(self.name, &self.items)?;
        map.end()
    }
}

/// One entry of `ValidationErrors`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Message {
    pub(crate) message: String,
}

/// What became of an element that got no identifier.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unbooked<'a> {
    /// It was refused for these reasons, or not looked at because another one was: it is echoed
    /// with the identifier of nothing.
    Refused(&'a [String]),
    /// It was dropped without a reason, and without any identifier (facts.md 4.4).
    Dropped,
}

impl Unbooked<'_> {
    fn errors(self) -> Vec<Message> {
        match self {
            Self::Refused(errors) => messages(errors),
            Self::Dropped => Vec::new(),
        }
    }

    fn id(self) -> Option<Uuid> {
        match self {
            Self::Refused(_) => Some(Uuid::nil()),
            Self::Dropped => None,
        }
    }
}

/// The messages of a refusal as Xero lists them.
pub(crate) fn messages(texts: &[String]) -> Vec<Message> {
    texts.iter().map(|text| Message { message: text.clone() }).collect()
}

/// The body of a 400 (facts.md 4.9).
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Exception<T> {
    pub(crate) error_number: u32,
    #[serde(rename = "Type")]
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) elements: Vec<T>,
}

/// An organisation as `GET /Organisation` shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct OrganisationOut {
    name: String,
    legal_name: String,
    pays_tax: bool,
    version: &'static str,
    organisation_type: &'static str,
    base_currency: String,
    country_code: String,
    is_demo_company: bool,
    organisation_status: &'static str,
    financial_year_end_day: u8,
    financial_year_end_month: u8,
    sales_tax_basis: &'static str,
    sales_tax_period: &'static str,
    default_sales_tax: &'static str,
    default_purchases_tax: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    period_lock_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_of_year_lock_date: Option<String>,
    #[serde(rename = "CreatedDateUTC")]
    created_date_utc: String,
    organisation_entity_type: &'static str,
    timezone: String,
    short_code: String,
    #[serde(rename = "OrganisationID")]
    organisation_id: Uuid,
    edition: &'static str,
    class: &'static str,
    addresses: [(); 0],
    phones: [(); 0],
    external_links: [(); 0],
    payment_terms: Empty,
}

#[derive(Debug, Serialize)]
struct Empty {}

impl From<&Organisation> for OrganisationOut {
    fn from(organisation: &Organisation) -> Self {
        let short: String = organisation.id.simple().to_string().chars().take(5).collect();
        Self {
            name: organisation.name.clone(),
            legal_name: organisation.name.clone(),
            pays_tax: true,
            version: match organisation.country.as_str() {
                "AU" => "AU",
                "NZ" => "NZ",
                "GB" => "UK",
                "US" => "US",
                _ => "GLOBAL",
            },
            organisation_type: "COMPANY",
            base_currency: organisation.currency.clone(),
            country_code: organisation.country.clone(),
            is_demo_company: true,
            organisation_status: "ACTIVE",
            financial_year_end_day: 30,
            financial_year_end_month: 6,
            sales_tax_basis: "ACCRUALS",
            sales_tax_period: "QUARTERLY1",
            default_sales_tax: "Tax Exclusive",
            default_purchases_tax: "Tax Exclusive",
            period_lock_date: organisation.period_lock_date.map(ms_day),
            end_of_year_lock_date: organisation.end_of_year_lock_date.map(ms_day),
            created_date_utc: format!("/Date({})/", organisation.created.as_millisecond()),
            organisation_entity_type: "COMPANY",
            timezone: organisation.timezone.clone(),
            short_code: format!("!{short}"),
            organisation_id: organisation.id,
            edition: "BUSINESS",
            class: "DEMO",
            addresses: [],
            phones: [],
            external_links: [],
            payment_terms: Empty {},
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn money_is_written_with_two_decimals_and_every_digit() {
        let written =
            |text: &str| serde_json::to_string(&Number::money(text.parse().unwrap())).unwrap();

        assert_eq!(written("46"), "46.00");
        assert_eq!(written("0.1"), "0.10");
        assert_eq!(written("1234567890123456.78"), "1234567890123456.78");
        assert_eq!(serde_json::to_string(&Number::rate()).unwrap(), "1.000000");
    }

    #[test]
    fn dates_come_in_both_forms() {
        let date: Date = "2018-11-29".parse().unwrap();
        let at = Timestamp::from_millisecond(1_541_176_592_690).unwrap();

        assert_eq!(ms_day(date), "/Date(1543449600000+0000)/");
        assert_eq!(day_string(date), "2018-11-29T00:00:00");
        assert_eq!(ms_date(at), "/Date(1541176592690+0000)/");
        assert_eq!(date_string(at), "2018-11-02T16:36:32Z");
    }
}
