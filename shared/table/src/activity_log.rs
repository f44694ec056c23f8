//! The activity log as it is read, and the rows that the operators' console adds to it.

use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use jiff::civil::Date;
use payments::{InvoiceNumber, Occurrence, OrganisationId, PaymentId, XeroPaymentId};

use crate::activity::day;
use crate::attributes::{Item, Reader, Writer, instant};
use crate::error::{ReadError, WriteError};
use crate::latest::Newest;
use crate::rows;
use crate::schema::{ACTIVITY, BY_INVOICE};
use crate::tables::{Tables, owner};

/// A row of the activity log, as text: it is shown to people, and nothing is decided by it. Which attributes
/// a row has depends on what it is about.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ActivityRow {
    /// Its key, by which the next page of a history begins after it.
    pub key: String,
    /// When, in UTC, of fixed width.
    pub at: String,
    /// The action.
    pub action: String,
    /// The rule that says so.
    pub rule: Option<String>,
    /// What set it off: `webhook`, `sweep`, `intake`, `console` …
    pub cause: Option<String>,
    /// A code.
    pub reason: Option<String>,
    /// The figures and the reason in words; of a person's order, the person's. For pages, never for logs: it
    /// holds amounts.
    pub why: Option<String>,
    /// Who ordered it, if a person did.
    pub by: Option<String>,
    /// `done`, `failed` or `refused`, of what the console was asked for.
    pub result: Option<String>,
    /// What it was about, if not an invoice or a payment.
    pub what: Option<String>,
    /// The invoice's number in the business's own system.
    pub invoice_number: Option<String>,
    /// The payment.
    pub payment_id: Option<String>,
    /// The payment in Xero.
    pub xero_payment_id: Option<String>,
    /// How it was paid.
    pub method: Option<String>,
    /// The amount with its currency.
    pub amount: Option<String>,
    /// The payment's day.
    pub date: Option<String>,
    /// The invocation that did it, of what the console was asked for.
    pub request_id: Option<String>,
    /// Attributes that hold something that we do not write. They are shown as they are, as far as they are text.
    pub unreadable: Vec<&'static str>,
}

/// Something that a person has asked the console for.
#[derive(Clone, Copy, Debug)]
pub struct Ordered<'a> {
    /// Whose books; `None` if that is not known.
    pub organisation: Option<OrganisationId>,
    /// The code of the order.
    pub order: &'a str,
    /// The subject; none if it is about everything.
    pub subject: Option<&'a str>,
    /// `done`, `failed` or `refused`.
    pub result: &'a str,
    /// What came of it, in words.
    pub detail: &'a str,
    /// The rule that refuses it, if it was refused.
    pub rule: Option<&'a str>,
    /// The role of the function that was called.
    pub role: &'a str,
    /// Who ordered it, in that person's own words: not checked.
    pub by: &'a str,
    /// Why, likewise.
    pub why: &'a str,
    /// The invocation: by it, CloudTrail names the identity that made the call.
    pub request_id: &'a str,
}

impl Tables {
    /// The newest rows of one day in UTC, at most `max`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn activity_of_day(
        &self,
        organisation: OrganisationId,
        on: Date,
        max: usize,
    ) -> Result<Newest<ActivityRow>, ReadError> {
        let day = format!("{organisation}/{on}");
        Ok(self.newest(ACTIVITY, None, ("day", &day), max).await?.map(read))
    }

    /// The newest rows about one invoice, at most `max`, as of a moment ago.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn activity_of_invoice(
        &self,
        organisation: OrganisationId,
        number: &InvoiceNumber,
        max: usize,
    ) -> Result<Newest<ActivityRow>, ReadError> {
        let invoice = rows::invoice_key(organisation, number);
        let found = self.newest(ACTIVITY, Some(BY_INVOICE), ("invoice", &invoice), max).await?;
        Ok(found.map(read))
    }

    /// Records what a person has asked the console for, and what came of it. Recording it again changes
    /// nothing.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn record_order(
        &self,
        ordered: &Ordered<'_>,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        self.put_row(ACTIVITY, order_row(ordered, now)).await
    }
}

pub(crate) fn order_row(ordered: &Ordered<'_>, now: Timestamp) -> Item {
    let nobody = || format!("unknown/{}", now.strftime("%Y-%m-%d"));
    Writer::default()
        .text("day", ordered.organisation.map_or_else(nobody, |id| day(id, now)))
        .text("at", format!("{}#order#{}", instant(now), ordered.request_id))
        .text("organisation", owner(ordered.organisation))
        .text("cause", "console")
        .logged(Occurrence::Ordered)
        .text("order", ordered.order)
        .text("result", ordered.result)
        .text_if("rule", ordered.rule)
        .text_if("what", ordered.subject)
        .text("reason", ordered.detail)
        .text("role", ordered.role)
        .text("by", ordered.by)
        .text("why", ordered.why)
        .text("request_id", ordered.request_id)
        .finish()
}

