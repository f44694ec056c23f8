//! One payment as a whole: what does not agree with its invoices, its orders and its receipt (SP-10, SP-11, SP-37).

use std::collections::BTreeSet;

use jiff::Timestamp;
use payments::{OrderId, PaymentId, Receipt, Settings, discrepancy_changes, payment_differences};
use table::{ContactBecause, Judged, OrderLink, Races, Tables};

use crate::standing::{CAUSE, JudgeError};

/// Works out what does not agree about a payment, and stores what is news; whether anything was.
pub(crate) async fn judge(
    tables: &Tables,
    settings: &Settings,
    payment: &PaymentId,
    has_orders: bool,
    now: Timestamp,
) -> Result<bool, JudgeError> {
    let mut races = Races::default();
    loop {
        let Some(receipt) = tables.receipt(settings.organisation, payment).await? else {
            return Ok(false);
        };
        match judge_once(tables, &receipt, settings, has_orders, now).await {
            Err(JudgeError::Write(error)) => races.lost(error)?,
            judged => return judged,
        }
    }
}

async fn judge_once(
    tables: &Tables,
    receipt: &Receipt,
    settings: &Settings,
    has_orders: bool,
    now: Timestamp,
) -> Result<bool, JudgeError> {
    let organisation = receipt.organisation;
    let mut invoices = Vec::new();
    let mut ids: BTreeSet<OrderId> = BTreeSet::new();
    if has_orders {
        ids.extend(tables.orders_of(organisation, OrderLink::Payment(&receipt.id)).await?);
    }
    for part in &receipt.allocations {
        invoices.push(tables.invoice_header(organisation, &part.invoice).await?);
        if has_orders {
            ids.extend(tables.orders_of(organisation, OrderLink::Invoice(&part.invoice)).await?);
        }
    }
    let mut orders = Vec::new();
    for id in &ids {
        orders.extend(tables.order(organisation, id).await?.map(|stored| stored.order));
    }
    // A link stays when an order does not name it any more.
    orders.retain(|order| {
        let names = |part: &payments::Allocation| order.invoices.contains(&part.invoice);
        order.payments.contains(&receipt.id) || receipt.allocations.iter().any(names)
    });
    let differences = payment_differences(receipt, &orders, &invoices, settings);
    let about = Judged::Payment(receipt);
    let before = tables.discrepancies_about(about).await?;
    let changes = discrepancy_changes(&before, &differences, now);
    let because = ContactBecause { cause: CAUSE, rule: "SP-11", now };
    tables.write_discrepancies_about(about, &changes, because).await?;
    Ok(!changes.is_empty())
}
