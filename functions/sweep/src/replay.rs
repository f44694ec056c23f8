//! Parked work, done again on the word of a person.

use std::time::Duration;

use jiff::Timestamp;
use payments::{Occurrence, OrganisationId, ReplayMark};
use queue::{
    Cause, Changes, DeadLetters, InvoiceChange, InvoiceChanges, Letter, Letters, Message, QueueName,
};
use table::{AuditEntry, DISCARDED, ParkedRow};

use crate::answer::{ReplayAnswer, ReplayedAnswer};
use crate::event::Which;
use crate::orders::tables;
use crate::wanted::Said;
use crate::{HandleError, Sweeper};

/// Rows that an answer shows.
const SHOWN_MAX: usize = 50;
/// What would be parked again, unless a newer version can read it: done again only if it is named.
const UNREADABLE: [&str; 3] = ["invalid_message", "not_a_message", "not_a_task"];

/// How something parked is done again.
#[derive(Debug, Eq, PartialEq)]
enum Way<'a> {
    /// Its invoices are looked at once more, even if they were read before.
    Look(InvoiceChanges),
    /// It goes to this queue as it came, byte for byte.
    AsItCame(QueueName, &'a str),
}

impl<C: Changes, Q: Letters + DeadLetters> Sweeper<C, Q> {
    /// Puts parked work on its queue again, and takes its rows out; with `preview`, only says what that
    /// would be. Work that is sent and whose row could not be taken out is sent again next time: that costs
    /// a call, and nothing else, since the functions take each message in once.
    pub(crate) async fn replay(
        &self,
        organisation: Option<OrganisationId>,
        which: &Which,
        preview: bool,
        said: &Said,
        deadline: Timestamp,
    ) -> Result<ReplayAnswer, HandleError> {
        let parked = self.tables.parked(organisation).await.map_err(|error| tables(&error))?;
        let mut answer = ReplayAnswer { preview, ..ReplayAnswer::default() };
        for row in parked.iter().filter(|row| is_meant(which, row)) {
            let is_named = which.parked_at.is_some();
            let way = way(organisation, row, is_named);
            *answer.reasons.entry(row.reason.clone()).or_default() += 1;
            if answer.first.len() < SHOWN_MAX {
                answer.first.push(ReplayedAnswer {
                    parked_at: row.parked_at.clone(),
                    reason: row.reason.clone(),
                    detail: row.detail.clone(),
                    can_be_replayed: way.is_some(),
                    only_if_named: !is_named && self::way(organisation, row, true) != way,
                });
            }
            let Some(way) = way else {
                answer.left += 1;
                continue;
            };
            if !preview && self.is_short_of_time(deadline) {
                answer.not_reached += 1;
                continue;
            }
            answer.replayed += 1;
            if !preview {
                self.send_again(row, way).await?;
                let order = AuditEntry {
                    action: Occurrence::Replayed,
                    subject: &row.parked_at,
                    reason: &row.reason,
                    by: &said.by,
                    why: &said.why,
                    at: self.clock.now(),
                };
                let taken = self.tables.unpark(organisation, row, &order).await;
                taken.map_err(|error| tables(&error))?;
            }
        }
        Ok(answer)
    }

    async fn send_again(&self, row: &ParkedRow, way: Way<'_>) -> Result<(), HandleError> {
        let sent = match way {
            Way::Look(changes) => {
                let changes = InvoiceChanges { accepted_at: self.clock.now(), ..changes };
                self.changes.send(&changes.pack(), Duration::ZERO).await
            }
            Way::AsItCame(queue, body) => {
                let mark = ReplayMark {
                    parked_at: row.parked_at.clone(),
                    replays: row.replays.saturating_add(1),
                };
                let letter = Letter::new(body.to_owned());
                let letter = letter.with(ReplayMark::ATTRIBUTE, mark.to_string());
                self.letters.post(queue, &letter).await
            }
        };
        sent.map_err(HandleError::NotSent)
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

/// How this row is done again, if it can be; `is_named` if a person has asked for this very one.
fn way(organisation: Option<OrganisationId>, row: &ParkedRow, is_named: bool) -> Option<Way<'_>> {
    let queue = came_by(row)?;
    let body = row.body.as_deref().filter(|body| !body.is_empty())?;
    // Cut into several rows: none of them is the message.
    let is_part = row.parked_at.matches('#').count() > 1;
    let would_come_back = UNREADABLE.contains(&row.reason.as_str());
    if is_part || !is_named && (would_come_back || row.reason == DISCARDED) {
        return None;
    }
    match queue {
        QueueName::Schedules | QueueName::Events => None,
        QueueName::Intake | QueueName::Uploads => Some(Way::AsItCame(queue, body)),
        QueueName::Changes => match Message::from_json(body) {
            Ok(Message::Invoices(changes)) => look(organisation, changes),
            Ok(Message::Unreadable(_) | Message::Noted(_)) | Err(_) => {
                is_named.then_some(Way::AsItCame(queue, body))
            }
        },
    }
}

/// Each function has one queue. The row of a discarded message names its queue. A message that Xero has
/// signed and that could not be read did not come by a queue, and only Xero can send it again.
fn came_by(row: &ParkedRow) -> Option<QueueName> {
    match (&row.queue, row.by.as_str()) {
        (Some(queue), _) => QueueName::from_code(queue),
        (None, "mirror") => Some(QueueName::Changes),
        (None, "intake") => Some(QueueName::Intake),
        (None, "upload") => Some(QueueName::Uploads),
        (None, _) => None,
    }
}

/// The invoices that a parked message is about. Each read of them from now on is new enough: a person has
/// said so. A message about another organisation leaves nothing to do here, even if the row says otherwise.
fn look(organisation: Option<OrganisationId>, changes: InvoiceChanges) -> Option<Way<'static>> {
    (Some(changes.organisation) == organisation).then(|| {
        Way::Look(InvoiceChanges {
            cause: Cause::Manual,
            not_before: None,
            invoices: changes.invoices.iter().map(|one| InvoiceChange::new(one.id, None)).collect(),
            ..changes
        })
    })
}
