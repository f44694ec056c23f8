//! Parked work, done again on the word of a person.

use std::time::Duration;

use payments::OrganisationId;
use queue::{Cause, Changes, InvoiceChange, InvoiceChanges, Message};
use table::ParkedRow;

use crate::answer::{ReplayAnswer, ReplayedAnswer};
use crate::event::Which;
use crate::orders::tables;
use crate::wanted::Said;
use crate::{HandleError, Sweeper};

/// Rows that an answer shows.
const SHOWN_MAX: usize = 50;

impl<C: Changes> Sweeper<C> {
    /// Puts parked invoices on the queue again, and takes their rows out; with `preview`, only says what that
    /// would be. A message that is sent and whose row could not be taken out is sent again next time: that
    /// costs a call, and nothing else.
    pub(crate) async fn replay(
        &self,
        organisation: OrganisationId,
        which: &Which,
        preview: bool,
        said: &Said,
    ) -> Result<ReplayAnswer, HandleError> {
        let parked = self.tables.parked(organisation).await.map_err(|error| tables(&error))?;
        let mut answer = ReplayAnswer { preview, ..ReplayAnswer::default() };
        for row in parked.iter().filter(|row| is_meant(which, row)) {
            let changes = invoices(organisation, row);
            *answer.reasons.entry(row.reason.clone()).or_default() += 1;
            if answer.first.len() < SHOWN_MAX {
                answer.first.push(ReplayedAnswer {
                    parked_at: row.parked_at.clone(),
                    reason: row.reason.clone(),
                    detail: row.detail.clone(),
                    can_be_replayed: changes.is_some(),
                });
            }
            let Some(changes) = changes else {
                answer.left += 1;
                continue;
            };
            answer.replayed += 1;
            if !preview {
                let now = self.clock.now();
                let changes = InvoiceChanges { accepted_at: now, ..changes };
                self.changes.send(&changes.pack(), Duration::ZERO).await?;
                let taken = self.tables.unpark(organisation, row, &said.by, &said.why, now).await;
                taken.map_err(|error| tables(&error))?;
            }
        }
        Ok(answer)
    }
}

fn is_meant(which: &Which, row: &ParkedRow) -> bool {
    // Instants of fixed width: as text in the order of time.
    let arrived = row.parked_at.split('#').next().unwrap_or_default();
    which.parked_at.as_ref().is_none_or(|wanted| *wanted == row.parked_at)
        && which.reason.as_ref().is_none_or(|wanted| *wanted == row.reason)
        && which.from.is_none_or(|from| arrived >= table::instant(from).as_str())
        && which.to.is_none_or(|to| arrived <= table::instant(to).as_str())
        && which.invoice.is_none_or(|invoice| {
            let body = row.body.as_deref().unwrap_or_default();
            body.contains(&invoice.to_string())
        })
}

/// The invoices that a parked message is about. Whatever is read of them from now on is new enough: a person
/// has said so. Of another organisation there is nothing to be done here, whatever the row says.
fn invoices(organisation: OrganisationId, row: &ParkedRow) -> Option<InvoiceChanges> {
    let message = Message::from_json(row.body.as_deref()?).ok()?;
    let Message::Invoices(changes) = message else { return None };
    (changes.organisation == organisation).then(|| InvoiceChanges {
        cause: Cause::Manual,
        not_before: None,
        invoices: changes.invoices.iter().map(|one| InvoiceChange::new(one.id, None)).collect(),
        ..changes
    })
}
