//! A prepayment: a bank transaction seen from the money that is left of it.

use serde::Serialize;
use uuid::Uuid;

use super::{
    ContactOut, LineOut, Number, bank_transaction::RECEIVE_PREPAYMENT, date_string, day_string,
    ms_date, ms_day,
};
use crate::books::{BankTransaction, Organisation};

/// A prepayment as Xero writes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PrepaymentOut {
    #[serde(rename = "PrepaymentID")]
    id: Uuid,
    /// In every example, and in no schema.
    #[serde(rename = "ID")]
    same_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency_rate: Option<Number>,
    #[serde(rename = "Type")]
    kind: &'static str,
    /// Not what was sent: the number, as the description says (xero.md 4.5).
    reference: String,
    invoice_number: String,
    remaining_credit: Number,
    allocations: [(); 0],
    payments: [(); 0],
    has_attachments: bool,
    contact: ContactOut,
    date_string: String,
    date: String,
    status: &'static str,
    line_amount_types: String,
    line_items: Vec<LineOut>,
    sub_total: Number,
    total_tax: Number,
    total: Number,
    #[serde(rename = "UpdatedDateUTC")]
    updated_date_utc: String,
    #[serde(rename = "UpdatedDateUTCString")]
    updated_date_utc_string: String,
    currency_code: String,
}

impl PrepaymentOut {
    /// `lines` says whether to show them: a list without pages does not; `by_id` adds the rate.
    pub(crate) fn new(
        organisation: &Organisation,
        transaction: &BankTransaction,
        lines: bool,
        by_id: bool,
    ) -> Self {
        let contact = organisation.contact(transaction.contact);
        let contact_name = contact.map_or("", |contact| contact.name.as_str());
        let shown = transaction.lines.iter().filter(|_| lines);
        Self {
            id: transaction.prepayment,
            same_id: transaction.prepayment,
            currency_rate: by_id.then(Number::rate),
            kind: RECEIVE_PREPAYMENT,
            reference: transaction.number.clone(),
            invoice_number: transaction.number.clone(),
            remaining_credit: Number::money(transaction.remaining_credit()),
            allocations: [],
            payments: [],
            has_attachments: false,
            contact: ContactOut::new(transaction.contact, contact_name, true),
            date_string: day_string(transaction.date),
            date: ms_day(transaction.date),
            status: transaction.prepayment_status(),
            line_amount_types: transaction.line_amounts.clone(),
            line_items: shown.map(LineOut::from).collect(),
            sub_total: Number::money(transaction.total - transaction.tax),
            total_tax: Number::money(transaction.tax),
            total: Number::money(transaction.total),
            updated_date_utc: ms_date(transaction.updated),
            updated_date_utc_string: date_string(transaction.updated),
            currency_code: organisation.currency.clone(),
        }
    }
}
