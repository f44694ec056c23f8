//! What the business's own system would send: messages for the `intake` queue. Their form is
//! described in `functions/intake`.

use anyhow::{Context as _, ensure};
use aws_sdk_sqs::{Client, types::SendMessageBatchRequestEntry};
use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

use super::money::CURRENCY;
use crate::engines::queues;

/// Most messages that SQS takes at once.
const BATCH: usize = 10;

/// The business's own system.
#[derive(Debug)]
pub(super) struct Business<'a> {
    pub(super) sqs: &'a Client,
    pub(super) organisation: &'a str,
}

/// Money that came in.
#[derive(Clone, Debug)]
pub(super) struct Paid {
    pub(super) id: String,
    pub(super) amount: Decimal,
    pub(super) date: Date,
    pub(super) entered_at: Timestamp,
}

impl Business<'_> {
    /// Sends these messages.
    pub(super) async fn send(&self, messages: &[Value]) -> anyhow::Result<()> {
        let url = queues::url(self.sqs, queues::INTAKE).await?;
        for messages in messages.chunks(BATCH) {
            let entries = messages.iter().enumerate().map(|(index, message)| {
                SendMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .message_body(message.to_string())
                    .build()
            });
            let sent = self
                .sqs
                .send_message_batch()
                .queue_url(&url)
                .set_entries(Some(entries.collect::<Result<_, _>>()?))
                .send()
                .await
                .context("the intake queue does not take messages")?;
            ensure!(sent.failed.is_empty(), "the intake queue refuses messages: {:?}", sent.failed);
        }
        Ok(())
    }

    /// An invoice for `company`.
    pub(super) fn invoice(
        &self,
        number: u64,
        company: &str,
        total: Decimal,
        issued: Date,
        due: Date,
    ) -> Value {
        json!({
            "version": 1,
            "type": "invoice",
            "organisation": self.organisation,
            "number": number.to_string(),
            "revision": 1,
            "total": { "amount": total.to_string(), "currency": CURRENCY },
            "contact": { "company": company },
            "issued_on": issued,
            "due_on": due,
        })
    }

    /// An order over 115.00 that was invoiced by one invoice.
    pub(super) fn order(&self, id: &str, invoice: u64) -> Value {
        json!({
            "version": 1,
            "type": "order",
            "organisation": self.organisation,
            "id": id,
            "revision": 1,
            "placed_at": "2026-10-01T01:00:00Z",
            "components": {
                "currency": CURRENCY, "goods": "100.00", "tax": "10.00", "shipping": "5.00",
                "total": "115.00",
            },
            "invoices": [invoice.to_string()],
        })
    }

    /// A customer, and who that is in Xero.
    pub(super) fn customer(&self, id: &str, name: &str, contact: Uuid) -> Value {
        json!({
            "version": 1,
            "type": "customer",
            "organisation": self.organisation,
            "customer": id,
            "revision": 1,
            "name": name,
            "xero_contact_id": contact,
        })
    }

    /// A payment that a person typed in, all of it for one invoice.
    pub(super) fn typed_in(&self, paid: &Paid, invoice: u64) -> Value {
        let amount = paid.amount.to_string();
        let allocations = json!([{ "invoice": invoice.to_string(), "amount": amount }]);
        self.payment(paid, "bank_transfer", json!({ "allocations": allocations }))
    }

    /// A payment by BPAY, of which only the customer is known.
    pub(super) fn bpay(&self, paid: &Paid, customer: &str, reference: &str) -> Value {
        let more = json!({ "customer": customer, "reference": reference, "allocations": [] });
        self.payment(paid, "bpay", more)
    }

    fn payment(&self, paid: &Paid, method: &str, more: Value) -> Value {
        let mut message = json!({
            "version": 1,
            "type": "payment",
            "organisation": self.organisation,
            "id": paid.id,
            "revision": 1,
            "amount": { "amount": paid.amount.to_string(), "currency": CURRENCY },
            "date": paid.date,
            "method": method,
            "transaction_id": format!("TX-{}", paid.id),
            "status": "confirmed",
            "entered_at": paid.entered_at,
        });
        if let (Some(message), Value::Object(more)) = (message.as_object_mut(), more) {
            message.extend(more);
        }
        message
    }
}
