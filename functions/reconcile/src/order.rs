//! One order: stored facts in; how it stands, and what does not agree, out.

use jiff::Timestamp;
use payments::{
    MoneyError, OrderId, OrganisationId, discrepancy_changes, order_differences, order_documents,
    standing,
};
use table::{ContactBecause, Judged, Races, ReadError, StoredOrder, Tables, WriteError};

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
}

/// Derives how an order stands and what does not agree about it, and stores what is news; whether anything was.
pub(crate) async fn judge(
    tables: &Tables,
    organisation: OrganisationId,
    order: &OrderId,
    now: Timestamp,
) -> Result<bool, JudgeError> {
    let mut races = Races::default();
    loop {
        let Some(known) = tables.order(organisation, order).await? else { return Ok(false) };
        match judge_once(tables, &known, now).await {
            Err(JudgeError::Write(error)) => races.lost(error)?,
            judged => return judged,
        }
    }
}

async fn judge_once(
    tables: &Tables,
    known: &StoredOrder,
    now: Timestamp,
) -> Result<bool, JudgeError> {
    let facts = tables.order_facts(known).await?;
    let order = &known.order;
    let standing = standing(order, &facts)?;
    let differences = order_differences(order, &facts, &standing)?;
    let mut is_news = known.standing != Some(standing);
    if is_news {
        let documents = order_documents(order, &facts, &standing)?;
        tables.store_standing(known, standing, &documents, now).await?;
    }
    let about = Judged::Order(order);
    let before = tables.discrepancies_about(about).await?;
    let changes = discrepancy_changes(&before, &differences, now);
    is_news |= !changes.is_empty();
    let because = ContactBecause { cause: CAUSE, rule: "SP-10", now };
    tables.write_discrepancies_about(about, &changes, because).await?;
    Ok(is_news)
}
