#![doc = include_str!("../README.md")]

pub mod contract;
mod handler;
mod parked;
mod recorder;
mod run_log;
mod share;
mod tally;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use host::batch::{self, BlankId};
use host::clock::Clock;
use host::env::{EnvError, Environment};
use host::metrics::Metrics;
use jiff::Timestamp;
use queue::{Changes, ChangesQueue, Redelivery, Uploads, UploadsQueue};
use table::Tables;

use crate::handler::Handler;
use crate::tally::Tally;

/// The function: everything between its environment and its handler.
pub struct Intake<C, U> {
    tables: Tables,
    changes: C,
    uploads: U,
    /// Has failed messages come again early; without it they come when their time is over.
    redelivery: Option<Redelivery>,
    metrics: Metrics,
    clock: Clock,
}

impl Intake<ChangesQueue, UploadsQueue> {
    /// Reads the environment, see the README, and makes the SDK's clients.
    ///
    /// # Errors
    /// Names the variable that is missing.
    // Nothing is waited for; all functions are put together in the same way.
    pub async fn from_env(
        env: &Environment,
        aws: &host::SdkConfig,
        clock: Clock,
    ) -> Result<Self, EnvError> {
        let sqs = aws_sdk_sqs::Client::new(aws);
        let own = env.optional("INTAKE_QUEUE_URL")?;
        Ok(Self {
            tables: Tables::new(
                aws_sdk_dynamodb::Client::new(aws),
                env.optional("TABLE_PREFIX")?.unwrap_or_default(),
            ),
            redelivery: own.map(|url| Redelivery::new(sqs.clone(), url)),
            changes: ChangesQueue::new(sqs.clone(), env.required("CHANGES_QUEUE_URL")?),
            uploads: UploadsQueue::new(sqs, env.required("UPLOADS_QUEUE_URL")?),
            metrics: Metrics::from_env(env, "intake")?,
            clock,
        })
    }
}

impl<C: Changes, U: Uploads> Intake<C, U> {
    /// Puts the function together from its parts.
    pub fn new(tables: Tables, changes: C, uploads: U, clock: Clock) -> Self {
        Self { tables, changes, uploads, redelivery: None, metrics: Metrics::off(), clock }
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
        let mut tally = Tally::default();
        let handler = Handler {
            tables: &self.tables,
            changes: &self.changes,
            uploads: &self.uploads,
            clock: &self.clock,
            deadline,
        };
        // On the heap: the compiler works out nested futures as one, and gives up at some depth.
        let answer = Box::pin(handler.batch(&event, &mut tally)).await;
        self.metrics.report(self.clock.now(), &tally);
        if let (Ok(answer), Some(redelivery)) = (&answer, &self.redelivery) {
            redelivery.after(&batch::again(&event.records, answer)).await;
        }
        answer
    }
}
