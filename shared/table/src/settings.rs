//! What an organisation has chosen: the rows that operators edit by hand.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::tz::TimeZone;
use payments::budget::DAY_MAX;
use payments::mass_change::MASS_CHANGE_MAX;
use payments::sweep::DailyTimes;
use payments::upload::{
    BUNDLE_MAX, BillStatus, Certainty, FeeAccount, FeeKind, FeeKindError, NIGHTLY_MAX,
    SAME_MONEY_DAYS_MAX, UploadSettings,
};
use payments::{
    Currency, FORWARD_DAYS_MAX, NumberPrefix, Occurrence, OrganisationId, Settings, XeroAccountId,
};

use crate::activity::day;
use crate::attributes::{Item, Reader, Writer, instant};
use crate::change_context::ChangeContext;
use crate::close_settings::read_close_settings;
use crate::daily_time::{read_time, time_text};
use crate::error::{ReadError, WriteError};
use crate::schema::ORGANISATIONS;
use crate::tables::Tables;

/// Longest code of an account, in characters: Xero has no longer ones.
const ACCOUNT_CODE_CHARS_MAX: usize = 10;

/// Every attribute that is a setting. What else a row has, we never write here.
pub(crate) const SETTINGS: [&str; 28] = [
    "mirror_enabled",
    "prefix",
    "time_zone",
    "forward_days",
    "calls_per_day",
    "mass_change_max",
    "cutover_on",
    "close_at",
    "holidays",
    "full_sweep_at",
    "certificate_at",
    "digest_at",
    "upload_enabled",
    "upload_start",
    "upload_when",
    "upload_nightly_max",
    "upload_bundle_max",
    "upload_account_id",
    "currency_accounts",
    "prepayment_account_code",
    "prepayment_account_id",
    "prepayment_tax_type",
    "merchant_contact_id",
    "bill_status",
    "fee_accounts",
    "upload_due_at",
    "same_money_days",
    "shadow_since",
];

/// An organisation that has something switched on, or means to: its row may be unreadable.
#[derive(Debug)]
pub struct Enabled {
    /// Which organisation; `None` if not even that can be read.
    pub organisation: Option<OrganisationId>,
    /// Its settings, or what is wrong with the row.
    pub settings: Result<Settings, ReadError>,
    /// What people call it.
    pub name: Option<String>,
}

impl Tables {
    /// An organisation's settings; `None` if it is not set up here (CM-02, CM-47).
    ///
    /// # Errors
    /// `Unavailable`; `Unreadable` names the setting that makes no sense.
    pub async fn settings(
        &self,
        organisation: OrganisationId,
    ) -> Result<Option<Settings>, ReadError> {
        let key = [("organisation", organisation.to_string())];
        let row = self.one(ORGANISATIONS, &key).await?;
        row.map(|item| read_settings(organisation, &item)).transpose()
    }

