//! One line of a document.

use serde::Serialize;
use uuid::Uuid;

use super::Number;
use crate::books::{Line, Organisation};

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LineOut {
    description: String,
    unit_amount: Number,
    tax_type: String,
    tax_amount: Number,
    line_amount: Number,
    account_code: String,
    tracking: [(); 0],
    quantity: Number,
    #[serde(rename = "LineItemID")]
    id: Uuid,
    #[serde(rename = "AccountID", skip_serializing_if = "Option::is_none")]
    account: Option<Uuid>,
    validation_errors: [(); 0],
}

impl From<&Line> for LineOut {
    fn from(line: &Line) -> Self {
        Self {
            description: line.description.clone(),
            unit_amount: Number::money(line.unit_amount),
            tax_type: match &line.tax_type {
                Some(sent) => sent.clone(),
                None if line.tax.is_zero() => "NONE".to_owned(),
                None => "OUTPUT".to_owned(),
            },
            tax_amount: Number::money(line.tax),
            line_amount: Number::money(line.amount),
            account_code: line.account_code.clone(),
            tracking: [],
            quantity: Number::quantity(line.quantity),
            id: line.id,
            account: None,
            validation_errors: [],
        }
    }
}

impl LineOut {
    /// The line of a bank transaction, which also shows the id of its account.
    pub(super) fn with_account(organisation: &Organisation, line: &Line) -> Self {
        let account = organisation.account_meant(None, Some(&line.account_code));
        Self { account, ..Self::from(line) }
    }
}
