//! Tokens or keys may have leaked: everything stops at once, and the reply says who is concerned (XC-30).

use std::collections::{BTreeMap, BTreeSet};

use access::{Containment, DisconnectError};
use commands::reply::{ConcernedOrganisation, ContainmentReply, GrantAtRisk};
use commands::{Attribution, ContainLeak};
use jiff::Timestamp;
use payments::upload::UploadSettings;
use payments::{Occurrence, OrganisationId};
use table::AuditEntry;

use crate::error::tables;
use crate::{ExecutionError, Operations};

/// The log's name of it.
const CONTAIN_LEAK: &str = "contain_leak";

impl<C, U, Q, B> Operations<C, U, Q, B> {
    /// Uploads stop first, since that takes no call; then every token is taken back. Given again, it does what is left.
    pub(crate) async fn contain_leak(
        &self,
        wanted: &ContainLeak,
        by: &Attribution,
    ) -> Result<ContainmentReply, ExecutionError> {
        let begun = self.clock.now();
        let mut concerned = self.stop_uploads(by, begun).await?;
        let ended = match self.sweeper.xero().revoke_everything(&self.tables, begun).await {
            Ok(ended) => Some(ended),
            Err(DisconnectError::CustomConnection) => None,
            Err(error) => return Err(tables(&error)),
        };
        let Containment { revoked, failed } = ended.unwrap_or_default();
        for grant in &revoked {
            for organisation in &grant.organisations {
                concerned
                    .entry(*organisation)
                    .or_insert_with(|| row(*organisation, None))
                    .connected_until = Some(begun);
            }
        }
        let subject = CONTAIN_LEAK;
        let reason = format!("{} grants", revoked.len());
        let (who, why) = (by.by(), by.reason());
        let order = AuditEntry {
            action: Occurrence::Ordered,
            subject,
            reason: &reason,
            by: who,
            why,
            at: begun,
        };
        self.tables.log_order(None, &order).await.map_err(|error| tables(&error))?;
        let organisations: Vec<_> = concerned.into_values().collect();
        let since = wanted.since.unwrap_or(begun);
        let message = message(&organisations, failed.len(), (since, begun));
        let at_risk = failed.into_iter().map(|(grant, why)| GrantAtRisk { grant, why }).collect();
        Ok(ContainmentReply {
            revoked: revoked.len(),
            at_risk,
            organisations,
            message,
            recorded: true,
        })
    }

    /// Switches uploading off for every organisation that has it on, with a row of the log for each.
    async fn stop_uploads(
        &self,
        by: &Attribution,
        now: Timestamp,
    ) -> Result<BTreeMap<OrganisationId, ConcernedOrganisation>, ExecutionError> {
        let mut concerned = BTreeMap::new();
        let known = self.tables.organisations_at_work().await.map_err(|error| tables(&error))?;
        for known in known {
            let (Some(organisation), Ok(settings)) = (known.organisation, known.settings) else {
                continue;
            };
            let mut concern = row(organisation, known.name);
            let Some(before) = settings.upload.filter(|upload| upload.enabled) else {
                concerned.insert(organisation, concern);
                continue;
            };
            let after = UploadSettings { enabled: false, ..before.clone() };
            let order = AuditEntry {
                action: Occurrence::Ordered,
                subject: CONTAIN_LEAK,
                reason: "upload_enabled",
                by: by.by(),
                why: by.reason(),
                at: now,
            };
            let change = (Some(&before), &after);
            let stored = self.tables.change_upload_settings(organisation, change, &order).await;
            stored.map_err(|error| tables(&error))?;
            concern.uploads_until = Some(now);
            concerned.insert(organisation, concern);
        }
        Ok(concerned)
    }
}

fn row(organisation: OrganisationId, name: Option<String>) -> ConcernedOrganisation {
    ConcernedOrganisation { organisation, name, connected_until: None, uploads_until: None }
}

/// The text for Xero, which is to hear of it within 24 hours.
fn message(
    organisations: &[ConcernedOrganisation],
    at_risk: usize,
    (since, contained): (Timestamp, Timestamp),
) -> String {
    let ids: BTreeSet<_> = organisations.iter().map(|of| of.organisation.to_string()).collect();
    let ids: Vec<_> = ids.into_iter().collect();
    let left = match at_risk {
        0 => "Every token was revoked.".to_owned(),
        left => format!("{left} grants could not be revoked yet; we go on until they are."),
    };
    format!(
        "To: api@support.xero.com (within 24 hours)\n\
         Subject: Tokens of our app may have leaked\n\n\
         Tokens of our app may have been read by others since {since:.0}. At {contained:.0} we revoked all tokens and \
         stopped all uploads. {left}\n\n\
         Plan to contain it: the client secret and the webhook key are replaced; users consent again once the cause is \
         known and mended; we compare the activity of the organisations since {since:.0} with our own log.\n\n\
         Organisations concerned ({}):\n{}\n",
        ids.len(),
        ids.join("\n")
    )
}