    /// The organisations that have uploading switched on, or are in shadow, in the order of their ids. A row that
    /// cannot be read is one of the answers: it must not stop the others.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn uploading_organisations(&self) -> Result<Vec<Enabled>, ReadError> {
        self.organisations_with(&["upload_enabled", "shadow_since"]).await
    }

    /// The organisations that have the mirror switched on (CM-01), or uploading (AMB-37), in the same way.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn organisations_at_work(&self) -> Result<Vec<Enabled>, ReadError> {
        self.organisations_with(&["mirror_enabled", "upload_enabled"]).await
    }

    /// Some of the organisations that have the mirror or uploading switched on, and the key after which the list goes
    /// on, if it does. At most so many rows are read.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn organisations_at_work_after(
        &self,
        after: Option<String>,
        max: usize,
    ) -> Result<(Vec<Enabled>, Option<String>), ReadError> {
        self.organisations_after(after, max, is_at_work).await
    }

    /// The same with those whose disconnection Xero has not confirmed: each check asks for it again (XC-05).
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn organisations_to_check_after(
        &self,
        after: Option<String>,
        max: usize,
    ) -> Result<(Vec<Enabled>, Option<String>), ReadError> {
        self.organisations_after(after, max, |item| is_at_work(item) || is_ending(item)).await
    }

    async fn organisations_after(
        &self,
        after: Option<String>,
        max: usize,
        is_wanted: impl Fn(&Item) -> bool,
    ) -> Result<(Vec<Enabled>, Option<String>), ReadError> {
        let start = after.map(|key| [("organisation".to_owned(), AttributeValue::S(key))].into());
        let page = self
            .client()
            .scan()
            .table_name(self.name(ORGANISATIONS))
            .consistent_read(true)
            .limit(i32::try_from(max).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| ReadError::unavailable(ORGANISATIONS, error))?;
        let rows = page.items().iter().filter(|item| is_wanted(item));
        let next = page.last_evaluated_key().and_then(|key| key.get("organisation"));
        let next = next.and_then(|key| key.as_s().ok()).cloned();
        Ok((rows.map(enabled).collect(), next))
    }

    async fn organisations_with(&self, switches: &[&str]) -> Result<Vec<Enabled>, ReadError> {
        let mut pages = self
            .client()
            .scan()
            .table_name(self.name(ORGANISATIONS))
            .consistent_read(true)
            .into_paginator()
            .send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ReadError::unavailable(ORGANISATIONS, error))?;
            let switched_on = page.items().iter().filter(|item| is_switched_on(item, switches));
            found.extend(switched_on.map(enabled));
        }
        found.sort_by_key(|enabled| enabled.organisation);
        Ok(found)
    }

    /// Stores an organisation's settings, replacing those it has. Other attributes of its row, such as the names
    /// that people gave, stay.
    ///
    /// # Errors
    /// `Unavailable`; `Malformed` for a time zone that is not an IANA one.
    pub async fn store_settings(&self, settings: &Settings) -> Result<(), WriteError> {
        let mut row = settings_row(settings)?;
        row.remove("organisation");
        let mut update = self
            .client()
            .update_item()
            .table_name(self.name(ORGANISATIONS))
            .key("organisation", AttributeValue::S(settings.organisation.to_string()));
        let (mut set, mut remove) = (Vec::new(), Vec::new());
        for (place, name) in SETTINGS.iter().enumerate() {
            update = update.expression_attribute_names(format!("#n{place}"), *name);
            match row.remove(*name) {
                None => remove.push(format!("#n{place}")),
                Some(value) => {
                    set.push(format!("#n{place} = :n{place}"));
                    update = update.expression_attribute_values(format!(":n{place}"), value);
                }
            }
        }
        if !row.is_empty() {
            return Err(WriteError::Malformed("a setting is not on the list of settings".into()));
        }
        let mut expression = format!("SET {}", set.join(", "));
        if !remove.is_empty() {
            expression.push_str(&format!(" REMOVE {}", remove.join(", ")));
        }
        let written = update.update_expression(expression).send().await;
        written.map(drop).map_err(|error| WriteError::unavailable(ORGANISATIONS, error))
    }

    /// Stores the settings of an organisation that has none, with a row of the activity log.
    ///
    /// # Errors
    /// `Conflict` if it has some; `Unavailable`; `Malformed` for a time zone that is not an IANA one.
    pub async fn sign_up(
        &self,
        settings: &Settings,
        by: &str,
        why: &str,
        because: ChangeContext,
    ) -> Result<(), WriteError> {
        let organisation = settings.organisation;
        let log = Writer::default()
            .text("day", day(organisation, because.now))
            .text("at", format!("{}#signed_up", instant(because.now)))
            .text("organisation", organisation)
            .text("cause", because.cause)
            .logged(Occurrence::SignedUp)
            .text("by", by)
            .text("why", why);
        let row = self.replace(ORGANISATIONS, settings_row(settings)?, 0)?;
        self.commit(ORGANISATIONS, vec![row, self.add_to_log(log.finish())?]).await
    }
}

