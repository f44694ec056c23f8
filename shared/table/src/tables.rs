//! The tables of one deployment, and the reads and writes that are not about one invoice.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use payments::{
    Allocation, FORWARD_DAYS_MAX, NumberPrefix, OrganisationId, PaymentId, PaymentStatus, Receipt,
    Settings, Warning,
};

use crate::activity::day;
use crate::attributes::{Item, Reader, Writer, instant};
use crate::error::{ReadError, WriteError};
use crate::rows;
use crate::schema::{ACTIVITY, ORGANISATIONS, PARKED, RECEIPTS};

/// Access to the tables.
#[derive(Clone, Debug)]
pub struct Tables {
    client: Client,
    prefix: String,
}

/// Something that could not be processed, kept in full for a person.
#[derive(Clone, Debug)]
pub struct Parked<'a> {
    /// Whose it is, as far as it is known.
    pub organisation: Option<OrganisationId>,
    /// What makes it one and the same when it is parked twice: a message id, or a digest.
    pub id: &'a str,
    /// Which function parked it.
    pub by: &'static str,
    /// A code, for counting.
    pub reason: &'a str,
    /// What is wrong, and where.
    pub detail: &'a str,
    /// The thing itself.
    pub body: &'a [u8],
    /// When it arrived.
    pub received_at: Timestamp,
}

/// Something that was seen and deliberately left alone.
#[derive(Clone, Debug)]
pub struct Noted<'a> {
    /// Whose it is, as far as it is known.
    pub organisation: Option<OrganisationId>,
    /// What makes it one and the same when it is noted twice.
    pub id: &'a str,
    /// Why it was left alone.
    pub reason: &'a str,
    /// What it was, without content.
    pub what: &'a str,
    /// How many there were.
    pub count: u32,
    /// When it arrived.
    pub received_at: Timestamp,
}

impl Tables {
    /// Tables whose names begin with `prefix` (empty locally, the stack's name when deployed).
    pub fn new(client: Client, prefix: impl Into<String>) -> Self {
        Self { client, prefix: prefix.into() }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn name(&self, table: &str) -> String {
        format!("{}{table}", self.prefix)
    }

    /// All rows of a partition, read consistently.
    pub(crate) async fn partition(
        &self,
        table: &'static str,
        key: &str,
        value: &str,
    ) -> Result<Vec<Item>, ReadError> {
        let mut pages = self
            .client
            .query()
            .table_name(self.name(table))
            .key_condition_expression("#key = :value")
            .expression_attribute_names("#key", key)
            .expression_attribute_values(":value", AttributeValue::S(value.to_owned()))
            .consistent_read(true)
            .into_paginator()
            .send();
        let mut items = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ReadError::unavailable(table, error))?;
            items.extend(page.items.unwrap_or_default());
        }
        Ok(items)
    }

    /// An organisation's settings; `None` if it is not set up here (CM-02, CM-47).
    ///
    /// # Errors
    /// `Unavailable`; `Unreadable` names the setting that makes no sense.
    pub async fn settings(
        &self,
        organisation: OrganisationId,
    ) -> Result<Option<Settings>, ReadError> {
        let answer = self
            .client
            .get_item()
            .table_name(self.name(ORGANISATIONS))
            .key("organisation", AttributeValue::S(organisation.to_string()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| ReadError::unavailable(ORGANISATIONS, error))?;
        answer.item.map(|item| read_settings(organisation, &item)).transpose()
    }

    /// Stores an organisation's settings, replacing those it has.
    ///
    /// # Errors
    /// `Unavailable`; `Malformed` for a time zone that is not an IANA one.
    pub async fn store_settings(&self, settings: &Settings) -> Result<(), WriteError> {
        let Some(time_zone) = settings.zone.iana_name() else {
            // Any other zone in its place would move the organisation's days.
            return Err(WriteError::Malformed("the time zone has no IANA name".into()));
        };
        let row = Writer::default()
            .text("organisation", settings.organisation)
            .flag("mirror_enabled", settings.mirror_enabled)
            .text("prefix", &settings.prefix)
            .text("time_zone", time_zone)
            .text_if("cutover_on", settings.cutover_on);
        let row = match settings.forward_days {
            Some(days) => row.number("forward_days", days),
            None => row,
        };
        self.put_row(ORGANISATIONS, row.finish()).await
    }

    /// What the business's own system last reported of a payment.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn receipt(
        &self,
        organisation: OrganisationId,
        payment: &PaymentId,
    ) -> Result<Option<Receipt>, ReadError> {
        let answer = self
            .client
            .get_item()
            .table_name(self.name(RECEIPTS))
            .key("organisation", AttributeValue::S(organisation.to_string()))
            .key("payment_id", AttributeValue::S(payment.to_string()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| ReadError::unavailable(RECEIPTS, error))?;
        answer.item.map(|item| read_receipt(organisation, &item)).transpose()
    }

    /// Stores what was reported of a payment, with the warnings it raises, on condition that
    /// nobody has stored another revision since `known` was read.
    ///
    /// # Errors
    /// `Conflict`, `Unavailable`.
    pub async fn store_receipt(
        &self,
        known: Option<&Receipt>,
        receipt: &Receipt,
        warnings: &[Warning],
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let put = Put::builder()
            .table_name(self.name(RECEIPTS))
            .set_item(Some(receipt_row(receipt, now)));
        let put = match known {
            None => put.condition_expression("attribute_not_exists(organisation)"),
            Some(known) => {
                put.condition_expression("revision = :read").expression_attribute_values(
                    ":read",
                    AttributeValue::N(known.revision.to_string()),
                )
            }
        };
        let mut rows = self.warning_rows(known, receipt, warnings, now)?;
        rows.insert(0, transact(put)?);
        self.client
            .transact_write_items()
            .set_transact_items(Some(rows))
            .send()
            .await
            .map_err(|error| WriteError::of_transaction(RECEIPTS, error))?;
        Ok(())
    }

    /// Keeps something that could not be processed. Parking it again changes nothing.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn park(&self, parked: &Parked<'_>) -> Result<(), WriteError> {
        let row = Writer::default()
            .text("organisation", owner(parked.organisation))
            .text("parked_at", format!("{}#{}", instant(parked.received_at), parked.id))
            .text("by", parked.by)
            .text("reason", parked.reason)
            .text("detail", parked.detail);
        // Text is kept as text, because a person will read it in the console.
        let row = match std::str::from_utf8(parked.body) {
            Ok(text) => row.text("body", text),
            Err(_) => row.bytes("body", parked.body),
        };
        self.put_row(PARKED, row.finish()).await
    }

    /// Records in the activity log that something was left alone. Noting it again changes nothing.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn note(&self, noted: &Noted<'_>) -> Result<(), WriteError> {
        let (date, at) = (noted.received_at.strftime("%Y-%m-%d"), instant(noted.received_at));
        let row = Writer::default()
            .text(
                "day",
                noted.organisation.map_or_else(
                    || format!("unknown/{date}"),
                    |organisation| day(organisation, noted.received_at),
                ),
            )
            .text("at", format!("{at}#{}", noted.id))
            .text("organisation", owner(noted.organisation))
            .text("action", "ignored")
            .text("reason", noted.reason)
            .text("what", noted.what)
            .number("count", noted.count);
        self.put_row(ACTIVITY, row.finish()).await
    }

    pub(crate) async fn put_row(&self, table: &'static str, item: Item) -> Result<(), WriteError> {
        self.client
            .put_item()
            .table_name(self.name(table))
            .set_item(Some(item))
            .send()
            .await
            .map_err(|error| WriteError::unavailable(table, error))?;
        Ok(())
    }
}

