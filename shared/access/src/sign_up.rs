//! An organisation is mirrored from now on, if it is ready: Xero shows it, and all that its settings need can be read
//! and may be written (CM-02, ST-19).

use host::telemetry;
use host::webhook_secret::WebhookSecret;
use jiff::Timestamp;
use payments::connection::needed_actions;
use payments::sweep::SweptList;
use payments::{OrganisationId, Settings};
use table::{ChangeContext, Tables};
use xero::Organisation;

use crate::Xero;

/// What to do where no key was put into the secret.
const NO_WEBHOOK_KEYS: &str = "no webhook key is stored: at developer.xero.com, My Apps, open the app, then Webhooks, \
    and put its key as {\"webhook_keys\":[\"<key>\"]} into the secret that the stack's output XeroWebhookSecretArn names";

/// What an organisation is not ready for, with the reason, in words for people.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotReady(pub String);

/// Why an organisation was not signed up.
#[derive(Debug, thiserror::Error)]
pub enum NotSignedUp {
    /// It is set up here. Its row is as it was.
    #[error("it is set up already")]
    Already,
    /// A precondition fails.
    #[error("{}", .0.0)]
    NotReady(NotReady),
    /// The tables do not answer.
    #[error("reading or writing the tables failed: {0}")]
    Tables(String),
}

impl Xero {
    /// Whether everything that these settings need can be read and may be written. What is read all day is read; what
    /// is written at night, Xero says of itself.
    ///
    /// # Errors
    /// The first thing that cannot be done.
    pub async fn readiness(
        &self,
        settings: &Settings,
        webhook_secret: Option<&WebhookSecret>,
        now: Timestamp,
    ) -> Result<Organisation, NotReady> {
        let organisation = settings.organisation;
        let shown = self.organisation(organisation).await;
        let shown = shown.map_err(|error| {
            NotReady(format!("Xero does not show it: {}", telemetry::chain(&error)))
        })?;
        if let Some(problem) = webhook_keys_missing(webhook_secret).await {
            return Err(NotReady(problem));
        }
        // Nothing has changed since this moment.
        for (what, list) in [("invoices", SweptList::Invoices), ("payments", SweptList::Payments)] {
            let read = self.changed_since(organisation, list, now).await;
            read.map_err(|error| {
                NotReady(format!("{what} cannot be read: {}", telemetry::chain(&error)))
            })?;
        }
        let needed = needed_actions(settings);
        if !needed.is_empty() {
            let allowed = self.allowed_actions(organisation).await;
            let allowed = allowed.map_err(|error| {
                NotReady(format!("what Xero allows cannot be read: {}", telemetry::chain(&error)))
            })?;
            if let Some(missing) = needed.iter().find(|action| !allowed.contains(**action)) {
                return Err(NotReady(format!(
                    "Xero does not allow {missing}, which the settings need"
                )));
            }
        }
        Ok(shown)
    }

    /// Stores the settings of an organisation that is ready, and that is not known here.
    ///
    /// # Errors
    /// [`NotSignedUp`]. Nothing was stored.
    pub async fn sign_up(
        &self,
        tables: &Tables,
        settings: &Settings,
        webhook_secret: Option<&WebhookSecret>,
        (by, why): (&str, &str),
        now: Timestamp,
    ) -> Result<Organisation, NotSignedUp> {
        if is_known(tables, settings.organisation).await? {
            return Err(NotSignedUp::Already);
        }
        let ready = self.readiness(settings, webhook_secret, now).await;
        let shown = ready.map_err(NotSignedUp::NotReady)?;
        let because = ChangeContext { cause: "console", event_at: None, now };
        match tables.sign_up(settings, by, why, because).await {
            Ok(()) => Ok(shown),
            Err(table::WriteError::Conflict) => Err(NotSignedUp::Already),
            Err(error) => Err(NotSignedUp::Tables(telemetry::chain(&error))),
        }
    }
}

async fn is_known(tables: &Tables, organisation: OrganisationId) -> Result<bool, NotSignedUp> {
    let known = tables.settings(organisation).await;
    known
        .map(|known| known.is_some())
        .map_err(|error| NotSignedUp::Tables(telemetry::chain(&error)))
}

/// Why no webhook of Xero's could be verified, if none could: without them, changes come by the sweep alone.
async fn webhook_keys_missing(secret: Option<&WebhookSecret>) -> Option<String> {
    match secret?.has_value().await {
        Ok(true) => None,
        Ok(false) => Some(NO_WEBHOOK_KEYS.to_owned()),
        Err(error) => Some(format!(
            "whether webhook keys are there is not known: {}",
            telemetry::chain(&error)
        )),
    }
}
