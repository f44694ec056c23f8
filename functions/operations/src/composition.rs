//! The function put together from its environment.

use std::time::Duration;

use access::StartError;
use bus::EventBus;
use host::clock::Clock;
use host::env::{EnvError, Environment};
use host::metrics::Metrics;
use host::webhook_secret::WebhookSecret;
use invoker::LambdaInvoker;
use queue::{AllQueues, ChangesQueue, QueueName, QueueUrls, UploadsQueue};
use sweep::Sweeper;
use table::Tables;
use upload::Uploader;
use xero::LOGIN_URL;

use crate::{Operations, Parts};

/// Longest wait until Lambda has taken an event.
const STARTED_WITHIN: Duration = Duration::from_secs(10);

impl Operations<ChangesQueue, UploadsQueue, AllQueues, EventBus> {
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
        let prefix = env.optional("TABLE_PREFIX")?.unwrap_or_default();
        let sweeper = Sweeper::from_env(env, aws, clock.clone()).await?;
        let login = env.url("XERO_LOGIN_URL", Some(LOGIN_URL))?;
        let by_grants = sweeper.xero().token_vault().is_some();
        let parts = Parts {
            uploader: Uploader::from_env(env, aws, clock.clone()).await?,
            sweeper,
            tables: Tables::new(aws_sdk_dynamodb::Client::new(aws), prefix),
            changes: ChangesQueue::new(sqs.clone(), env.required("CHANGES_QUEUE_URL")?),
            uploads: UploadsQueue::new(sqs.clone(), env.required("UPLOADS_QUEUE_URL")?),
            letters: AllQueues::new(sqs, queues(env)?),
            bus: EventBus::new(
                aws_sdk_eventbridge::Client::new(aws),
                env.required("EVENT_BUS_NAME")?,
            ),
            clock,
        };
        Ok(Self {
            login: by_grants.then_some(login),
            connect_url: match env.optional("CONNECT_URL")? {
                Some(_) => Some(env.url("CONNECT_URL", None)?),
                None => None,
            },
            reporter: env
                .optional("REPORT_FUNCTION")?
                .map(|name| LambdaInvoker::new(aws, Some(name), STARTED_WITHIN)),
            webhook_secret: WebhookSecret::from_env(env, aws)?,
            metrics: Metrics::from_env(env, commands::FUNCTION)?,
            ..Self::new(parts)
        })
    }
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
