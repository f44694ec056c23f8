//! Warnings about payments, and what they rest on.

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use jiff::Timestamp;
use payments::{
    Action, InvoiceNumber, Occurrence, OrganisationId, PaymentId, Receipt, Warning, WarningKind,
};

use crate::activity::day;
use crate::attributes::{Item, Reader, Writer, instant};
use crate::error::{ReadError, WriteError};
use crate::rows;
use crate::schema::{ACTIVITY, MESSAGES, TOMBSTONES};
use crate::tables::{Tables, transact};

impl Tables {
    /// Shows warnings to the operators. Raising one again changes only its time.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn warn(
        &self,
        organisation: OrganisationId,
        warnings: &[Warning],
        now: Timestamp,
    ) -> Result<(), WriteError> {
        for warning in warnings {
            self.put_row(MESSAGES, message_row(organisation, warning, now)).await?;
        }
        Ok(())
    }

    /// By what a payment was last removed from an invoice; `None` if it never was.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn removed_by(
        &self,
        organisation: OrganisationId,
        number: &InvoiceNumber,
        payment: &PaymentId,
    ) -> Result<Option<String>, ReadError> {
        let key = rows::invoice_key(organisation, number);
        // In the order of their sort key, which begins with the time of removal.
        let tombstones = self.partition(TOMBSTONES, "invoice", &key).await?;
        let id = AttributeValue::S(payment.to_string());
        let last = tombstones.iter().rev().find(|row| row.get("payment_id") == Some(&id));
        let by = last.map(|row| Reader::new(TOMBSTONES, row).text("removed_by")).transpose()?;
        Ok(by.map(str::to_owned))
    }

    /// The rows that go with a receipt: its warnings, each for the operators and in the activity
    /// log, and the end of a warning that no longer holds.
    pub(crate) fn warning_rows(
        &self,
        known: Option<&Receipt>,
        receipt: &Receipt,
        warnings: &[Warning],
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>, WriteError> {
        let mut rows = Vec::new();
        let mut put = |table, row| {
            let put = Put::builder().table_name(self.name(table)).set_item(Some(row));
            transact(put).map(|row| rows.push(row))
        };
        for (position, warning) in warnings.iter().enumerate() {
            put(MESSAGES, message_row(receipt.organisation, warning, now))?;
            put(ACTIVITY, activity_row(receipt, position, warning, now))?;
        }
        // A warning about an invoice has its row there (SP-04).
        if warnings.is_empty() && receipt.allocations.is_empty() {
            let why = format!("{} of {}, {}", receipt.amount, receipt.date, receipt.status);
            let row = about_receipt(receipt, 0, now).logged(Action::Recorded).text("rule", "SP-04");
            put(ACTIVITY, row.text("why", why).finish())?;
        }
        let was_unlinked = known.is_some_and(|known| known.unallocated().is_some());
        if was_unlinked && warnings.iter().all(|warning| warning.kind != WarningKind::Unlinked) {
            let unlinked = message(WarningKind::Unlinked, &receipt.id);
            rows.push(self.message_end(receipt.organisation, unlinked)?);
        }
        Ok(rows)
    }
}

/// The sort key of a warning: its kind, and the payment it is about.
fn message(kind: WarningKind, payment: &PaymentId) -> String {
    format!("{kind}#{payment}")
}

fn message_row(organisation: OrganisationId, warning: &Warning, now: Timestamp) -> Item {
    Writer::default()
        .text("organisation", organisation)
        .text("message", message(warning.kind, &warning.payment))
        .text("kind", warning.kind)
        .text("payment_id", &warning.payment)
        .text("why", &warning.why)
        .instant("raised_at", now)
        .finish()
}

fn activity_row(receipt: &Receipt, position: usize, warning: &Warning, now: Timestamp) -> Item {
    about_receipt(receipt, position, now)
        .logged(Occurrence::Warned)
        .text("reason", warning.kind)
        .text("why", &warning.why)
        .finish()
}

/// A payment that is on no invoice has its activity here: transaction id, amount, method and time
/// of every payment event are logged (SP-04).
fn about_receipt(receipt: &Receipt, position: usize, now: Timestamp) -> Writer {
    let at = format!("{}#{}#{}-{position}", instant(now), receipt.id, receipt.revision);
    let row = Writer::default()
        .text("day", day(receipt.organisation, now))
        .text("at", at)
        .text("organisation", receipt.organisation)
        .text("cause", "intake")
        .text_if("customer", receipt.customer.as_ref())
        .text("payment_id", &receipt.id);
    rows::with_amount(row, receipt.amount)
        .text("method", &receipt.method)
        .text("transaction_id", &receipt.transaction_id)
        .text("date", receipt.date)
        .text("status", receipt.status)
        .number("invoices_named", receipt.allocations.len())
}
