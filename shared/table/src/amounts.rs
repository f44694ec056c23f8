//! Payments of an amount. There is no index of amounts: the same ones come by the thousand, each payment
//! would be written twice for a question that is asked a few times a day, and who misses a payment misses a
//! recent one. So a bounded number of rows is looked through, and the answer says which.

use std::fmt;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use payments::explanations::Subject;
use payments::upload::Line;
use payments::{Currency, InvoiceNumber, Money, OrganisationId};
use rust_decimal::Decimal;

use crate::activity::day;
use crate::attributes::{Item, Reader};
use crate::error::ReadError;
use crate::latest::UnreadableRow;
use crate::meter::Meter;
use crate::schema::{ACTIVITY, BY_LINE, UPLOADS};
use crate::tables::Tables;
use crate::upload_rows::line_key;

/// Most rows of each line that are looked through, the oldest payments first.
pub const LINE_ROWS_MAX: u32 = 300;
/// Most rows of all lines together.
const LINES_ROWS_MAX: u32 = 500;
/// Most rows of the activity log that are looked through at once, the newest days first.
pub const ACTIVITY_ROWS_MAX: u32 = 600;
/// Most days of the log that are gone back.
pub const ACTIVITY_DAYS_MAX: u32 = 30;
/// Most rows that are named because they cannot be read.
const UNREADABLE_MAX: usize = 5;
/// Most payments that are listed.
pub const CANDIDATES_MAX: usize = 50;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A payment of the amount.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Candidate {
    /// Which.
    pub subject: Subject,
    /// The invoice it was seen on, if it was on one.
    pub invoice: Option<InvoiceNumber>,
    /// The amount with its currency.
    pub amount: Money,
    /// Of which day.
    pub date: Option<Date>,
    /// Its state: the line it stands in, or the last action.
    pub seen: String,
}

/// How far was looked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Searched {
    /// The lines of uploads of which not all rows were looked at, the oldest [`LINE_ROWS_MAX`] only.
    pub cut_lines: Vec<Line>,
    /// The first day of the activity log that was looked through, by UTC.
    pub from: Date,
    /// Whether that day was looked through to its end.
    pub whole_days: bool,
    /// Where the search goes on among older rows of the log, if it does.
    pub next: Option<String>,
    /// How many rows were read.
    pub read: u32,
    /// Rows of that amount of which it cannot be read which payment they are about.
    pub unreadable: Vec<UnreadableRow>,
}

impl fmt::Display for Searched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Looked through: uploads that wait or do not go")?;
        if !self.cut_lines.is_empty() {
            let lines: Vec<_> = self.cut_lines.iter().map(ToString::to_string).collect();
            write!(f, " (the {LINE_ROWS_MAX} oldest only of those {})", lines.join(", "))?;
        }
        write!(f, ", and what happened since {}", self.from)?;
        if !self.whole_days {
            f.write_str(", of that day only a part")?;
        }
        write!(f, " ({} rows). Older ones are found by their number or id.", self.read)?;
        for row in &self.unreadable {
            write!(f, " Not read: the row {}: {}.", row.key, row.problem)?;
        }
        Ok(())
    }
}

/// The result of a search for an amount.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AmountsFound {
    /// The payments, each once, at most [`CANDIDATES_MAX`].
    pub candidates: Vec<Candidate>,
    /// How far was looked.
    pub searched: Searched,
}

/// The search, as a filter of DynamoDB's: a filtered row is read all the same.
struct Amount {
    amount: Decimal,
    currency: Option<Currency>,
}

impl Amount {
    fn filter(&self, query: QueryFluentBuilder) -> QueryFluentBuilder {
        let number = AttributeValue::N(self.amount.to_string());
        let query = query.expression_attribute_values(":amount", number);
        match self.currency {
            None => query.filter_expression("amount = :amount"),
            Some(currency) => query
                .filter_expression("amount = :amount AND currency = :currency")
                .expression_attribute_values(":currency", text(currency.code())),
        }
    }
}

