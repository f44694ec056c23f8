#![doc = include_str!("../README.md")]

mod alerts;
mod answer;
mod bisection;
mod bundle;
mod catch_up;
mod confirmation;
mod contacts;
mod credits;
mod deleted_counterparts;
mod duplicates;
mod error;
mod evaluation;
mod evaluation_context;
mod event;
mod fan_out;
mod immediate;
mod known_money;
mod night;
mod organisations;
mod outgoing_rows;
mod pairs;
mod prepayments;
mod preview;
mod reservation;
mod resumption;
mod run;
mod run_log;
mod shadow;
mod solved_actions;
mod start_date;
mod submission;
mod tally;
mod tasks;
mod unknown_outcomes;
mod unsendable;

use std::cell::{Cell, RefCell};
use std::time::Duration;

pub use access::StartError;
use access::Xero;
use commands::reply::NightPlan;
use commands::{PreviewPlan, earlier};
use host::clock::Clock;
use host::env::Environment;
use host::metrics::Metrics;
use host::telemetry;
use invoker::{InvokeError, Invoker};
use jiff::Timestamp;
use payments::budget::Purpose;
use payments::sweep::{SyncKind, Trigger};
use payments::upload::{NextUpload, Night, NightState, UploadSettings};
use payments::{OrganisationId, Settings};
use queue::{Changes, ChangesQueue, Redelivery, Uploads, UploadsQueue};
use serde_json::Value;
use table::Tables;
use xero::{Client, Config};

pub use crate::answer::{Answer, NightAnswer};
pub use crate::event::EventError;
use crate::event::{Event, Schedule};
use crate::night::Outcome;
use crate::run::Run;
use crate::tally::Tally;

/// How long after a call without any answer the same bytes are sent again with the same key.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// The function: everything between its environment and its handler.
pub struct Uploader<Q, C = ChangesQueue> {
    xero: Xero,
    tables: Tables,
    uploads: Q,
    /// Has failed tasks come again early; without it they come when their time is over.
    redelivery: Option<Redelivery>,
    /// Where invoices are sent that are to be looked at again because an action is solved.
    changes: Option<C>,
    metrics: Metrics,
    clock: Clock,
    pauses: Vec<Duration>,
}

/// A night that failed.
struct Failed {
    /// Why, in words.
    why: String,
    /// Whether it goes on by itself when Xero can be reached again: a task is left, and the hourly look comes.
    goes_on: bool,
}

