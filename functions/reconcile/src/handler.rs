//! One batch of the stream: which orders and payments it is about.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use host::telemetry;
use jiff::{SignedDuration, Timestamp};
use payments::events::Entry;
use payments::{Logged, Occurrence, Order, OrderId, OrganisationId, PaymentId, Settings};
use table::stream_batch::{BatchAnswer, Record, StreamEvent, Unnamed};
use table::{OrderLink, ReadError};

use crate::Reconciler;
use crate::payment;
use crate::standing::{CAUSE, JudgeError, judge};
use crate::tally::Tally;

/// The cause of rows about what the business's own system reports.
const INTAKE: &str = "intake";
/// Time kept back before the deadline: the longest that one order takes, with a hundred payments and invoices.
const RESERVE: SignedDuration = SignedDuration::from_secs(10);

/// Derives how the orders stand that the new rows are about, row by row. A row or an order that cannot be read is
/// passed over, and stays for a person; what comes after it does not wait.
///
/// # Errors
/// [`Unnamed`], before anything is done.
pub(crate) async fn batch(
    event: StreamEvent,
    reconciler: &Reconciler,
    deadline: Timestamp,
    tally: &mut Tally,
) -> Result<BatchAnswer, Unnamed> {
    let records = event.records;
    tally.records = records.len();
    if let Some(position) = records.iter().position(|record| record.sequence_number().is_empty()) {
        return Err(Unnamed { position, records: records.len() });
    }
    let mut work = Work { reconciler, tally, known: BTreeMap::new(), judged: BTreeSet::new() };
    for record in &records {
        let is_late = reconciler.clock.now().saturating_add(RESERVE).is_ok_and(|at| at > deadline);
        if is_late {
            return Ok(BatchAnswer::from(record.sequence_number()));
        }
        let Some(entry) = read(record, work.tally) else { continue };
        if let Err(error) = work.of(&entry).await {
            if matches!(error, JudgeError::Read(ReadError::Unreadable { .. })) {
                work.tally.passed_over += 1;
                log(record, &error, "the orders of a row cannot be read; it is passed over");
                continue;
            }
            log(record, &error, "orders could not be judged; the stream comes again from there");
            return Ok(BatchAnswer::from(record.sequence_number()));
        }
    }
    Ok(BatchAnswer::default())
}

struct Work<'a> {
    reconciler: &'a Reconciler,
    tally: &'a mut Tally,
    /// The organisations of this batch.
    known: BTreeMap<OrganisationId, Rc<Organisation>>,
    /// Judged already in this batch, by facts that are newer than all of its rows.
    judged: BTreeSet<(OrganisationId, Subject)>,
}

/// Facts about an organisation, read once.
struct Organisation {
    /// Whether it has any orders.
    has_orders: bool,
    /// None if it is not set up: then nothing of it is judged.
    settings: Option<Settings>,
}

/// The subject that is judged.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Subject {
    Order(OrderId),
    Payment(PaymentId),
}

