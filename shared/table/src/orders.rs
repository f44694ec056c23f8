//! Orders of customers: what was reported of each, and how it stands by the facts about its money.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, Put};
use jiff::Timestamp;
use payments::{
    Components, InvoiceNumber, Money, Occurrence, Order, OrderDocuments, OrderId, OrderProgress,
    OrderStanding, OrderStatus, OrganisationId, PaymentId,
};

use crate::activity::day;
use crate::attributes::{Item, Reader, Writer, instant};
use crate::error::{ReadError, WriteError};
use crate::schema::{ACTIVITY, ORDER_LINKS, ORDERS};
use crate::tables::{Tables, transact};

/// An order as it is stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredOrder {
    /// As it was reported last.
    pub order: Order,
    /// How it stood when that was last derived; `None` before.
    pub standing: Option<OrderStanding>,
    /// Counts the writes of the row, from 1.
    pub writes: u64,
}

/// What orders are found by.
#[derive(Clone, Copy, Debug)]
pub enum OrderLink<'a> {
    /// An invoice that they name.
    Invoice(&'a InvoiceNumber),
    /// A payment that they name.
    Payment(&'a PaymentId),
}

impl OrderLink<'_> {
    fn key(self, organisation: OrganisationId) -> String {
        match self {
            Self::Invoice(number) => format!("{organisation}/invoice/{number}"),
            Self::Payment(payment) => format!("{organisation}/payment/{payment}"),
        }
    }
}

impl Tables {
    /// The stored row of an order.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn order(
        &self,
        organisation: OrganisationId,
        order: &OrderId,
    ) -> Result<Option<StoredOrder>, ReadError> {
        let key = [("organisation", organisation.to_string()), ("order", order.to_string())];
        self.one(ORDERS, &key).await?.as_ref().map(read_order).transpose()
    }

    /// Whether an organisation has reported any order, as of a moment ago: one without any is not asked more.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn has_orders(&self, organisation: OrganisationId) -> Result<bool, ReadError> {
        let key = organisation.to_string();
        let first = self.newest(ORDERS, None, ("organisation", &key), 1).await?;
        Ok(!first.rows.is_empty())
    }

    /// The orders that name an invoice or a payment. An order that named it earlier, and does not any more, may be
    /// among them.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn orders_of(
        &self,
        organisation: OrganisationId,
        link: OrderLink<'_>,
    ) -> Result<BTreeSet<OrderId>, ReadError> {
        let rows = self.partition(ORDER_LINKS, "link", &link.key(organisation)).await?;
        rows.iter().map(|item| Reader::new(ORDER_LINKS, item).parsed("order")).collect()
    }

    /// Stores what was reported of an order, on condition that its row is still as it was read. How it stands is
    /// kept; it is derived again from the stream of the log.
    ///
    /// The rows by which it is found are written first: one without its order does no harm.
    ///
    /// # Errors
    /// `Conflict`, `Unavailable`.
    pub async fn store_order(
        &self,
        known: Option<&StoredOrder>,
        order: &Order,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let row = |link: OrderLink<'_>| {
            let row = Writer::default().text("link", link.key(order.organisation));
            row.text("order", &order.id).text("organisation", order.organisation).finish()
        };
        let links = new_links(known.map(|known| &known.order), order);
        self.put_rows(ORDER_LINKS, links.into_iter().map(row).collect()).await?;
        let after = StoredOrder {
            order: order.clone(),
            standing: known.and_then(|known| known.standing),
            writes: known.map_or(0, |known| known.writes) + 1,
        };
        let log = about(order, Occurrence::OrderRecorded, after.writes, now)
            .text("rule", "SP-02")
            .text("why", format!("order of {}", order.components.total));
        let log = as_reported(log, order).finish();
        self.write_order(known, &after, Some(log), now).await
    }

    /// Stores how an order stands, on condition that its row is still as it was read. A change of its progress or
    /// its status is a row of the log, in the same transaction.
    ///
    /// # Errors
    /// `Conflict`, `Unavailable`.
    pub async fn store_standing(
        &self,
        known: &StoredOrder,
        standing: OrderStanding,
        documents: &OrderDocuments,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let after = StoredOrder {
            order: known.order.clone(),
            standing: Some(standing),
            writes: known.writes + 1,
        };
        let log = change_row(known, &after, documents, now);
        self.write_order(Some(known), &after, log, now).await
    }

    async fn write_order(
        &self,
        known: Option<&StoredOrder>,
        after: &StoredOrder,
        log: Option<Item>,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let put =
            Put::builder().table_name(self.name(ORDERS)).set_item(Some(order_row(after, now)));
        let put = match known {
            None => put.condition_expression("attribute_not_exists(organisation)"),
            Some(known) => put
                .condition_expression("writes = :read")
                .expression_attribute_values(":read", AttributeValue::N(known.writes.to_string())),
        };
        let mut rows = vec![transact(put)?];
        if let Some(log) = log {
            rows.push(self.put(ACTIVITY, log)?);
        }
        self.commit(ORDERS, rows).await
    }
}

