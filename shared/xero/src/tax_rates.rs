//! The tax rates of an organisation, archived ones included (XC-14, XC-17).

use payments::OrganisationId;
use payments::budget::CallBudget;
use payments::grant::{Grants, Pairs};
use payments::upload::{AccountClass, TaxRate};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::client::{Client, SCOPE_SETTINGS};
use crate::error::{Outage, ReadError};
use crate::wire::{Member, object, required_text, schema};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireTaxRates<'a> {
    #[serde(borrow)]
    tax_rates: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireTaxRate<'a> {
    #[serde(borrow)]
    name: Member<'a>,
    #[serde(borrow)]
    tax_type: Member<'a>,
    #[serde(borrow)]
    status: Member<'a>,
    #[serde(borrow)]
    can_apply_to_assets: Member<'a>,
    #[serde(borrow)]
    can_apply_to_equity: Member<'a>,
    #[serde(borrow)]
    can_apply_to_expenses: Member<'a>,
    #[serde(borrow)]
    can_apply_to_liabilities: Member<'a>,
    #[serde(borrow)]
    can_apply_to_revenue: Member<'a>,
}

impl<B: CallBudget, G: Grants + Pairs> Client<B, G> {
    /// Reads the tax rates: one call, since the list has no pages.
    ///
    /// # Errors
    /// Whenever the tax rates are not known afterwards; see [`ReadError`].
    pub async fn tax_rates(&self, organisation: OrganisationId) -> Result<Vec<TaxRate>, ReadError> {
        let url = self.url(&["TaxRates"]);
        let answer = self.get(organisation, url, SCOPE_SETTINGS, &mut self.meter()).await?;
        let whole: &RawValue =
            serde_json::from_slice(&answer.body).map_err(|_| Outage::Unreadable)?;
        let wire: WireTaxRates<'_> = object(whole).ok_or(Outage::Unreadable)?;
        wire.tax_rates.into_iter().map(tax_rate).collect()
    }
}

fn tax_rate(raw: &RawValue) -> Result<TaxRate, ReadError> {
    let wire: WireTaxRate<'_> = object(raw).ok_or(schema("TaxRates"))?;
    let fits = AccountClass::ALL.into_iter().filter(|class| {
        let flag = match class {
            AccountClass::Asset => wire.can_apply_to_assets,
            AccountClass::Equity => wire.can_apply_to_equity,
            AccountClass::Expense => wire.can_apply_to_expenses,
            AccountClass::Liability => wire.can_apply_to_liabilities,
            AccountClass::Revenue => wire.can_apply_to_revenue,
        };
        flag.is_some_and(|raw| raw.get() == "true")
    });
    Ok(TaxRate {
        fits: fits.collect(),
        tax_type: required_text(wire.tax_type, "TaxType")?,
        name: required_text(wire.name, "Name")?,
        is_active: required_text(wire.status, "Status")? == "ACTIVE",
    })
}
