//! All invoices of an organisation in short: what the full sweep compares with Xero.

use aws_sdk_dynamodb::types::AttributeValue;
use payments::sweep::{Standing, XeroStanding};
use payments::{InvoiceStatus, OrganisationId};

use crate::attributes::{Item, Reader};
use crate::error::ReadError;
use crate::newest::Unreadable;
use crate::schema::INVOICES;
use crate::tables::Tables;

/// The attributes that are read. `number` is a word of DynamoDB's own, hence the other name.
const SHORT: &str = "#number, local_revision, fingerprint, review_on, xero_invoice_id, xero_status, \
    xero_currency, amount_paid, amount_credited, xero_updated_at";

impl Tables {
    /// What is stored of an organisation's invoices, read consistently, in the order of their numbers, and the
    /// rows that cannot be read, which hide no other (AMB-30).
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn standings(
        &self,
        organisation: OrganisationId,
    ) -> Result<(Vec<Standing>, Vec<Unreadable>), ReadError> {
        let mut rows = self
            .client()
            .query()
            .table_name(self.name(INVOICES))
            .key_condition_expression("organisation = :organisation")
            .expression_attribute_values(
                ":organisation",
                AttributeValue::S(organisation.to_string()),
            )
            .projection_expression(SHORT)
            .expression_attribute_names("#number", "number")
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let (mut standings, mut unreadable) = (Vec::new(), Vec::new());
        while let Some(row) = rows.next().await {
            let row = row.map_err(|error| ReadError::unavailable(INVOICES, error))?;
            match read_standing(&row) {
                Ok(standing) => standings.push(standing),
                Err(error) => unreadable.push(Unreadable::of(&row, "number", &error)),
            }
        }
        Ok((standings, unreadable))
    }
}

fn read_standing(item: &Item) -> Result<Standing, ReadError> {
    let row = Reader::new(INVOICES, item);
    let xero = match row.parsed_if("xero_invoice_id")? {
        None => None,
        Some(invoice) => {
            let currency = row.parsed("xero_currency")?;
            Some(XeroStanding {
                invoice,
                status: row.code("xero_status", InvoiceStatus::from_code)?,
                paid: row.money("amount_paid", currency)?,
                credited: row.money("amount_credited", currency)?,
                updated_at: row.parsed("xero_updated_at")?,
            })
        }
    };
    Ok(Standing {
        number: row.parsed("number")?,
        is_local: row.has("local_revision"),
        is_settled: row.has("fingerprint"),
        review_on: row.parsed_if("review_on")?,
        xero,
    })
}
