//! How a function reaches Xero: addresses, credentials, and reading the credentials again; and whether it
//! is let in by those credentials alone or by what users have granted. Only texts: what they mean is the
//! business of the crate that speaks with Xero.

use std::path::PathBuf;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::SdkConfig;
use crate::env::{EnvError, Environment};
use crate::grants::{FormerSecrets, GrantFiles, TokenPlace};
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
    /// Where the tokens of users' grants are: in the table, if `XERO_GRANTS_SECRET_PREFIX` and `XERO_GRANTS_KEY_ARN` are set, or
    /// in the folder `XERO_GRANTS_FOLDER`. `None` for a custom connection, which needs no more than the credentials.
    pub grants: Option<TokenPlace>,
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
            grants: grants(env, aws)?,
        })
    }
}

fn grants(env: &Environment, aws: &SdkConfig) -> Result<Option<TokenPlace>, EnvError> {
    let (prefix, folder) = ("XERO_GRANTS_SECRET_PREFIX", "XERO_GRANTS_FOLDER");
    match (env.optional(prefix)?, env.optional(folder)?) {
        (None, None) => Ok(None),
        (Some(prefix), None) => {
            let arn = env.required("XERO_GRANTS_KEY_ARN")?;
            let key = Box::new(Secret::stored(SecretsManager::new(aws), arn));
            Ok(Some(TokenPlace::Table(key, FormerSecrets::new(aws, prefix))))
        }
        (None, Some(folder)) => Ok(Some(TokenPlace::Files(GrantFiles::new(PathBuf::from(folder))))),
        (Some(_), Some(_)) => {
            Err(EnvError::new(prefix, "and XERO_GRANTS_FOLDER must not both be set"))
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    async fn connection(more: &[(&str, &str)]) -> Result<Connection, ConnectionError> {
        let aws = SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
            .build();
        let usual = [("XERO_CLIENT_ID", "id"), ("XERO_CLIENT_SECRET", "canary-4711")];
        let env = Environment::given(usual.iter().chain(more).copied());
        Connection::from_env(&env, &aws, Timestamp::UNIX_EPOCH).await
    }

    #[tokio::test]
    async fn a_custom_connection_is_what_is_meant_if_nothing_is_said_of_grants() {
        for nothing in [&[][..], &[("XERO_GRANTS_SECRET_PREFIX", "")]] {
            let connection = connection(nothing).await.unwrap();
            assert!(connection.grants.is_none());
            assert!(!format!("{connection:?}").contains("4711"));
        }
        let folder = connection(&[("XERO_GRANTS_FOLDER", "grants/")]).await.unwrap();
        assert!(matches!(folder.grants, Some(TokenPlace::Files(_))));
        let (prefix, key) =
            (("XERO_GRANTS_SECRET_PREFIX", "grants/"), ("XERO_GRANTS_KEY_ARN", "arn"));
        let table = connection(&[prefix, key]).await.unwrap();
        assert!(matches!(table.grants, Some(TokenPlace::Table(..))));
        let keyless = connection(&[prefix]).await.unwrap_err();
        assert!(format!("{:?}", keyless).contains("XERO_GRANTS_KEY_ARN"), "{keyless:?}");
        let both = [("XERO_GRANTS_SECRET_PREFIX", "a"), ("XERO_GRANTS_FOLDER", "b")];
        assert!(matches!(connection(&both).await, Err(ConnectionError::Environment(_))));
    }
}
