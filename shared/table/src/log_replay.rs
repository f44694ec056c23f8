//! The activity log in the order in which it was written, for announcing decisions of the past again.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use jiff::civil::Date;
use payments::OrganisationId;

use crate::attributes::instant;
use crate::error::ReadError;
use crate::schema::ACTIVITY;
use crate::stream::Image;
use crate::tables::Tables;

/// Behind an instant comes `#`, and this is the character after that: behind it is no row of that instant.
const BEHIND: char = '$';

/// Some rows of the log, the oldest first.
#[derive(Debug)]
pub struct LogPage {
    /// The rows, as a stream would show them.
    pub rows: Vec<Image>,
    /// Whether there are more of that day within those hours.
    pub more: bool,
}

impl Tables {
    /// Rows of one organisation's day in UTC that were decided between two moments, both included; at most
    /// `max`, from behind the row with the sort key `after` on. All that was written before is seen.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn decided(
        &self,
        organisation: OrganisationId,
        on: Date,
        (from, to): (Timestamp, Timestamp),
        after: Option<&str>,
        max: i32,
    ) -> Result<LogPage, ReadError> {
        let text = |text: String| AttributeValue::S(text);
        let day = format!("{organisation}/{on}");
        let start = after.map(|after| {
            [("day", day.as_str()), ("at", after)]
                .map(|(name, value)| (name.to_owned(), text(value.to_owned())))
                .into()
        });
        let page = self
            .client()
            .query()
            .table_name(self.name(ACTIVITY))
            .key_condition_expression("#day = :day AND #at BETWEEN :from AND :to")
            .expression_attribute_names("#day", "day")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":day", text(day.clone()))
            .expression_attribute_values(":from", text(instant(from)))
            .expression_attribute_values(":to", text(format!("{}{BEHIND}", instant(to))))
            .consistent_read(true)
            .limit(max)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| ReadError::unavailable(ACTIVITY, error))?;
        let more = page.last_evaluated_key.is_some();
        let rows = page.items.unwrap_or_default().into_iter().map(Image::of_row).collect();
        Ok(LogPage { rows, more })
    }
}
