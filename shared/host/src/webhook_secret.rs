//! Whether the keys are there that Xero signs webhooks with. The keys themselves are not read: only the webhook
//! may do that.

use std::path::PathBuf;

use crate::SdkConfig;
use crate::env::{EnvError, Environment};
use crate::secrets::{Files, SecretError, SecretStore as _, SecretsManager};

/// Where the keys are.
#[derive(Clone, Debug)]
pub struct WebhookSecret {
    place: SecretLocation,
    id: String,
}

#[derive(Clone, Debug)]
enum SecretLocation {
    Manager(SecretsManager),
    Files(Files),
}

impl WebhookSecret {
    /// The secret that `XERO_WEBHOOK_SECRET_ARN` names, if it names one.
    ///
    /// # Errors
    /// The variable makes no sense.
    pub fn from_env(env: &Environment, aws: &SdkConfig) -> Result<Option<Self>, EnvError> {
        let id = env.optional("XERO_WEBHOOK_SECRET_ARN")?;
        Ok(id.map(|id| Self { place: SecretLocation::Manager(SecretsManager::new(aws)), id }))
    }

    /// A file of this name in a folder; for one's own machine.
    pub fn in_folder(folder: PathBuf, name: String) -> Self {
        Self { place: SecretLocation::Files(Files::new(folder)), id: name }
    }

    /// Whether a value was ever put into it: the stack makes it without one.
    ///
    /// # Errors
    /// [`SecretError::Unavailable`]: it is not known.
    pub async fn has_value(&self) -> Result<bool, SecretError> {
        match &self.place {
            SecretLocation::Manager(manager) => manager.has_value(&self.id).await,
            SecretLocation::Files(files) => match files.read(&self.id).await {
                Ok(_) => Ok(true),
                Err(SecretError::Missing { .. }) => Ok(false),
                Err(error) => Err(error),
            },
        }
    }
}
