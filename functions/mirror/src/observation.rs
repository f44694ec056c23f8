//! What a snapshot means in shadow: kept in the table `shadows`, and nothing of it is done (CM-03, CM-30).

use payments::shadow::ShadowObservation;
use payments::{Settings, Snapshot, eligible};
use queue::Changes;

use crate::applied::Applied;
use crate::change::{ApplyError, Draft};
use crate::handler::Handler;

/// Keeps what Xero has shown of an invoice, and what would have been done.
pub(crate) async fn observe<C: Changes>(
    handler: &Handler<'_, C>,
    settings: &Settings,
    snapshot: &Snapshot,
    draft: &Draft,
) -> Result<Applied, ApplyError> {
    let number = match (draft.end(), eligible(snapshot, settings)) {
        (Applied::Unchanged, Ok(number)) => number,
        (Applied::Unchanged, Err(reason)) => return Ok(Applied::Ignored(reason)),
        (end, _) => return Ok(end),
    };
    let (tables, now) = (handler.tables, handler.now());
    let before = tables.shadow_observation(settings.organisation, &number).await?;
    let decisions: Vec<_> = draft.decisions().cloned().collect();
    let after = ShadowObservation::after(before.as_ref(), snapshot, &number, &decisions, now);
    let Some(after) = after else { return Ok(Applied::Unchanged) };
    tables.store_shadow_observation(&after, now).await.map_err(ApplyError::Write)?;
    Ok(Applied::Changed(0))
}
