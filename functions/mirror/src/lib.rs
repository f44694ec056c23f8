#![doc = include_str!("../README.md")]

mod applying;
mod handing_back;
mod handler;
mod organisation;
mod records;
mod retrying;
mod tally;
mod waits;
mod work;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use host::batch::BlankId;
use host::env::{EnvError, Environment};
use host::metrics::Metrics;
use host::secrets::{Secret, SecretError, SecretsManager};
use jiff::Timestamp;
use queue::{Changes, ChangesQueue};
use secrecy::{ExposeSecret as _, SecretString};
use table::Tables;
use xero::{Client, Config, ConfigError, Credentials};

use crate::handler::Handler;
use crate::tally::Tally;
use crate::waits::Waits;

/// The function: everything between its environment and its handler.
pub struct Mirror<C> {
    xero: Client,
    tables: Tables,
    changes: C,
    waits: Waits,
    metrics: Metrics,
    secret: Option<Secret<SecretsManager>>,
    clock: fn() -> Timestamp,
}

/// Why the function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A variable is missing or makes no sense.
    #[error("the environment is incomplete")]
    Environment(#[from] EnvError),
    /// The secret with Xero's credentials cannot be read.
    #[error("Xero's credentials cannot be read")]
    Secret(#[from] SecretError),
    /// Xero's client cannot be made of the configuration.
    #[error("the configuration of Xero's client makes no sense")]
    Xero(#[from] ConfigError),
}

impl Mirror<ChangesQueue> {
    /// Reads the environment, see the README, and makes the SDK's clients.
    ///
    /// # Errors
    /// Names the variable or the secret that is missing.
    pub async fn from_env(
        env: &Environment,
        aws: &host::SdkConfig,
        clock: fn() -> Timestamp,
    ) -> Result<Self, StartError> {
        let (credentials, secret) = match env.optional("XERO_API_SECRET_ARN")? {
            Some(arn) => {
                let secret = Secret::stored(SecretsManager::new(aws), arn);
                let credentials = credentials_in(&secret.value(clock()).await?)?;
                (credentials, Some(secret))
            }
            None => {
                let client_id = env.required("XERO_CLIENT_ID")?;
                let client_secret = env.secret("XERO_CLIENT_SECRET")?.ok_or_else(|| {
                    EnvError::new(
                        "XERO_CLIENT_SECRET",
                        "is not set, and neither is XERO_API_SECRET_ARN",
                    )
                })?;
                (Credentials { client_id, client_secret }, None)
            }
        };
        let defaults = Config::default();
        let config = Config {
            api_url: env.url("XERO_API_URL", Some(defaults.api_url.as_str()))?,
            identity_url: env.url("XERO_IDENTITY_URL", Some(defaults.identity_url.as_str()))?,
            ids_max: env
                .parsed("XERO_IDS_MAX", "must be a whole number")?
                .unwrap_or(defaults.ids_max),
            scopes: env.optional("XERO_SCOPES")?.unwrap_or_else(|| defaults.scopes.clone()),
            ..defaults
        };
        let sqs = aws_sdk_sqs::Client::new(aws);
        Ok(Self {
            xero: Client::new(config, credentials, clock)?,
            tables: Tables::new(
                aws_sdk_dynamodb::Client::new(aws),
                env.optional("TABLE_PREFIX")?.unwrap_or_default(),
            ),
            changes: ChangesQueue::new(sqs, env.required("CHANGES_QUEUE_URL")?),
            waits: Waits::default(),
            metrics: Metrics::from_env(env, "mirror")?,
            secret,
            clock,
        })
    }
}

impl<C: Changes> Mirror<C> {
    /// Puts the function together from its parts.
    pub fn new(xero: Client, tables: Tables, changes: C, clock: fn() -> Timestamp) -> Self {
        let (waits, metrics) = (Waits::default(), Metrics::off());
        Self { xero, tables, changes, waits, metrics, secret: None, clock }
    }

    /// Works on one batch, which has to be over at the deadline.
    ///
    /// # Errors
    /// [`BlankId`]: all records are to come again.
    pub async fn handle(
        &self,
        event: SqsEvent,
        deadline: Timestamp,
    ) -> Result<SqsBatchResponse, BlankId> {
        let handler = Handler {
            xero: &self.xero,
            tables: &self.tables,
            changes: &self.changes,
            waits: &self.waits,
            clock: self.clock,
            deadline,
        };
        let mut tally = Tally::default();
        let answer = handler.batch(&event, &mut tally).await;
        tally.log();
        self.metrics.emit((self.clock)(), &tally.metrics());
        if tally.was_refused() {
            self.renew_credentials().await;
        }
        answer
    }

    /// Credentials may have been replaced since they were read (CC-21). The work that failed for
    /// the old ones is back in the queue.
    async fn renew_credentials(&self) {
        let Some(secret) = &self.secret else { return };
        let renewed = match secret.renewed((self.clock)()).await {
            Ok(Some(value)) => credentials_in(&value),
            Ok(None) => return,
            Err(error) => Err(error),
        };
        match renewed {
            Ok(credentials) => {
                let new = self.xero.replace_credentials(credentials).await;
                tracing::warn!(credentials.new = new, "credentials read again");
            }
            Err(error) => tracing::error!(error = %error, "reading the credentials again failed"),
        }
    }
}

fn credentials_in(secret: &SecretString) -> Result<Credentials, SecretError> {
    Ok(Credentials {
        client_id: host::secrets::text(secret, "client_id")?.expose_secret().to_owned(),
        client_secret: host::secrets::text(secret, "client_secret")?,
    })
}
