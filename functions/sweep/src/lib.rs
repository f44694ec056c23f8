#![doc = include_str!("../README.md")]

mod answer;
mod certificate;
mod changes;
mod closes;
mod composition;
mod contact_credits;
mod customers;
mod cutover;
mod digest;
mod error;
mod event;
mod failures;
mod fan_out;
mod feeds;
mod health;
mod joint_digest;
mod on_demand;
mod open;
mod organisations;
mod refunds;
mod rotation;
mod run;
mod tally;
mod unreadable;
mod wanted;

use access::{TokenVault, Xero};
use commands::earlier;
use commands::reply::{OrganisationSweep, SweepOutcome};
use host::clock::Clock;
use host::metrics::Metrics;
use host::telemetry;
use invoker::Invoker;
use jiff::{SignedDuration, Timestamp};
use payments::budget::Purpose;
use payments::sweep::DailySchedules;
use payments::{OrganisationId, Settings};
use queue::{Changes, SchedulesQueue};
use serde_json::Value;
use table::Tables;
use xero::Client;

pub use crate::answer::Answer;
use crate::answer::{failed, failure, not_reached, not_run, swept};
use crate::event::Event;
pub use crate::event::EventError;
pub use crate::failures::HandleError;
use crate::run::{Outcome, Run};
use crate::tally::Tally;
use crate::wanted::{Target, Wanted};
pub use access::StartError;

/// How far a schedule's clock may be ahead of ours.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// What a message takes that is sent again, with all its retries; and the answer after the last of them.
const CLOSING_TIME: SignedDuration = SignedDuration::from_secs(40);

/// The function: everything between its environment and its handler.
pub struct Sweeper<C> {
    xero: Xero,
    /// Reads contacts, with a permission of its own, and as the other one where there is none.
    contacts: Option<Xero>,
    tables: Tables,
    changes: C,
    /// Where the work of a schedule goes, one message for each organisation; without it all of it is done at once.
    schedules: Option<SchedulesQueue>,
    /// When the stack's daily schedules come: an organisation with another clock has its day by its own (CC-22).
    daily: Option<DailySchedules>,
    metrics: Metrics,
    clock: Clock,
}

impl<C> Sweeper<C> {
    /// Puts the function together from its parts, for a custom connection.
    pub fn new(xero: Client, tables: Tables, changes: C, clock: Clock) -> Self {
        Self {
            xero: Xero::with(xero, &tables, Purpose::Sweep),
            contacts: None,
            tables,
            changes,
            schedules: None,
            daily: None,
            metrics: Metrics::off(),
            clock,
        }
    }

    /// The same, let in by what users grant, with the tokens in this store.
    #[must_use]
    pub fn with_grants(self, vault: impl Into<TokenVault>) -> Self {
        Self { xero: self.xero.with_grants(vault, &self.tables), ..self }
    }

    /// The same, with schedules that put one message for each organisation on this queue.
    #[must_use]
    pub fn with_schedules(self, schedules: SchedulesQueue) -> Self {
        Self { schedules: Some(schedules), ..self }
    }

    /// The same, in a stack whose daily schedules come at these times.
    #[must_use]
    pub fn with_daily_schedules(self, daily: DailySchedules) -> Self {
        Self { daily: Some(daily), ..self }
    }

    /// The same, with a client that may read contacts.
    #[must_use]
    pub fn with_contacts(self, xero: Client) -> Self {
        let contacts = Some(Xero::with(xero, &self.tables, Purpose::Sweep));
        Self { contacts, ..self }
    }

    /// How it calls Xero.
    pub fn xero(&self) -> &Xero {
        &self.xero
    }
}

impl<C: Changes> Sweeper<C> {
    /// Answers an event: a schedule's or a message of its queue by [`Self::handle`], a command in the form of the version
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

    /// Does what a schedule asks for, which has to be over at the deadline.
    ///
    /// # Errors
    /// [`HandleError`].
    pub async fn handle(&self, event: &Value, deadline: Timestamp) -> Result<Answer, HandleError> {
        self.counted(async |tally| Box::pin(self.asked(event, deadline, tally)).await).await
    }

    /// Does some work, and reports its numbers.
    async fn counted<T>(
        &self,
        work: impl AsyncFnOnce(&mut Tally) -> Result<T, HandleError>,
    ) -> Result<T, HandleError> {
        let counted = async |tally: &mut Tally| {
            let done = work(tally).await;
            if let Some(contacts) = self.contacts.as_ref().filter(|_| tally.refused) {
                contacts.renew_credentials(self.clock.now()).await;
            }
            done
        };
        self.xero.counted(&self.metrics, &self.clock, counted).await
    }

