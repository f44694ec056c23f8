//! The stream of the activity log: rows as DynamoDB shows them to its listeners, read back into what
//! [`crate::Tables`] has written.

use std::collections::{BTreeSet, HashMap};
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use payments::events::{
    Entry, EntryClose, EntryComponent, EntryDiscrepancy, EntryInvoice, EntryOrder,
    EntryOrderReport, EntryPayment, EntryReport, EntrySeal,
};
use payments::{
    AdjustedRecord, Adjustment, Component, CustomerNotice, DiscrepancyKind, Logged, NoticeKind,
    OrderProgress, OrderStatus, OrganisationId, Origin, PaymentStatus,
};
use serde::Deserialize;

use crate::attributes::{Item, Reader};
use crate::error::ReadError;
use crate::schema::ACTIVITY;

/// A row as it was written, in the notation of DynamoDB's JSON.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "HashMap<String, Shown>")]
pub struct Image(Item);

/// A value. The log holds texts and numbers; a number is text here too, and never becomes a float.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Shown {
    Text {
        #[serde(rename = "S")]
        text: String,
    },
    Number {
        #[serde(rename = "N")]
        digits: String,
    },
    Other(serde::de::IgnoredAny),
}

impl From<HashMap<String, Shown>> for Image {
    fn from(shown: HashMap<String, Shown>) -> Self {
        let value = |shown| match shown {
            Shown::Text { text } => AttributeValue::S(text),
            Shown::Number { digits } => AttributeValue::N(digits),
            // Neither a text nor a number to a reader that asks for one.
            Shown::Other(_) => AttributeValue::M(Item::new()),
        };
        Self(shown.into_iter().map(|(name, shown)| (name, value(shown))).collect())
    }
}

impl Image {
    /// A row that was read from the table itself. A value that is neither a text nor a number stays what it is, and
    /// is neither to a reader that asks for one.
    pub(crate) const fn of_row(row: Item) -> Self {
        Self(row)
    }

    /// The second half of the row's key; none if it has none that is a text.
    pub fn at(&self) -> Option<&str> {
        Reader::new(ACTIVITY, &self.0).text("at").ok()
    }

    /// The action in the row, for counting: also a code that is not known.
    pub fn action(&self) -> &str {
        Reader::new(ACTIVITY, &self.0).text("action").unwrap_or("?")
    }

    /// The row's key as one text, for logs: what there is of it. Holds ids and instants, nothing else.
    pub fn key(&self) -> String {
        let part = |name| Reader::new(ACTIVITY, &self.0).text(name).unwrap_or("?");
        format!("{}#{}", part("day"), part("at"))
    }

    /// The row of the activity log; `None` if it is about no organisation that is known here.
    ///
    /// # Errors
    /// `Unreadable`: the attribute that we do not write like this.
    pub fn entry(&self) -> Result<Option<Entry>, ReadError> {
        let row = Reader::new(ACTIVITY, &self.0);
        let logged = row.code("action", Logged::from_code)?;
        if row.text("organisation")? == crate::tables::UNKNOWN_OWNER {
            return Ok(None);
        }
        let organisation: OrganisationId = row.parsed("organisation")?;
        // Every event under an organisation's name must be its own (N8).
        if !row.text("day")?.starts_with(&format!("{organisation}/")) {
            return Err(row.wrong("day", "is another organisation's"));
        }
        Ok(Some(Entry {
            id: self.key(),
            organisation,
            at: decided_at(row)?,
            logged,
            rule: owned(row, "rule")?,
            cause: owned(row, "cause")?,
            event_at: row.parsed_if("event_at")?,
            reason: owned(row, "reason")?,
            by: owned(row, "by")?,
            why: owned(row, "why")?,
            invoice: invoice(row, organisation)?,
            payment: payment(row)?,
            discrepancy: discrepancy(row)?,
            owner: owned(row, "owner")?,
            adjustment: adjustment(row)?,
            notice: notice(row)?,
            contact: row.parsed_if("xero_contact_id")?,
            customer: row.parsed_if("customer")?,
            order: order(row)?,
            blocked: owned(row, "blocked")?,
            close: close(row)?,
            seal: seal(row)?,
            report: report(row)?,
            night: row.parsed_if("night")?,
            until: row.parsed_if("until")?,
        }))
    }
}

fn owned(row: Reader<'_>, name: &str) -> Result<Option<String>, ReadError> {
    Ok(row.text_if(name)?.map(str::to_owned))
}

/// Every sort key of the log begins with the instant.
fn decided_at(row: Reader<'_>) -> Result<Timestamp, ReadError> {
    let at = row.text("at")?;
    let instant = at.split_once('#').map_or(at, |(instant, _)| instant);
    instant.parse().map_err(|_| row.wrong("at", "does not begin with an instant"))
}

fn invoice(
    row: Reader<'_>,
    organisation: OrganisationId,
) -> Result<Option<EntryInvoice>, ReadError> {
    let Some(number) = row.parsed_if("invoice_number")? else { return Ok(None) };
    if row.text("invoice")? != crate::rows::invoice_key(organisation, &number) {
        return Err(row.wrong("invoice", "is another organisation's, or another number"));
    }
    let xero = row.parsed_if("xero_invoice_id")?;
    Ok(Some(EntryInvoice { number, xero, position: crate::rows::read_position(row)? }))
}

