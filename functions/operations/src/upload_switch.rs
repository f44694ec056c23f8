//! Uploading is switched on again after it has switched itself off (EX-32).

use commands::Attribution;
use commands::reply::UploadsReply;
use payments::OrganisationId;
use table::{ChangeContext, Races};

use crate::error::tables;
use crate::{ExecutionError, Operations};

impl<C, U, Q, B> Operations<C, U, Q, B> {
    /// The attempts of the last 30 days still count (AMB-12). The log has a row of it if uploading was off.
    pub(crate) async fn enable_uploads(
        &self,
        organisation: OrganisationId,
        attribution: &Attribution,
    ) -> Result<UploadsReply, ExecutionError> {
        let mut races = Races::default();
        loop {
            let caps = self.tables.caps(organisation).await.map_err(|error| tables(&error))?;
            let now = self.clock.now();
            let reply = |recorded| UploadsReply {
                done: format!(
                    "uploading is on; the {} attempts of the last 30 days still count",
                    caps.attempts(now)
                ),
                recorded,
            };
            if caps.disabled.is_none() {
                return Ok(reply(false));
            }
            let because = ChangeContext { cause: "console", event_at: None, now };
            let (by, why) = (attribution.by(), attribution.reason());
            let written = self.tables.write_caps(&caps, &caps.on(), by, why, because).await;
            if races.won(written).map_err(|error| tables(&error))?.is_some() {
                return Ok(reply(true));
            }
        }
    }
}
