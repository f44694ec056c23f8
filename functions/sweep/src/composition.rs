//! The function put together from its environment.

use access::Xero;
use host::clock::Clock;
use host::env::{EnvError, Environment};
use host::metrics::Metrics;
use host::webhook_secret::WebhookSecret;
use jiff::civil::Time;
use payments::budget::Purpose;
use payments::sweep::{DailySchedules, DailyTimes};
use queue::{AllQueues, ChangesQueue, QueueName, QueueUrls, SchedulesQueue};
use table::Tables;
use xero::{Config, LOGIN_URL};

use crate::{StartError, Sweeper};

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
        let sqs = aws_sdk_sqs::Client::new(aws);
        let tables = Tables::new(
            aws_sdk_dynamodb::Client::new(aws),
            env.optional("TABLE_PREFIX")?.unwrap_or_default(),
        );
        let login = env.url("XERO_LOGIN_URL", Some(LOGIN_URL))?;
        let xero =
            Xero::from_env(env, aws, &tables, &clock, Config::default(), Purpose::Sweep).await?;
        let users = xero.grant_secrets().is_some();
        Ok(Self {
            xero,
            tables,
            changes: ChangesQueue::new(sqs.clone(), env.required("CHANGES_QUEUE_URL")?),
            // A custom connection has one organisation: nothing is gained by a queue.
            schedules: env
                .optional("SCHEDULES_QUEUE_URL")?
                .filter(|_| users)
                .map(|url| SchedulesQueue::new(sqs.clone(), url)),
            letters: AllQueues::new(sqs, queues(env)?),
            webhook_secret: WebhookSecret::from_env(env, aws)?,
            login: users.then_some(login),
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

/// All queues, as the environment names them.
fn queues(env: &Environment) -> Result<[(QueueName, QueueUrls); 5], EnvError> {
    let both = |queue, dead_letters| {
        let (queue, dead_letters) = (env.required(queue)?, env.required(dead_letters)?);
        Ok(QueueUrls { queue: Some(queue), dead_letters: Some(dead_letters) })
    };
    let alone = |dead_letters| {
        Ok(QueueUrls { queue: None, dead_letters: Some(env.required(dead_letters)?) })
    };
    Ok([
        (QueueName::Changes, both("CHANGES_QUEUE_URL", "CHANGES_DEAD_LETTER_QUEUE_URL")?),
        (QueueName::Intake, both("INTAKE_QUEUE_URL", "INTAKE_DEAD_LETTER_QUEUE_URL")?),
        (QueueName::Uploads, both("UPLOADS_QUEUE_URL", "UPLOADS_DEAD_LETTER_QUEUE_URL")?),
        (QueueName::Schedules, alone("SCHEDULES_DEAD_LETTER_QUEUE_URL")?),
        (QueueName::Events, alone("EVENTS_DEAD_LETTER_QUEUE_URL")?),
    ])
}
