//! One order: stored facts in, its standing out.

use std::collections::BTreeMap;

use jiff::Timestamp;
use payments::{MoneyError, OrderFacts, OrderId, OrganisationId, standing};
use table::{OrderLink, Races, ReadError, StoredOrder, Tables, WriteError};

/// Why an order could not be judged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JudgeError {
    #[error("reading what is stored failed")]
    Read(#[from] ReadError),
    #[error("writing failed")]
    Write(#[from] WriteError),
    #[error("its money cannot be added up")]
    Money(#[from] MoneyError),
}

/// Derives how an order stands, and stores it if that is news; whether it was.
pub(crate) async fn judge(
    tables: &Tables,
    organisation: OrganisationId,
    order: &OrderId,
    now: Timestamp,
) -> Result<bool, JudgeError> {
    let mut races = Races::default();
    loop {
        let Some(known) = tables.order(organisation, order).await? else { return Ok(false) };
        let facts = facts(tables, &known).await?;
        let standing = standing(&known.order, &facts)?;
        if known.standing == Some(standing) {
            return Ok(false);
        }
        if races.won(tables.store_standing(&known, standing, now).await)?.is_some() {
            return Ok(true);
        }
    }
}

/// The facts about an order's money, read after the order itself, so that they are not older.
async fn facts(tables: &Tables, known: &StoredOrder) -> Result<OrderFacts, JudgeError> {
    let order = &known.order;
    let mut facts = OrderFacts::default();
    for payment in &order.payments {
        facts.receipts.extend(tables.receipt(order.organisation, payment).await?);
    }
    let mut siblings = BTreeMap::new();
    for number in &order.invoices {
        facts.invoices.push(tables.invoice(order.organisation, number).await?);
        for id in tables.orders_of(order.organisation, OrderLink::Invoice(number)).await? {
            if id != order.id
                && !siblings.contains_key(&id)
                && let Some(sibling) = tables.order(order.organisation, &id).await?
            {
                siblings.insert(id, sibling.order);
            }
        }
    }
    facts.siblings = siblings.into_values().collect();
    Ok(facts)
}
