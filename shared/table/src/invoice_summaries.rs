//! The invoices of an organisation in short, a page at a time: what the full sweep compares with Xero.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use payments::sweep::{Standing, XeroStanding};
use payments::{InvoiceNumber, InvoiceStatus, OrganisationId, Settled};

use crate::attributes::{Item, Reader};
use crate::error::{ReadError, WriteError};
use crate::latest::UnreadableRow;
use crate::rows::stands_in_index;
use crate::schema::{INVOICES, UNSETTLED, UNSETTLED_IN};
use crate::tables::Tables;

/// The attributes that are read. `number` is a word of DynamoDB's own, hence the other name.
const SHORT: &str = "#number, local_revision, fingerprint, review_on, xero_invoice_id, xero_status, \
    xero_currency, amount_paid, amount_credited, xero_updated_at, revision, unsettled_in, balance";

/// A page of stored invoices.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StandingsPage {
    /// In the order of their numbers.
    pub standings: Vec<Standing>,
    /// The rows that cannot be read, by their numbers.
    pub unreadable: Vec<UnreadableRow>,
    /// Those of either that stand in the index of what is unsettled and should not, or do not and should: of earlier
    /// versions, which did not know it.
    pub misplaced: Vec<Misplaced>,
    /// The number after which the next page begins; `None` if there is none.
    pub next: Option<InvoiceNumber>,
}

/// An invoice with a wrong place in the index of what is unsettled.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Misplaced {
    /// Its number.
    pub number: InvoiceNumber,
    /// Whether it should stand there.
    pub is_unsettled: bool,
    /// The row as it was read.
    revision: Option<u64>,
}

impl Tables {
    /// The stored rows of an organisation's invoices after a number, in the order of their numbers, at most `max`
    /// of them, and the rows that cannot be read, which hide no other (AMB-30). Read consistently.
    ///
    /// # Errors
    /// `Unavailable`; `Unreadable` if it cannot be said where to go on.
    pub async fn standings(
        &self,
        organisation: OrganisationId,
        after: Option<&InvoiceNumber>,
        max: i32,
    ) -> Result<StandingsPage, ReadError> {
        let owner = AttributeValue::S(organisation.to_string());
        let page = self
            .client()
            .query()
            .table_name(self.name(INVOICES))
            .key_condition_expression("organisation = :organisation")
            .expression_attribute_values(":organisation", owner)
            .projection_expression(SHORT)
            .expression_attribute_names("#number", "number")
            .consistent_read(true)
            .set_exclusive_start_key(after.map(|number| key_of(organisation, number)))
            .limit(max)
            .send()
            .await
            .map_err(|error| ReadError::unavailable(INVOICES, error))?;
        let mut found = StandingsPage::of(page.items());
        found.next = next(page.last_evaluated_key())?;
        Ok(found)
    }

    /// The same of the invoices of which something may still be to be done, and of no others: the index names them, as
    /// of a moment ago, and their rows are read consistently.
    ///
    /// # Errors
    /// `Unavailable`; `Unreadable` if it cannot be said where to go on.
    pub async fn unsettled_standings(
        &self,
        organisation: OrganisationId,
        after: Option<&InvoiceNumber>,
        max: i32,
    ) -> Result<StandingsPage, ReadError> {
        let owner = AttributeValue::S(organisation.to_string());
        let from = after.map(|number| {
            let mut key = key_of(organisation, number);
            key.insert(UNSETTLED_IN.to_owned(), owner.clone());
            key
        });
        let page = self
            .client()
            .query()
            .table_name(self.name(INVOICES))
            .index_name(UNSETTLED)
            .key_condition_expression("unsettled_in = :organisation")
            .expression_attribute_values(":organisation", owner)
            .set_exclusive_start_key(from)
            .limit(max)
            .send()
            .await
            .map_err(|error| ReadError::unavailable(INVOICES, error))?;
        let keys = page.items().iter().filter_map(|row| {
            let number = row.get("number")?.as_s().ok()?;
            Some((organisation.to_string(), number.clone()))
        });
        let mut rows = self.many(INVOICES, ["organisation", "number"], keys, None).await?;
        rows.sort_by_key(|row| row.get("number").and_then(|n| n.as_s().ok()).cloned());
        let mut found = StandingsPage::of(&rows);
        found.next = next(page.last_evaluated_key())?;
        Ok(found)
    }

    /// The stored rows of the invoices with these numbers, of each that is there, in any order, without the rows
    /// that cannot be read: [`Tables::standings`] names them. Read consistently.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn standings_of(
        &self,
        organisation: OrganisationId,
        numbers: impl Iterator<Item = &InvoiceNumber>,
    ) -> Result<Vec<Standing>, ReadError> {
        let keys = numbers.map(|number| (organisation.to_string(), number.to_string()));
        let rows = self.many(INVOICES, ["organisation", "number"], keys, None).await?;
        Ok(rows.iter().filter_map(|row| read_standing(row).ok()).collect())
    }

    /// Gives an invoice its place in the index of what is unsettled, unless it was written since it was read: that
    /// write has given it the right one.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn put_into_place(
        &self,
        organisation: OrganisationId,
        row: &Misplaced,
    ) -> Result<(), WriteError> {
        let update = self
            .client()
            .update_item()
            .table_name(self.name(INVOICES))
            .set_key(Some(key_of(organisation, &row.number)))
            .expression_attribute_names("#in", UNSETTLED_IN);
        let update = if row.is_unsettled {
            let owner = AttributeValue::S(organisation.to_string());
            update
                .update_expression("SET #in = :owner")
                .expression_attribute_values(":owner", owner)
        } else {
            update.update_expression("REMOVE #in")
        };
        let update = match &row.revision {
            Some(revision) => update
                .condition_expression("revision = :read")
                .expression_attribute_values(":read", AttributeValue::N(revision.to_string())),
            None => update.condition_expression(
                "attribute_exists(organisation) AND attribute_not_exists(revision)",
            ),
        };
        match update.send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Ok(())
            }
            Err(error) => Err(WriteError::unavailable(INVOICES, error)),
        }
    }
}

impl StandingsPage {
    fn of(rows: &[Item]) -> Self {
        let mut page = Self::default();
        for row in rows {
            // A row that cannot be read is named again each night, until it can.
            let is_unsettled = match read_standing(row) {
                Ok(standing) => {
                    let has_balance = Reader::new(INVOICES, row).has("balance");
                    let is_unsettled = stands_in_index(&standing, has_balance);
                    page.standings.push(standing);
                    is_unsettled
                }
                Err(error) => {
                    page.unreadable.push(UnreadableRow::of(row, "number", &error));
                    true
                }
            };
            let read = Reader::new(INVOICES, row);
            if let Ok(number) = read.parsed("number")
                && is_unsettled != read.has(UNSETTLED_IN)
            {
                let revision = read.number_if("revision").ok().flatten();
                page.misplaced.push(Misplaced { number, is_unsettled, revision });
            }
        }
        page
    }
}

fn key_of(organisation: OrganisationId, number: &InvoiceNumber) -> Item {
    let text = |text: String| AttributeValue::S(text);
    Item::from([
        ("organisation".to_owned(), text(organisation.to_string())),
        ("number".to_owned(), text(number.to_string())),
    ])
}

fn next(key: Option<&HashMap<String, AttributeValue>>) -> Result<Option<InvoiceNumber>, ReadError> {
    key.map(|key| Reader::new(INVOICES, key).parsed("number")).transpose()
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
        judging: row.text_if("fingerprint")?.and_then(Settled::judging).map(str::to_owned),
        review_on: row.parsed_if("review_on")?,
        xero,
    })
}
