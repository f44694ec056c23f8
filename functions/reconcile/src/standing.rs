//! One order: stored facts in; how it stands, and what does not agree, out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use payments::{
    MoneyError, OrderFacts, OrderId, OrganisationId, Origin, discrepancy_changes,
    order_differences, standing,
};
use table::{ContactBecause, Judged, OrderLink, ReadError, StoredOrder, Tables, WriteError};

/// How often a lost race is tried again at once.
const RACES_MAX: u32 = 8;
/// What this function writes in the log has this cause.
pub(crate) const CAUSE: &str = "reconcile";

/// Why an order or a payment could not be judged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JudgeError {
    #[error("reading what is stored failed")]
    Read(#[from] ReadError),
    #[error("writing failed")]
    Write(#[from] WriteError),
    #[error("its money cannot be added up")]
    Money(#[from] MoneyError),
    #[error("lost the race for the same row {RACES_MAX} times in a row")]
    Races,
}

/// Derives how an order stands and what does not agree about it, and stores what is news; whether anything was.
pub(crate) async fn judge(
    tables: &Tables,
    organisation: OrganisationId,
    order: &OrderId,
    now: Timestamp,
) -> Result<bool, JudgeError> {
    for _ in 0..RACES_MAX {
        let Some(known) = tables.order(organisation, order).await? else { return Ok(false) };
        match judge_once(tables, &known, now).await {
            Err(JudgeError::Write(WriteError::Conflict)) => {}
            judged => return judged,
        }
    }
    Err(JudgeError::Races)
}

async fn judge_once(
    tables: &Tables,
    known: &StoredOrder,
    now: Timestamp,
) -> Result<bool, JudgeError> {
    let facts = facts(tables, known).await?;
    let order = &known.order;
    let standing = standing(order, &facts)?;
    let differences = order_differences(order, &facts, &standing)?;
    let mut is_news = known.standing != Some(standing);
    if is_news {
        tables.store_standing(known, standing, now).await?;
    }
    let about = Judged::Order(order);
    let before = tables.discrepancies_about(about).await?;
    let changes = discrepancy_changes(&before, &differences, now);
    is_news |= !changes.is_empty();
    let because = ContactBecause { cause: CAUSE, rule: "SP-10", now };
    tables.write_discrepancies_about(about, &changes, because).await?;
    Ok(is_news)
}

/// The facts about an order's money, read after the order itself, so that they are not older.
pub(crate) async fn facts(tables: &Tables, known: &StoredOrder) -> Result<OrderFacts, ReadError> {
    let order = &known.order;
    let mut facts = OrderFacts::default();
    let mut payments: BTreeSet<_> = order.payments.clone();
    let mut siblings = BTreeMap::new();
    for number in &order.invoices {
        let invoice = tables.invoice(order.organisation, number).await?;
        let own = invoice.payments.iter().filter(|payment| payment.origin == Origin::Local);
        payments.extend(own.map(|payment| payment.id.clone()));
        facts.invoices.push(invoice);
        for id in tables.orders_of(order.organisation, OrderLink::Invoice(number)).await? {
            if id != order.id
                && !siblings.contains_key(&id)
                && let Some(sibling) = tables.order(order.organisation, &id).await?
            {
                siblings.insert(id, sibling.order);
            }
        }
    }
    for payment in &payments {
        facts.receipts.extend(tables.receipt(order.organisation, payment).await?);
    }
    facts.siblings = siblings.into_values().collect();
    Ok(facts)
}
