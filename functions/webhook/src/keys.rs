//! The keys that Xero signs with, and how they change while the function runs.

use host::secrets::{Secret, SecretError, SecretStore, SecretsManager, texts};
use jiff::Timestamp;
use secrecy::SecretString;
use xero::WebhookKeys;

/// Where the signing keys are.
pub trait Keys {
    /// The keys in force, possibly some minutes old.
    ///
    /// # Errors
    ///
    /// When they cannot be had. Nothing is known about any signature then.
    async fn current(&self, now: Timestamp) -> Result<WebhookKeys, SecretError>;

    /// The keys as they are at this moment, for a signature that fits none of the current ones;
    /// `None` if those are as good. MUST NOT do more work than one read a minute, because every
    /// sender of a wrong signature causes it.
    ///
    /// # Errors
    ///
    /// When it cannot be known whether the current ones are still good.
    async fn renewed(&self, now: Timestamp) -> Result<Option<WebhookKeys>, SecretError>;
}

/// The field of the secret that holds the keys.
const FIELD: &str = "webhook_keys";

/// Keys from the environment, or from a secret `{"webhook_keys":["…"]}`.
#[derive(Debug)]
pub enum ActiveKeys<S = SecretsManager> {
    /// They change with the next deployment.
    Fixed(WebhookKeys),
    /// They change when the secret does.
    Stored(Secret<S>),
}

impl<S: SecretStore> Keys for ActiveKeys<S> {
    async fn current(&self, now: Timestamp) -> Result<WebhookKeys, SecretError> {
        match self {
            Self::Fixed(keys) => Ok(keys.clone()),
            Self::Stored(secret) => read(&secret.value(now).await?),
        }
    }

    async fn renewed(&self, now: Timestamp) -> Result<Option<WebhookKeys>, SecretError> {
        match self {
            Self::Fixed(_) => Ok(None),
            Self::Stored(secret) => secret.renewed(now).await?.as_ref().map(read).transpose(),
        }
    }
}

fn read(secret: &SecretString) -> Result<WebhookKeys, SecretError> {
    texts(secret, FIELD).map(WebhookKeys::new)
}
