//! Uploads on hold, counted by what they wait for.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use payments::OrganisationId;
use payments::upload::{Hold, Line};

use crate::attributes::Reader;
use crate::error::ReadError;
use crate::schema::{BY_LINE, UPLOADS};
use crate::tables::Tables;
use crate::upload_rows::line_key;

/// Most uploads on hold that are counted for a message or a digest.
pub const HELD_COUNTED_MAX: u32 = 5_000;

/// Uploads on hold: each waits for a person (EX-28).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HeldUploads {
    /// How many, by what they wait for.
    pub by_hold: BTreeMap<Hold, u32>,
    /// Those that wait for an action and name no customer: each is an action of its own (EX-27).
    pub without_customer: u32,
    /// Whether there are more than were counted.
    pub more: bool,
}

impl HeldUploads {
    /// How many.
    pub fn count(&self) -> u32 {
        self.by_hold.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The actions that these are in addition to those of customers: a payment without a customer is one, and so is a setting
    /// that is missing (EX-27).
    pub fn actions(&self) -> u32 {
        let settings = self.by_hold.keys().filter(|hold| hold.wants_setting()).count();
        self.without_customer.saturating_add(u32::try_from(settings).unwrap_or(u32::MAX))
    }

    /// The counts by code, the codes in their order.
    pub fn by_code(&self) -> Vec<(&'static str, u32)> {
        self.by_hold.iter().map(|(hold, count)| (hold.code(), *count)).collect()
    }

    fn add(&mut self, row: &Reader<'_>) {
        // A hold that this version does not know, or that cannot be read, waits for a person all the same.
        let hold = row.text_if("reason").ok().flatten().and_then(Hold::from_code);
        let hold = hold.unwrap_or(Hold::HeldByPerson);
        let count = self.by_hold.entry(hold).or_default();
        *count = count.saturating_add(1);
        if hold == Hold::BlockedByAction && !row.has("customer") {
            self.without_customer = self.without_customer.saturating_add(1);
        }
    }
}

impl Tables {
    /// Counts what is on hold, up to `max`, as of a moment ago.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn held_uploads(
        &self,
        organisation: OrganisationId,
        max: u32,
    ) -> Result<HeldUploads, ReadError> {
        let mut held = HeldUploads::default();
        let mut from = None;
        loop {
            let page = self
                .client()
                .query()
                .table_name(self.name(UPLOADS))
                .index_name(BY_LINE)
                .key_condition_expression("line = :line")
                .expression_attribute_values(
                    ":line",
                    AttributeValue::S(line_key(organisation, Line::Held)),
                )
                .projection_expression("reason, customer")
                .limit(i32::try_from(max).unwrap_or(i32::MAX))
                .set_exclusive_start_key(from.take())
                .send()
                .await
                .map_err(|error| ReadError::unavailable(UPLOADS, error))?;
            for item in page.items() {
                held.add(&Reader::new(UPLOADS, item));
            }
            from = page.last_evaluated_key;
            held.more = from.is_some();
            if from.is_none() || held.count() >= max {
                return Ok(held);
            }
        }
    }
}
