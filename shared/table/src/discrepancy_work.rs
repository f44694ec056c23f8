//! Work on a discrepancy: read, decided, and written with its row of the log in one transaction (SP-19, SP-36).

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use jiff::Timestamp;
use payments::{
    Attributed, Change, Discrepancy, DiscrepancyKey, DiscrepancyWork, OrganisationId,
    StoredInvoice, StoredNotice, WorkDone, WorkError,
};

use crate::activity::{day, with_discrepancy};
use crate::attributes::{Item, Reader, Writer, instant};
use crate::change_context::ChangeContext;
use crate::contact_discrepancies::{DiscrepancySubject, contact_key};
use crate::error::{ReadError, WriteError};
use crate::notices::notice_row;
use crate::order_discrepancies::{order_key, payment_key};
use crate::rows::{discrepancy_attributes, invoice_key, read_discrepancy, state_of};
use crate::schema::{ACTIVITY, DISCREPANCIES, NOTICES};
use crate::tables::{Tables, transact};

/// How often a lost race is tried again at once.
const RACES_MAX: u32 = 8;

/// Which discrepancy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DiscrepancyPlace {
    /// Whose books.
    pub organisation: OrganisationId,
    /// What it stands on.
    pub subject: DiscrepancySubject,
    /// Which of those that stand there.
    pub key: DiscrepancyKey,
}

impl DiscrepancyPlace {
    /// The key under which everything stands that does not agree there.
    pub(crate) fn key_of_rows(&self) -> String {
        let organisation = self.organisation;
        match &self.subject {
            DiscrepancySubject::Invoice(number) => invoice_key(organisation, number),
            DiscrepancySubject::Contact(contact) => contact_key(organisation, *contact),
            DiscrepancySubject::Order(order) => order_key(organisation, order),
            DiscrepancySubject::Payment(payment) => payment_key(organisation, payment),
        }
    }
}

/// The discrepancy of a name: what it stands on, a slash, and its key, such as `10234/OVERPAID#`. What is no
/// invoice is `contact:UUID`, `order:ID` or `payment:ID`. A number may hold a slash, and a kind holds none.
pub fn named_discrepancy(text: &str) -> Option<(DiscrepancySubject, DiscrepancyKey)> {
    let hash = text.find('#')?;
    let slash = text.get(..hash)?.rfind('/')?;
    let (on, key) = (text.get(..slash)?.trim(), text.get(slash + 1..)?);
    let subject = match on.split_once(':') {
        Some(("contact", contact)) => DiscrepancySubject::Contact(contact.parse().ok()?),
        Some(("order", order)) => DiscrepancySubject::Order(order.parse().ok()?),
        Some(("payment", payment)) => DiscrepancySubject::Payment(payment.parse().ok()?),
        _ => DiscrepancySubject::Invoice(on.parse().ok()?),
    };
    Some((subject, DiscrepancyKey::parse(key)?))
}

/// The name of a discrepancy in commands and on pages.
pub fn discrepancy_name(subject: &DiscrepancySubject, key: &DiscrepancyKey) -> String {
    format!("{subject}/{key}")
}

/// The attributes that say on what a discrepancy stands, where that is no invoice.
const NAMES_OF_PLACES: [&str; 10] = [
    "organisation",
    "xero_contact_id",
    "order",
    "payment_id",
    "customer",
    "amount",
    "currency",
    "date",
    "method",
    "transaction_id",
];

/// What is stored where a discrepancy stands.
enum Stored {
    Invoice(Box<StoredInvoice>),
    /// The discrepancy's own row, if it is there.
    Row(Option<Item>),
}

impl Stored {
    fn invoice(&self) -> Option<&StoredInvoice> {
        match self {
            Self::Invoice(invoice) => Some(invoice),
            Self::Row(_) => None,
        }
    }

    fn discrepancy(&self, place: &DiscrepancyPlace) -> Result<Option<Discrepancy>, ReadError> {
        match self {
            Self::Invoice(invoice) => Ok(invoice.discrepancy(&place.key).cloned()),
            Self::Row(item) => item.as_ref().map(read_discrepancy).transpose(),
        }
    }
}