impl Work<'_> {
    /// Judges the orders and the payments that a row is about.
    async fn of(&mut self, entry: &Entry) -> Result<(), JudgeError> {
        let organisation = entry.organisation;
        let known = self.organisation(organisation).await?;
        let mut subjects = self.payments_of(entry).await?;
        if known.has_orders {
            subjects.extend(self.orders_of(entry).await?);
        }
        for subject in subjects {
            if !self.judged.insert((organisation, subject.clone())) {
                continue;
            }
            let (tables, now) = (&self.reconciler.tables, self.reconciler.clock.now());
            let judged = match &subject {
                Subject::Order(order) => judge(tables, organisation, order, now).await,
                Subject::Payment(id) => match &known.settings {
                    Some(settings) => {
                        payment::judge(tables, settings, id, known.has_orders, now).await
                    }
                    None => Ok(false),
                },
            };
            match judged {
                Ok(changed) => self.tally.count(matches!(subject, Subject::Order(_)), changed),
                Err(
                    error @ (JudgeError::Read(ReadError::Unreadable { .. }) | JudgeError::Money(_)),
                ) => {
                    self.tally.passed_over += 1;
                    tracing::error!(
                        xero.tenant_id = %organisation,
                        subject = ?subject,
                        error = telemetry::chain(&error),
                        "an order or a payment cannot be judged; it is passed over"
                    );
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The orders that a row is about.
    async fn orders_of(&self, entry: &Entry) -> Result<BTreeSet<Subject>, ReadError> {
        let (tables, organisation) = (&self.reconciler.tables, entry.organisation);
        let mut orders: BTreeSet<OrderId> =
            entry.order.iter().map(|order| order.id.clone()).collect();
        // An order that is new on an invoice takes its share of what the others had.
        for order in orders.clone() {
            let Some(known) = self.reported(organisation, &order).await? else { continue };
            for number in &known.invoices {
                orders.extend(tables.orders_of(organisation, OrderLink::Invoice(number)).await?);
            }
        }
        if let Some(invoice) = &entry.invoice {
            orders
                .extend(tables.orders_of(organisation, OrderLink::Invoice(&invoice.number)).await?);
        }
        if let Some(payment) = &entry.payment.id {
            orders.extend(tables.orders_of(organisation, OrderLink::Payment(payment)).await?);
        }
        Ok(orders.into_iter().map(Subject::Order).collect())
    }

    /// The payments of the business's own that a row may link otherwise: what it reports of a payment, the payments that
    /// an order names, and those on an invoice that it reports.
    async fn payments_of(&self, entry: &Entry) -> Result<BTreeSet<Subject>, ReadError> {
        let organisation = entry.organisation;
        let mut payments: BTreeSet<PaymentId> = BTreeSet::new();
        let is_reported = entry.cause.as_deref() == Some(INTAKE);
        match (&entry.payment.id, &entry.invoice) {
            (Some(payment), _) if is_reported => drop(payments.insert(payment.clone())),
            (None, Some(invoice)) if is_reported && entry.discrepancy.is_none() => {
                let stored = self.reconciler.tables.invoice(organisation, &invoice.number).await?;
                payments.extend(stored.payments.into_iter().map(|payment| payment.id));
            }
            _ => {}
        }
        if let Some(order) = &entry.order
            && let Some(known) = self.reported(organisation, &order.id).await?
        {
            payments.extend(known.payments);
        }
        Ok(payments.into_iter().filter(|id| !id.is_copy()).map(Subject::Payment).collect())
    }

    /// An order as it was reported; none if it cannot be read: judging it says what is wrong with it.
    async fn reported(
        &self,
        organisation: OrganisationId,
        order: &OrderId,
    ) -> Result<Option<Order>, ReadError> {
        match self.reconciler.tables.order(organisation, order).await {
            Ok(known) => Ok(known.map(|known| known.order)),
            Err(ReadError::Unreadable { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn organisation(
        &mut self,
        organisation: OrganisationId,
    ) -> Result<Rc<Organisation>, ReadError> {
        if let Some(known) = self.known.get(&organisation) {
            return Ok(Rc::clone(known));
        }
        let tables = &self.reconciler.tables;
        let known = Rc::new(Organisation {
            has_orders: tables.has_orders(organisation).await?,
            settings: tables.settings(organisation).await?,
        });
        self.known.insert(organisation, Rc::clone(&known));
        Ok(known)
    }
}

/// The row of a record that may concern an order; none of a row that this function has written itself.
fn read(record: &Record, tally: &mut Tally) -> Option<Entry> {
    if !record.is_new() {
        return None;
    }
    match record.image().entry() {
        Ok(entry) => entry.filter(|entry| {
            let is_standing = matches!(
                entry.logged,
                Logged::Happened(Occurrence::OrderCompleted | Occurrence::OrderProgressChanged)
            );
            !is_standing && entry.cause.as_deref() != Some(CAUSE)
        }),
        Err(error) => {
            tally.passed_over += 1;
            log(record, &error, "a row of the activity log cannot be read; it is passed over");
            None
        }
    }
}

fn log(record: &Record, error: &dyn std::error::Error, what: &'static str) {
    tracing::error!(
        activity.key = record.image().key(),
        stream.sequence_number = record.sequence_number(),
        error = telemetry::chain(error),
        "{what}"
    );
}
