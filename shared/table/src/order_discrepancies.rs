//! What does not agree about an order, or about a payment as a whole (SP-10, SP-11, SP-37).
//!
//! The rows stand in the table of the invoices' discrepancies and in its index of open ones. Their keys, such as
//! `ORG/ order:ID`, are no invoice's: no number begins with a blank.

use aws_sdk_dynamodb::types::Put;
use payments::{
    Action, Discrepancy, DiscrepancyChange, Order, OrderId, OrganisationId, PaymentId, Receipt,
};

use crate::activity::{day, with_discrepancy};
use crate::attributes::{Item, Writer, instant};
use crate::contact_discrepancies::ContactBecause;
use crate::error::{ReadError, WriteError};
use crate::rows::{discrepancy_attributes, read_discrepancy, with_amount};
use crate::schema::{ACTIVITY, DISCREPANCIES};
use crate::tables::{Tables, transact};

/// An order or a payment about which something does not agree.
#[derive(Clone, Copy, Debug)]
pub enum Judged<'a> {
    /// An order.
    Order(&'a Order),
    /// A payment as a whole.
    Payment(&'a Receipt),
}

impl Judged<'_> {
    const fn organisation(self) -> OrganisationId {
        match self {
            Self::Order(order) => order.organisation,
            Self::Payment(receipt) => receipt.organisation,
        }
    }

    fn key(self) -> String {
        match self {
            Self::Order(order) => order_key(order.organisation, &order.id),
            Self::Payment(receipt) => payment_key(receipt.organisation, &receipt.id),
        }
    }

    /// What stands in each of its rows.
    fn named(self, row: Writer) -> Writer {
        let row = row.text("organisation", self.organisation());
        match self {
            Self::Order(order) => {
                row.text("order", &order.id).text_if("customer", order.customer.as_ref())
            }
            Self::Payment(receipt) => with_amount(row, receipt.amount)
                .text("payment_id", &receipt.id)
                .text_if("customer", receipt.customer.as_ref())
                .text("date", receipt.date)
                .text("method", &receipt.method)
                .text("transaction_id", &receipt.transaction_id),
        }
    }
}

impl Tables {
    /// The discrepancies of an order or a payment, open, accepted and resolved, read consistently.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn discrepancies_about(
        &self,
        judged: Judged<'_>,
    ) -> Result<Vec<Discrepancy>, ReadError> {
        let rows = self.partition(DISCREPANCIES, "invoice", &judged.key()).await?;
        rows.iter().map(read_discrepancy).collect()
    }

    /// Writes what is news about the discrepancies of an order or a payment, all of it in one transaction, with a row of
    /// the log for each that opens or closes.
    ///
    /// # Errors
    /// `Conflict` if one of them is not what was known any more: read and decide again. `Unavailable`.
    pub async fn write_discrepancies_about(
        &self,
        judged: Judged<'_>,
        changes: &[DiscrepancyChange],
        because: ContactBecause,
    ) -> Result<(), WriteError> {
        let mut rows = Vec::new();
        for change in changes {
            let row = judged.named(Writer::default().text("invoice", judged.key()));
            let row = discrepancy_attributes(row, judged.organisation(), &change.now);
            rows.push(match &change.known {
                None => {
                    let put =
                        Put::builder().table_name(self.name(DISCREPANCIES)).set_item(Some(row));
                    transact(put.condition_expression("attribute_not_exists(invoice)"))?
                }
                Some(known) => self.putting_discrepancy_over(row, known)?,
            });
            let was_open = change.known.as_ref().is_some_and(Discrepancy::is_open);
            if was_open != change.now.is_open() {
                rows.push(self.put(ACTIVITY, activity_row(judged, &change.now, because))?);
            }
        }
        if rows.is_empty() { Ok(()) } else { self.commit(DISCREPANCIES, rows).await }
    }
}

/// The key under which everything stands that does not agree about an order.
pub fn order_key(organisation: OrganisationId, order: &OrderId) -> String {
    format!("{organisation}/ order:{order}")
}

/// The key under which everything stands that does not agree about a payment as a whole.
pub fn payment_key(organisation: OrganisationId, payment: &PaymentId) -> String {
    format!("{organisation}/ payment:{payment}")
}

fn activity_row(judged: Judged<'_>, found: &Discrepancy, because: ContactBecause) -> Item {
    let key = &found.key;
    let action =
        if found.is_open() { Action::DiscrepancyRaised } else { Action::DiscrepancyResolved };
    let place = match judged {
        Judged::Order(order) => format!("order:{}", order.id),
        Judged::Payment(receipt) => format!("payment:{}", receipt.id),
    };
    let row = judged
        .named(Writer::default())
        .text("day", day(judged.organisation(), because.now))
        .text("at", format!("{}#{place}#{key}-{action}", instant(because.now)))
        .text("invoice", judged.key())
        .text("cause", because.cause)
        .logged(action)
        .text("rule", because.rule)
        .text("why", format!("{} {}: {}", key.kind, key.subject, found.detail));
    with_discrepancy(row, action, found).finish()
}