fn payment(row: Reader<'_>) -> Result<EntryPayment, ReadError> {
    let amount = match row.parsed_if("currency")? {
        Some(currency) => row.money_if("amount", currency)?,
        None => None,
    };
    let origin = match row.text_if("origin")? {
        Some(_) => Some(row.code("origin", Origin::from_code)?),
        None => None,
    };
    // Of a row about an order, `status` is how the order stands.
    let status = row.text_if("status")?.and_then(PaymentStatus::from_code);
    Ok(EntryPayment {
        id: row.parsed_if("payment_id")?,
        xero: row.parsed_if("xero_payment_id")?,
        amount,
        date: row.parsed_if("date")?,
        origin,
        method: owned(row, "method")?,
        transaction_id: owned(row, "transaction_id")?,
        status,
        invoices: row.number_if("invoices_named")?,
    })
}

fn order(row: Reader<'_>) -> Result<Option<EntryOrder>, ReadError> {
    let Some(id) = row.parsed_if("order")? else { return Ok(None) };
    let progress = match row.has("progress") {
        true => Some(row.code("progress", OrderProgress::from_code)?),
        false => None,
    };
    let status = match row.has("status") {
        true => Some(row.code("status", OrderStatus::from_code)?),
        false => None,
    };
    let receipts = row.text_if("receipt_numbers")?.into_iter().flat_map(|all| all.split('\n'));
    let receipts = receipts.map(str::to_owned).collect();
    let (components, reported) = (components(row)?, order_report(row)?);
    Ok(Some(EntryOrder { id, progress, status, components, receipts, reported }))
}

/// What an order costs and names, as far as the row says it.
fn order_report(row: Reader<'_>) -> Result<Option<EntryOrderReport>, ReadError> {
    let Some(currency) = row.parsed_if("order_currency")? else { return Ok(None) };
    Ok(Some(EntryOrderReport {
        total: row.money("order_total", currency)?,
        placed_at: row.parsed("order_placed_at")?,
        cancelled: row.has("order_cancelled"),
        invoices: lines(row, "order_invoices")?,
        payments: lines(row, "order_payments")?,
    }))
}

/// Ids, each in a line of its own.
fn lines<T: FromStr + Ord>(row: Reader<'_>, name: &str) -> Result<BTreeSet<T>, ReadError> {
    let all = row.text_if(name)?.into_iter().flat_map(str::lines);
    all.map(|id| id.parse().map_err(|_| row.wrong(name, "has an id that is none"))).collect()
}

/// The components on which the documents of an order do not agree.
fn components(row: Reader<'_>) -> Result<Vec<EntryComponent>, ReadError> {
    let Some(codes) = row.text_if("components")? else { return Ok(Vec::new()) };
    let currency = row.parsed("currency")?;
    let read = |code: &str| {
        let component = Component::from_code(code);
        Ok(EntryComponent {
            component: component
                .ok_or_else(|| row.wrong("components", "has one we do not know"))?,
            order: row.money(&format!("{code}_by_order"), currency)?,
            invoices: row.money_if(&format!("{code}_by_invoices"), currency)?,
            receipts: row.money_if(&format!("{code}_by_receipts"), currency)?,
        })
    };
    codes.split(',').map(read).collect()
}

fn close(row: Reader<'_>) -> Result<Option<EntryClose>, ReadError> {
    let Some(day) = row.parsed_if("close")? else { return Ok(None) };
    Ok(Some(EntryClose {
        day,
        revision: row.number("revision")?,
        reconciled: row.number("reconciled")?,
        in_transit: row.number("in_transit")?,
        not_reconciled: row.number("not_reconciled")?,
    }))
}

fn seal(row: Reader<'_>) -> Result<Option<EntrySeal>, ReadError> {
    let Some(day) = row.parsed_if("sealed_day")? else { return Ok(None) };
    Ok(Some(EntrySeal {
        day,
        checksum: row.parsed("checksum")?,
        previous: row.parsed_if("previous")?,
        rows: row.number("rows")?,
        late: row.number("late")?,
    }))
}

fn report(row: Reader<'_>) -> Result<Option<EntryReport>, ReadError> {
    let Some(period) = owned(row, "report")? else { return Ok(None) };
    Ok(Some(EntryReport { period, checksum: row.parsed("report_checksum")? }))
}

fn adjustment(row: Reader<'_>) -> Result<Option<Adjustment>, ReadError> {
    if !row.has("adjusts") {
        return Ok(None);
    }
    let amount = match row.parsed_if("adjusted_currency")? {
        Some(currency) => row.money_if("adjusted_amount", currency)?,
        None => None,
    };
    Ok(Some(Adjustment {
        record: row.code("adjusts", AdjustedRecord::from_code)?,
        amount,
        payment: row.parsed_if("adjusted_payment")?,
        to_invoice: row.parsed_if("to_invoice")?,
    }))
}

fn notice(row: Reader<'_>) -> Result<Option<CustomerNotice>, ReadError> {
    if !row.has("notice_text") {
        return Ok(None);
    }
    Ok(Some(CustomerNotice {
        id: row.text("notice")?.to_owned(),
        kind: row.code("notice_kind", NoticeKind::from_code)?,
        customer: row.parsed_if("customer")?,
        subject: row.text("notice_subject")?.to_owned(),
        text: row.text("notice_text")?.to_owned(),
    }))
}

fn discrepancy(row: Reader<'_>) -> Result<Option<EntryDiscrepancy>, ReadError> {
    if !row.has("discrepancy") {
        return Ok(None);
    }
    Ok(Some(EntryDiscrepancy {
        kind: row.code("discrepancy", DiscrepancyKind::from_code)?,
        subject: row.text_if("subject")?.unwrap_or_default().to_owned(),
        detected_at: row.parsed("detected_at")?,
        reopened_at: row.parsed_if("reopened_at")?,
        reopened_count: row.number_if("reopened_count")?,
        due_at: row.parsed("due_at")?,
    }))
}