/// Why an invocation failed. Lambda tries a schedule's again; what was done is not done twice.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// The event asks for nothing we know.
    #[error(transparent)]
    Event(#[from] EventError),
    /// An organisation is not set up for uploading.
    #[error("organisation {0} is not set up here, or uploading is not switched on for it")]
    NotUploading(OrganisationId),
    /// A catch-up or a plan could not be made, or invoices could not be asked for.
    #[error("{0}")]
    Run(String),
    /// `operations` has not executed a command: its own words, or why it could not be called.
    #[error(transparent)]
    Operations(#[from] InvokeError),
    /// The answer is no JSON.
    #[error("the answer cannot be written")]
    Answer(#[from] serde_json::Error),
    /// The organisations could not be read.
    #[error("{0}")]
    Tables(String),
    /// Nights that failed; the others were run.
    #[error("{failed} of {all} nights failed: {first}")]
    Nights {
        /// How many.
        failed: usize,
        /// Of how many.
        all: usize,
        /// Why the first of them did.
        first: String,
    },
    /// A batch that cannot be answered.
    #[error(transparent)]
    Batch(#[from] host::batch::BlankId),
}

impl Uploader<UploadsQueue> {
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
            Xero::from_env(env, aws, &tables, &clock, Config::uploading(), Purpose::Upload).await?;
        let url = env.required("UPLOADS_QUEUE_URL")?;
        Ok(Self {
            xero,
            tables,
            uploads: UploadsQueue::new(sqs.clone(), url.clone()),
            redelivery: Some(Redelivery::new(sqs.clone(), url)),
            changes: Some(ChangesQueue::new(sqs, env.required("CHANGES_QUEUE_URL")?)),
            metrics: Metrics::from_env(env, "upload")?,
            clock,
            pauses: PAUSES.to_vec(),
        })
    }
}

impl<Q: Uploads, C: Changes> Uploader<Q, C> {
    /// Puts the function together from its parts.
    pub fn new(xero: Client, tables: Tables, uploads: Q, clock: Clock) -> Self {
        Self {
            xero: Xero::with(xero, &tables, Purpose::Upload),
            tables,
            uploads,
            redelivery: None,
            changes: None,
            metrics: Metrics::off(),
            clock,
            pauses: PAUSES.to_vec(),
        }
    }

    /// Has invoices looked at again through this queue once an action is solved.
    #[must_use]
    pub fn with_changes(self, changes: C) -> Self {
        Self { changes: Some(changes), ..self }
    }

    /// Waits as long as this, each time, before the same bytes are sent again.
    #[must_use]
    pub fn with_pauses(self, pauses: Vec<Duration>) -> Self {
        Self { pauses, ..self }
    }

    /// Answers an event: a schedule's or a message of the queue by [`Self::handle`], a command in the form of the version
    /// before by `operations`.
    ///
    /// # Errors
    /// [`HandleError`].
    pub async fn answer(
        &self,
        event: &Value,
        deadline: Timestamp,
        operations: &impl Invoker,
    ) -> Result<Value, HandleError> {
        if earlier::is_command(event) {
            return Ok(operations.invoke(event).await?);
        }
        Ok(serde_json::to_value(self.handle(event, deadline).await?)?)
    }

    /// Does what a schedule or a message asks for, which has to be over at the deadline.
    ///
    /// # Errors
    /// [`HandleError`].
    pub async fn handle(&self, event: &Value, deadline: Timestamp) -> Result<Answer, HandleError> {
        // The steps of a night are boxed where they nest: unoptimised, their futures are too large for the stack
        // of a thread.
        self.counted(async |tally| Box::pin(self.asked(event, deadline, tally)).await).await
    }

    /// Does some work, and reports its numbers.
    async fn counted<T>(
        &self,
        work: impl AsyncFnOnce(&mut Tally) -> Result<T, HandleError>,
    ) -> Result<T, HandleError> {
        self.xero.counted(&self.metrics, &self.clock, work).await
    }

    async fn asked(
        &self,
        event: &Value,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> Result<Answer, HandleError> {
        match Event::read(event)? {
            Event::Schedule(Schedule::Night {
                scheduled_at,
                organisation: None,
                fan_out: Some(fan_out),
            }) => {
                let mut all = self.organisations(None).await?;
                all.retain(|one| fan_out.begins(one, scheduled_at));
                self.hand_out(all.into_iter().map(|one| (one, scheduled_at)).collect()).await
            }
            Event::Schedule(Schedule::Night { scheduled_at, organisation, .. }) => {
                let settings = self.organisations(organisation).await?;
                let due = settings.into_iter().map(|settings| (settings, scheduled_at));
                Box::pin(self.nights(due.collect(), deadline, tally)).await
            }
            Event::Schedule(Schedule::CatchUp { by_tasks }) => {
                Box::pin(self.catch_up(by_tasks, deadline, tally)).await
            }
            Event::Tasks(event) => {
                Ok(Answer::Batch(Box::pin(self.tasks(*event, deadline, tally)).await?))
            }
        }
    }

    async fn nights(
        &self,
        due: Vec<(Settings, Timestamp)>,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> Result<Answer, HandleError> {
        let mut nights = Vec::new();
        let mut first = None;
        let mut lost = 0;
        for (settings, scheduled_at) in &due {
            let night = Night::of(*scheduled_at, &settings.zone).to_string();
            let organisation = settings.organisation;
            let answer = match self
                .night(settings, (*scheduled_at, Trigger::Schedule), deadline, tally)
                .await
            {
                Ok(outcome) => NightAnswer::new(organisation, night, outcome),
                Err(Failed { why, goes_on }) => {
                    if !goes_on {
                        lost += 1;
                        first.get_or_insert_with(|| why.clone());
                    }
                    NightAnswer::failed(organisation, night, why)
                }
            };
            nights.push(answer);
        }
        match first {
            None => Ok(Answer::Nights { nights }),
            Some(first) => Err(HandleError::Nights { failed: lost, all: nights.len(), first }),
        }
    }

    /// Runs one night. The error is a text: its causes are in the log already.
    async fn night(
        &self,
        settings: &Settings,
        (scheduled_at, trigger): (Timestamp, Trigger),
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> Result<Outcome, Failed> {
        if settings.shadow.is_some() {
            return Box::pin(self.shadow_night(settings, scheduled_at, deadline)).await;
        }
        let Some(uploading) = uploading(settings) else {
            return Ok(Outcome::NotNow("uploading is not switched on"));
        };
        let night = Night::of(scheduled_at, &settings.zone);
        let run = self.run(settings, uploading, night, deadline);
        let mut of_run = run.begun(SyncKind::Night, trigger);
        of_run.scheduled_at = Some(scheduled_at);
        of_run.subject = Some(night.to_string());
        let outcome = Box::pin(run.night(scheduled_at)).await;
        self.look_again_for(&run).await;
        tally.add(&run, outcome.is_err());
        tally.add_due(scheduled_at, outcome.as_ref(), self.clock.now());
        match &outcome {
            Ok(Outcome::Ran(report)) => run.record(of_run, Ok(report.stopped.clone())).await,
            Ok(
                Outcome::AlreadyRun(_) | Outcome::Running | Outcome::InShadow | Outcome::NotNow(_),
            ) => {}
            Err(error) => run.record(of_run, Err(error)).await,
        }
        if let Ok(outcome) = &outcome {
            tally.add_night(outcome);
        }
        outcome.map_err(|error| {
            let chain = telemetry::chain(&error);
            tracing::error!(
                xero.tenant_id = %settings.organisation,
                night = %night,
                error = chain,
                "the night's run failed; what it has not done is done by the next one"
            );
            Failed { why: chain, goes_on: error.is_xeros() }
        })
    }

    fn run<'a>(
        &'a self,
        settings: &'a Settings,
        uploading: &'a UploadSettings,
        night: Night,
        deadline: Timestamp,
    ) -> Run<'a, Q> {
        Run {
            xero: &self.xero,
            tables: &self.tables,
            uploads: &self.uploads,
            clock: &self.clock,
            pauses: &self.pauses,
            settings,
            uploading,
            chart: std::cell::OnceCell::new(),
            night,
            direct_only: false,
            deadline,
            spent: Cell::default(),
            became: RefCell::default(),
            refused: Cell::new(false),
            known_money: RefCell::default(),
            solved: RefCell::default(),
        }
    }

    /// The plans of the night of a moment, of one organisation or of all that upload. If no moment is said, of the
    /// upload that comes next, at its hour.
    ///
    /// # Errors
    /// A plan could not be made.
    pub async fn preview(
        &self,
        command: &PreviewPlan,
        deadline: Timestamp,
    ) -> Result<Vec<NightPlan>, HandleError> {
        self.counted(async |_| {
            let mut previews = Vec::new();
            for settings in self.organisations(command.organisation).await? {
                let settings = settings.deciding();
                let Some(uploading) = uploading(&settings) else { continue };
                let now = self.clock.now();
                let next = match command.at {
                    Some(at) => {
                        let at = at.max(now);
                        NextUpload { night: Night::of(at, &settings.zone), at }
                    }
                    None => self.next_upload(&settings, uploading, now).await?,
                };
                let run = self.run(&settings, uploading, next.night, deadline);
                let preview = Box::pin(run.preview(next.at, preview::LISTED_MAX)).await;
                let preview =
                    preview.map_err(|error| HandleError::Run(telemetry::chain(&error)))?;
                previews.push(preview);
            }
            Ok(previews)
        })
        .await
    }

    async fn next_upload(
        &self,
        settings: &Settings,
        uploading: &UploadSettings,
        now: Timestamp,
    ) -> Result<NextUpload, HandleError> {
        let tonight = Night::of(now, &settings.zone);
        let report = self.tables.night(settings.organisation, tonight).await;
        let report = report.map_err(|error| HandleError::Run(telemetry::chain(&error)))?;
        let is_over = report.is_some_and(|report| report.state == NightState::Finished);
        Ok(NextUpload::of(uploading, &settings.zone, is_over, now))
    }
}

fn uploading(settings: &Settings) -> Option<&UploadSettings> {
    settings.upload.as_ref().filter(|uploading| uploading.enabled)
}
