//! What pages show of the closes: the days, the newest first, and the rows of one day.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use jiff::civil::Date;
use payments::close::{CauseSums, CloseCause, CloseStatus, CloseSubject, Sum, Sums};
use payments::{Currency, Money, OrganisationId};

use crate::attributes::{Item, Reader};
use crate::closes::{ClosedDay, DAY, day_key, read_day, rows_of, text};
use crate::error::ReadError;
use crate::latest::{Listed, UnreadableRow, sorted};
use crate::schema::CLOSES;
use crate::tables::Tables;

/// A business day that was closed, with its figures.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DaySummary {
    /// The day and its revision.
    pub closed: ClosedDay,
    /// When this revision was made.
    pub closed_at: Timestamp,
    /// Its payments by currency and status.
    pub sums: Sums,
    /// What does not reconcile, by cause: how many rows have it.
    pub causes: Vec<(CloseCause, u64)>,
    /// The money of that. A day that was closed by an earlier version has none.
    pub cause_sums: CauseSums,
    /// The first and the last day on which something in transit is expected.
    pub expected: Option<(Date, Date)>,
}

/// The row of a close about one invoice, order, contact or payment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CloseRow {
    /// Its key, behind which a list goes on.
    pub key: String,
    /// What it is about.
    pub subject: CloseSubject,
    /// How it stands.
    pub status: CloseStatus,
    /// Why it does not reconcile.
    pub causes: Vec<CloseCause>,
    /// The first day on which something of it is expected.
    pub expected: Option<Date>,
    /// Its payments, by currency and status.
    pub sums: Sums,
    /// The amount of the invoice and what is left of it, if it is one.
    pub invoice: Option<(Money, Money)>,
    /// Its payments that are not finished: each with its status, its cause and when it is expected.
    pub payments: Vec<UnfinishedPayment>,
}

/// A payment that was not finished at the close of a day.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnfinishedPayment {
    /// Its id; of one that is in Xero alone `xero/` and Xero's.
    pub id: String,
    /// How it stands.
    pub status: Option<CloseStatus>,
    /// Why it does not reconcile.
    pub cause: Option<CloseCause>,
    /// When it is expected.
    pub expected: Option<Date>,
    /// Its money.
    pub amount: Option<Money>,
}

/// Rows of a day, and where the list goes on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CloseRows {
    /// In the order of their subjects.
    pub rows: Vec<CloseRow>,
    /// Those that cannot be read.
    pub unreadable: Vec<UnreadableRow>,
    /// The key behind which there may be more.
    pub next: Option<String>,
    /// How many rows were looked at.
    pub looked_at: usize,
}

impl Tables {
    /// The days that were closed, the newest first: those before a day, if one is named; at most `max`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn list_closes(
        &self,
        organisation: OrganisationId,
        before: Option<Date>,
        max: usize,
    ) -> Result<Listed<DaySummary>, ReadError> {
        // The key of the day itself sorts behind this, and the keys of the days before it do not.
        let until = before.map_or_else(|| format!("{DAY}~"), |day| format!("{DAY}{day}"));
        let limit = i32::try_from(max.saturating_add(2)).unwrap_or(i32::MAX);
        let answer = self
            .client()
            .query()
            .table_name(self.name(CLOSES))
            .key_condition_expression(
                "organisation = :organisation AND #close BETWEEN :from AND :to",
            )
            .expression_attribute_names("#close", "close")
            .expression_attribute_values(":organisation", text(organisation))
            .expression_attribute_values(":from", text(DAY))
            .expression_attribute_values(":to", text(&until))
            .scan_index_forward(false)
            .limit(limit)
            .send()
            .await
            .map_err(|error| ReadError::unavailable(CLOSES, error))?;
        let itself = before.map(day_key);
        let is_other = |item: &&Item| {
            let key = item.get("close").and_then(|key| key.as_s().ok());
            key != itself.as_ref()
        };
        let items: Vec<&Item> = answer.items().iter().filter(is_other).collect();
        let more = items.len() > max;
        let (rows, unreadable) = sorted(items.into_iter().take(max), "close", read_summary);
        Ok(Listed { rows, unreadable, more })
    }

    /// A closed day with its figures.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn close_of(
        &self,
        organisation: OrganisationId,
        day: Date,
    ) -> Result<Option<DaySummary>, ReadError> {
        let key = [("organisation", organisation.to_string()), ("close", day_key(day))];
        self.one(CLOSES, &key).await?.as_ref().map(read_summary).transpose()
    }

    /// The rows of a revision of a day, or those of one status, behind a key: at most `max`, and no more than
    /// `looked_at_max` are looked at for them.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn close_rows(
        &self,
        organisation: OrganisationId,
        (day, revision): (Date, u64),
        status: Option<CloseStatus>,
        behind: Option<&str>,
        (max, looked_at_max): (usize, usize),
    ) -> Result<CloseRows, ReadError> {
        let prefix = rows_of(day, revision);
        let mut found =
            CloseRows { rows: Vec::new(), unreadable: Vec::new(), next: None, looked_at: 0 };
        let mut after = behind.filter(|key| key.starts_with(&prefix)).map(str::to_owned);
        loop {
            let start = after.as_ref().map(|key| {
                [("organisation".to_owned(), text(organisation)), ("close".to_owned(), text(key))]
                    .into()
            });
            let mut query = self
                .client()
                .query()
                .table_name(self.name(CLOSES))
                .key_condition_expression(
                    "organisation = :organisation AND begins_with(#close, :rows)",
                )
                .expression_attribute_names("#close", "close")
                .expression_attribute_values(":organisation", text(organisation))
                .expression_attribute_values(":rows", text(&prefix))
                .set_exclusive_start_key(start);
            let left = match status {
                Some(status) => {
                    query = query
                        .filter_expression("#status = :status")
                        .expression_attribute_names("#status", "status")
                        .expression_attribute_values(":status", text(status));
                    looked_at_max.saturating_sub(found.looked_at)
                }
                None => max.saturating_sub(found.rows.len()),
            };
            let limit = i32::try_from(left.max(1)).unwrap_or(i32::MAX);
            let page = query.limit(limit).send().await;
            let page = page.map_err(|error| ReadError::unavailable(CLOSES, error))?;
            found.looked_at += usize::try_from(page.scanned_count()).unwrap_or_default();
            after = page.last_evaluated_key().and_then(key_of);
            for item in page.items() {
                if found.rows.len() >= max {
                    found.next = found.rows.last().map(|row: &CloseRow| row.key.clone());
                    return Ok(found);
                }
                match read_row(item) {
                    Ok(row) => found.rows.push(row),
                    Err(error) => found.unreadable.push(UnreadableRow::of(item, "close", &error)),
                }
            }
            let is_enough = found.rows.len() >= max || found.looked_at >= looked_at_max;
            if after.is_none() || is_enough {
                found.next = after;
                return Ok(found);
            }
        }
    }
}

