//! What the business's own system would send: messages for the `intake` queue. Their form is
//! described in `functions/intake`.

use anyhow::Context as _;
use aws_sdk_sqs::Client;
use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::CURRENCY;
use crate::engines::queues;

/// The business's own system.
#[derive(Debug)]
pub(super) struct Business<'a> {
    pub(super) sqs: &'a Client,
    pub(super) organisation: &'a str,
}

impl Business<'_> {
    /// Sends these messages.
    pub(super) async fn send(&self, messages: &[Value]) -> anyhow::Result<()> {
        let url = queues::url(self.sqs, queues::INTAKE).await?;
        for message in messages {
            self.sqs
                .send_message()
                .queue_url(&url)
                .message_body(message.to_string())
                .send()
                .await
                .context("the intake queue does not take a message")?;
        }
        Ok(())
    }

    /// An invoice.
    pub(super) fn invoice(&self, number: u64, total: Decimal, issued: Date, due: Date) -> Value {
        json!({
            "version": 1,
            "type": "invoice",
            "organisation": self.organisation,
            "number": number.to_string(),
            "revision": 1,
            "total": { "amount": total.to_string(), "currency": CURRENCY },
            "contact": { "company": super::CONTACT },
            "issued_on": issued,
            "due_on": due,
        })
    }

    /// A payment that somebody typed in, all of it for one invoice.
    pub(super) fn payment(
        &self,
        id: &str,
        invoice: u64,
        amount: Decimal,
        date: Date,
        entered_at: Timestamp,
    ) -> Value {
        json!({
            "version": 1,
            "type": "payment",
            "organisation": self.organisation,
            "id": id,
            "revision": 1,
            "amount": { "amount": amount.to_string(), "currency": CURRENCY },
            "date": date,
            "method": "bank_transfer",
            "transaction_id": format!("TX-{id}"),
            "status": "confirmed",
            "entered_at": entered_at,
            "allocations": [{ "invoice": invoice.to_string(), "amount": amount.to_string() }],
        })
    }
}
