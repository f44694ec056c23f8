#![doc = include_str!("../README.md")]

mod acceptance;
mod answer;
mod authorisation;
mod certificate;
mod changes;
mod composition;
mod cutover;
mod dead_letters;
mod digest;
mod discrepancy_order;
mod error;
mod event;
mod failures;
mod fan_out;
mod health;
mod open;
mod orders;
mod organisations;
mod refunds;
mod replay;
mod run;
mod sign_up;
mod sign_up_wish;
mod tally;
mod unreadable;
mod wanted;
mod wishes;

use access::Xero;
use host::clock::Clock;
use host::grants::GrantSecrets;
use host::metrics::Metrics;
use host::telemetry;
use host::webhook_secret::WebhookSecret;
use jiff::{SignedDuration, Timestamp};
use payments::budget::Purpose;
use payments::sweep::DailySchedules;
use payments::{OrganisationId, Settings};
use queue::{Changes, DeadLetters, Letters, SchedulesQueue};
use table::Tables;
use url::Url;
use xero::Client;

pub use crate::answer::{
    Answer, AuthoriseAnswer, ConnectAnswer, ConnectionAnswer, DiscardAnswer, RedriveAnswer,
    ReplayAnswer, SweepAnswer,
};
use crate::event::Asked;
pub use crate::event::EventError;
pub use crate::failures::HandleError;
use crate::fan_out::{List, Wish};
use crate::run::{Outcome, Run};
use crate::tally::Tally;
use crate::wanted::{Target, Wanted};
pub use access::StartError;

/// How far a schedule's clock may be ahead of ours.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// What a message takes that is sent again, with all its retries; and the answer after the last of them.
const CLOSING_TIME: SignedDuration = SignedDuration::from_secs(40);

/// The function: everything between its environment and its handler.
pub struct Sweeper<C, Q> {
    xero: Xero,
    tables: Tables,
    changes: C,
    /// All queues with their dead letters, for what a person orders.
    letters: Q,
    /// Where the work of a schedule goes, one message for each organisation; without it all of it is done at once.
    schedules: Option<SchedulesQueue>,
    /// Where the keys are that Xero signs webhooks with, if they are in a secret.
    webhook_secret: Option<WebhookSecret>,
    /// Where users log in at Xero who let us in, if they do.
    login: Option<Url>,
    /// When the stack's daily schedules come: an organisation with another clock has its day by its own (CC-22).
    daily: Option<DailySchedules>,
    metrics: Metrics,
    clock: Clock,
}

impl<C, Q> Sweeper<C, Q> {
    /// Puts the function together from its parts, for a custom connection.
    pub fn new(xero: Client, tables: Tables, changes: C, letters: Q, clock: Clock) -> Self {
        Self {
            xero: Xero::with(xero, &tables, Purpose::Sweep),
            tables,
            changes,
            letters,
            schedules: None,
            webhook_secret: None,
            login: None,
            daily: None,
            metrics: Metrics::off(),
            clock,
        }
    }

