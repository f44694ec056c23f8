//! How a function reaches Xero: addresses, credentials, and reading the credentials again. Only texts:
//! what they mean is the business of the crate that speaks with Xero.

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::SdkConfig;
use crate::env::{EnvError, Environment};
use crate::secrets::{Secret, SecretError, SecretsManager, text};

/// The app's id and secret at Xero.
#[derive(Clone, Debug)]
pub struct AppCredentials {
    /// Its id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
}

/// What the environment says of the connection to Xero.
#[derive(Debug)]
pub struct Connection {
    /// `XERO_API_URL`, if set.
    pub api_url: Option<Url>,
    /// `XERO_IDENTITY_URL`, if set.
    pub identity_url: Option<Url>,
    /// `XERO_IDS_MAX`, if set: most ids in one call.
    pub ids_max: Option<usize>,
    /// `XERO_SCOPES`, if set: the permissions to ask for.
    pub scopes: Option<String>,
    /// From the secret `XERO_API_SECRET_ARN`, or from `XERO_CLIENT_ID` and `XERO_CLIENT_SECRET`.
    pub credentials: AppCredentials,
    /// Where they came from, if that can be asked again.
    pub source: CredentialSource,
}

/// Where credentials come from.
#[derive(Debug, Default)]
pub struct CredentialSource(Option<Secret<SecretsManager>>);

/// Why the connection is not known.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// A variable is missing or makes no sense.
    #[error("the environment is incomplete")]
    Environment(#[from] EnvError),
    /// The secret with Xero's credentials cannot be read.
    #[error("Xero's credentials cannot be read")]
    Secret(#[from] SecretError),
}

impl Connection {
    /// Reads the environment, and the secret that it names.
    ///
    /// # Errors
    ///
    /// Names the variable or the secret that is missing.
    pub async fn from_env(
        env: &Environment,
        aws: &SdkConfig,
        now: Timestamp,
    ) -> Result<Self, ConnectionError> {
        let url = |name| match env.optional(name)? {
            Some(_) => env.url(name, None).map(Some),
            None => Ok(None),
        };
        let (credentials, source) = match env.optional("XERO_API_SECRET_ARN")? {
            Some(arn) => {
                let secret = Secret::stored(SecretsManager::new(aws), arn);
                (credentials_in(&secret.value(now).await?)?, CredentialSource(Some(secret)))
            }
            None => {
                let client_id = env.required("XERO_CLIENT_ID")?;
                let client_secret = env.secret("XERO_CLIENT_SECRET")?.ok_or_else(|| {
                    EnvError::new(
                        "XERO_CLIENT_SECRET",
                        "is not set, and neither is XERO_API_SECRET_ARN",
                    )
                })?;
                (AppCredentials { client_id, client_secret }, CredentialSource::default())
            }
        };
        Ok(Self {
            api_url: url("XERO_API_URL")?,
            identity_url: url("XERO_IDENTITY_URL")?,
            ids_max: env.parsed("XERO_IDS_MAX", "must be a whole number")?,
            scopes: env.optional("XERO_SCOPES")?,
            credentials,
            source,
        })
    }
}

impl CredentialSource {
    /// Reads the credentials again after Xero has refused them (CC-21); at most once a minute. `None`
    /// if there is nowhere to read from, or it is too soon.
    ///
    /// # Errors
    ///
    /// The secret cannot be read.
    pub async fn renewed(&self, now: Timestamp) -> Result<Option<AppCredentials>, SecretError> {
        let Some(secret) = &self.0 else { return Ok(None) };
        match secret.renewed(now).await? {
            Some(value) => credentials_in(&value).map(Some),
            None => Ok(None),
        }
    }
}

fn credentials_in(secret: &SecretString) -> Result<AppCredentials, SecretError> {
    Ok(AppCredentials {
        client_id: text(secret, "client_id")?.expose_secret().to_owned(),
        client_secret: text(secret, "client_secret")?,
    })
}
