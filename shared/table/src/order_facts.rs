//! Everything that is stored about the money of an order, and lists of orders.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use payments::{OrderFacts, OrderId, OrganisationId, Origin};

use crate::error::ReadError;
use crate::latest::{Listed, Newest};
use crate::orders::{OrderLink, StoredOrder, read_order};
use crate::schema::ORDERS;
use crate::tables::Tables;

impl Tables {
    /// The facts about an order's money, read after the order itself, so that they are not older.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn order_facts(&self, known: &StoredOrder) -> Result<OrderFacts, ReadError> {
        let order = &known.order;
        let mut facts = OrderFacts::default();
        let mut payments: BTreeSet<_> = order.payments.clone();
        let mut siblings = BTreeMap::new();
        for number in &order.invoices {
            let invoice = self.invoice(order.organisation, number).await?;
            let own = invoice.payments.iter().filter(|payment| payment.origin == Origin::Local);
            payments.extend(own.map(|payment| payment.id.clone()));
            facts.invoices.push(invoice);
            for id in self.orders_of(order.organisation, OrderLink::Invoice(number)).await? {
                if id != order.id
                    && !siblings.contains_key(&id)
                    && let Some(sibling) = self.order(order.organisation, &id).await?
                {
                    siblings.insert(id, sibling.order);
                }
            }
        }
        for payment in &payments {
            facts.receipts.extend(self.receipt(order.organisation, payment).await?);
        }
        facts.siblings = siblings.into_values().collect();
        Ok(facts)
    }

    /// An organisation's orders, the last ids first: those before one, at most `max`; as of a moment ago. A row that
    /// cannot be read hides no other (AMB-30).
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn list_orders(
        &self,
        organisation: OrganisationId,
        before: Option<&OrderId>,
        max: usize,
    ) -> Result<Listed<StoredOrder>, ReadError> {
        let text = |text: String| AttributeValue::S(text);
        let from = before.map(|order| {
            [("organisation", organisation.to_string()), ("order", order.to_string())]
                .map(|(name, value)| (name.to_owned(), text(value)))
                .into()
        });
        let page = self
            .client()
            .query()
            .table_name(self.name(ORDERS))
            .key_condition_expression("organisation = :organisation")
            .expression_attribute_values(":organisation", text(organisation.to_string()))
            .set_exclusive_start_key(from)
            .scan_index_forward(false)
            .limit(i32::try_from(max).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| ReadError::unavailable(ORDERS, error))?;
        let more = page.last_evaluated_key().is_some();
        let found = Newest { rows: page.items.unwrap_or_default(), more };
        Ok(found.read_each("order", read_order))
    }
}
