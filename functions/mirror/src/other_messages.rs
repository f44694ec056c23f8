//! Records that are not about invoices: kept, each with its reason.

use aws_lambda_events::sqs::SqsMessage;
use host::batch;
use jiff::Timestamp;
use queue::Message;
use table::{IgnoredEvent, Parked, Tables, WriteError};

use crate::jobs::Work;
use crate::tally::Tally;

/// Keeps what is no invoice change in a batch; returns the records for which that failed.
pub(crate) async fn keep(
    tables: &Tables,
    records: &[SqsMessage],
    work: &Work,
    now: Timestamp,
    tally: &mut Tally,
) -> Vec<usize> {
    let mut again = Vec::new();
    for (position, problem) in &work.unreadable {
        let record = &records[*position];
        tally.parked += 1;
        let parked = Parked {
            organisation: None,
            id: record.message_id.as_deref().unwrap_or_default(),
            by: "mirror",
            reason: "not_a_message",
            detail: problem,
            body: record.body.as_deref().unwrap_or_default().as_bytes(),
            received_at: sent_at(record).unwrap_or(now),
        };
        let kept = tables.park_again(&parked, batch::mark(record).as_ref()).await;
        note_failure(kept, *position, &mut again);
    }
    for (position, message) in &work.other {
        let id = records[*position].message_id.as_deref().unwrap_or_default();
        let result = match message {
            Message::Unreadable(part) => {
                tally.parked += 1;
                let parked = Parked {
                    organisation: None,
                    id: &format!("{}#{:03}", part.delivery, part.part),
                    by: "webhook",
                    reason: "unreadable_delivery",
                    detail: &format!("part {} of {}: {}", part.part, part.parts, part.problem),
                    body: &part.bytes,
                    received_at: part.received_at,
                };
                tables.park(&parked).await
            }
            Message::Noted(noted) => keep_noted(tables, id, noted).await,
            Message::Invoices(_) => Ok(()),
        };
        note_failure(result, *position, &mut again);
    }
    again
}

async fn keep_noted(tables: &Tables, id: &str, noted: &queue::Noted) -> Result<(), WriteError> {
    for (position, reason) in noted.reasons.iter().enumerate() {
        let row = IgnoredEvent {
            organisation: noted.organisation,
            id: &format!("{id}-{position}"),
            reason: &reason.code,
            what: reason.category.as_deref().unwrap_or_default(),
            count: reason.count,
            received_at: noted.received_at,
        };
        tables.note(&row).await?;
    }
    Ok(())
}

fn note_failure(result: Result<(), WriteError>, position: usize, again: &mut Vec<usize>) {
    if let Err(error) = result {
        tracing::error!(error = %error, "keeping a message failed");
        again.push(position);
    }
}

/// When SQS took the message: the same each time it is delivered, so that keeping it twice is
/// keeping it once.
fn sent_at(record: &SqsMessage) -> Option<Timestamp> {
    let text = record.attributes.get("SentTimestamp")?;
    Timestamp::from_millisecond(text.parse().ok()?).ok()
}