/// What an order names that it did not name before.
fn new_links<'a>(known: Option<&Order>, order: &'a Order) -> Vec<OrderLink<'a>> {
    let new_invoice =
        |number: &&InvoiceNumber| known.is_none_or(|known| !known.invoices.contains(*number));
    let new_payment = |id: &&PaymentId| known.is_none_or(|known| !known.payments.contains(*id));
    let invoices = order.invoices.iter().filter(new_invoice).map(OrderLink::Invoice);
    invoices.chain(order.payments.iter().filter(new_payment).map(OrderLink::Payment)).collect()
}

/// The row of the log about a change of progress or status; `None` if neither has changed.
fn change_row(
    known: &StoredOrder,
    after: &StoredOrder,
    documents: &OrderDocuments,
    now: Timestamp,
) -> Option<Item> {
    let standing = after.standing?;
    let said = |standing: OrderStanding| (standing.progress, standing.status);
    if known.standing.map(said) == Some(said(standing)) {
        return None;
    }
    let is_paid = |standing: OrderStanding| {
        matches!(standing.status, Some(OrderStatus::FullyPaid | OrderStatus::Overpaid))
    };
    let completed = is_paid(standing) && !known.standing.is_some_and(is_paid);
    let action =
        if completed { Occurrence::OrderCompleted } else { Occurrence::OrderProgressChanged };
    let order = &after.order;
    let row = about(order, action, after.writes, now)
        .text("rule", if completed { "SP-05" } else { "SP-07" })
        .text("progress", standing.progress)
        .text_if("status", standing.status)
        .text(
            "why",
            format!(
                "{} of {} received, {} pending, {} given back",
                standing.received,
                order.to_pay(),
                standing.pending,
                standing.refunded
            ),
        );
    let row = with_documents(row, documents);
    Some(crate::rows::with_amount(row, standing.received).finish())
}

/// The components on which the documents of an order do not agree, and the receipts: as texts and numbers, which is all that the
/// log's stream is read for.
fn with_documents(mut row: Writer, documents: &OrderDocuments) -> Writer {
    let codes: Vec<_> = documents.differing.iter().map(|values| values.component.code()).collect();
    row = row.text_if("components", (!codes.is_empty()).then(|| codes.join(",")));
    for (code, values) in codes.iter().zip(&documents.differing) {
        row = row
            .number(&format!("{code}_by_order"), values.order.amount())
            .number_if(&format!("{code}_by_invoices"), values.invoices.map(Money::amount))
            .number_if(&format!("{code}_by_receipts"), values.receipts.map(Money::amount));
    }
    let receipts = &documents.receipts;
    row.text_if("receipt_numbers", (!receipts.is_empty()).then(|| receipts.join("\n")))
}

