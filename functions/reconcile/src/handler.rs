//! One batch of the stream: which orders it is about.

use std::collections::{BTreeMap, BTreeSet};

use host::telemetry;
use jiff::{SignedDuration, Timestamp};
use payments::events::Entry;
use payments::{Logged, Occurrence, OrderId, OrganisationId};
use table::stream_batch::{BatchAnswer, Record, StreamEvent, Unnamed};
use table::{OrderLink, ReadError};

use crate::Reconciler;
use crate::standing::{JudgeError, judge};
use crate::tally::Tally;

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
    let mut work =
        Work { reconciler, tally, with_orders: BTreeMap::new(), judged: BTreeSet::new() };
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
    /// Which organisations have any orders.
    with_orders: BTreeMap<OrganisationId, bool>,
    /// Judged already in this batch, by facts that are newer than all of its rows.
    judged: BTreeSet<(OrganisationId, OrderId)>,
}

impl Work<'_> {
    /// Judges the orders that a row is about.
    async fn of(&mut self, entry: &Entry) -> Result<(), JudgeError> {
        let organisation = entry.organisation;
        if !self.has_orders(organisation).await? {
            return Ok(());
        }
        let tables = &self.reconciler.tables;
        let mut orders: BTreeSet<OrderId> =
            entry.order.iter().map(|order| order.id.clone()).collect();
        // An order that is new on an invoice takes its share of what the others had.
        for order in orders.clone() {
            let known = match tables.order(organisation, &order).await {
                Ok(Some(known)) => known,
                // Judging it says what is wrong with it.
                Ok(None) | Err(ReadError::Unreadable { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            for number in &known.order.invoices {
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
        for order in orders {
            if !self.judged.insert((organisation, order.clone())) {
                continue;
            }
            match judge(tables, organisation, &order, self.reconciler.clock.now()).await {
                Ok(changed) => {
                    self.tally.judged += 1;
                    self.tally.changed += usize::from(changed);
                }
                Err(
                    error @ (JudgeError::Read(ReadError::Unreadable { .. }) | JudgeError::Money(_)),
                ) => {
                    self.tally.passed_over += 1;
                    tracing::error!(
                        xero.tenant_id = %organisation,
                        order.id = %order,
                        error = telemetry::chain(&error),
                        "an order cannot be judged; it is passed over"
                    );
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn has_orders(&mut self, organisation: OrganisationId) -> Result<bool, ReadError> {
        if let Some(known) = self.with_orders.get(&organisation) {
            return Ok(*known);
        }
        let has = self.reconciler.tables.has_orders(organisation).await?;
        self.with_orders.insert(organisation, has);
        Ok(has)
    }
}

/// The row of a record that may concern an order; none of a row that this function has written itself.
fn read(record: &Record, tally: &mut Tally) -> Option<Entry> {
    if !record.is_new() {
        return None;
    }
    match record.image().entry() {
        Ok(entry) => entry.filter(|entry| {
            !matches!(
                entry.logged,
                Logged::Happened(Occurrence::OrderCompleted | Occurrence::OrderProgressChanged)
            )
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
