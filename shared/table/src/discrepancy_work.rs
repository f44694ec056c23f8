//! Work on a discrepancy: read, decided, and written with its row of the log in one transaction (SP-19, SP-36).

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use jiff::Timestamp;
use payments::{
    Attributed, Change, Discrepancy, DiscrepancyKey, DiscrepancyWork, OrganisationId,
    StoredInvoice, StoredNotice, WorkDone, WorkError,
};

use crate::activity::{day, with_discrepancy};
use crate::attributes::{Item, Writer, instant};
use crate::change_context::ChangeContext;
use crate::contact_discrepancies::{DiscrepancySubject, contact_key, contact_row};
use crate::error::{ReadError, WriteError};
use crate::notices::notice_row;
use crate::rows::{invoice_key, state_of};
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
    /// What is stored cannot be read.
    #[error("reading what is stored failed")]
    Read(#[from] ReadError),
    /// It could not be written.
    #[error("writing failed")]
    Write(#[from] WriteError),
}

impl Tables {
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
            let invoice = match &place.subject {
                DiscrepancySubject::Invoice(number) => {
                    Some(self.invoice(place.organisation, number).await?)
                }
                DiscrepancySubject::Contact(_) => None,
            };
            let known = match (&invoice, &place.subject) {
                (Some(invoice), _) => invoice.discrepancy(&place.key).cloned(),
                (None, DiscrepancySubject::Contact(contact)) => {
                    let all = self.contact_discrepancies(place.organisation, *contact).await?;
                    all.into_iter().find(|found| found.key == place.key)
                }
                (None, DiscrepancySubject::Invoice(_)) => None,
            };
            let known = known.ok_or(WorkError::NotOpen)?;
            let work = decide(&known, invoice.as_ref())?;
            let mut after = known.clone();
            let done = after.work(work, invoice.as_ref(), context.said, context.now)?;
            match self.write_work(place, invoice, &known, &after, &done, context).await {
                Ok(()) => return Ok(after),
                Err(WriteError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(WriteError::Conflict.into())
    }

    async fn write_work(
        &self,
        place: &DiscrepancyPlace,
        invoice: Option<StoredInvoice>,
        known: &Discrepancy,
        after: &Discrepancy,
        done: &WorkDone,
        context: WorkContext<'_>,
    ) -> Result<(), WriteError> {
        let xero = invoice.as_ref().and_then(|invoice| invoice.xero.as_ref());
        let log = log_row(place, after, done, context)
            .text_if("xero_invoice_id", xero.map(|xero| xero.invoice))
            .finish();
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
        match (&place.subject, invoice) {
            (DiscrepancySubject::Contact(contact), _) => {
                let row = contact_row(place.organisation, *contact, after);
                rows.push(self.putting_discrepancy_over(row, known)?);
                self.commit(DISCREPANCIES, rows).await
            }
            (DiscrepancySubject::Invoice(_), Some(before)) => {
                let change = Change::with_discrepancy(&before, after);
                let because =
                    ChangeContext { cause: context.cause, event_at: None, now: context.now };
                self.write_invoice_and(&before, &change, rows, because).await
            }
            (DiscrepancySubject::Invoice(_), None) => Err(WriteError::Conflict),
        }
    }

    /// The writing of a contact's discrepancy, on condition that it is still as it was read.
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

/// The row of the log about some work. It stands in the history of the invoice or of the contact.
fn log_row(
    place: &DiscrepancyPlace,
    after: &Discrepancy,
    done: &WorkDone,
    context: WorkContext<'_>,
) -> Writer {
    let (organisation, now) = (place.organisation, context.now);
    let (on, where_it_stands) = match &place.subject {
        DiscrepancySubject::Invoice(number) => {
            (number.to_string(), invoice_key(organisation, number))
        }
        DiscrepancySubject::Contact(contact) => {
            (format!("contact:{contact}"), contact_key(organisation, *contact))
        }
    };
    let row = Writer::default()
        .text("day", day(organisation, now))
        .text(
            "at",
            format!("{}#{on}#{}#{}-{}", instant(now), after.key, after.case.writes, done.action),
        )
        .text("organisation", organisation)
        .text("invoice", where_it_stands)
        .text("cause", context.cause)
        .logged(done.action)
        .text("rule", done.rule)
        .text("why", &done.why);
    let row = match &place.subject {
        DiscrepancySubject::Invoice(number) => row.text("invoice_number", number),
        DiscrepancySubject::Contact(contact) => row.text("xero_contact_id", contact),
    };
    let row = with_discrepancy(row, done.action, after)
        .text_if("reason", done.reason)
        .text_if("by", done.by.as_ref());
    match &done.work {
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
    }
}