fn key_of(key: &Item) -> Option<String> {
    key.get("close")?.as_s().ok().cloned()
}

fn read_summary(item: &Item) -> Result<DaySummary, ReadError> {
    let row = Reader::new(CLOSES, item);
    let first: Option<Date> = row.parsed_if("expected_first")?;
    let last: Option<Date> = row.parsed_if("expected_last")?;
    let mut causes = Vec::new();
    for (code, count) in row.numbers("causes")? {
        let cause = CloseCause::from_code(&code);
        let cause = cause.ok_or_else(|| row.wrong("causes", "has one that is unknown"))?;
        causes.push((cause, u64::from(count)));
    }
    Ok(DaySummary {
        closed: read_day(item)?,
        closed_at: row.parsed("closed_at")?,
        sums: read_sums_of(row, "sums", CloseStatus::from_code)?,
        causes,
        cause_sums: read_sums_of(row, "cause_sums", CloseCause::from_code)?,
        expected: first.zip(last),
    })
}

fn read_row(item: &Item) -> Result<CloseRow, ReadError> {
    let row = Reader::new(CLOSES, item);
    let codes: Vec<String> = row.list_of("causes")?;
    let cause = |code: &String| {
        CloseCause::from_code(code).ok_or_else(|| row.wrong("causes", "has one that is unknown"))
    };
    let invoice = match row.parsed_if("currency")? {
        Some(currency) => row.money_if("total", currency)?.zip(row.money_if("left", currency)?),
        None => None,
    };
    let payments = row.maps("payments")?.into_iter().map(read_payment);
    Ok(CloseRow {
        key: row.text("close")?.to_owned(),
        subject: row.parsed("subject")?,
        status: row.code("status", CloseStatus::from_code)?,
        causes: codes.iter().map(cause).collect::<Result<_, _>>()?,
        expected: row.parsed_if("expected")?,
        sums: read_sums_of(row, "sums", CloseStatus::from_code)?,
        invoice,
        payments: payments.collect::<Result<_, _>>()?,
    })
}

fn read_payment(row: Reader<'_>) -> Result<UnfinishedPayment, ReadError> {
    let amount = match row.parsed_if("currency")? {
        Some(currency) => row.money_if("amount", currency)?,
        None => match row.parsed_if("upload_currency")? {
            Some(currency) => row.money_if("upload_amount", currency)?,
            None => None,
        },
    };
    let code = |name: &str| row.text_if(name);
    Ok(UnfinishedPayment {
        id: row.text("payment")?.to_owned(),
        status: match code("status")? {
            Some(_) => Some(row.code("status", CloseStatus::from_code)?),
            None => None,
        },
        cause: match code("cause")? {
            Some(_) => Some(row.code("cause", CloseCause::from_code)?),
            None => None,
        },
        expected: row.parsed_if("expected")?,
        amount,
    })
}

/// The sums of a row by currency and a code.
fn read_sums_of<K: Ord>(
    row: Reader<'_>,
    name: &'static str,
    of_code: impl Fn(&str) -> Option<K>,
) -> Result<BTreeMap<(&'static str, K), Sum>, ReadError> {
    let mut sums = BTreeMap::new();
    if !row.has(name) {
        return Ok(sums);
    }
    for (code, of) in row.entries(name)? {
        let currency = code.parse::<Currency>();
        let currency = currency.map_err(|_| row.wrong(name, "has a currency that is unknown"))?;
        let AttributeValue::M(of) = of else { return Err(row.wrong(name, "is no map of maps")) };
        for (code, sum) in of {
            let key = of_code(code).ok_or_else(|| row.wrong(name, "has a code that is unknown"))?;
            let AttributeValue::M(sum) = sum else {
                return Err(row.wrong(name, "is no map of maps"));
            };
            let sum = Reader::new(CLOSES, sum);
            let sum = Sum { count: sum.number("count")?, money: sum.money_if("amount", currency)? };
            sums.insert((currency.code(), key), sum);
        }
    }
    Ok(sums)
}
