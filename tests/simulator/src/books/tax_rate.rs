//! A tax rate; only what a payments integration needs to know of it.

use serde::{Deserialize, Serialize};

use super::{AccountKind, Organisation, Refusal};

/// A tax rate as it is now.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TaxRate {
    /// `TaxType`, such as `INPUT`.
    pub tax_type: String,
    /// `Name`.
    pub name: String,
    /// The classes of accounts that it can be applied to, such as `EXPENSE`.
    pub classes: Vec<String>,
    /// `EffectiveRate`, in percent.
    pub percent: u32,
    /// Whether its `Status` is ARCHIVED.
    #[serde(default)]
    pub archived: bool,
}

impl TaxRate {
    /// The rates of a new organisation in Australia.
    pub(crate) fn usual() -> Vec<Self> {
        let spending = ["ASSET", "EQUITY", "EXPENSE", "LIABILITY"];
        let earning = ["ASSET", "EQUITY", "LIABILITY", "REVENUE"];
        let all = ["ASSET", "EQUITY", "EXPENSE", "LIABILITY", "REVENUE"];
        let rate = |tax_type: &str, name: &str, classes: &[&str], percent| Self {
            tax_type: tax_type.to_owned(),
            name: name.to_owned(),
            classes: classes.iter().map(|&class| class.to_owned()).collect(),
            percent,
            archived: false,
        };
        vec![
            rate("INPUT", "GST on Expenses", &spending, 10),
            rate("OUTPUT", "GST on Income", &earning, 10),
            rate("EXEMPTEXPENSES", "GST Free Expenses", &spending, 0),
            rate("EXEMPTOUTPUT", "GST Free Income", &earning, 0),
            rate("BASEXCLUDED", "BAS Excluded", &all, 0),
        ]
    }

    /// Xero's word for its state.
    #[must_use]
    pub fn status(&self) -> &'static str {
        if self.archived { "ARCHIVED" } else { "ACTIVE" }
    }

    /// Whether lines on accounts of this class may have it.
    #[must_use]
    pub fn fits(&self, class: &str) -> bool {
        self.classes.iter().any(|known| known == class)
    }
}

impl Organisation {
    /// The objection to this tax type on a line of an approved document.
    pub(super) fn tax_objection(&self, tax_type: Option<&str>, code: &str) -> Option<String> {
        let tax_type = tax_type?;
        let mut accounts = self.accounts.iter();
        let account = accounts.find(|account| account.code.as_deref() == Some(code));
        let class = account.map(|account| account.kind).map_or("", AccountKind::class);
        let mut rates = self.tax_rates.iter();
        let rate = rates.find(|rate| rate.tax_type == tax_type && !rate.archived);
        let fits = rate.is_some_and(|rate| rate.fits(class));
        (!fits).then(|| {
            format!("The TaxType code '{tax_type}' cannot be used with account code '{code}'.")
        })
    }

    /// Takes a tax rate out of use.
    pub(crate) fn archive_tax_rate(&mut self, tax_type: &str) -> Result<(), Refusal> {
        let mut rates = self.tax_rates.iter_mut();
        let rate = rates.find(|rate| rate.tax_type == tax_type);
        let rate = rate.ok_or_else(|| Refusal::because(format!("there is no rate {tax_type}")))?;
        rate.archived = true;
        Ok(())
    }
}
