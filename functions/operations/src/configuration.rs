//! Settings of an organisation are changed by an administrator: each is checked before any is stored, and a direction is
//! switched on only if all that it needs is there (CC-29, CM-02).

use std::collections::BTreeMap;

use commands::reply::{ChangedSetting, ConfigurationReply};
use commands::{Attribution, Configure, Kind, Role};
use host::telemetry;
use table::{Ordered, SettingChange, SettingDraft, SettingError};

use crate::error::tables;
use crate::{ExecutionError, Operations};

/// The directions.
const SWITCHES: [&str; 2] = ["mirror_enabled", "upload_enabled"];
/// Settings that name something in Xero.
const IN_XERO: [&str; 4] =
    ["upload_account_id", "currency_accounts", "prepayment_account_code", "fee_accounts"];

impl<C, U, Q, B> Operations<C, U, Q, B> {
    /// Changes settings, all of them or none.
    pub(crate) async fn configure(
        &self,
        command: &Configure,
        attribution: &Attribution,
    ) -> Result<ConfigurationReply, ExecutionError> {
        let wrong = |what: String| ExecutionError::Field(Kind::Configure, what);
        let mut texts = BTreeMap::new();
        for line in &command.settings {
            let (name, text) =
                line.split_once('=').ok_or_else(|| wrong("a line is no NAME=TEXT".to_owned()))?;
            texts.insert(name.trim().to_owned(), text.to_owned());
        }
        let draft = self.tables.draft_settings(command.organisation, &texts).await;
        let draft = draft.map_err(|error| match error {
            SettingError::Read(error) => tables(&error),
            error => wrong(error.to_string()),
        })?;
        if draft.changes.is_empty() {
            return Ok(ConfigurationReply::default());
        }
        self.check(&draft).await?;
        let detail = draft.changes.iter().map(words).collect::<Vec<_>>().join("; ");
        let names: Vec<_> = draft.changes.iter().map(|change| change.name).collect();
        let ordered = Ordered {
            organisation: Some(command.organisation),
            order: Kind::Configure.code(),
            subject: names.first().copied(),
            result: "done",
            detail: &detail,
            rule: Some("CC-29"),
            role: Role::Admin.code(),
            by: attribution.by(),
            why: attribution.reason(),
            request_id: Kind::Configure.code(),
        };
        let now = self.clock.now();
        let stored = self.tables.store_settings_draft(&draft, &ordered, now).await;
        stored.map_err(|error| tables(&error))?;
        let changed = draft.changes.into_iter().map(|change| ChangedSetting {
            setting: change.name.to_owned(),
            before: change.before,
            after: change.after,
        });
        Ok(ConfigurationReply { changed: changed.collect(), recorded: true })
    }

    /// What Xero says about the settings: a direction that is switched on needs all of it, and an account that is named has
    /// to be one that fits.
    async fn check(&self, draft: &SettingDraft) -> Result<(), ExecutionError> {
        let (settings, organisation) = (&draft.settings, draft.settings.organisation);
        let not_ready = |problem: String| ExecutionError::NotReady { organisation, problem };
        let is_on =
            |change: &&SettingChange| SWITCHES.contains(&change.name) && change.after == "true";
        let switched_on = draft.changes.iter().any(|change| is_on(&change));
        let uploads = settings.upload.as_ref().filter(|upload| upload.enabled);
        if switched_on {
            if settings.disconnected_at.is_some() {
                return Err(not_ready("it is disconnected from Xero: connect it first".to_owned()));
            }
            let (secret, now) = (self.webhook_secret.as_ref(), self.clock.now());
            let ready = self.sweeper.xero().readiness(settings, secret, now).await;
            ready.map_err(|error| not_ready(error.0))?;
        }
        let names_account = draft.changes.iter().any(|change| IN_XERO.contains(&change.name));
        let Some(upload) = settings
            .upload
            .as_ref()
            .filter(|_| names_account || (switched_on && uploads.is_some()))
        else {
            return Ok(());
        };
        let chart = self.sweeper.xero().accounts(organisation).await;
        let chart = chart.map_err(|error| not_ready(unread("the accounts", &error)))?;
        let shown = self.sweeper.xero().organisation(organisation).await;
        let shown = shown.map_err(|error| not_ready(unread("the organisation", &error)))?;
        match chart.misfit(upload, shown.base_currency) {
            None => Ok(()),
            Some((setting, why)) if switched_on => Err(not_ready(format!("`{setting}`: {why}"))),
            Some((setting, why)) => {
                Err(ExecutionError::Field(Kind::Configure, format!("`{setting}`: {why}")))
            }
        }
    }
}

fn unread(what: &str, error: &dyn std::error::Error) -> String {
    format!("{what} in Xero cannot be read: {}", telemetry::chain(error))
}

/// The old and the new value, for the log.
fn words(change: &SettingChange) -> String {
    let or_default = |text: &str| match text {
        "" => "the default".to_owned(),
        text => text.to_owned(),
    };
    format!("{}: {} -> {}", change.name, or_default(&change.before), or_default(&change.after))
}
