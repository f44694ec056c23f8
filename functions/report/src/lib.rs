#![doc = include_str!("../README.md")]

mod count;
mod day;
mod days;
mod document;
mod error;
mod formats;
mod log_reader;
mod recount;
mod reports;
mod tally;
mod verification;

use archive::Archive;
use commands::text::redact;
use host::clock::Clock;
use host::env::{EnvError, Environment};
use host::metrics::Metrics;
use jiff::Timestamp;
use serde::{Deserialize as _, Serialize};
use serde_json::Value;
use table::Tables;

use crate::days::SealWish;
pub use crate::days::SealedAnswer;
pub use crate::error::SealError;
pub use crate::reports::ReportAnswer;
use crate::reports::ReportWish;
use crate::tally::Tally;
pub use crate::verification::verify;

/// The function: everything between its environment and its handler.
pub struct Reporter {
    tables: Tables,
    /// Where reports are kept; without a bucket there are none.
    archive: Option<Archive>,
    metrics: Metrics,
    clock: Clock,
}

/// Why an invocation failed.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// The event asks for nothing that is known. Quotes no values.
    #[error("invalid event: {0}")]
    Event(String),
    /// Which organisations there are cannot be read.
    #[error("the organisations cannot be read")]
    Organisations(#[source] table::ReadError),
}

/// What an invocation answers.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// One for each day that was sealed, or could not be.
    pub seals: Vec<SealedAnswer>,
    /// One for each report that was made or counted again, or could not be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<ReportAnswer>,
}

impl Reporter {
    /// Reads the environment, see the README, and makes the SDK's client.
    ///
    /// # Errors
    /// Names the variable that is missing.
    pub fn from_env(
        env: &Environment,
        aws: &host::SdkConfig,
        clock: Clock,
    ) -> Result<Self, EnvError> {
        let prefix = env.optional("TABLE_PREFIX")?.unwrap_or_default();
        let bucket = env.optional("REPORTS_BUCKET")?;
        Ok(Self {
            archive: bucket.map(|bucket| Archive::new(aws_sdk_s3::Client::new(aws), bucket)),
            tables: Tables::new(aws_sdk_dynamodb::Client::new(aws), prefix),
            metrics: Metrics::from_env(env, "report")?,
            clock,
        })
    }

    /// Puts the function together from its parts.
    pub fn new(tables: Tables, clock: Clock) -> Self {
        Self { tables, archive: None, metrics: Metrics::off(), clock }
    }

    /// The same, with a bucket for reports.
    #[must_use]
    pub fn with_archive(self, archive: Archive) -> Self {
        Self { archive: Some(archive), ..self }
    }

    /// Seals the days that are over (`{"seal": {…}}`), and makes reports (`{"report": {…}}`); what an event asks for both is done
    /// in this order.
    ///
    /// # Errors
    /// [`HandleError`].
    pub async fn handle(&self, event: &Value, deadline: Timestamp) -> Result<Answer, HandleError> {
        let wrong = |error: serde_json::Error| HandleError::Event(redact(&error));
        let seal = event.get("seal").map(SealWish::deserialize).transpose().map_err(wrong)?;
        let report = event.get("report").map(ReportWish::deserialize).transpose().map_err(wrong)?;
        if seal.is_none() && report.is_none() {
            return Err(HandleError::Event("neither `seal` nor `report`".to_owned()));
        }
        let mut tally = Tally::default();
        let done = Box::pin(async {
            let seals = match &seal {
                Some(wish) => self.seals(wish, deadline, &mut tally).await?,
                None => Vec::new(),
            };
            let reports = match &report {
                Some(wish) => self.reports(wish, deadline, &mut tally).await?,
                None => Vec::new(),
            };
            Ok(Answer { seals, reports })
        });
        let done = done.await;
        self.metrics.report(self.clock.now(), &tally);
        done.map_err(HandleError::Organisations)
    }
}
