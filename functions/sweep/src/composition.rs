//! The function put together from its environment.

use access::Xero;
use host::clock::Clock;
use host::env::{EnvError, Environment};
use host::metrics::Metrics;
use jiff::civil::Time;
use payments::budget::Purpose;
use payments::sweep::{DailySchedules, DailyTimes};
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
            async |config| Xero::from_env(env, aws, &tables, &clock, config, Purpose::Sweep).await;
        let (xero, contacts) = (xero(Config::default()).await?, xero(Config::contacts()).await?);
        let users = xero.token_vault().is_some();
        Ok(Self {
            xero,
            contacts: Some(contacts),
            tables,
            changes: ChangesQueue::new(sqs.clone(), env.required("CHANGES_QUEUE_URL")?),
            // A custom connection has one organisation: nothing is gained by a queue.
            schedules: env
                .optional("SCHEDULES_QUEUE_URL")?
                .filter(|_| users)
                .map(|url| SchedulesQueue::new(sqs, url)),
            daily: daily_schedules(env)?,
            metrics: Metrics::from_env(env, "sweep")?,
            clock,
        })
    }
}

/// When the stack's daily schedules come; none where nothing says so.
fn daily_schedules(env: &Environment) -> Result<Option<DailySchedules>, EnvError> {
    let Some(zone) = env.optional("SCHEDULE_TIME_ZONE")? else { return Ok(None) };
    let time = |name| env.parsed::<Time>(name, "must be a time such as 05:30");
    let times = DailyTimes {
        full_sweep: time("FULL_SWEEP_TIME")?,
        certificate: time("CERTIFICATE_TIME")?,
        digest: time("DIGEST_TIME")?,
    };
    Ok(Some(DailySchedules { zone, times }))
}
