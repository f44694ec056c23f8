//! How the rows of a close look: figures for people, and the facts from which the next close goes on.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use payments::close::{
    CauseSums, CloseSubject, InvoicePosition, Item as CloseItem, JudgedPayment, PaymentMovement,
    PaymentRecord, Register, SubjectFacts, Sum, Sums, UploadFact,
};
use payments::upload::UploadState;
use payments::{DiscrepancyKey, DiscrepancyKind, PaymentStatus};

use crate::attributes::{Item, Reader, Writer};
use crate::error::ReadError;
use crate::schema::CLOSES;

/// The row of one subject, without its key.
pub(crate) fn item_row(item: &CloseItem) -> Item {
    let causes = item.causes.iter().map(|cause| AttributeValue::S(cause.to_string()));
    let payments = item.facts.payments.iter();
    let payments = payments.map(|(name, facts)| payment_map(name, facts, item.listed.get(name)));
    let found = item.facts.found.iter().map(|(key, found)| found_map(key, found));
    let row = Writer::default()
        .text("subject", &item.subject)
        .text("status", item.status)
        .value("causes", AttributeValue::L(causes.collect()))
        .text_if("expected", item.expected)
        .flag("unfinished", item.is_unfinished())
        .value("sums", sums(&item.sums))
        .value("payments", AttributeValue::L(payments.collect()))
        .value("found", AttributeValue::L(found.collect()));
    let row = match &item.subject {
        CloseSubject::Invoice(number) => row.text("invoice_number", number),
        CloseSubject::Payment(payment) => row.text("payment_id", payment),
        CloseSubject::Order(order) => row.text("order", order),
        CloseSubject::Contact(contact) => row.text("xero_contact_id", contact),
    };
    match &item.facts.position {
        Some(position) => with_position(row, position).finish(),
        None => row.finish(),
    }
}

/// Payments by currency and status: a map of maps.
pub(crate) fn sums(sums: &Sums) -> AttributeValue {
    map_of_maps(sums.iter().map(|((currency, status), sum)| (*currency, status.to_string(), sum)))
}

/// Money by currency and cause: a map of maps.
pub(crate) fn cause_sums(sums: &CauseSums) -> AttributeValue {
    map_of_maps(sums.iter().map(|((currency, cause), sum)| (*currency, cause.to_string(), sum)))
}

fn map_of_maps<'a>(sums: impl Iterator<Item = (&'static str, String, &'a Sum)>) -> AttributeValue {
    let mut by_currency: BTreeMap<&str, Item> = BTreeMap::new();
    for (currency, of_what, sum) in sums {
        let row = Writer::default()
            .number("count", sum.count)
            .number_if("amount", sum.money.map(|money| money.amount()));
        let of = by_currency.entry(currency).or_default();
        of.insert(of_what, AttributeValue::M(row.finish()));
    }
    let maps = by_currency.into_iter();
    let map: HashMap<_, _> =
        maps.map(|(currency, of)| (currency.to_owned(), AttributeValue::M(of))).collect();
    AttributeValue::M(map)
}

fn with_position(row: Writer, position: &Register<InvoicePosition>) -> Writer {
    let InvoicePosition { total, left, due_on, in_xero, open } = &position.value;
    let open = open.iter().map(|kind| AttributeValue::S(kind.to_string()));
    row.number("total", total.amount())
        .number("left", left.amount())
        .text("currency", total.currency())
        .text_if("due_on", *due_on)
        .flag("in_xero", *in_xero)
        .value("open", AttributeValue::L(open.collect()))
        .instant("position_at", position.at)
}

fn found_map(key: &DiscrepancyKey, found: &Register<bool>) -> AttributeValue {
    let row = Writer::default()
        .text("discrepancy", key)
        .flag("open", found.value)
        .instant("at", found.at);
    AttributeValue::M(row.finish())
}