/// What an order costs and names, so that the log alone says how it stands (SP-08). Ids are lines of a text, which is all that
/// the log's stream is read for.
fn as_reported(row: Writer, order: &Order) -> Writer {
    let lines = |ids: Vec<String>| (!ids.is_empty()).then(|| ids.join("\n"));
    let total = order.components.total;
    row.number("order_total", total.amount())
        .text("order_currency", total.currency())
        .instant("order_placed_at", order.placed_at)
        .text_if("order_cancelled", order.cancelled.then_some("yes"))
        .text_if("order_invoices", lines(order.invoices.iter().map(ToString::to_string).collect()))
        .text_if("order_payments", lines(order.payments.iter().map(ToString::to_string).collect()))
}

/// The beginning of a row of the log about an order.
fn about(order: &Order, action: Occurrence, writes: u64, now: Timestamp) -> Writer {
    Writer::default()
        .text("day", day(order.organisation, now))
        .text("at", format!("{}#order#{}#{writes}-{action}", instant(now), order.id))
        .text("organisation", order.organisation)
        .logged(action)
        .text("order", &order.id)
        .text_if("customer", order.customer.as_ref())
}

fn order_row(stored: &StoredOrder, now: Timestamp) -> Item {
    let StoredOrder { order, standing, writes } = stored;
    let list =
        |texts: Vec<String>| AttributeValue::L(texts.into_iter().map(AttributeValue::S).collect());
    let Components { goods, tax, shipping, discount, total } = order.components;
    let row = Writer::default()
        .text("organisation", order.organisation)
        .text("order", &order.id)
        .number("revision", order.revision)
        .number("writes", writes)
        .text_if("customer", order.customer.as_ref())
        .instant("placed_at", order.placed_at)
        .instant_if("completed_at", order.completed_at)
        .text("currency", total.currency().code())
        .number("goods", goods.amount())
        .number("tax", tax.amount())
        .number("shipping", shipping.amount())
        .number("discount", discount.amount())
        .number("total", total.amount())
        .value("invoices", list(order.invoices.iter().map(ToString::to_string).collect()))
        .value("payments", list(order.payments.iter().map(ToString::to_string).collect()))
        .flag("cancelled", order.cancelled)
        .instant("recorded_at", now);
    let Some(standing) = standing else { return row.finish() };
    row.text("progress", standing.progress)
        .text_if("status", standing.status)
        .number("received", standing.received.amount())
        .number("refunded", standing.refunded.amount())
        .number("pending", standing.pending.amount())
        .flag("other_currency", standing.other_currency)
        .finish()
}

pub(crate) fn read_order(item: &Item) -> Result<StoredOrder, ReadError> {
    let row = Reader::new(ORDERS, item);
    let currency = row.parsed("currency")?;
    let money = |name: &str| -> Result<Money, ReadError> { row.money(name, currency) };
    let order = Order {
        organisation: row.parsed("organisation")?,
        id: row.parsed("order")?,
        revision: row.number("revision")?,
        customer: row.parsed_if("customer")?,
        placed_at: row.parsed("placed_at")?,
        completed_at: row.parsed_if("completed_at")?,
        components: Components {
            goods: money("goods")?,
            tax: money("tax")?,
            shipping: money("shipping")?,
            discount: money("discount")?,
            total: money("total")?,
        },
        invoices: row.list_of("invoices")?.into_iter().collect(),
        payments: row.list_of("payments")?.into_iter().collect(),
        cancelled: row.flag("cancelled")?,
    };
    let standing = match row.has("progress") {
        false => None,
        true => Some(OrderStanding {
            progress: row.code("progress", OrderProgress::from_code)?,
            status: match row.has("status") {
                true => Some(row.code("status", OrderStatus::from_code)?),
                false => None,
            },
            received: money("received")?,
            refunded: money("refunded")?,
            pending: money("pending")?,
            other_currency: row.flag("other_currency")?,
        }),
    };
    Ok(StoredOrder { order, standing, writes: row.number("writes")? })
}
