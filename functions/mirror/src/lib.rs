#![doc = include_str!("../README.md")]

mod applying;
mod handing_back;
mod handler;
mod hearing;
mod organisation;
mod records;
mod retrying;
mod tally;
mod work;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use host::batch::BlankId;
use host::clock::Clock;
use host::connection::{AppCredentials, Connection, ConnectionError, CredentialSource};
use host::env::{EnvError, Environment};
use host::grants::GrantSecrets;
use host::metrics::Metrics;
use jiff::Timestamp;
use payments::budget::Purpose;
use payments::grant::Stores;
use queue::{Changes, ChangesQueue};
use table::{Budgets, Tables};
use xero::{Client, Config, ConfigError, Credentials};

use crate::handler::Handler;
use crate::hearing::Heard;
use crate::tally::Tally;

/// Calls Xero within the organisation's budget, let in by what users have granted or by the app's own
/// credentials.
pub(crate) type XeroClient = Client<Budgets, Stores<Tables, GrantSecrets>>;

/// The function: everything between its environment and its handler.
pub struct Mirror<C> {
    xero: XeroClient,
    tables: Tables,
    changes: C,
    heard: Heard,
    metrics: Metrics,
    source: CredentialSource,
    clock: Clock,
}

/// Why the function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A variable is missing or makes no sense.
    #[error("the environment is incomplete")]
    Environment(#[from] EnvError),
    /// How Xero is reached is not known.
    #[error("the connection to Xero is not known")]
    Connection(#[from] ConnectionError),
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
        clock: Clock,
    ) -> Result<Self, StartError> {
        let connection = Connection::from_env(env, aws, clock.now()).await?;
        let defaults = Config::default();
        let config = Config {
            api_url: connection.api_url.unwrap_or(defaults.api_url),
            identity_url: connection.identity_url.unwrap_or(defaults.identity_url),
            ids_max: connection.ids_max.unwrap_or(defaults.ids_max),
            scopes: connection.scopes.unwrap_or(defaults.scopes),
            timeout: defaults.timeout,
        };
        let credentials = credentials(connection.credentials);
        let of_client = clock.clone();
        let sqs = aws_sdk_sqs::Client::new(aws);
        let tables = Tables::new(
            aws_sdk_dynamodb::Client::new(aws),
            env.optional("TABLE_PREFIX")?.unwrap_or_default(),
        );
        let grants = connection.grants.map(|pairs| Stores { grants: tables.clone(), pairs });
        let xero = Client::new(config, credentials, move || of_client.now())?.with_grants(grants);
        Ok(Self {
            xero: xero.within(tables.budgets(), Purpose::Live),
            tables,
            changes: ChangesQueue::new(sqs, env.required("CHANGES_QUEUE_URL")?),
            heard: Heard::default(),
            metrics: Metrics::from_env(env, "mirror")?,
            source: connection.source,
            clock,
        })
    }
}

impl<C: Changes> Mirror<C> {
    /// Puts the function together from its parts.
    pub fn new(xero: Client, tables: Tables, changes: C, clock: Clock) -> Self {
        let xero = xero.with_grants(None).within(tables.budgets(), Purpose::Live);
        let (metrics, source) = (Metrics::off(), CredentialSource::default());
        Self { xero, tables, changes, heard: Heard::default(), metrics, source, clock }
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
            heard: &self.heard,
            clock: &self.clock,
            deadline,
        };
        let mut tally = Tally::default();
        let answer = handler.batch(&event, &mut tally).await;
        tally.log();
        self.metrics.emit(self.clock.now(), &tally.metrics());
        if tally.was_refused() {
            self.renew_credentials().await;
        }
        answer
    }

    /// Credentials may have been replaced since they were read (CC-21). The work that failed for
    /// the old ones is back in the queue.
    async fn renew_credentials(&self) {
        match self.source.renewed(self.clock.now()).await {
            Ok(None) => {}
            Ok(Some(renewed)) => {
                let new = self.xero.replace_credentials(credentials(renewed)).await;
                tracing::warn!(credentials.new = new, "credentials read again");
            }
            Err(error) => tracing::error!(error = %error, "reading the credentials again failed"),
        }
    }
}

fn credentials(of: AppCredentials) -> Credentials {
    Credentials { client_id: of.client_id, client_secret: of.client_secret }
}
