//! The work of a schedule, one message for each organisation. The schedule's own invocation only lists them, those that
//! have waited longest first, and goes on by a message of its own if there are more than it has time for. A message that
//! comes twice or late does no harm: whether there is something to do stands in the organisation's rows.

use aws_lambda_events::sqs::SqsEvent;
use host::batch;
use host::telemetry;
use jiff::{SignedDuration, Timestamp};
use payments::sweep::{DailyWork, follows};
use payments::{OrganisationId, Settings};
use queue::{Changes, ScheduleTask, ScheduledWork, SchedulesQueue};
use table::Enabled;

use crate::answer::Answer;
use crate::event::Schedule;
use crate::tally::Tally;
use crate::wanted::{Target, Wanted};
use crate::{HandleError, Sweeper};

/// Rows that are read in one call.
const PAGE: usize = 1_000;
/// Organisations that one invocation puts on the queue: ten in a call, each call some 20 ms.
const LISTED_MAX: usize = 10_000;
/// What of the invocation is left for putting them on the queue.
const SENDING: SignedDuration = SignedDuration::from_secs(120);
/// How often work that failed is tried, as often as Lambda tries a schedule's event. What it has not done is done by
/// the next schedule.
const TRIES_MAX: u32 = 3;

/// Whether a schedule by the clock of this zone is about an organisation.
pub(crate) fn concerns(work: ScheduledWork, settings: &Settings, zone: Option<&str>) -> bool {
    let daily = match work {
        ScheduledWork::Changes | ScheduledWork::Check => return true,
        ScheduledWork::Customers => return settings.upload.is_some(),
        ScheduledWork::Open => DailyWork::FullSweep,
        ScheduledWork::Certificate => DailyWork::Certificate,
        ScheduledWork::Digest => DailyWork::Digest,
    };
    follows(daily, settings, zone)
}

/// A list of organisations that a schedule asks for.
pub(crate) struct List {
    /// Which work.
    pub(crate) work: ScheduledWork,
    /// For when it was scheduled.
    pub(crate) scheduled_at: Timestamp,
    /// After which row it goes on.
    pub(crate) after: Option<String>,
    /// By the clock of which zone the schedule comes.
    pub(crate) zone: Option<String>,
}

/// The target of the sweeps of a work; none of a work that is no sweep.
const fn target(work: ScheduledWork) -> Option<Target> {
    match work {
        ScheduledWork::Changes => Some(Target::Changes),
        ScheduledWork::Open => Some(Target::Open),
        ScheduledWork::Certificate => Some(Target::Certificate),
        ScheduledWork::Customers => Some(Target::Customers),
        ScheduledWork::Check | ScheduledWork::Digest => None,
    }
}

impl<C: Changes> Sweeper<C> {
    /// Does the work of a schedule, or hands it out.
    pub(crate) async fn schedule(
        &self,
        schedule: Schedule,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> Result<Answer, HandleError> {
        let Schedule { work, scheduled_at, organisation, fan_out } = schedule;
        let scheduled_at = scheduled_at.unwrap_or_else(|| self.clock.now());
        let is_by_messages = fan_out.is_some();
        let zone = fan_out.and_then(|fan_out| fan_out.zone);
        if let Some(queue) = self.schedules.as_ref().filter(|_| is_by_messages)
            && organisation.is_none()
        {
            let list = List { work, scheduled_at, after: None, zone };
            return self.list(queue, list, deadline, tally).await;
        }
        let mut all = self.organisations(organisation, tally).await?;
        if organisation.is_none() {
            all.retain(|one| concerns(work, one, zone.as_deref()));
        }
        self.work(&all, work, scheduled_at, deadline, tally).await
    }

    /// Puts one message for each organisation on the queue.
    pub(crate) async fn list(
        &self,
        queue: &SchedulesQueue,
        List { work, scheduled_at, mut after, zone }: List,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> Result<Answer, HandleError> {
        let mut all = Vec::new();
        loop {
            let page = match work {
                ScheduledWork::Check => {
                    self.tables.organisations_to_check_after(after.take(), PAGE).await
                }
                _ => self.tables.organisations_at_work_after(after.take(), PAGE).await,
            };
            let (rows, next) =
                page.map_err(|error| HandleError::Tables(telemetry::chain(&error)))?;
            let rows = rows.into_iter().filter_map(|row| readable(row, tally));
            all.extend(rows.filter(|one| concerns(work, one, zone.as_deref())));
            after = next;
            let is_late = deadline.duration_since(self.clock.now()) < SENDING;
            if after.is_none() || is_late || all.len() >= LISTED_MAX {
                break;
            }
        }
        let mut tasks = Vec::with_capacity(all.len().saturating_add(1));
        if let Some(after) = after {
            // The rest of the list need not wait for this part of it.
            tasks.push(ScheduleTask::List { work, scheduled_at, after, zone });
        }
        for settings in self.oldest_first(&all, work).await {
            let organisation = settings.organisation;
            tasks.push(ScheduleTask::Organisation { work, organisation, scheduled_at });
        }
        queue.send(&tasks).await.map_err(HandleError::NotListed)?;
        if work == ScheduledWork::Changes {
            self.join_digests().await;
        }
        tracing::info!(
            schedule.work = work.code(),
            schedule.organisations = all.len(),
            "a schedule's work is on the queue"
        );
        Ok(Answer { listed: Some(all.len()), ..Answer::of(Vec::new()) })
    }

    async fn oldest_first<'a>(
        &self,
        all: &'a [Settings],
        work: ScheduledWork,
    ) -> Vec<&'a Settings> {
        let Some(target) = target(work) else { return self.longest_unchecked(all).await };
        let all: Vec<&Settings> = all.iter().collect();
        self.longest_waiting(&all, target.sweep()).await
    }

