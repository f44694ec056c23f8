//! The function put together from its environment.

use access::Xero;
use host::clock::Clock;
use host::env::Environment;
use host::metrics::Metrics;
use payments::budget::Purpose;
use queue::{ChangesQueue, SchedulesQueue};
use table::Tables;
use xero::Config;

use crate::{StartError, Sweeper};

impl Sweeper<ChangesQueue> {
    /// Reads the environment, see the README, and makes the SDK's clients.
    ///
    /// # Errors
    /// Names the variable or the secret that is missing.
    pub async fn from_env(
        env: &Environment,
        aws: &host::SdkConfig,
        clock: Clock,
    ) -> Result<Self, StartError> {
        let sqs = aws_sdk_sqs::Client::new(aws);
        let tables = Tables::new(
            aws_sdk_dynamodb::Client::new(aws),
            env.optional("TABLE_PREFIX")?.unwrap_or_default(),
        );
        let xero =
            Xero::from_env(env, aws, &tables, &clock, Config::default(), Purpose::Sweep).await?;
        let by_grants = xero.grant_secrets().is_some();
        Ok(Self {
            xero,
            tables,
            changes: ChangesQueue::new(sqs.clone(), env.required("CHANGES_QUEUE_URL")?),
            // A custom connection has one organisation: nothing is gained by a queue.
            schedules: env
                .optional("SCHEDULES_QUEUE_URL")?
                .filter(|_| by_grants)
                .map(|url| SchedulesQueue::new(sqs, url)),
            metrics: Metrics::from_env(env, "sweep")?,
            clock,
        })
    }
}
