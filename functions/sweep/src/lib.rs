#![doc = include_str!("../README.md")]

mod answer;
mod certifying;
mod changes;
mod checking;
mod error;
mod event;
mod open;
mod orders;
mod replaying;
mod run;
mod signing_up;
mod tally;
mod wanted;

pub use access::StartError;
use access::Xero;
use host::clock::Clock;
use host::env::Environment;
use host::metrics::Metrics;
use host::telemetry;
use jiff::{SignedDuration, Timestamp};
use payments::budget::Purpose;
use payments::sweep::SweepKind;
use payments::{InvoiceNumber, OrganisationId, PaymentId, RestoreError, Settings};
use queue::{Changes, ChangesQueue, SendError};
use table::Tables;
use xero::{Client, Config};

pub use crate::answer::{Answer, ConnectionAnswer, ReplayAnswer, SweepAnswer};
use crate::event::Asked;
pub use crate::event::EventError;
use crate::run::{Outcome, Run};
use crate::tally::Tally;
use crate::wanted::{Target, Wanted};

/// How far a schedule's clock may be ahead of ours.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The function: everything between its environment and its handler.
pub struct Sweeper<C> {
    xero: Xero,
    tables: Tables,
    changes: C,
    metrics: Metrics,
    clock: Clock,
}

/// Why an invocation failed. Lambda tries a schedule's again; what was done is not done twice.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// The event asks for nothing we know.
    #[error(transparent)]
    Event(#[from] EventError),
    /// An organisation is not set up here, or its mirror is off.
    #[error("organisation {0} is not set up here, or the mirror is not switched on for it")]
    NotMirroring(OrganisationId),
    /// The organisations could not be read.
    #[error("{0}")]
    Tables(String),
    /// There is nothing from which the payment could be brought back.
    #[error("payment {payment} was never deleted from invoice {invoice}")]
    NoTombstone {
        /// Which payment.
        payment: PaymentId,
        /// From which invoice.
        invoice: InvoiceNumber,
    },
    /// An organisation that is set up already is changed in its row of the table, not by signing up.
    #[error("organisation {0} is set up already: change its row of the table `organisations`")]
    SetUpAlready(OrganisationId),
    /// Xero does not show the organisation, so that nothing is switched on (CM-02).
    #[error("nothing is switched on: Xero does not show organisation {organisation}: {problem}")]
    NotReady {
        /// Which organisation.
        organisation: OrganisationId,
        /// What Xero said.
        problem: String,
    },
    /// The payment cannot be brought back.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// What was approved could not be put on the queue. It comes back by itself within the hour.
    #[error("approved, but not on the queue yet: {0}")]
    Queue(#[from] SendError),
    /// Sweeps that failed; the others were made.
    #[error("{failed} of {all} sweeps failed: {first}")]
    Sweeps {
        /// How many.
        failed: usize,
        /// Of how many.
        all: usize,
        /// Why the first of them did.
        first: String,
    },
}

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
        Ok(Self {
            xero,
            tables,
            changes: ChangesQueue::new(sqs, env.required("CHANGES_QUEUE_URL")?),
            metrics: Metrics::from_env(env, "sweep")?,
            clock,
        })
    }
}

impl<C: Changes> Sweeper<C> {
    /// Puts the function together from its parts.
    pub fn new(xero: Client, tables: Tables, changes: C, clock: Clock) -> Self {
        let xero = Xero::with(xero, &tables, Purpose::Sweep);
        Self { xero, tables, changes, metrics: Metrics::off(), clock }
    }

    /// Does what is asked, which has to be over at the deadline.
    ///
    /// # Errors
    /// [`HandleError`].
    pub async fn handle(
        &self,
        event: &serde_json::Value,
        deadline: Timestamp,
    ) -> Result<Answer, HandleError> {
        let mut tally = Tally::default();
        let answer = self.asked(event, deadline, &mut tally).await;
        tally.log();
        self.metrics.emit(self.clock.now(), &tally.metrics());
        if tally.refused {
            self.xero.renew_credentials(self.clock.now()).await;
        }
        answer
    }

