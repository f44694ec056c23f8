//! Payments in Xero that wait for an action about a customer (EX-28, AMB-15).

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::StreamExt as _;
use payments::{CustomerId, Held, HeldPayment, InvoiceNumber, OrganisationId};

use crate::attributes::Item;
use crate::error::ReadError;
use crate::rows;
use crate::schema::{BY_WAITS_FOR, HELD_PAYMENTS, INVOICES};
use crate::tables::Tables;

/// Invoices that are read at the same time.
const READS_AT_ONCE: usize = 16;

/// What waits.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct InboundHolds {
    /// Invoices that are held back.
    pub invoices: usize,
    /// The payments on them that wait for the action.
    pub payments: Vec<HeldPayment>,
    /// Whether there are more invoices than were looked at.
    pub more: bool,
}

impl Tables {
    /// The payments in Xero that wait for an action about a customer, on at most `max` invoices; as of a moment ago.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn inbound_holds(
        &self,
        organisation: OrganisationId,
        customer: &CustomerId,
        max: usize,
    ) -> Result<InboundHolds, ReadError> {
        let answer = self
            .client()
            .query()
            .table_name(self.name(INVOICES))
            .index_name(BY_WAITS_FOR)
            .key_condition_expression("waits_for = :key")
            .expression_attribute_values(
                ":key",
                AttributeValue::S(rows::waits_for(organisation, customer)),
            )
            .limit(i32::try_from(max.saturating_add(1)).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| ReadError::unavailable(INVOICES, error))?;
        let number = |item: &Item| item.get("number")?.as_s().ok()?.parse().ok();
        let mut numbers: Vec<InvoiceNumber> = answer.items().iter().filter_map(number).collect();
        let more = numbers.len() > max;
        numbers.truncate(max);
        let invoices = numbers.len();
        let mut reads = futures_util::stream::iter(numbers)
            .map(|number| async move {
                let key = rows::invoice_key(organisation, &number);
                self.partition(HELD_PAYMENTS, "invoice", &key).await
            })
            .buffer_unordered(READS_AT_ONCE);
        let mut payments = Vec::new();
        while let Some(items) = reads.next().await {
            // A row that cannot be read is named on its invoice's page.
            let items = items?;
            let held = items.iter().filter_map(|item| rows::read_held(item).ok());
            payments.extend(held.filter(|held| held.reason == Held::BlockedByAction));
        }
        Ok(InboundHolds { invoices, payments, more })
    }
}
