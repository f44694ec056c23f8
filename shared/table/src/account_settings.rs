//! The accounts of Xero that an organisation has picked: some attributes of its row, written together with the row of the
//! activity log that says who picked them (XC-13, XC-14, XC-27).

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use payments::OrganisationId;
use payments::upload::UploadSettings;

use crate::attributes::{Item, Writer};
use crate::audit::{AuditEntry, audit_row};
use crate::error::WriteError;
use crate::schema::ORGANISATIONS;
use crate::settings::upload_attributes;
use crate::tables::Tables;

impl Tables {
    /// Stores what is other in these settings than before, on the condition that it still is as it was. Of an
    /// organisation without any, all of them.
    ///
    /// # Errors
    /// `Conflict` if another hand has changed one of them; `Unavailable`.
    pub async fn change_upload_settings(
        &self,
        organisation: OrganisationId,
        (before, after): (Option<&UploadSettings>, &UploadSettings),
        order: &AuditEntry<'_>,
    ) -> Result<(), WriteError> {
        let row =
            |settings: &UploadSettings| upload_attributes(Writer::default(), settings).finish();
        let before = before.map(row).unwrap_or_default();
        let update = self.difference(organisation, &before, &row(after))?;
        let log = self.add_to_log(audit_row(Some(organisation), order))?;
        self.commit(ORGANISATIONS, vec![update, log]).await
    }

    fn difference(
        &self,
        organisation: OrganisationId,
        before: &Item,
        after: &Item,
    ) -> Result<TransactWriteItem, WriteError> {
        let mut update = Update::builder()
            .table_name(self.name(ORGANISATIONS))
            .key("organisation", AttributeValue::S(organisation.to_string()));
        let (mut set, mut conditions) =
            (Vec::new(), vec!["attribute_exists(organisation)".to_owned()]);
        let changed = after.iter().filter(|(name, value)| before.get(*name) != Some(*value));
        for (place, (name, value)) in changed.enumerate() {
            update = update
                .expression_attribute_names(format!("#n{place}"), name)
                .expression_attribute_values(format!(":n{place}"), value.clone());
            set.push(format!("#n{place} = :n{place}"));
            // Maps are written as a whole, and may not have been there.
            match before.get(name) {
                Some(AttributeValue::M(_)) | None => {}
                Some(old) => {
                    update = update.expression_attribute_values(format!(":o{place}"), old.clone());
                    conditions.push(format!("#n{place} = :o{place}"));
                }
            }
        }
        let update = update
            .update_expression(format!("SET {}", set.join(", ")))
            .condition_expression(conditions.join(" AND "))
            .build()
            .map_err(|error| WriteError::Malformed(Box::new(error)))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}
