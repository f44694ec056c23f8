//! Which organisations upload.

use host::telemetry;
use payments::{OrganisationId, Settings};
use queue::{Changes, Uploads};

use crate::shadow::due_at;
use crate::{HandleError, Uploader};

impl<Q: Uploads, C: Changes> Uploader<Q, C> {
    /// The organisations that upload, or the one that is asked for.
    pub(crate) async fn organisations(
        &self,
        only: Option<OrganisationId>,
    ) -> Result<Vec<Settings>, HandleError> {
        let tables = |error: table::ReadError| HandleError::Tables(telemetry::chain(&error));
        if let Some(organisation) = only {
            let settings = self.tables.settings(organisation).await.map_err(tables)?;
            let uploads = settings.filter(|settings| due_at(settings).is_some());
            return uploads
                .map(|settings| vec![settings])
                .ok_or(HandleError::NotUploading(organisation));
        }
        let mut all = Vec::new();
        for uploading in self.tables.uploading_organisations().await.map_err(tables)? {
            match uploading.settings {
                Ok(settings) => all.push(settings),
                // The others must not wait for a person to mend it.
                Err(error) => self.unreadable(uploading.organisation, &error).await,
            }
        }
        Ok(all)
    }

    /// Names an organisation whose settings cannot be read, in its messages and in the log.
    async fn unreadable(&self, organisation: Option<OrganisationId>, error: &table::ReadError) {
        tracing::error!(
            xero.tenant_id = organisation.map(|id| id.to_string()),
            error = telemetry::chain(error),
            "an organisation's settings cannot be read; nothing is uploaded for it"
        );
        let Some(organisation) = organisation else { return };
        let why = format!("nothing is uploaded: {error}");
        let (kind, now) = ("UNREADABLE_ROW", self.clock.now());
        let raised =
            self.tables.raise_message(organisation, kind, "organisations", &why, now).await;
        if let Err(error) = raised {
            tracing::error!(
                error = telemetry::chain(&error),
                "the message UNREADABLE_ROW was not stored"
            );
        }
    }
}
