//! The function put together from its environment.

use host::clock::Clock;
use host::connection::Connection;
use host::env::{EnvError, Environment};
use host::metrics::Metrics;
use payments::budget::Purpose;
use payments::grant::Stores;
use queue::{AllQueues, ChangesQueue, QueueName, QueueUrls};
use table::Tables;
use xero::{Client, Config, LOGIN_URL};

use crate::{StartError, Sweeper, Users, credentials};

impl Sweeper<ChangesQueue, AllQueues> {
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
        let login = env.url("XERO_LOGIN_URL", Some(LOGIN_URL))?;
        let stores = connection.grants.clone();
        let stores = stores.map(|pairs| Stores { grants: tables.clone(), pairs });
        let xero = Client::new(config, credentials, move || of_client.now())?.with_grants(stores);
        Ok(Self {
            xero: xero.within(tables.budgets(), Purpose::Sweep),
            tables,
            changes: ChangesQueue::new(sqs.clone(), env.required("CHANGES_QUEUE_URL")?),
            letters: AllQueues::new(sqs, queues(env)?),
            users: connection.grants.map(|secrets| Users { secrets, login }),
            metrics: Metrics::from_env(env, "sweep")?,
            source: connection.source,
            clock,
        })
    }
}

/// All queues, as the environment names them.
fn queues(env: &Environment) -> Result<[(QueueName, QueueUrls); 4], EnvError> {
    let both = |queue, dead_letters| {
        let (queue, dead_letters) = (env.required(queue)?, env.required(dead_letters)?);
        Ok(QueueUrls { queue: Some(queue), dead_letters: Some(dead_letters) })
    };
    let schedules = env.required("SCHEDULES_DEAD_LETTER_QUEUE_URL")?;
    Ok([
        (QueueName::Changes, both("CHANGES_QUEUE_URL", "CHANGES_DEAD_LETTER_QUEUE_URL")?),
        (QueueName::Intake, both("INTAKE_QUEUE_URL", "INTAKE_DEAD_LETTER_QUEUE_URL")?),
        (QueueName::Uploads, both("UPLOADS_QUEUE_URL", "UPLOADS_DEAD_LETTER_QUEUE_URL")?),
        (QueueName::Schedules, QueueUrls { queue: None, dead_letters: Some(schedules) }),
    ])
}