impl Tables {
    /// Payments of an amount among the uploads that stand in a line and in the activity of the last
    /// [`ACTIVITY_DAYS_MAX`] days: at most [`LINE_ROWS_MAX`] rows of each line and [`ACTIVITY_ROWS_MAX`] of
    /// the log are read. With the place at which a search before has ended, the log before that place alone.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn find_amount(
        &self,
        organisation: OrganisationId,
        amount: Decimal,
        currency: Option<Currency>,
        (now, before): (Timestamp, Option<&str>),
    ) -> Result<AmountsFound, ReadError> {
        let (wanted, mut meter) = (Amount { amount, currency }, Meter::default());
        let mut candidates = Vec::new();
        let (mut cut_lines, mut unreadable) = (Vec::new(), Vec::new());
        let mut left = LINES_ROWS_MAX;
        for line in Line::ALL.iter().filter(|_| before.is_none()) {
            let key = text(&line_key(organisation, *line));
            let query = self.client().query().table_name(self.name(UPLOADS)).index_name(BY_LINE);
            let query = query.key_condition_expression("line = :line");
            let query = wanted.filter(query.expression_attribute_values(":line", key));
            let looked_at = meter.total();
            let (rows, last) =
                read(UPLOADS, query, LINE_ROWS_MAX.min(left), (None, &mut meter)).await?;
            left = left.saturating_sub(meter.total().saturating_sub(looked_at));
            if last.is_some() {
                cut_lines.push(*line);
            }
            for item in &rows {
                match candidate(Reader::new(UPLOADS, item), format!("upload, {line}")) {
                    Ok(new) => take(&mut candidates, new),
                    Err(problem) => {
                        unreadable.push(UnreadableRow::of(item, "payment_id", &problem))
                    }
                }
            }
        }
        // A place is the key of a row, which begins with its moment.
        let place = before.and_then(|key| Some((key, key.split('#').next()?.parse().ok()?)));
        let mut after = place.map(|(key, at)| {
            [("day", day(organisation, at)), ("at", key.to_owned())]
                .map(|(name, value)| (name.to_owned(), text(&value)))
                .into()
        });
        let (mut at, mut left) = (place.map_or(now, |(_, at)| at), ACTIVITY_ROWS_MAX);
        let (mut whole_days, mut next) = (true, None);
        for back in 0..ACTIVITY_DAYS_MAX {
            at = if back == 0 { at } else { at.saturating_sub(DAY).unwrap_or(Timestamp::MIN) };
            let query = self.client().query().table_name(self.name(ACTIVITY));
            let query = query.key_condition_expression("#day = :day").scan_index_forward(false);
            let query = query.expression_attribute_names("#day", "day");
            let key = text(&day(organisation, at));
            let query = wanted.filter(query.expression_attribute_values(":day", key));
            let looked_at = meter.total();
            let (rows, last) = read(ACTIVITY, query, left, (after.take(), &mut meter)).await?;
            left = left.saturating_sub(meter.total().saturating_sub(looked_at));
            for item in &rows {
                let row = Reader::new(ACTIVITY, item);
                let seen = row.text("action").map(str::to_owned);
                match seen.and_then(|seen| candidate(row, seen)) {
                    Ok(new) => take(&mut candidates, new),
                    Err(problem) => unreadable.push(UnreadableRow::of(item, "at", &problem)),
                }
            }
            whole_days = last.is_none();
            next = last.as_ref().and_then(|key| key.get("at")?.as_s().ok().cloned());
            if left == 0 || !whole_days {
                break;
            }
        }
        candidates.truncate(CANDIDATES_MAX);
        unreadable.truncate(UNREADABLE_MAX);
        let from = at.to_zoned(jiff::tz::TimeZone::UTC).date();
        let read = meter.total();
        let searched = Searched { cut_lines, from, whole_days, next, read, unreadable };
        Ok(AmountsFound { candidates, searched })
    }
}

/// Reads no more rows than that, behind a key if one is given; returns the last key, unless those were all.
async fn read(
    table: &'static str,
    query: QueryFluentBuilder,
    max: u32,
    (mut after, meter): (Option<Item>, &mut Meter),
) -> Result<(Vec<Item>, Option<Item>), ReadError> {
    let (mut rows, mut left) = (Vec::new(), max);
    while left > 0 {
        let query = query.clone().set_exclusive_start_key(after);
        // DynamoDB counts the rows that it reads, and not those that pass the filter.
        let answer = query.limit(i32::try_from(left).unwrap_or(i32::MAX)).send().await;
        let answer = answer.map_err(|error| ReadError::unavailable(table, error))?;
        let scanned = u32::try_from(answer.scanned_count).unwrap_or(0);
        meter.add(usize::try_from(scanned).unwrap_or(usize::MAX));
        left = left.saturating_sub(scanned);
        rows.extend(answer.items.unwrap_or_default());
        after = answer.last_evaluated_key;
        if after.is_none() {
            return Ok((rows, None));
        }
    }
    Ok((rows, Some(after.unwrap_or_default())))
}

fn candidate(row: Reader<'_>, seen: String) -> Result<Option<Candidate>, ReadError> {
    let ours = row.parsed_if("payment_id")?.map(Subject::Ours);
    let xero = row.parsed_if("xero_payment_id")?.map(Subject::Xero);
    let Some(subject) = ours.or(xero) else { return Ok(None) };
    Ok(Some(Candidate {
        subject,
        invoice: row.parsed_if("invoice_number")?,
        amount: row.money("amount", row.parsed("currency")?)?,
        date: row.parsed_if("date")?,
        seen,
    }))
}

fn take(candidates: &mut Vec<Candidate>, new: Option<Candidate>) {
    let Some(new) = new else { return };
    let same = |known: &&mut Candidate| {
        known.subject == new.subject
            && (known.invoice == new.invoice || known.invoice.is_none() || new.invoice.is_none())
    };
    let known = match candidates.iter_mut().find(same) {
        Some(known) => {
            // A line of uploads does not say about which invoice a payment is, and the log may.
            known.invoice = known.invoice.take().or(new.invoice.clone());
            true
        }
        None => false,
    };
    if !known && candidates.len() < CANDIDATES_MAX {
        candidates.push(new);
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}