fn settings_row(settings: &Settings) -> Result<Item, WriteError> {
    // In shadow, both directions are off while they are set as a person has set them.
    let settings = &settings.clone().deciding();
    let Some(time_zone) = settings.zone.iana_name() else {
        // Any other zone in its place would move the organisation's days.
        return Err(WriteError::Malformed("the time zone has no IANA name".into()));
    };
    let row = Writer::default()
        .text("organisation", settings.organisation)
        .flag("mirror_enabled", settings.mirror_enabled)
        .text("prefix", &settings.prefix)
        .text("time_zone", time_zone)
        .number_if("forward_days", settings.forward_days)
        .number("calls_per_day", settings.calls_per_day)
        .number("mass_change_max", settings.mass_change_max.unwrap_or(0))
        .text_if("cutover_on", settings.cutover_on)
        .text("close_at", time_text(settings.close.at))
        .text_if("full_sweep_at", settings.daily.full_sweep.map(time_text))
        .text_if("certificate_at", settings.daily.certificate.map(time_text))
        .text_if("digest_at", settings.daily.digest.map(time_text))
        .instant_if("shadow_since", settings.shadow.map(|shadow| shadow.since));
    let holidays: Vec<_> =
        settings.close.holidays.iter().map(|day| AttributeValue::S(day.to_string())).collect();
    let row = match holidays.is_empty() {
        true => row,
        false => row.value("holidays", AttributeValue::L(holidays)),
    };
    let row = match &settings.upload {
        Some(upload) => upload_attributes(row, upload),
        None => row,
    };
    Ok(row.finish())
}

/// Whether an organisation mirrors or uploads.
fn is_at_work(item: &Item) -> bool {
    is_switched_on(item, &["mirror_enabled", "upload_enabled"])
}

/// Whether an organisation is disconnected here, and Xero has not confirmed it.
fn is_ending(item: &Item) -> bool {
    item.contains_key("disconnected_at") && !item.contains_key("disconnected_in_xero")
}

/// Whether one of these switches is on. One that is not a truth value may be meant so: then the row says so when it is
/// read.
fn is_switched_on(item: &Item, switches: &[&str]) -> bool {
    if item.contains_key("disconnected_at") {
        return false;
    }
    let is_off = |value: &AttributeValue| matches!(value, AttributeValue::Bool(false));
    switches.iter().any(|switch| item.get(*switch).is_some_and(|value| !is_off(value)))
}

fn enabled(item: &Item) -> Enabled {
    let organisation = Reader::new(ORGANISATIONS, item).parsed("organisation");
    match organisation {
        Ok(organisation) => Enabled {
            organisation: Some(organisation),
            settings: read_settings(organisation, item),
            name: Reader::new(ORGANISATIONS, item)
                .text_if("name")
                .ok()
                .flatten()
                .map(str::to_owned),
        },
        Err(error) => Enabled { organisation: None, settings: Err(error), name: None },
    }
}

pub(crate) fn read_settings(
    organisation: OrganisationId,
    item: &Item,
) -> Result<Settings, ReadError> {
    let row = Reader::new(ORGANISATIONS, item);
    let prefix = match row.text_if("prefix")? {
        None => NumberPrefix::default(),
        Some(text) => {
            NumberPrefix::new(text).ok_or_else(|| row.wrong("prefix", "is no usable prefix"))?
        }
    };
    let forward_days: Option<u16> = row.number_if("forward_days")?;
    if forward_days.is_some_and(|days| days > FORWARD_DAYS_MAX) {
        return Err(row.wrong("forward_days", format!("is more than {FORWARD_DAYS_MAX}")));
    }
    let settings = Settings {
        organisation,
        mirror_enabled: row.flag("mirror_enabled")?,
        prefix,
        zone: TimeZone::get(row.text("time_zone")?)
            .map_err(|_| row.wrong("time_zone", "is no IANA time zone such as Australia/Sydney"))?,
        forward_days,
        calls_per_day: match row.number_if("calls_per_day")? {
            None => DAY_MAX,
            Some(calls) if (1..=DAY_MAX).contains(&calls) => calls,
            Some(_) => {
                return Err(row.wrong("calls_per_day", format!("is not from 1 to {DAY_MAX}")));
            }
        },
        mass_change_max: match row.number_if("mass_change_max")? {
            None => Some(MASS_CHANGE_MAX),
            Some(0) => None,
            Some(max) => Some(max),
        },
        cutover_on: row.parsed_if("cutover_on")?,
        close: read_close_settings(row),
        daily: DailyTimes {
            full_sweep: read_time(row, "full_sweep_at")?,
            certificate: read_time(row, "certificate_at")?,
            digest: read_time(row, "digest_at")?,
        },
        upload: read_upload_settings(row)?,
        disconnected_at: None,
        shadow: None,
    };
    Ok(match (row.parsed_if("disconnected_at")?, row.parsed_if("shadow_since")?) {
        (Some(at), _) => settings.disconnected(at),
        (None, Some(since)) => settings.in_shadow(since),
        (None, None) => settings,
    })
}

