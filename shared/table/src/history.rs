//! What has happened to an invoice, the newest first, a page at a time (EX-24, ST-14).

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use jiff::civil::Date;
use payments::{InvoiceNumber, Money, OrganisationId, PaymentId, XeroPaymentId};

use crate::attributes::{Item, Reader};
use crate::error::ReadError;
use crate::rows::invoice_key;
use crate::schema::{ACTIVITY, BY_INVOICE};
use crate::tables::Tables;

/// Most entries on a page.
pub const HISTORY_PAGE_MAX: u32 = 50;

/// One decision, as it was written down.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Its key, by which the next page begins after it.
    pub key: String,
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub action: String,
    /// The rule that says so.
    pub rule: Option<String>,
    /// Why: a code.
    pub reason: Option<String>,
    /// Why, in a sentence. For pages, never for logs: it holds amounts.
    pub why: Option<String>,
    /// What set it off.
    pub cause: Option<String>,
    /// Who said so, if a person did.
    pub by: Option<String>,
    /// Our payment.
    pub payment: Option<PaymentId>,
    /// Xero's payment.
    pub xero: Option<XeroPaymentId>,
    /// The payment's amount.
    pub amount: Option<Money>,
    /// The payment's day.
    pub date: Option<Date>,
    /// How long it took from the event to here, in milliseconds (SP-09).
    pub visible_after_ms: Option<i64>,
}

/// A page of what has happened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HistoryPage {
    /// The newest first.
    pub entries: Vec<Entry>,
    /// Before which key the next page begins; none if this was the last one.
    pub before: Option<String>,
    /// How many rows were read.
    pub read: u32,
}

impl Tables {
    /// What has happened to an invoice, the newest first, before a key of an earlier page if one is given: at
    /// most [`HISTORY_PAGE_MAX`] entries, and no more rows are read. As of a moment ago.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn history(
        &self,
        organisation: OrganisationId,
        number: &InvoiceNumber,
        before: Option<&str>,
    ) -> Result<HistoryPage, ReadError> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let condition = match before {
            None => "invoice = :invoice",
            Some(_) => "invoice = :invoice AND #at < :before",
        };
        let query = self
            .client()
            .query()
            .table_name(self.name(ACTIVITY))
            .index_name(BY_INVOICE)
            .key_condition_expression(condition)
            .expression_attribute_values(":invoice", text(&invoice_key(organisation, number)))
            .scan_index_forward(false)
            .limit(i32::try_from(HISTORY_PAGE_MAX).unwrap_or(i32::MAX));
        let query = match before {
            None => query,
            Some(before) => query
                .expression_attribute_names("#at", "at")
                .expression_attribute_values(":before", text(before)),
        };
        let answer = query.send().await.map_err(|error| ReadError::unavailable(ACTIVITY, error))?;
        let entries: Vec<_> = answer.items().iter().map(read).collect::<Result<_, _>>()?;
        let more = answer.last_evaluated_key.is_some();
        Ok(HistoryPage {
            before: entries.last().filter(|_| more).map(|last| last.key.clone()),
            entries,
            read: u32::try_from(answer.scanned_count).unwrap_or(0),
        })
    }
}

fn read(item: &Item) -> Result<Entry, ReadError> {
    let row = Reader::new(ACTIVITY, item);
    let key = row.text("at")?;
    let instant = key.split_once('#').map_or(key, |(instant, _)| instant);
    let owned = |name| row.text_if(name).map(|text| text.map(str::to_owned));
    let currency = row.parsed_if("currency")?;
    Ok(Entry {
        key: key.to_owned(),
        at: instant.parse().map_err(|_| row.wrong("at", "does not begin with an instant"))?,
        action: row.text("action")?.to_owned(),
        rule: owned("rule")?,
        reason: owned("reason")?,
        why: owned("why")?,
        cause: owned("cause")?,
        by: owned("by")?,
        payment: row.parsed_if("payment_id")?,
        xero: row.parsed_if("xero_payment_id")?,
        amount: match currency {
            Some(currency) => row.money_if("amount", currency)?,
            None => None,
        },
        date: row.parsed_if("date")?,
        visible_after_ms: row.number_if("visible_after_ms")?,
    })
}
