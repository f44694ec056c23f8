//! The activity log as it is read, and the rows that the operators' console adds to it.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use jiff::civil::Date;
use payments::{InvoiceNumber, Occurrence, OrganisationId};

use crate::activity::day;
use crate::attributes::{Item, Reader, Writer, instant};
use crate::error::{ReadError, WriteError};
use crate::newest::Newest;
use crate::rows;
use crate::schema::{ACTIVITY, BY_INVOICE};
use crate::tables::{Tables, owner};

/// A row of the activity log, as text: it is shown to people, and nothing is decided by it. Which attributes
/// a row has depends on what it is about.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ActivityRow {
    /// When, in UTC, of fixed width.
    pub at: String,
    /// What was done.
    pub action: String,
    /// The rule that says so.
    pub rule: Option<String>,
    /// What set it off: `webhook`, `sweep`, `intake`, `console` …
    pub cause: Option<String>,
    /// A code.
    pub reason: Option<String>,
    /// The figures and the reason in words; of a person's order, the person's.
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
    /// The invocation that did it, of what the console was asked for.
    pub request_id: Option<String>,
}

/// Something that a person has asked the console for.
#[derive(Clone, Copy, Debug)]
pub struct Ordered<'a> {
    /// Whose books; `None` if that is not known.
    pub organisation: Option<OrganisationId>,
    /// What was asked for: a code.
    pub order: &'a str,
    /// About what, if not about everything.
    pub subject: Option<&'a str>,
    /// `done`, `failed` or `refused`.
    pub result: &'a str,
    /// What came of it, in words.
    pub detail: &'a str,
    /// The rule that refuses it, if it was refused.
    pub rule: Option<&'a str>,
    /// The role of the function that was called.
    pub role: &'a str,
    /// Who asked, in that person's own words: nobody has checked it.
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
    /// `Unavailable`, `Unreadable`.
    pub async fn activity_of_day(
        &self,
        organisation: OrganisationId,
        on: Date,
        max: usize,
    ) -> Result<Newest<ActivityRow>, ReadError> {
        let day = format!("{organisation}/{on}");
        self.newest(ACTIVITY, None, ("day", &day), max).await?.read(read)
    }

    /// The newest rows about one invoice, at most `max`, as of a moment ago.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn activity_of_invoice(
        &self,
        organisation: OrganisationId,
        number: &InvoiceNumber,
        max: usize,
    ) -> Result<Newest<ActivityRow>, ReadError> {
        let invoice = rows::invoice_key(organisation, number);
        self.newest(ACTIVITY, Some(BY_INVOICE), ("invoice", &invoice), max).await?.read(read)
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

/// A row that says less, or something that is not text, is shown all the same: an operator who looks for
/// something is helped by what is there.
fn read(item: &Item) -> Result<ActivityRow, ReadError> {
    let row = Reader::new(ACTIVITY, item);
    let at = row.text("at")?;
    let text = |name: &str| match item.get(name) {
        Some(AttributeValue::S(text) | AttributeValue::N(text)) => Some(text.clone()),
        _ => None,
    };
    let amount = text("amount").zip(text("currency"));
    Ok(ActivityRow {
        at: at.split('#').next().unwrap_or(at).to_owned(),
        action: text("order").or_else(|| text("action")).unwrap_or_default(),
        rule: text("rule"),
        cause: text("cause"),
        reason: text("reason"),
        why: text("why"),
        by: text("by"),
        result: text("result"),
        what: text("what"),
        invoice_number: text("invoice_number"),
        payment_id: text("payment_id"),
        xero_payment_id: text("xero_payment_id"),
        method: text("method"),
        amount: amount.map(|(amount, currency)| format!("{amount} {currency}")),
        request_id: text("request_id"),
    })
}