/// What set the work off, who does it, and when.
#[derive(Clone, Copy, Debug)]
pub struct WorkContext<'a> {
    /// `console`, `sweep` and so on.
    pub cause: &'static str,
    /// Who and why.
    pub said: Attributed<'a>,
    /// When.
    pub now: Timestamp,
}

/// Why the work was not done.
#[derive(Debug, thiserror::Error)]
pub enum WorkFailure {
    /// It cannot be done.
    #[error(transparent)]
    Refused(#[from] WorkError),
    /// The stored row cannot be read.
    #[error("reading what is stored failed")]
    Read(#[from] ReadError),
    /// It could not be written.
    #[error("writing failed")]
    Write(#[from] WriteError),
}

impl Tables {
    /// A discrepancy as it is stored, with the invoice that it stands on, if it stands on one; none if nothing of that key
    /// was found there. Read consistently.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn discrepancy(
        &self,
        place: &DiscrepancyPlace,
    ) -> Result<Option<(Discrepancy, Option<StoredInvoice>)>, ReadError> {
        let stored = self.read_place(place).await?;
        let found = stored.discrepancy(place)?;
        Ok(found.map(|found| match stored {
            Stored::Invoice(invoice) => (found, Some(*invoice)),
            Stored::Row(_) => (found, None),
        }))
    }

    /// Does some work on a discrepancy. `decide` says what, from the discrepancy and its invoice as they are stored; it
    /// is asked again if another process was faster.
    ///
    /// # Errors
    /// [`WorkFailure`]; nothing has changed then.
    pub async fn work_on_discrepancy(
        &self,
        place: &DiscrepancyPlace,
        context: WorkContext<'_>,
        decide: impl Fn(&Discrepancy, Option<&StoredInvoice>) -> Result<DiscrepancyWork, WorkError>,
    ) -> Result<Discrepancy, WorkFailure> {
        for _ in 0..RACES_MAX {
            let stored = self.read_place(place).await?;
            let known = stored.discrepancy(place)?.ok_or(WorkError::NotOpen)?;
            let invoice = stored.invoice();
            let work = decide(&known, invoice)?;
            let mut after = known.clone();
            let done = after.work(work, invoice, context.said, context.now)?;
            match self.write_work(place, &stored, &known, &after, &done, context).await {
                Ok(()) => return Ok(after),
                Err(WriteError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(WriteError::Conflict.into())
    }

    async fn read_place(&self, place: &DiscrepancyPlace) -> Result<Stored, ReadError> {
        if let DiscrepancySubject::Invoice(number) = &place.subject {
            let invoice = self.invoice(place.organisation, number).await?;
            return Ok(Stored::Invoice(Box::new(invoice)));
        }
        let rows = self.partition(DISCREPANCIES, "invoice", &place.key_of_rows()).await?;
        let key = place.key.to_string();
        let is_it = |item: &Item| {
            Reader::new(DISCREPANCIES, item).text("discrepancy").is_ok_and(|found| found == key)
        };
        Ok(Stored::Row(rows.into_iter().find(is_it)))
    }

    async fn write_work(
        &self,
        place: &DiscrepancyPlace,
        stored: &Stored,
        known: &Discrepancy,
        after: &Discrepancy,
        done: &WorkDone,
        context: WorkContext<'_>,
    ) -> Result<(), WriteError> {
        let log = log_row(place, stored, after, done, context);
        let mut rows = vec![self.put(ACTIVITY, log)?];
        if let (DiscrepancyWork::Notify(notice), DiscrepancySubject::Invoice(number)) =
            (&done.work, &place.subject)
        {
            let stored = StoredNotice {
                organisation: place.organisation,
                invoice: number.clone(),
                discrepancy: place.key.clone(),
                notice: notice.clone(),
                drafted_at: context.now,
                report: None,
            };
            rows.push(self.put(NOTICES, notice_row(&stored))?);
        }
        match stored {
            Stored::Invoice(before) => {
                let change = Change::with_discrepancy(before, after);
                let because =
                    ChangeContext { cause: context.cause, event_at: None, now: context.now };
                self.write_invoice_and(before, &change, rows, because).await
            }
            Stored::Row(Some(item)) => {
                let row = Writer::default()
                    .text("invoice", place.key_of_rows())
                    .copy(item, &NAMES_OF_PLACES);
                let row = discrepancy_attributes(row, place.organisation, after);
                rows.push(self.putting_discrepancy_over(row, known)?);
                self.commit(DISCREPANCIES, rows).await
            }
            Stored::Row(None) => Err(WriteError::Conflict),
        }
    }

    /// The writing of a discrepancy that stands on no invoice, on condition that it is still as it was read.
    pub(crate) fn putting_discrepancy_over(
        &self,
        row: Item,
        known: &Discrepancy,
    ) -> Result<TransactWriteItem, WriteError> {
        let mut put = Put::builder()
            .table_name(self.name(DISCREPANCIES))
            .set_item(Some(row))
            .expression_attribute_names("#state", "state");
        for (name, text) in [(":state", state_of(known)), (":detail", known.detail.as_str())] {
            put = put.expression_attribute_values(name, AttributeValue::S(text.to_owned()));
        }
        let same = "#state = :state AND detail = :detail";
        transact(match known.case.writes {
            0 => put.condition_expression(format!("{same} AND attribute_not_exists(writes)")),
            writes => put
                .condition_expression(format!("{same} AND writes = :writes"))
                .expression_attribute_values(":writes", AttributeValue::N(writes.to_string())),
        })
    }
}

/// The row of the log about some work. It stands in the history of what the discrepancy stands on.
fn log_row(
    place: &DiscrepancyPlace,
    stored: &Stored,
    after: &Discrepancy,
    done: &WorkDone,
    context: WorkContext<'_>,
) -> Item {
    let (organisation, now) = (place.organisation, context.now);
    let at = format!(
        "{}#{}#{}#{}-{}",
        instant(now),
        place.subject,
        after.key,
        after.case.writes,
        done.action
    );
    let row = Writer::default();
    let row = match stored {
        Stored::Invoice(invoice) => row
            .text("organisation", organisation)
            .text("invoice_number", &invoice.number)
            .text_if("xero_invoice_id", invoice.xero.as_ref().map(|xero| xero.invoice)),
        Stored::Row(item) => match item {
            Some(item) => row.copy(item, &NAMES_OF_PLACES),
            None => row,
        },
    };
    let row = row
        .text("day", day(organisation, now))
        .text("at", at)
        .text("invoice", place.key_of_rows())
        .text("cause", context.cause)
        .logged(done.action)
        .text("rule", done.rule)
        .text("why", &done.why);
    let row = with_discrepancy(row, done.action, after)
        .text_if("reason", done.reason)
        .text_if("by", done.by.as_ref());
    let row = match &done.work {
        DiscrepancyWork::Adjust(adjustment) => row
            .text("adjusts", adjustment.record)
            .number_if("adjusted_amount", adjustment.amount.map(|amount| amount.amount()))
            .text_if("adjusted_currency", adjustment.amount.map(|amount| amount.currency()))
            .text_if("adjusted_payment", adjustment.payment.as_ref())
            .text_if("to_invoice", adjustment.to_invoice.as_ref()),
        DiscrepancyWork::Notify(notice) => row
            .text("notice", &notice.id)
            .text("notice_kind", notice.kind)
            .text("notice_subject", &notice.subject)
            .text("notice_text", &notice.text)
            .text_if("customer", notice.customer.as_ref()),
        DiscrepancyWork::Assign { .. }
        | DiscrepancyWork::End { .. }
        | DiscrepancyWork::Note { .. }
        | DiscrepancyWork::Remind(_) => row,
    };
    row.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_discrepancy_is_read_as_it_is_written() {
        for text in [
            "10234/OVERPAID#",
            "A/7/FAILED_PAYMENT#P-1/2",
            "order:O-1/TOTAL_DIFFERS#",
            "payment:P-1/OVERPAID#",
            "contact:430fa14a-f945-44d3-9f97-5df5e28441b8/REFUND_IN_XERO#r-1",
        ] {
            let (subject, key) = named_discrepancy(text).unwrap();
            assert_eq!(discrepancy_name(&subject, &key), text);
        }
        for text in ["", "10234", "10234/", "/OVERPAID#", "10234/SPELLING#", "contact:x/OVERPAID#"]
        {
            assert_eq!(named_discrepancy(text), None, "{text}");
        }
    }
}