pub(crate) fn upload_attributes(row: Writer, upload: &UploadSettings) -> Writer {
    row.flag("upload_enabled", upload.enabled)
        .text("upload_start", upload.start)
        .text("upload_when", upload.when)
        .number("upload_nightly_max", upload.nightly_max)
        .number("upload_bundle_max", upload.bundle_max)
        .text("upload_account_id", upload.account)
        .text_if("prepayment_account_code", upload.prepayment_account.as_deref())
        .text_if("prepayment_account_id", upload.prepayment_account_id)
        .text_if("prepayment_tax_type", upload.prepayment_tax.as_deref())
        .text_if("merchant_contact_id", upload.merchant_contact)
        .text("bill_status", upload.bill_status)
        .value("currency_accounts", AttributeValue::M(currency_accounts(upload)))
        .value("fee_accounts", AttributeValue::M(fee_accounts(&upload.fee_accounts)))
        .text("upload_due_at", time_text(upload.due_at))
        .number("same_money_days", upload.same_money_days)
}

fn currency_accounts(upload: &UploadSettings) -> Item {
    let text = |account: &XeroAccountId| AttributeValue::S(account.to_string());
    let accounts = upload.currency_accounts.iter();
    accounts.map(|(currency, account)| (currency.to_string(), text(account))).collect()
}

/// The code alone, as people type it, unless there is a tax type, or the id of an account that was picked.
fn fee_accounts(accounts: &BTreeMap<FeeKind, FeeAccount>) -> Item {
    let value = |account: &FeeAccount| match (&account.tax, account.id) {
        (None, None) => AttributeValue::S(account.code.clone()),
        (tax, id) => {
            let row = Writer::default()
                .text("account_code", &account.code)
                .text_if("account_id", id)
                .text_if("tax_type", tax.as_deref());
            AttributeValue::M(row.finish())
        }
    };
    accounts.iter().map(|(kind, account)| (kind.to_string(), value(account))).collect()
}

/// Without a start, without an account and without being switched on, uploading is not set up.
fn read_upload_settings(row: Reader<'_>) -> Result<Option<UploadSettings>, ReadError> {
    let enabled = row.flag("upload_enabled")?;
    if !enabled && !row.has("upload_start") && !row.has("upload_account_id") {
        return Ok(None);
    }
    let defaults =
        UploadSettings::new(row.parsed("upload_start")?, row.parsed("upload_account_id")?);
    let when = match row.text_if("upload_when")? {
        None => defaults.when,
        Some(_) => row.code("upload_when", Certainty::from_code)?,
    };
    let due_at = read_time(row, "upload_due_at")?.unwrap_or(defaults.due_at);
    Ok(Some(UploadSettings {
        enabled,
        when,
        nightly_max: up_to(row, "upload_nightly_max", NIGHTLY_MAX)?,
        bundle_max: up_to(row, "upload_bundle_max", BUNDLE_MAX)?,
        currency_accounts: read_currency_accounts(row)?,
        prepayment_account: filled(row, "prepayment_account_code")?,
        prepayment_account_id: row.parsed_if("prepayment_account_id")?,
        prepayment_tax: filled(row, "prepayment_tax_type")?,
        merchant_contact: row.parsed_if("merchant_contact_id")?,
        bill_status: match row.text_if("bill_status")? {
            None => defaults.bill_status,
            Some(_) => row.code("bill_status", BillStatus::from_code)?,
        },
        fee_accounts: read_fee_accounts(row)?,
        due_at,
        same_money_days: match row.number_if("same_money_days")? {
            None => defaults.same_money_days,
            Some(days) if days <= SAME_MONEY_DAYS_MAX => days,
            Some(_) => {
                let problem = format!("is not from 0 to {SAME_MONEY_DAYS_MAX}");
                return Err(row.wrong("same_money_days", problem));
            }
        },
        ..defaults
    }))
}

