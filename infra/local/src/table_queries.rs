//! The contents of the tables, for the story and the hints: read as an operator would read them.

use std::collections::HashMap;

use anyhow::Context as _;
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use payments::upload::Line;
use rust_decimal::Decimal;

type Row = HashMap<String, AttributeValue>;

/// Decimals of the sample's currency, for showing an amount.
const DECIMALS: u32 = 2;

/// A row of `payments` or `tombstones`, as far as the story needs it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Payment {
    pub(crate) id: String,
    pub(crate) amount: Decimal,
    pub(crate) currency: String,
    pub(crate) date: String,
    pub(crate) origin: String,
    pub(crate) xero_id: Option<String>,
}

impl Payment {
    /// The payment in words.
    pub(crate) fn describe(&self) -> String {
        let Self { amount, currency, date, .. } = self;
        let mut amount = *amount;
        amount.rescale(DECIMALS);
        let origin = match (self.origin.as_str(), &self.xero_id) {
            ("xero", _) => "copied from Xero",
            (_, Some(_)) => "entered by the business, and known to be one in Xero",
            (_, None) => "entered by the business, and matched with nothing in Xero",
        };
        format!("{amount} {currency} of {date}, {origin}")
    }
}

/// Several payments in words.
pub(crate) fn describe(payments: &[Payment]) -> String {
    if payments.is_empty() {
        return "nothing".to_owned();
    }
    payments.iter().map(Payment::describe).collect::<Vec<_>>().join("; ")
}

/// An invoice that is known on both sides.
#[derive(Clone, Debug)]
pub(crate) struct Invoice {
    pub(crate) number: u64,
    pub(crate) xero_id: Option<String>,
    /// Whether anything is left to pay, as far as Xero has said.
    pub(crate) is_due: bool,
}

/// How an order stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Order {
    pub(crate) progress: String,
    pub(crate) status: String,
    pub(crate) received: Decimal,
}

impl Order {
    /// The order in words.
    pub(crate) fn describe(&self) -> String {
        let mut received = self.received;
        received.rescale(DECIMALS);
        format!("{}, {}, {received} received", self.progress, self.status)
    }
}

/// The sample's tables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look<'a> {
    pub(crate) dynamodb: &'a Client,
    pub(crate) organisation: &'a str,
}

impl Look<'_> {
    /// The payments on an invoice.
    pub(crate) async fn payments(&self, invoice: u64) -> anyhow::Result<Vec<Payment>> {
        self.payments_in("payments", invoice).await
    }

    /// The payments that were removed from an invoice, oldest first.
    pub(crate) async fn tombstones(&self, invoice: u64) -> anyhow::Result<Vec<Payment>> {
        self.payments_in("tombstones", invoice).await
    }

    /// The invoices whose number is a number, lowest first.
    pub(crate) async fn invoices(&self) -> anyhow::Result<Vec<Invoice>> {
        let rows = self.rows("invoices", None, "organisation", self.organisation).await?;
        let mut invoices: Vec<_> = rows
            .iter()
            .filter_map(|row| {
                let number = text(row, "number")?.parse().ok()?;
                let due: Option<Decimal> =
                    row.get("amount_due").and_then(|due| due.as_n().ok()?.parse().ok());
                Some(Invoice {
                    number,
                    xero_id: text(row, "xero_invoice_id").map(str::to_owned),
                    is_due: due.is_some_and(|due| !due.is_zero()),
                })
            })
            .collect();
        invoices.sort_by_key(|invoice| invoice.number);
        Ok(invoices)
    }

    /// The ids of the payments that wait for a night, the oldest payment first.
    pub(crate) async fn waiting(&self) -> anyhow::Result<Vec<String>> {
        let line = format!("{}/{}", self.organisation, Line::Waiting);
        let rows = self.rows("uploads", Some("by_line"), "line", &line).await?;
        Ok(rows.iter().filter_map(|row| text(row, "payment_id")).map(str::to_owned).collect())
    }

    /// How an order stands, once it was judged.
    pub(crate) async fn order(&self, order: &str) -> anyhow::Result<Option<Order>> {
        let rows = self.rows("orders", None, "organisation", self.organisation).await?;
        let Some(row) = rows.iter().find(|row| text(row, "order") == Some(order)) else {
            return Ok(None);
        };
        let received = row.get("received").and_then(|received| received.as_n().ok()?.parse().ok());
        Ok(received.map(|received| Order {
            progress: text(row, "progress").unwrap_or_default().to_owned(),
            status: text(row, "status").unwrap_or("nothing yet").to_owned(),
            received,
        }))
    }

    /// The business's own ids of its customers.
    pub(crate) async fn customers(&self) -> anyhow::Result<Vec<String>> {
        let rows = self.rows("customers", None, "organisation", self.organisation).await?;
        Ok(rows.iter().filter_map(|row| text(row, "customer")).map(str::to_owned).collect())
    }

    async fn payments_in(&self, table: &str, invoice: u64) -> anyhow::Result<Vec<Payment>> {
        let key = format!("{}/{invoice}", self.organisation);
        let rows = self.rows(table, None, "invoice", &key).await?;
        rows.iter().map(|row| payment(row).context(format!("a row of `{table}`"))).collect()
    }

    async fn rows(
        &self,
        table: &str,
        index: Option<&str>,
        key: &str,
        value: &str,
    ) -> anyhow::Result<Vec<Row>> {
        let mut pages = self
            .dynamodb
            .query()
            .table_name(table)
            .set_index_name(index.map(str::to_owned))
            .key_condition_expression("#key = :value")
            .expression_attribute_names("#key", key)
            .expression_attribute_values(":value", AttributeValue::S(value.to_owned()))
            // Of an index there is no such thing, here as in AWS.
            .consistent_read(index.is_none())
            .into_paginator()
            .send();
        let mut rows = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.with_context(|| format!("cannot read the table `{table}`"))?;
            rows.extend(page.items.unwrap_or_default());
        }
        Ok(rows)
    }
}

fn payment(row: &Row) -> anyhow::Result<Payment> {
    let required = |name: &str| {
        text(row, name).map(str::to_owned).with_context(|| format!("{name} is missing"))
    };
    let amount = row.get("amount").and_then(|amount| amount.as_n().ok());
    Ok(Payment {
        id: required("payment_id")?,
        amount: amount.context("amount is missing")?.parse()?,
        currency: required("currency")?,
        date: required("date")?,
        origin: required("origin")?,
        xero_id: text(row, "xero_payment_id").map(str::to_owned),
    })
}

fn text<'a>(row: &'a Row, name: &str) -> Option<&'a str> {
    row.get(name)?.as_s().ok().map(String::as_str)
}