/// The one reading of a row. One that says less, or something that we do not write, is shown all the same, and
/// says so: an operator who looks for something is helped by what is there.
pub(crate) fn read(item: &Item) -> ActivityRow {
    let mut row = Lenient { item, unreadable: Vec::new() };
    let key = row.text("at").unwrap_or_default();
    let at = key.split('#').next().unwrap_or_default().to_owned();
    if at.parse::<Timestamp>().is_err() {
        row.unreadable.push("at");
    }
    let action = row.text("action");
    if action.is_none() {
        row.unreadable.push("action");
    }
    ActivityRow {
        key,
        at,
        action: row.text("order").or(action).unwrap_or_default(),
        rule: row.text("rule"),
        cause: row.text("cause"),
        reason: row.text("reason"),
        why: row.text("why"),
        by: row.text("by"),
        result: row.text("result"),
        what: row.text("what"),
        invoice_number: row.parsed::<InvoiceNumber>("invoice_number"),
        payment_id: row.parsed::<PaymentId>("payment_id"),
        xero_payment_id: row.parsed::<XeroPaymentId>("xero_payment_id"),
        method: row.text("method"),
        amount: row.amount(),
        date: row.parsed::<Date>("date"),
        request_id: row.text("request_id"),
        unreadable: row.unreadable,
    }
}

/// Reads what it can, and notes what it cannot.
struct Lenient<'a> {
    item: &'a Item,
    unreadable: Vec<&'static str>,
}

impl Lenient<'_> {
    fn text(&mut self, name: &'static str) -> Option<String> {
        match self.item.get(name) {
            None | Some(AttributeValue::Null(_)) => None,
            Some(AttributeValue::S(text) | AttributeValue::N(text)) => Some(text.clone()),
            Some(_) => {
                self.unreadable.push(name);
                None
            }
        }
    }

    fn parsed<T: FromStr>(&mut self, name: &'static str) -> Option<String> {
        let text = self.text(name)?;
        if text.parse::<T>().is_err() {
            self.unreadable.push(name);
        }
        Some(text)
    }

    /// With as many digits as its currency has: DynamoDB keeps none that say nothing.
    fn amount(&mut self) -> Option<String> {
        let (amount, currency) = (self.text("amount")?, self.text("currency"));
        let row = Reader::new(ACTIVITY, self.item);
        let read = || row.money("amount", row.parsed("currency").ok()?).ok();
        if let Some(money) = read() {
            return Some(money.to_string());
        }
        self.unreadable.push("amount");
        Some([Some(amount), currency].into_iter().flatten().collect::<Vec<_>>().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(attributes: &[(&str, &str)]) -> Item {
        let text = |(name, value): &(&str, &str)| {
            let value = match value.strip_prefix('#') {
                Some(number) => AttributeValue::N(number.to_owned()),
                None => AttributeValue::S((*value).to_owned()),
            };
            ((*name).to_owned(), value)
        };
        attributes.iter().map(text).collect()
    }

    #[test]
    fn a_row_is_read_as_it_was_written() {
        // EX-24
        let row = read(&item(&[
            ("at", "2026-11-25T10:00:00.000000Z#10234#1-0"),
            ("action", "imported"),
            ("amount", "#64"),
            ("currency", "AUD"),
            ("date", "2026-11-23"),
        ]));
        assert_eq!(
            (row.at.as_str(), row.action.as_str()),
            ("2026-11-25T10:00:00.000000Z", "imported")
        );
        assert_eq!(
            (row.amount.as_deref(), row.date.as_deref()),
            (Some("64.00 AUD"), Some("2026-11-23"))
        );
        assert_eq!(row.key, "2026-11-25T10:00:00.000000Z#10234#1-0");
        assert!(row.unreadable.is_empty(), "{row:?}");
    }

    #[test]
    fn what_we_do_not_write_is_shown_as_far_as_it_is_text_and_named() {
        let mut item = item(&[
            ("at", "yesterday"),
            ("amount", "much"),
            ("currency", "AUD"),
            ("date", "Monday"),
            ("payment_id", ""),
            ("why", "as it was"),
        ]);
        item.insert("rule".to_owned(), AttributeValue::Bool(true));
        let row = read(&item);
        assert_eq!((row.at.as_str(), row.why.as_deref()), ("yesterday", Some("as it was")));
        assert_eq!((row.amount.as_deref(), row.rule), (Some("much AUD"), None));
        assert_eq!(row.unreadable, ["at", "action", "rule", "payment_id", "amount", "date"]);
    }
}