fn payment_map(
    name: &str,
    facts: &PaymentMovement,
    judged: Option<&JudgedPayment>,
) -> AttributeValue {
    let row = Writer::default()
        .text("payment", name)
        .text_if("status", judged.map(|judged| judged.status))
        .text_if("cause", judged.and_then(|judged| judged.cause))
        .text_if("expected", judged.and_then(|judged| judged.expected))
        .instant_if("pending_since", facts.pending_since)
        .flag("reported", facts.reported);
    let row = match &facts.record {
        None => row,
        Some(Register { at, value, .. }) => row
            .number("amount", value.amount.amount())
            .text("currency", value.amount.currency())
            .text("money", value.status)
            .flag("in_xero", value.in_xero)
            .text_if("held_until", value.held_until)
            .instant("recorded_at", *at),
    };
    let row = match &facts.upload {
        None => row,
        Some(Register { at, value, .. }) => row
            .number("upload_amount", value.amount.amount())
            .text("upload_currency", value.amount.currency())
            .text("upload_money", value.status)
            .text("upload_state", value.state)
            .text("upload_reason", &value.reason)
            .text_if("night", value.night)
            .instant("upload_at", *at),
    };
    AttributeValue::M(row.finish())
}

/// The facts of a row, older than any row of the log: what the log says from then on counts.
pub(crate) fn read_facts(item: &Item) -> Result<(CloseSubject, SubjectFacts), ReadError> {
    let row = Reader::new(CLOSES, item);
    let mut facts = SubjectFacts { position: read_position(row)?, ..SubjectFacts::default() };
    for payment in row.maps("payments")? {
        facts.payments.insert(payment.text("payment")?.to_owned(), read_payment(payment)?);
    }
    for found in row.maps("found")? {
        let key = found.code("discrepancy", DiscrepancyKey::parse)?;
        let is_open = carried(found.parsed("at")?, found.flag("open")?);
        facts.found.insert(key, is_open);
    }
    Ok((row.parsed("subject")?, facts))
}

fn carried<T>(at: Timestamp, value: T) -> Register<T> {
    Register { key: String::new(), at, value }
}

fn read_position(row: Reader<'_>) -> Result<Option<Register<InvoicePosition>>, ReadError> {
    let Some(at) = row.parsed_if("position_at")? else { return Ok(None) };
    let currency = row.parsed("currency")?;
    let codes: Vec<String> = row.list_of("open")?;
    let kind = |code: &String| {
        DiscrepancyKind::from_code(code).ok_or_else(|| row.wrong("open", "is no kind we know"))
    };
    let position = InvoicePosition {
        total: row.money("total", currency)?,
        left: row.money("left", currency)?,
        due_on: row.parsed_if("due_on")?,
        in_xero: row.flag("in_xero")?,
        open: codes.iter().map(kind).collect::<Result<_, _>>()?,
    };
    Ok(Some(carried(at, position)))
}

fn read_payment(row: Reader<'_>) -> Result<PaymentMovement, ReadError> {
    let record = match row.parsed_if("recorded_at")? {
        None => None,
        Some(at) => Some(carried(
            at,
            PaymentRecord {
                amount: row.money("amount", row.parsed("currency")?)?,
                status: row.code("money", PaymentStatus::from_code)?,
                in_xero: row.flag("in_xero")?,
                gone: false,
                held_until: row.parsed_if("held_until")?,
            },
        )),
    };
    let upload = match row.parsed_if("upload_at")? {
        None => None,
        Some(at) => Some(carried(
            at,
            UploadFact {
                amount: row.money("upload_amount", row.parsed("upload_currency")?)?,
                status: row.code("upload_money", PaymentStatus::from_code)?,
                state: row.code("upload_state", UploadState::from_code)?,
                reason: row.text("upload_reason")?.to_owned(),
                night: row.parsed_if("night")?,
            },
        )),
    };
    Ok(PaymentMovement {
        record,
        upload,
        pending_since: row.parsed_if("pending_since")?,
        reported: row.flag("reported")?,
    })
}
