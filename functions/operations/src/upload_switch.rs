//! Uploading is switched on again after it has switched itself off (EX-32).

use commands::Attribution;
use commands::reply::UploadsReply;
use payments::OrganisationId;
use table::{ChangeContext, WriteError};

use crate::error::{RACES_MAX, tables};
use crate::{ExecutionError, Operations};

impl<C, U, Q, B> Operations<C, U, Q, B> {
    /// The attempts of the last 30 days still count (AMB-12). The log has a row of it if uploading was off.
    pub(crate) async fn enable_uploads(
        &self,
        organisation: OrganisationId,
        attribution: &Attribution,
    ) -> Result<UploadsReply, ExecutionError> {
        for _ in 0..RACES_MAX {
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
            match self.tables.write_caps(&caps, &caps.on(), by, why, because).await {
                Ok(()) => return Ok(reply(true)),
                Err(WriteError::Conflict) => {}
                Err(error) => return Err(tables(&error)),
            }
        }
        Err(ExecutionError::Races)
    }
}
