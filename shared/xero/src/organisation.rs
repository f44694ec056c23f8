//! Xero's `Organisation`: whose books these are.

use std::collections::BTreeSet;

use jiff::civil::Date;
use payments::{Currency, OrganisationId};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{Outage, ReadError};
use crate::wire::{
    Member, object, optional_day, optional_text, required_currency, required_text, schema,
};

/// An organisation, as it describes itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Organisation {
    /// Its id; the reader has checked that it is the one that was asked for.
    pub id: OrganisationId,
    /// Its name.
    pub name: String,
    /// What links into Xero's screens contain, for example `!mBdtL`.
    pub short_code: Option<String>,
    /// Its time zone in Xero's own words, for example `NEWZEALANDSTANDARDTIME`.
    pub time_zone: Option<String>,
    /// The currency of its books.
    pub base_currency: Currency,
    /// Nothing dated on or before this day may be written.
    pub period_lock_date: Option<Date>,
    /// The same, for everybody.
    pub end_of_year_lock_date: Option<Date>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireActions<'a> {
    #[serde(borrow)]
    actions: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireAction<'a> {
    #[serde(borrow)]
    name: Member<'a>,
    #[serde(borrow)]
    status: Member<'a>,
}

/// The actions that the connection may do, by Xero's names such as `CreateInvoicePayment`.
pub(crate) fn allowed_actions(body: &[u8]) -> Result<BTreeSet<String>, ReadError> {
    let whole: &RawValue = serde_json::from_slice(body).map_err(|_| Outage::Unreadable)?;
    let wire: WireActions<'_> = object(whole).ok_or(Outage::Unreadable)?;
    let mut allowed = BTreeSet::new();
    for raw in wire.actions {
        let wire: WireAction<'_> = object(raw).ok_or(schema("Actions"))?;
        if required_text(wire.status, "Status")? == "ALLOWED" {
            allowed.insert(required_text(wire.name, "Name")?);
        }
    }
    Ok(allowed)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireOrganisations<'a> {
    #[serde(borrow)]
    organisations: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireOrganisation<'a> {
    #[serde(borrow, rename = "OrganisationID")]
    organisation_id: Member<'a>,
    #[serde(borrow)]
    name: Member<'a>,
    #[serde(borrow)]
    short_code: Member<'a>,
    #[serde(borrow)]
    timezone: Member<'a>,
    #[serde(borrow)]
    base_currency: Member<'a>,
    #[serde(borrow)]
    period_lock_date: Member<'a>,
    #[serde(borrow)]
    end_of_year_lock_date: Member<'a>,
}

impl Organisation {
    /// Nothing dated on or before this day may be written: the later of both lock dates.
    pub fn locked_until(&self) -> Option<Date> {
        // `None` is less than every date.
        self.period_lock_date.max(self.end_of_year_lock_date)
    }

    /// Reads the answer to `GET /Organisation`, which is a list of one.
    pub(crate) fn read(body: &[u8], asked: OrganisationId) -> Result<Self, ReadError> {
        let whole: &RawValue = serde_json::from_slice(body).map_err(|_| Outage::Unreadable)?;
        let wire: WireOrganisations<'_> = object(whole).ok_or(Outage::Unreadable)?;
        let [raw] = wire.organisations.as_slice() else {
            return Err(schema("Organisations"));
        };
        let wire: WireOrganisation<'_> = object(raw).ok_or(schema("Organisations"))?;
        let id = required_text(wire.organisation_id, "OrganisationID")?.parse();
        if id != Ok(asked) {
            return Err(schema("OrganisationID"));
        }
        Ok(Self {
            id: asked,
            name: required_text(wire.name, "Name")?,
            short_code: optional_text(wire.short_code, "ShortCode")?,
            time_zone: optional_text(wire.timezone, "Timezone")?,
            base_currency: required_currency(wire.base_currency, "BaseCurrency")?,
            period_lock_date: optional_day(wire.period_lock_date, "PeriodLockDate")?,
            end_of_year_lock_date: optional_day(wire.end_of_year_lock_date, "EndOfYearLockDate")?,
        })
    }
}