    async fn asked(
        &self,
        event: &Value,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> Result<Answer, HandleError> {
        match Event::read(event)? {
            Event::Tasks(event) => Box::pin(self.tasks(&event, deadline, tally)).await,
            Event::Schedule(schedule) => self.schedule(schedule, deadline, tally).await,
        }
    }

    pub(crate) async fn scheduled(
        &self,
        organisations: &[Settings],
        wanted: &Wanted,
        scheduled_at: Timestamp,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> Result<Answer, HandleError> {
        if scheduled_at.duration_since(self.clock.now()) > SKEW {
            let why = "its scheduled_time lies in the future";
            let early = organisations.iter().filter(|of| target_of(&wanted.target, of).is_some());
            let not_now =
                |of: &Settings| not_run(of.organisation, SweepOutcome::NotNow, why.to_owned());
            return Ok(Answer::of(early.map(not_now).collect()));
        }
        if wanted.target == Target::Customers {
            let with_settings =
                organisations.iter().filter(|of| target_of(&wanted.target, of).is_some());
            let sweeps =
                self.sweeps(&with_settings.collect::<Vec<_>>(), wanted, deadline, tally).await;
            return answered(sweeps);
        }
        let (mirroring, uploading): (Vec<_>, Vec<_>) = organisations
            .iter()
            .filter(|of| target_of(&wanted.target, of).is_some())
            .partition(|settings| settings.mirror_enabled);
        // What is not done in shadow is not accounted for (CM-30).
        let mut certified = [mirroring.clone(), uploading.clone()].concat();
        certified.retain(|of| of.shadow.is_none());
        let mut digests = Ok(());
        let mut sweeps = self.sweeps(&mirroring, wanted, deadline, tally).await;
        if wanted.target == Target::Certificate {
            sweeps.extend(self.sweeps(&uploading, wanted, deadline, tally).await);
        }
        if wanted.target == Target::Changes {
            for (target, among) in
                [(Target::Open, mirroring.clone()), (Target::Certificate, certified)]
            {
                let due = self.due(&among, target.sweep()).await;
                let made_up = Wanted { target, scheduled_at: None, attribution: None };
                sweeps.extend(self.sweeps(&due, &made_up, deadline, tally).await);
            }
            digests = self.own_digests(organisations, deadline, tally).await;
        }
        let answer = answered(sweeps)?;
        digests.map(|()| answer)
    }

    async fn sweep(
        &self,
        settings: &Settings,
        wanted: &Wanted,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> OrganisationSweep {
        if self.is_short_of_time(deadline) {
            // Its row stays as it is, so that it is among the first of the next invocation.
            return not_reached(settings.organisation);
        }
        let run = Run {
            xero: match &wanted.target {
                Target::Customers => self.contacts.as_ref().unwrap_or(&self.xero),
                _ => &self.xero,
            },
            credits: &self.xero,
            tables: &self.tables,
            changes: &self.changes,
            clock: &self.clock,
            settings,
            deadline,
        };
        match Box::pin(run.run(wanted)).await {
            Ok(outcome) => {
                tally.add(&outcome, self.clock.now());
                log(settings.organisation, &outcome);
                swept(settings.organisation, &outcome)
            }
            Err(error) => {
                tally.add_failure();
                let why = telemetry::chain(&error);
                tracing::error!(
                    xero.tenant_id = %settings.organisation,
                    error = why,
                    "a sweep failed; the next one goes on where its row says"
                );
                failed(settings.organisation, why)
            }
        }
    }

    /// Whether there is no time left for another message.
    pub(crate) fn is_short_of_time(&self, deadline: Timestamp) -> bool {
        self.clock.now().saturating_add(CLOSING_TIME).is_ok_and(|end| end > deadline)
    }
}

/// The answer about these sweeps, unless any of them failed.
fn answered(sweeps: Vec<OrganisationSweep>) -> Result<Answer, HandleError> {
    let failures: Vec<&str> = sweeps.iter().filter_map(failure).collect();
    match failures.first() {
        None => Ok(Answer::of(sweeps)),
        Some(first) => {
            let (failed, all) = (failures.len(), sweeps.len());
            Err(HandleError::Sweeps { failed, all, first: (*first).to_owned() })
        }
    }
}

/// The target of a run for one organisation. One that only uploads has nothing to mirror: its payments in Xero are
/// certified instead (AMB-37).
fn target_of(target: &Target, settings: &Settings) -> Option<Target> {
    match target {
        // Contacts are what uploading asks for (XC-10): customers are compared once its settings are saved (EX-20).
        Target::Customers => settings.upload.is_some().then_some(Target::Customers),
        Target::Certificate if settings.shadow.is_some() => None,
        _ if settings.mirror_enabled => Some(target.clone()),
        _ if settings.shadow.is_some() => None,
        Target::Changes | Target::Certificate => Some(Target::Certificate),
        Target::Open | Target::Invoice(_) | Target::Window { .. } => None,
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