    /// Works on messages of the queue. There is one in a batch, so that one organisation's failure is its own.
    pub(crate) async fn tasks(
        &self,
        event: &SqsEvent,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> Result<Answer, HandleError> {
        let mut answer = Answer::of(Vec::new());
        for record in &event.records {
            let body = record.body.as_deref().unwrap_or_default();
            let task = ScheduleTask::from_json(body)
                .map_err(|error| HandleError::Task(error.to_string()))?;
            match Box::pin(self.task(&task, deadline, tally)).await {
                Ok(of_one) => {
                    answer.sweeps.extend(of_one.sweeps);
                    answer.connections.extend(of_one.connections);
                }
                Err(error) if batch::receives(record) < TRIES_MAX => return Err(error),
                Err(error) => tracing::error!(
                    xero.tenant_id = task.organisation().map(|id| id.to_string()),
                    schedule.work = task.work().code(),
                    error = telemetry::chain(&error),
                    "a schedule's work failed again; the next schedule does it"
                ),
            }
        }
        Ok(Answer { batch_item_failures: Some(Vec::new()), ..answer })
    }

    async fn task(
        &self,
        task: &ScheduleTask,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> Result<Answer, HandleError> {
        let (work, scheduled_at) = (task.work(), task.scheduled_at());
        match task {
            ScheduleTask::Organisation { organisation, .. } => {
                let one = match self.organisations(Some(*organisation), tally).await {
                    Ok(one) => one,
                    // It was switched off since it was listed, or its disconnection is to be confirmed.
                    Err(HandleError::NotMirroring(_)) => {
                        if work == ScheduledWork::Check {
                            self.finish_disconnection(*organisation).await?;
                        }
                        return Ok(Answer::of(Vec::new()));
                    }
                    Err(error) => return Err(error),
                };
                self.work(&one, work, scheduled_at, deadline, tally).await
            }
            ScheduleTask::List { after, zone, .. } => {
                let Some(queue) = &self.schedules else { return Ok(Answer::of(Vec::new())) };
                let (after, zone) = (Some(after.clone()), zone.clone());
                let list = List { work, scheduled_at, after, zone };
                self.list(queue, list, deadline, tally).await
            }
        }
    }

    /// Asks Xero again to end a connection, until it has confirmed that (XC-05).
    async fn finish_disconnection(&self, organisation: OrganisationId) -> Result<(), HandleError> {
        let failed = |error: &dyn std::error::Error| HandleError::Tables(telemetry::chain(error));
        let row = self.tables.organisation(organisation).await.map_err(|error| failed(&error))?;
        if row.and_then(|row| row.ended_in_xero) == Some(false) {
            let now = self.clock.now();
            let ended = self.xero.finish_disconnection(&self.tables, organisation, now).await;
            ended.map_err(|error| failed(&error))?;
        }
        Ok(())
    }

    async fn work(
        &self,
        organisations: &[Settings],
        work: ScheduledWork,
        scheduled_at: Timestamp,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> Result<Answer, HandleError> {
        let connections = match (target(work), work) {
            (Some(target), _) => {
                let wanted = Wanted { target, scheduled_at: Some(scheduled_at), attribution: None };
                return self.scheduled(organisations, &wanted, scheduled_at, deadline, tally).await;
            }
            (None, ScheduledWork::Digest) => {
                self.digests(organisations, scheduled_at, deadline, tally).await?
            }
            (None, _) => self.checks(organisations, deadline, tally).await?,
        };
        Ok(Answer { connections, ..Answer::of(Vec::new()) })
    }
}

/// The settings of an organisation. One whose row cannot be read is named in the log, and keeps none of the others back.
fn readable(row: Enabled, tally: &mut Tally) -> Option<Settings> {
    match row.settings {
        Ok(settings) => Some(settings),
        Err(error) => {
            tally.add_failure();
            unreadable(row.organisation, &error);
            None
        }
    }
}

fn unreadable(organisation: Option<OrganisationId>, error: &table::ReadError) {
    tracing::error!(
        xero.tenant_id = organisation.map(|id| id.to_string()),
        error = telemetry::chain(error),
        "an organisation's settings cannot be read; it is not swept"
    );
}
