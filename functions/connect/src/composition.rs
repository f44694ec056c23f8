//! The function put together from its environment.

use access::Xero;
use host::clock::Clock;
use host::env::Environment;
use host::metrics::Metrics;
use host::webhook_secret::WebhookSecret;
use payments::budget::Purpose;
use queue::SchedulesQueue;
use table::Tables;
use xero::{Config, LOGIN_URL};

use crate::pages::Pages;
use crate::{Connector, StartError};

impl Connector {
    /// Reads the environment, see the README, and makes the SDK's clients.
    ///
    /// # Errors
    /// Names the variable or the secret that is missing.
    pub async fn from_env(
        env: &Environment,
        aws: &host::SdkConfig,
        clock: Clock,
    ) -> Result<Self, StartError> {
        let tables = Tables::new(
            aws_sdk_dynamodb::Client::new(aws),
            env.optional("TABLE_PREFIX")?.unwrap_or_default(),
        );
        let xero =
            Xero::from_env(env, aws, &tables, &clock, Config::default(), Purpose::Sweep).await?;
        let address = match env.optional("CONNECT_URL")? {
            Some(_) => Some(env.url("CONNECT_URL", None)?),
            None => None,
        };
        let sqs = aws_sdk_sqs::Client::new(aws);
        let schedules = env.optional("SCHEDULES_QUEUE_URL")?;
        Ok(Self {
            xero,
            tables,
            schedules: schedules.map(|url| SchedulesQueue::new(sqs, url)),
            webhook_secret: WebhookSecret::from_env(env, aws)?,
            login: env.url("XERO_LOGIN_URL", Some(LOGIN_URL))?,
            address,
            pages: Pages { console: env.optional("CONSOLE_URL")? },
            metrics: Metrics::from_env(env, "connect")?,
            clock,
        })
    }
}
