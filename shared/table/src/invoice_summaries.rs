//! The invoices of an organisation in short, a page at a time: what the full sweep compares with Xero.

use aws_sdk_dynamodb::types::AttributeValue;
use payments::sweep::{Standing, XeroStanding};
use payments::{InvoiceNumber, InvoiceStatus, OrganisationId, Settled};

use crate::attributes::{Item, Reader};
use crate::error::ReadError;
use crate::latest::UnreadableRow;
use crate::schema::INVOICES;
use crate::tables::Tables;

/// The attributes that are read. `number` is a word of DynamoDB's own, hence the other name.
const SHORT: &str = "#number, local_revision, fingerprint, review_on, xero_invoice_id, xero_status, \
    xero_currency, amount_paid, amount_credited, xero_updated_at";

/// A page of what is stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StandingsPage {
    /// In the order of their numbers.
    pub standings: Vec<Standing>,
    /// The rows that cannot be read, by their numbers.
    pub unreadable: Vec<UnreadableRow>,
    /// The number after which the next page begins; `None` if there is none.
    pub next: Option<InvoiceNumber>,
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
        let key = after.map(|number| {
            let text = |text: String| AttributeValue::S(text);
            Item::from([
                ("organisation".to_owned(), text(organisation.to_string())),
                ("number".to_owned(), text(number.to_string())),
            ])
        });
        let page = self
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
            .set_exclusive_start_key(key)
            .limit(max)
            .send()
            .await
            .map_err(|error| ReadError::unavailable(INVOICES, error))?;
        let next = match page.last_evaluated_key() {
            None => None,
            Some(key) => Some(Reader::new(INVOICES, key).parsed("number")?),
        };
        let (mut standings, mut unreadable) = (Vec::new(), Vec::new());
        for row in page.items() {
            match read_standing(row) {
                Ok(standing) => standings.push(standing),
                Err(error) => unreadable.push(UnreadableRow::of(row, "number", &error)),
            }
        }
        Ok(StandingsPage { standings, unreadable, next })
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
