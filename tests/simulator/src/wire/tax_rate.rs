//! A tax rate as `GET /TaxRates` shows it.

use serde::Serialize;

use super::Number;
use crate::books::TaxRate;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TaxRateListed {
    name: String,
    tax_type: String,
    can_apply_to_assets: bool,
    can_apply_to_equity: bool,
    can_apply_to_expenses: bool,
    can_apply_to_liabilities: bool,
    can_apply_to_revenue: bool,
    display_tax_rate: Number,
    effective_rate: Number,
    status: &'static str,
    tax_components: [TaxComponentOut; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct TaxComponentOut {
    name: &'static str,
    rate: Number,
    is_compound: bool,
}

impl From<&TaxRate> for TaxRateListed {
    fn from(rate: &TaxRate) -> Self {
        let percent = || Number::money(rate.percent.into());
        Self {
            name: rate.name.clone(),
            tax_type: rate.tax_type.clone(),
            can_apply_to_assets: rate.fits("ASSET"),
            can_apply_to_equity: rate.fits("EQUITY"),
            can_apply_to_expenses: rate.fits("EXPENSE"),
            can_apply_to_liabilities: rate.fits("LIABILITY"),
            can_apply_to_revenue: rate.fits("REVENUE"),
            display_tax_rate: percent(),
            effective_rate: percent(),
            status: rate.status(),
            tax_components: [TaxComponentOut { name: "GST", rate: percent(), is_compound: false }],
        }
    }
}
