#![doc = include_str!("../README.md")]

mod authorisation;
mod containment;
mod disconnection;
mod sign_up;
mod token_cipher;
mod token_vault;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Deref;

use host::SdkConfig;
use host::clock::Clock;
use host::connection::{AppCredentials, Connection, ConnectionError, CredentialSource};
use host::counters::Counters;
use host::env::{EnvError, Environment};
use host::grants::TokenPlace;
use host::metrics::Metrics;
use jiff::Timestamp;
use payments::budget::{ClockId, Purpose};
use payments::grant::Stores;
use table::{Budgets, Tables};
use xero::{Client, Config, ConfigError, Credentials};

pub use authorisation::{Begun, Connected, NewVisit, VisitError, secret_text};
pub use containment::Containment;
pub use disconnection::{DisconnectError, Disconnected};
pub use sign_up::{NotReady, NotSignedUp};
pub use token_vault::{TokenVault, VaultError};

/// Calls Xero within the organisation's budget, let in by what users have granted or by the app's own
/// credentials.
pub type XeroClient = Client<Budgets, Stores<Tables, TokenVault>>;

/// The client of one function, and where its credentials come from. Used like the client itself.
#[derive(Debug)]
pub struct Xero {
    client: XeroClient,
    source: CredentialSource,
    vault: Option<TokenVault>,
}

/// Why a function that calls Xero cannot start.
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

/// The clock of this machine. Lambda names a log stream for each, and gives it in this variable; where there is none,
/// all share a clock.
fn clock_of(env: &Environment) -> Result<ClockId, EnvError> {
    let name = env.optional("AWS_LAMBDA_LOG_STREAM_NAME")?;
    Ok(name.map_or_else(ClockId::default, |name| {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        ClockId(hasher.finish())
    }))
}

/// The numbers of work that calls Xero.
pub trait XeroCounters: Counters {
    /// Whether Xero refused our credentials.
    fn was_refused(&self) -> bool;
}

impl Xero {
    /// Reads the environment. `defaults` is what it need not say; `purpose` is what calls are made for if
    /// they have no other.
    ///
    /// # Errors
    /// Names the variable or the secret that is missing, or that makes no sense.
    pub async fn from_env(
        env: &Environment,
        aws: &SdkConfig,
        tables: &Tables,
        clock: &Clock,
        defaults: Config,
        purpose: Purpose,
    ) -> Result<Self, StartError> {
        let connection = Connection::from_env(env, aws, clock.now()).await?;
        let config = Config {
            api_url: connection.api_url.unwrap_or(defaults.api_url),
            identity_url: connection.identity_url.unwrap_or(defaults.identity_url),
            ids_max: connection.ids_max.unwrap_or(defaults.ids_max),
            scopes: connection.scopes.unwrap_or(defaults.scopes),
            timeout: defaults.timeout,
        };
        let vault = connection.grants.map(|place| match place {
            TokenPlace::Files(files) => files.into(),
            TokenPlace::Table(key, former) => TokenVault::in_table(tables, *key, former, clock),
        });
        let of_client = clock.clone();
        let client =
            Client::new(config, credentials(connection.credentials), move || of_client.now())?
                .with_grants(stores(tables, vault.as_ref()))
                .within(tables.budgets_by(clock_of(env)?), purpose);
        Ok(Self { client, source: connection.source, vault })
    }

    /// The same with a client that is there already, and whose credentials stay what they are.
    pub fn with(client: Client, tables: &Tables, purpose: Purpose) -> Self {
        let client = client.with_grants(None).within(tables.budgets(), purpose);
        Self { client, source: CredentialSource::default(), vault: None }
    }

    /// The same, let in by what users grant, with the tokens in this store.
    #[must_use]
    pub fn with_grants(self, vault: impl Into<TokenVault>, tables: &Tables) -> Self {
        let vault = vault.into();
        let client = self.client.with_grants(stores(tables, Some(&vault)));
        Self { client, vault: Some(vault), ..self }
    }

    /// Where the tokens of users' grants are; `None` for a custom connection.
    pub fn token_vault(&self) -> Option<&TokenVault> {
        self.vault.as_ref()
    }

    /// Does some work, and reports its numbers, however it ended. Credentials that Xero refused meanwhile are read again.
    pub async fn counted<N: XeroCounters, T>(
        &self,
        metrics: &Metrics,
        clock: &Clock,
        work: impl AsyncFnOnce(&mut N) -> T,
    ) -> T {
        let mut numbers = N::default();
        let done = work(&mut numbers).await;
        metrics.report(clock.now(), &numbers);
        if numbers.was_refused() {
            self.renew_credentials(clock.now()).await;
        }
        done
    }

    /// Credentials may have been replaced since they were read (CC-21). To be called after Xero has refused
    /// them; the caller repeats the calls that failed with the old ones.
    pub async fn renew_credentials(&self, now: Timestamp) {
        match self.source.renewed(now).await {
            Ok(None) => {}
            Ok(Some(renewed)) => {
                let new = self.client.replace_credentials(credentials(renewed)).await;
                tracing::warn!(credentials.new = new, "credentials read again");
            }
            Err(error) => tracing::error!(error = %error, "reading the credentials again failed"),
        }
    }
}

impl Deref for Xero {
    type Target = XeroClient;

    fn deref(&self) -> &XeroClient {
        &self.client
    }
}

fn stores(tables: &Tables, vault: Option<&TokenVault>) -> Option<Stores<Tables, TokenVault>> {
    vault.map(|pairs| Stores { grants: tables.clone(), pairs: pairs.clone() })
}

fn credentials(of: AppCredentials) -> Credentials {
    Credentials { client_id: of.client_id, client_secret: of.client_secret }
}