    async fn asked(
        &self,
        event: &serde_json::Value,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> Result<Answer, HandleError> {
        match Asked::read(event)? {
            Asked::Scheduled { scheduled_at, organisation, target } => {
                let wanted = Wanted { target, scheduled_at: Some(scheduled_at), said: None };
                let all = self.organisations(organisation, tally).await?;
                self.scheduled(&all, &wanted, scheduled_at, deadline, tally).await
            }
            Asked::Check { organisation } => {
                let mut connections = Vec::new();
                for settings in self.organisations(organisation, tally).await? {
                    connections.push(self.check(&settings, tally).await?);
                }
                tally.check_is_complete();
                Ok(Answer { connections, ..Answer::of(Vec::new()) })
            }
            Asked::ApproveMassChange { organisation, said } => {
                let approved = self.approve(organisation, &said).await?;
                Ok(Answer { approved: Some(approved), ..Answer::of(Vec::new()) })
            }
            Asked::SignUp { settings, said } => {
                self.sign_up(*settings, said, deadline, tally).await
            }
            Asked::Replay { organisation, which, preview, said } => {
                let replay = self.replay(organisation, &which, preview, &said).await?;
                Ok(Answer { replay: Some(replay), ..Answer::of(Vec::new()) })
            }
            Asked::Restore { organisation, invoice, payment, said } => {
                self.restore(organisation, &invoice, &payment, &said).await?;
                Ok(Answer { restored: Some(payment.to_string()), ..Answer::of(Vec::new()) })
            }
            Asked::SyncNow { organisation, target, said } => {
                let wanted = Wanted { target, scheduled_at: None, said: Some(said) };
                let mut sweeps = Vec::new();
                // A person reads the answer, also about what failed.
                for settings in self.organisations(Some(organisation), tally).await? {
                    sweeps.push(self.sweep(&settings, &wanted, deadline, tally).await);
                }
                Ok(Answer::of(sweeps))
            }
        }
    }

    async fn scheduled(
        &self,
        organisations: &[Settings],
        wanted: &Wanted,
        scheduled_at: Timestamp,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> Result<Answer, HandleError> {
        let early = scheduled_at.duration_since(self.clock.now()) > SKEW;
        let mut sweeps = Vec::new();
        for settings in organisations {
            if early {
                let why = "its scheduled_time lies in the future".to_owned();
                sweeps.push(SweepAnswer::not_now(settings.organisation, why));
                continue;
            }
            sweeps.push(self.sweep(settings, wanted, deadline, tally).await);
            if wanted.target == Target::Changes && self.is_night_unfinished(settings).await {
                let open = Wanted { target: Target::Open, scheduled_at: None, said: None };
                sweeps.push(self.sweep(settings, &open, deadline, tally).await);
            }
        }
        let failures: Vec<&str> = sweeps.iter().filter_map(SweepAnswer::failure).collect();
        match failures.first() {
            None => Ok(Answer::of(sweeps)),
            Some(first) => Err(HandleError::Sweeps {
                failed: failures.len(),
                all: sweeps.len(),
                first: (*first).to_owned(),
            }),
        }
    }

    /// Whether the full sweep of the night was not through.
    async fn is_night_unfinished(&self, settings: &Settings) -> bool {
        match self.tables.sweep(settings.organisation, SweepKind::Open).await {
            Ok(state) => state.is_to_be_made_up_for(self.clock.now()),
            Err(error) => {
                tracing::warn!(
                    xero.tenant_id = %settings.organisation,
                    error = telemetry::chain(&error),
                    "whether the night's full sweep was finished is not known"
                );
                false
            }
        }
    }

    async fn sweep(
        &self,
        settings: &Settings,
        wanted: &Wanted,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> SweepAnswer {
        let run = Run {
            xero: &self.xero,
            tables: &self.tables,
            changes: &self.changes,
            clock: &self.clock,
            settings,
            deadline,
        };
        match run.run(wanted).await {
            Ok(outcome) => {
                tally.add(&outcome, self.clock.now());
                log(settings.organisation, &outcome);
                SweepAnswer::new(settings.organisation, &outcome)
            }
            Err(error) => {
                tally.add_failure();
                let why = telemetry::chain(&error);
                tracing::error!(
                    xero.tenant_id = %settings.organisation,
                    error = why,
                    "a sweep failed; the next one goes on where its row says"
                );
                SweepAnswer::failed(settings.organisation, why)
            }
        }
    }

    /// The organisations that mirror, or the one that is asked for.
    async fn organisations(
        &self,
        only: Option<OrganisationId>,
        tally: &mut Tally,
    ) -> Result<Vec<Settings>, HandleError> {
        let tables = |error: table::ReadError| HandleError::Tables(telemetry::chain(&error));
        if let Some(organisation) = only {
            let settings = self.tables.settings(organisation).await.map_err(tables)?;
            let mirrors = settings.filter(|settings| settings.mirror_enabled);
            return mirrors
                .map(|settings| vec![settings])
                .ok_or(HandleError::NotMirroring(organisation));
        }
        let mut all = Vec::new();
        for enabled in self.tables.mirroring_organisations().await.map_err(tables)? {
            match enabled.settings {
                Ok(settings) => all.push(settings),
                // The others must not wait for a person to mend it.
                Err(error) => {
                    tally.add_failure();
                    tracing::error!(
                        xero.tenant_id = enabled.organisation.map(|id| id.to_string()),
                        error = telemetry::chain(&error),
                        "an organisation's settings cannot be read; it is not swept"
                    );
                }
            }
        }
        Ok(all)
    }
}

fn log(organisation: OrganisationId, outcome: &Outcome) {
    if let Outcome::Ran(run, cursor) = outcome {
        tracing::info!(
            xero.tenant_id = %organisation,
            run.id = %run.id,
            run.state = run.state.code(),
            run.counts = ?run.counts,
            run.errors = ?run.errors,
            problem = run.problem,
            xero.calls = run.calls,
            xero.bytes = run.bytes,
            cursor = cursor.map(|cursor| cursor.to_string()),
            "organisation swept"
        );
    }
}
