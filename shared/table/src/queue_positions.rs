//! What the lines of uploads say about one payment: its place, and which upload a stamp is of.

use aws_sdk_dynamodb::types::{AttributeValue, Select};
use payments::explanations::{Facts, QueuePosition};
use payments::upload::{Line, Stamp, Upload};
use payments::{Held, OrganisationId, PaymentId};

use crate::error::ReadError;
use crate::meter::Meter;
use crate::schema::{BY_LINE, UPLOADS};
use crate::tables::Tables;
use crate::upload_rows::line_key;

/// Most of those before a payment in line that are counted: five nights' worth.
pub const PLACES_MAX: u32 = 1_000;
/// Most uploads of each line that are looked at for a stamp: more are never under way at once.
const UNDER_WAY_MAX: usize = 500;
/// Where uploads stand that may be in Xero and are not linked yet.
const UNDER_WAY: [Line; 4] = [Line::Sent, Line::Unknown, Line::Reserved, Line::PartlyUploaded];

impl Tables {
    /// Where a payment stands among those that wait for a night, and how many rows were read: at most
    /// [`PLACES_MAX`]. None if it does not stand there.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn place_in_line(
        &self,
        upload: &Upload,
    ) -> Result<(Option<QueuePosition>, u32), ReadError> {
        if upload.line() != Some(Line::Waiting) {
            return Ok((None, 0));
        }
        let line = line_key(upload.receipt.organisation, Line::Waiting);
        let (mut before, mut after) = (0_u32, None);
        loop {
            let left = PLACES_MAX.saturating_sub(before);
            if left == 0 {
                return Ok((Some(QueuePosition::Behind(before)), before));
            }
            let answer = self
                .client()
                .query()
                .table_name(self.name(UPLOADS))
                .index_name(BY_LINE)
                .key_condition_expression("line = :line AND due_order < :order")
                .expression_attribute_values(":line", AttributeValue::S(line.clone()))
                .expression_attribute_values(":order", AttributeValue::S(upload.order()))
                .set_exclusive_start_key(after)
                .limit(i32::try_from(left).unwrap_or(i32::MAX))
                .select(Select::Count)
                .send()
                .await
                .map_err(|error| ReadError::unavailable(UPLOADS, error))?;
            before = before.saturating_add(u32::try_from(answer.count).unwrap_or(0));
            after = answer.last_evaluated_key;
            if after.is_none() {
                return Ok((Some(QueuePosition::At(before.saturating_add(1))), before));
            }
        }
    }

    /// Whether an upload that is on its way may bear this stamp: one does, or cannot be read, or there are too many
    /// of them to be looked through.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn may_be_under_way(
        &self,
        organisation: OrganisationId,
        stamp: &Stamp,
    ) -> Result<bool, ReadError> {
        for line in UNDER_WAY {
            let page = self.line_page(organisation, line, None, UNDER_WAY_MAX).await?;
            let bears = page.uploads.iter().any(|upload| upload.stamped(stamp).is_some());
            if bears || !page.unreadable.is_empty() || page.next.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The payment of our own that a held payment of Xero's is: seen there before the upload has taken note
    /// of it (V20). Only its stamp says which, so that the uploads under way are looked through.
    pub(crate) async fn upload_of_held(
        &self,
        facts: &Facts,
        meter: &mut Meter,
    ) -> Result<Option<PaymentId>, ReadError> {
        let held = facts.held().filter(|(_, held)| held.reason == Held::UploadUnderWay);
        let Some((invoice, held)) = held else { return Ok(None) };
        let Some(stamp) = held.payment.reference.as_deref().and_then(Stamp::find_in) else {
            return Ok(None);
        };
        for line in UNDER_WAY {
            let (uploads, _) = self.line(invoice.organisation, line, None, UNDER_WAY_MAX).await?;
            meter.add(uploads.len());
            let found = uploads.into_iter().find(|upload| upload.stamped(&stamp).is_some());
            if let Some(upload) = found {
                return Ok(Some(upload.receipt.id));
            }
        }
        Ok(None)
    }
}
