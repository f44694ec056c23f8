//! The invoices of which something is left: they are among those that the index of what is unsettled names (ST-12, ST-24).

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::civil::Date;
use payments::balance::{Balance, balance};
use payments::{CustomerId, InvoiceNumber, OrganisationId, StoredInvoice};

use crate::attributes::{Item, Reader, Writer};
use crate::error::ReadError;
use crate::latest::{UnreadableRow, sorted};
use crate::schema::{INVOICES, UNSETTLED, UNSETTLED_IN};
use crate::tables::Tables;

/// Stands in the place of a day where none is known.
const NO_DAY: &str = "unknown";

/// An invoice that is not settled.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvoiceBalance {
    /// Its number.
    pub number: InvoiceNumber,
    /// Whose customer owes it, if the business's own system says so.
    pub customer: Option<CustomerId>,
    /// The customer's name: in the business's own system, or else in Xero.
    pub name: Option<String>,
    /// Whether Xero has it.
    pub in_xero: bool,
    /// The amount left of it.
    pub balance: Balance,
}

/// Unsettled invoices, and where the list goes on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BalancePage {
    /// What has been due for longest first.
    pub rows: Vec<InvoiceBalance>,
    /// Those that cannot be read.
    pub unreadable: Vec<UnreadableRow>,
    /// How many unsettled invoices were looked at: of some nothing is left.
    pub looked_at: usize,
    /// The number behind which there are more.
    pub next: Option<InvoiceNumber>,
}

/// What of an invoice is left, in its row.
pub(crate) fn with_balance(row: Writer, invoice: &StoredInvoice) -> Writer {
    let Some(Balance { left, due_on }) = balance(invoice) else { return row };
    let due_on = due_on.map_or_else(|| NO_DAY.to_owned(), |day| day.to_string());
    row.number("balance", left.amount())
        .text("balance_currency", left.currency())
        .text("balance_due_on", due_on)
}

impl Tables {
    /// The invoices of an organisation of which something is left or too much was paid, what has been due for longest
    /// first; as of a moment ago. At most `max` unsettled invoices are looked at, by their numbers, those behind a number if
    /// one is named. An invoice that was written last by a version without balances is none of them.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn list_balances(
        &self,
        organisation: OrganisationId,
        behind: Option<&InvoiceNumber>,
        max: usize,
    ) -> Result<BalancePage, ReadError> {
        let start = behind.map(|number| {
            let number = AttributeValue::S(number.to_string());
            let organisation = AttributeValue::S(organisation.to_string());
            Item::from([
                (UNSETTLED_IN.to_owned(), organisation.clone()),
                ("organisation".to_owned(), organisation),
                ("number".to_owned(), number),
            ])
        });
        let mut items = self
            .client()
            .query()
            .table_name(self.name(INVOICES))
            .index_name(UNSETTLED)
            .key_condition_expression("unsettled_in = :organisation")
            .expression_attribute_values(
                ":organisation",
                AttributeValue::S(organisation.to_string()),
            )
            .set_exclusive_start_key(start)
            .into_paginator()
            .items()
            .send();
        let mut keys: Vec<(String, String)> = Vec::new();
        let mut next = None;
        while let Some(item) = items.next().await {
            if keys.len() >= max {
                next = keys.last().and_then(|(_, number)| number.parse().ok());
                break;
            }
            let item = item.map_err(|error| ReadError::unavailable(INVOICES, error))?;
            let number = item.get("number").and_then(|number| number.as_s().ok());
            keys.extend(number.map(|number| (organisation.to_string(), number.clone())));
        }
        let looked_at = keys.len();
        let found = self.many(INVOICES, ["organisation", "number"], keys, None).await?;
        let found = found.iter().filter(|row| Reader::new(INVOICES, row).has("balance"));
        let (mut rows, unreadable) = sorted(found, "number", read_balance);
        let due_on = |row: &InvoiceBalance| row.balance.due_on;
        rows.sort_by(|a, b| {
            let by_day =
                due_on(a).is_none().cmp(&due_on(b).is_none()).then(due_on(a).cmp(&due_on(b)));
            by_day.then_with(|| a.number.cmp(&b.number))
        });
        Ok(BalancePage { rows, unreadable, looked_at, next })
    }
}

fn read_balance(item: &Item) -> Result<InvoiceBalance, ReadError> {
    let row = Reader::new(INVOICES, item);
    let due_on: Option<Date> = match row.text("balance_due_on")? {
        NO_DAY => None,
        _ => Some(row.parsed("balance_due_on")?),
    };
    let left = row.money("balance", row.parsed("balance_currency")?)?;
    let mut name = None;
    for attribute in ["company", "person", "xero_contact"] {
        name = name.or(row.text_if(attribute)?);
    }
    Ok(InvoiceBalance {
        number: row.parsed("number")?,
        customer: row.parsed_if("customer")?,
        name: name.map(str::to_owned),
        in_xero: row.has("xero_invoice_id"),
        balance: Balance { left, due_on },
    })
}
