//! Prepayments of ours that were deleted in Xero, and whether it lets us look: one call an hour, however many
//! payments there are, and none where prepayments are not made (AMB-08, ST-19).

use jiff::SignedDuration;
use payments::connection::needs_bank_transactions;
use payments::upload::{DeletedPrepayment, Night, Upload};
use payments::{OrganisationId, Settings};
use queue::Uploads;
use table::ContactBecause;
use xero::ErrorClass;

use crate::Uploader;
use crate::error::RunError;
use crate::start_date::remembered;

/// How far the first look goes back.
const FIRST_LOOK_BACK: SignedDuration = SignedDuration::from_hours(31 * 24);
/// The nights from its date on in which the upload of a deleted prepayment is looked for. Almost always it is the
/// first or the second.
const NIGHTS_MAX: u32 = 400;

impl<Q: Uploads, C> Uploader<Q, C> {
    /// Looks for prepayments that were deleted since the last look, and flags each on its contact. Where Xero does
    /// not let us look, that is noted: nor would it let us make any.
    pub(crate) async fn look_at_prepayments(&self, settings: &Settings) -> Result<(), RunError> {
        if !needs_bank_transactions(settings) {
            return Ok(());
        }
        let (organisation, now) = (settings.organisation, self.clock.now());
        let row = remembered(&self.tables, organisation).await?;
        let first = now.saturating_sub(FIRST_LOOK_BACK).unwrap_or(now);
        let since = row.and_then(|row| row.prepayments_seen_until).unwrap_or(first);
        let read = self.xero.deleted_prepayments(organisation, since).await;
        let seen = match read {
            Ok(seen) => seen,
            Err(error) if error.class() == ErrorClass::Authentication => {
                return Ok(self.tables.prepayments_refused(organisation, now).await?);
            }
            Err(error) => return Err(error.into()),
        };
        for row in &seen.unreadable {
            let id = row.id.map_or_else(|| "unknown".to_owned(), |id| id.to_string());
            let why = format!("a deleted bank transaction in Xero: {} cannot be read", row.field);
            self.tables.raise_message(organisation, "SCHEMA", &id, &why, now).await?;
        }
        for deleted in &seen.found {
            self.flag(settings, deleted).await?;
        }
        Ok(self.tables.saw_prepayments(organisation, seen.started_at).await?)
    }

    async fn flag(&self, settings: &Settings, deleted: &DeletedPrepayment) -> Result<(), RunError> {
        let organisation = settings.organisation;
        let upload = self.upload_of(settings, deleted).await?;
        let receipt = match &upload {
            Some(upload) => self.tables.receipt(organisation, &upload.receipt.id).await?,
            None => None,
        };
        if !deleted.is_missed(upload.as_ref(), receipt.as_ref()) {
            return Ok(());
        }
        let (key, detail) = (deleted.key(upload.as_ref()), deleted.detail());
        let because = ContactBecause { cause: "upload", rule: "AMB-08", now: self.clock.now() };
        let contact = deleted.contact;
        self.tables.open_contact_discrepancy(organisation, contact, &key, &detail, because).await?;
        Ok(())
    }

    /// The upload that a deleted prepayment was a part of. Nothing but its night leads from Xero's side to it.
    async fn upload_of(
        &self,
        settings: &Settings,
        deleted: &DeletedPrepayment,
    ) -> Result<Option<Upload>, RunError> {
        let tonight = Night::of(self.clock.now(), &settings.zone);
        let organisation: OrganisationId = settings.organisation;
        let first = Night::from(deleted.date);
        for night in (0..NIGHTS_MAX).map(|nights| first.plus(nights)) {
            if night > tonight {
                break;
            }
            let rows = self.tables.uploads_of_night(organisation, night).await?;
            if let Some(upload) = rows.into_iter().find(|row| deleted.is_of(row)) {
                return Ok(Some(upload));
            }
        }
        Ok(None)
    }
}
