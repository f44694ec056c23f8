//! Messages that are not taken in: kept in full, each with everything that is wrong with it.

use aws_lambda_events::sqs::SqsMessage;
use host::batch;
use jiff::Timestamp;
use payments::OrganisationId;
use table::{Parked, Tables, WriteError, in_parts};

/// Why a message is kept.
pub(crate) struct Parking {
    /// Whose it is, as far as it is known.
    pub(crate) owner: Option<OrganisationId>,
    /// A code, for counting.
    pub(crate) reason: &'static str,
    /// How many things are wrong.
    pub(crate) problems: usize,
}

impl Parking {
    /// Keeps the message. Keeping it again changes nothing, also if it was replayed meanwhile.
    ///
    /// SQS takes bodies of up to 1 MiB and a row 400 KB, so what is too large for the contract is
    /// kept in several rows, which put together are the body.
    pub(crate) async fn park(
        &self,
        tables: &Tables,
        record: &SqsMessage,
        detail: &str,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let id = record.message_id.as_deref().unwrap_or_default();
        let parts = in_parts(record.body.as_deref().unwrap_or_default());
        for (position, body) in parts.iter().enumerate() {
            let (id, detail) = match parts.len() {
                1 => (id.to_owned(), detail.to_owned()),
                all => {
                    let part = position + 1;
                    (format!("{id}#{part:03}"), format!("part {part} of {all}: {detail}"))
                }
            };
            let parked = Parked {
                organisation: self.owner,
                id: &id,
                by: "intake",
                reason: self.reason,
                detail: &detail,
                body: body.as_bytes(),
                received_at: sent_at(record).unwrap_or(now),
            };
            // What does not fit into one row is never replayed.
            let mark = batch::mark(record).filter(|_| parts.len() == 1);
            tables.park_again(&parked, mark.as_ref()).await?;
        }
        tracing::warn!(
            message.id = id,
            xero.tenant_id = self.owner.map(|owner| owner.to_string()),
            reason = self.reason,
            problems = self.problems,
            "message parked"
        );
        Ok(())
    }
}

/// When SQS took the message: the same each time it is delivered, so that keeping it twice is
/// keeping it once.
pub(crate) fn sent_at(record: &SqsMessage) -> Option<Timestamp> {
    let text = record.attributes.get("SentTimestamp")?;
    Timestamp::from_millisecond(text.parse().ok()?).ok()
}