    /// The same, let in by what users grant: with the tokens in this store, and users who log in at this
    /// address.
    #[must_use]
    pub fn with_grants(self, secrets: GrantSecrets, login: Url) -> Self {
        let xero = self.xero.with_grants(secrets, &self.tables);
        Self { xero, login: Some(login), ..self }
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

    /// The same, with webhooks whose keys are in this secret.
    #[must_use]
    pub fn with_webhook_secret(self, secret: WebhookSecret) -> Self {
        Self { webhook_secret: Some(secret), ..self }
    }
}

impl<C: Changes, Q: Letters + DeadLetters> Sweeper<C, Q> {
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
        let answer = Box::pin(self.asked(event, deadline, &mut tally)).await;
        self.metrics.report(self.clock.now(), &tally);
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
        if let Some(event) = fan_out::messages(event)? {
            return Box::pin(self.tasks(&event, deadline, tally)).await;
        }
        let (wish, event) = Wish::of(event);
        let asked = Asked::read(&event)?;
        let for_all = fan_out::for_all(&asked, self.clock.now());
        if let Some(queue) = self.schedules.as_ref().filter(|_| wish.by_messages)
            && let Some((work, scheduled_at)) = for_all
        {
            let list = List { work, scheduled_at, after: None, zone: wish.zone };
            return self.list(queue, list, deadline, tally).await;
        }
        let concerned = |mut all: Vec<Settings>| {
            if let Some((work, _)) = for_all {
                all.retain(|one| fan_out::concerns(work, one, wish.zone.as_deref()));
            }
            all
        };
        match asked {
            Asked::Scheduled { scheduled_at, organisation, target } => {
                let wanted = Wanted { target, scheduled_at: Some(scheduled_at), said: None };
                let all = concerned(self.organisations(organisation, tally).await?);
                self.scheduled(&all, &wanted, scheduled_at, deadline, tally).await
            }
            Asked::Check { organisation } => {
                let all = self.organisations(organisation, tally).await?;
                let connections = self.checks(&all, deadline, tally).await?;
                Ok(Answer { connections, ..Answer::of(Vec::new()) })
            }
            Asked::Digest { scheduled_at, organisation } => {
                let all = concerned(self.organisations(organisation, tally).await?);
                let connections = self.digests(&all, scheduled_at, deadline, tally).await?;
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
                let replay = self.replay(organisation, &which, preview, &said, deadline).await?;
                Ok(Answer { replay: Some(replay), ..Answer::of(Vec::new()) })
            }
            Asked::Redrive { queue, preview, said } => {
                let redrive = if preview {
                    self.look_at(queue, deadline).await?
                } else {
                    self.redrive(queue, &said, deadline).await?
                };
                Ok(Answer { redrive: Some(redrive), ..Answer::of(Vec::new()) })
            }
            Asked::Discard { queue, message, said } => {
                let discard = self.discard(queue, &message, &said, deadline).await?;
                Ok(Answer { discard: Some(discard), ..Answer::of(Vec::new()) })
            }
            Asked::Authorise { redirect, grant, read_only, said } => {
                let authorise = self.authorise(&redirect, grant, read_only, &said).await?;
                Ok(Answer { authorise: Some(authorise), ..Answer::of(Vec::new()) })
            }
            Asked::Connect { code, state, said } => {
                let connect = self.connect(&code, &state, &said).await?;
                Ok(Answer { connect: Some(connect), ..Answer::of(Vec::new()) })
            }
            Asked::Restore { organisation, invoice, payment, said } => {
                self.restore(organisation, &invoice, &payment, &said).await?;
                Ok(Answer { restored: Some(payment.to_string()), ..Answer::of(Vec::new()) })
            }
            Asked::Work { order, said } => {
                let work = self.work_on_discrepancies(&order, &said).await?;
                Ok(Answer { work: Some(work), ..Answer::of(Vec::new()) })
            }
            Asked::Accept { organisation, accept, said } => {
                self.accept(organisation, &accept, &said).await?;
                Ok(Answer { accepted: Some(accept.key.to_string()), ..Answer::of(Vec::new()) })
            }
            Asked::SyncNow { organisation, target, said } => {
                let mut sweeps = Vec::new();
                // A person reads the answer, also about what failed.
                for settings in self.organisations(Some(organisation), tally).await? {
                    let target = target_of(&target, &settings)
                        .ok_or(HandleError::NotMirroring(organisation))?;
                    let wanted = Wanted { target, scheduled_at: None, said: Some(said.clone()) };
                    sweeps.push(self.sweep(&settings, &wanted, deadline, tally).await);
                }
                Ok(Answer::of(sweeps))
            }
        }
    }
}

impl<C: Changes, Q> Sweeper<C, Q> {
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
            let not_now = |of: &Settings| SweepAnswer::not_now(of.organisation, why.to_owned());
            return Ok(Answer::of(early.map(not_now).collect()));
        }
        let (mirroring, uploading): (Vec<_>, Vec<_>) =
            organisations.iter().partition(|settings| settings.mirror_enabled);
        let mut digests = Ok(());
        let mut sweeps = self.sweeps(&mirroring, wanted, deadline, tally).await;
        if wanted.target == Target::Certificate {
            sweeps.extend(self.sweeps(&uploading, wanted, deadline, tally).await);
        }
        if wanted.target == Target::Changes {
            for (target, among) in [
                (Target::Open, mirroring.clone()),
                (Target::Certificate, [mirroring, uploading].concat()),
            ] {
                let due = self.due(&among, target.sweep()).await;
                let made_up = Wanted { target, scheduled_at: None, said: None };
                sweeps.extend(self.sweeps(&due, &made_up, deadline, tally).await);
            }
            digests = self.own_digests(organisations, deadline, tally).await;
        }
        let failures: Vec<&str> = sweeps.iter().filter_map(SweepAnswer::failure).collect();
        if let Some(first) = failures.first() {
            let (failed, all) = (failures.len(), sweeps.len());
            return Err(HandleError::Sweeps { failed, all, first: (*first).to_owned() });
        }
        digests.map(|()| Answer::of(sweeps))
    }

    async fn sweep(
        &self,
        settings: &Settings,
        wanted: &Wanted,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> SweepAnswer {
        if self.is_short_of_time(deadline) {
            // Its row stays as it is, so that it is among the first of the next invocation.
            return SweepAnswer::not_reached(settings.organisation);
        }
        let run = Run {
            xero: &self.xero,
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

    /// Whether there is no time left for another message.
    pub(crate) fn is_short_of_time(&self, deadline: Timestamp) -> bool {
        self.clock.now().saturating_add(CLOSING_TIME).is_ok_and(|end| end > deadline)
    }
}

/// The target of a run for one organisation. One that only uploads has nothing to mirror: its payments in Xero are
/// certified instead (AMB-37).
fn target_of(target: &Target, settings: &Settings) -> Option<Target> {
    match target {
        _ if settings.mirror_enabled => Some(target.clone()),
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