fn owner(organisation: Option<OrganisationId>) -> String {
    organisation.map_or_else(|| "unknown".to_owned(), |organisation| organisation.to_string())
}

pub(crate) fn transact(
    put: aws_sdk_dynamodb::types::builders::PutBuilder,
) -> Result<TransactWriteItem, WriteError> {
    let put = put.build().map_err(|error| WriteError::Malformed(Box::new(error)))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

fn read_settings(organisation: OrganisationId, item: &Item) -> Result<Settings, ReadError> {
    let row = Reader::new(ORGANISATIONS, item);
    let prefix = match row.text_if("prefix")? {
        None => NumberPrefix::default(),
        Some(text) => {
            NumberPrefix::new(text).ok_or_else(|| row.wrong("prefix", "is no usable prefix"))?
        }
    };
    let forward_days: Option<u16> = row.number_if("forward_days")?;
    if forward_days.is_some_and(|days| days > FORWARD_DAYS_MAX) {
        return Err(row.wrong("forward_days", format!("is more than {FORWARD_DAYS_MAX}")));
    }
    Ok(Settings {
        organisation,
        mirror_enabled: row.flag("mirror_enabled")?,
        prefix,
        zone: TimeZone::get(row.text("time_zone")?)
            .map_err(|_| row.wrong("time_zone", "is no IANA time zone such as Australia/Sydney"))?,
        forward_days,
        cutover_on: row.parsed_if("cutover_on")?,
    })
}

fn receipt_row(receipt: &Receipt, now: Timestamp) -> Item {
    let parts = receipt
        .allocations
        .iter()
        .map(|part| {
            let row = Writer::default().text("invoice_number", &part.invoice);
            AttributeValue::M(row.number("amount", part.amount.amount()).finish())
        })
        .collect();
    let row = Writer::default()
        .text("organisation", receipt.organisation)
        .text("payment_id", &receipt.id)
        .number("revision", receipt.revision);
    rows::with_amount(row, receipt.amount)
        .text("date", receipt.date)
        .text_if("reference", receipt.reference.as_deref())
        .text("method", &receipt.method)
        .text("transaction_id", &receipt.transaction_id)
        .text("status", receipt.status)
        .flag("journaled", receipt.journaled)
        .value("allocations", AttributeValue::L(parts))
        .instant("entered_at", receipt.entered_at)
        .instant("recorded_at", now)
        .finish()
}

fn read_receipt(organisation: OrganisationId, item: &Item) -> Result<Receipt, ReadError> {
    let row = Reader::new(RECEIPTS, item);
    let currency = row.parsed("currency")?;
    let Some(AttributeValue::L(parts)) = item.get("allocations") else {
        return Err(row.wrong("allocations", "is not a list"));
    };
    let mut allocations = Vec::with_capacity(parts.len());
    for part in parts {
        let AttributeValue::M(part) = part else {
            return Err(row.wrong("allocations", "holds something that is not a map"));
        };
        let part = Reader::new(RECEIPTS, part);
        allocations.push(Allocation {
            invoice: part.parsed("invoice_number")?,
            amount: part.money("amount", currency)?,
        });
    }
    Ok(Receipt {
        organisation,
        id: row.parsed("payment_id")?,
        revision: row.number("revision")?,
        amount: row.money("amount", currency)?,
        date: row.parsed("date")?,
        reference: row.text_if("reference")?.map(str::to_owned),
        method: row.text("method")?.to_owned(),
        transaction_id: row.text("transaction_id")?.to_owned(),
        status: row.code("status", PaymentStatus::from_code)?,
        journaled: row.flag("journaled")?,
        allocations,
        entered_at: row.parsed("entered_at")?,
    })
}