/// The account for each currency other than that of the books (XC-18).
fn read_currency_accounts(row: Reader<'_>) -> Result<BTreeMap<Currency, XeroAccountId>, ReadError> {
    let mut accounts = BTreeMap::new();
    for (name, value) in row.entries("currency_accounts")? {
        let currency = name.parse();
        let currency = currency
            .map_err(|_| row.wrong("currency_accounts", "has a key that is no currency"))?;
        let account = value.as_s().ok().and_then(|text| text.parse().ok());
        let account = account.ok_or_else(|| {
            row.wrong("currency_accounts", format!("has no account's id for {currency}"))
        })?;
        accounts.insert(currency, account);
    }
    Ok(accounts)
}

/// Where each kind of fee is booked: a code, or a code and a tax type (EX-19).
fn read_fee_accounts(row: Reader<'_>) -> Result<BTreeMap<FeeKind, FeeAccount>, ReadError> {
    let mut accounts = BTreeMap::new();
    for (name, value) in row.entries("fee_accounts")? {
        let kind: FeeKind =
            name.parse().map_err(|error: FeeKindError| row.wrong("fee_accounts", error))?;
        let attribute = format!("fee_accounts.{kind}");
        let account = match value {
            AttributeValue::S(code) => FeeAccount { code: code.clone(), id: None, tax: None },
            AttributeValue::M(item) => {
                let entry = Reader::new(ORGANISATIONS, item);
                let wrong = |problem: &str| row.wrong(&attribute, problem);
                let code = entry.text("account_code").map_err(|_| wrong("has no account_code"))?;
                let tax = filled(entry, "tax_type")
                    .map_err(|_| wrong("has a tax_type that is empty, or no string"))?;
                let id = entry
                    .parsed_if("account_id")
                    .map_err(|_| wrong("has an account_id that is no id of Xero's"))?;
                FeeAccount { code: code.to_owned(), id, tax }
            }
            _ => return Err(row.wrong(&attribute, "is neither an account code nor a map with one")),
        };
        let chars = account.code.chars().count();
        if account.code.trim() != account.code || !(1..=ACCOUNT_CODE_CHARS_MAX).contains(&chars) {
            let problem = format!(
                "is no account code: 1 to {ACCOUNT_CODE_CHARS_MAX} characters without spaces around them"
            );
            return Err(row.wrong(&attribute, problem));
        }
        accounts.insert(kind, account);
    }
    Ok(accounts)
}

/// A number from 1 to `max`, which it is if nothing is said.
fn up_to(row: Reader<'_>, name: &str, max: u32) -> Result<u32, ReadError> {
    match row.number_if(name)?.unwrap_or(max) {
        number if (1..=max).contains(&number) => Ok(number),
        _ => Err(row.wrong(name, format!("is not from 1 to {max}"))),
    }
}

fn filled(row: Reader<'_>, name: &str) -> Result<Option<String>, ReadError> {
    match row.text_if(name)? {
        // Xero would refuse it, one payment after the other.
        Some("") => Err(row.wrong(name, "is empty")),
        text => Ok(text.map(str::to_owned)),
    }
}
