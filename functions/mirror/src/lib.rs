#![doc = include_str!("../README.md")]

mod applied;
mod change;
mod handler;
mod jobs;
mod liveness_cache;
mod observation;
mod organisation;
mod other_messages;
mod requeue;
mod retry;
mod run_log;
mod tally;
mod webhook_liveness;

pub use access::StartError;
use access::Xero;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use host::batch::{self, BlankId};
use host::clock::Clock;
use host::env::Environment;
use host::metrics::Metrics;
use jiff::Timestamp;
use payments::budget::Purpose;
use queue::{Changes, ChangesQueue, Redelivery};
use table::Tables;
use xero::{Client, Config};

use crate::handler::Handler;
use crate::liveness_cache::LivenessCache;
use crate::tally::Tally;

/// The function: everything between its environment and its handler.
pub struct Mirror<C> {
    xero: Xero,
    tables: Tables,
    changes: C,
    /// Has failed messages come again early; without it they come when their time is over.
    redelivery: Option<Redelivery>,
    heard: LivenessCache,
    metrics: Metrics,
    clock: Clock,
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
        let sqs = aws_sdk_sqs::Client::new(aws);
        let tables = Tables::new(
            aws_sdk_dynamodb::Client::new(aws),
            env.optional("TABLE_PREFIX")?.unwrap_or_default(),
        );
        let xero =
            Xero::from_env(env, aws, &tables, &clock, Config::default(), Purpose::Live).await?;
        let url = env.required("CHANGES_QUEUE_URL")?;
        Ok(Self {
            xero,
            tables,
            changes: ChangesQueue::new(sqs.clone(), url.clone()),
            redelivery: Some(Redelivery::new(sqs, url)),
            heard: LivenessCache::default(),
            metrics: Metrics::from_env(env, "mirror")?,
            clock,
        })
    }
}

impl<C: Changes> Mirror<C> {
    /// Puts the function together from its parts.
    pub fn new(xero: Client, tables: Tables, changes: C, clock: Clock) -> Self {
        let xero = Xero::with(xero, &tables, Purpose::Live);
        Self {
            xero,
            tables,
            changes,
            redelivery: None,
            heard: LivenessCache::default(),
            metrics: Metrics::off(),
            clock,
        }
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
        let batch = async |tally: &mut Tally| handler.batch(&event, tally).await;
        let answer = self.xero.counted(&self.metrics, &self.clock, batch).await;
        if let (Ok(answer), Some(redelivery)) = (&answer, &self.redelivery) {
            redelivery.after(&batch::again(&event.records, answer)).await;
        }
        answer
    }
}
