//! The work of a schedule, one message for each organisation. The schedule's own invocation only lists them, those that
//! have waited longest first, and goes on by a message of its own if there are more than it has time for. A message that
//! comes twice or late does no harm: whether there is something to do stands in the organisation's rows.

use std::borrow::Cow;

use aws_lambda_events::sqs::SqsEvent;
use commands::text::redact;
use host::batch;
use host::telemetry;
use jiff::{SignedDuration, Timestamp};
use payments::sweep::{DailyWork, follows};
use payments::{OrganisationId, Settings};
use queue::{Changes, ScheduleTask, ScheduledWork, SchedulesQueue};
use serde_json::Value;
use table::Enabled;

use crate::answer::Answer;
use crate::event::{Asked, EventError};
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

/// The messages of the queue, if the event is made of them.
pub(crate) fn messages(event: &Value) -> Result<Option<SqsEvent>, EventError> {
    if event.get("Records").is_none() {
        return Ok(None);
    }
    let read = serde_json::from_str(&event.to_string());
    read.map(Some).map_err(|error| EventError(redact(&error)))
}

/// How a schedule wants its work done.
#[derive(Debug, Default)]
pub(crate) struct Wish {
    /// By messages (`"fan_out": true`). An event without that wish is answered when all of the work is done, as a person
    /// expects who asks for it.
    pub(crate) by_messages: bool,
    /// By the clock of which time zone it comes (`"zone"`): what is done once a day is done for the organisations of that
    /// zone, and for all others by their own clocks (CC-22).
    pub(crate) zone: Option<String>,
}

impl Wish {
    /// The wish of an event, and the rest of the event.
    pub(crate) fn of(event: &Value) -> (Self, Cow<'_, Value>) {
        if event.get("fan_out") != Some(&Value::Bool(true)) {
            return (Self::default(), Cow::Borrowed(event));
        }
        let mut rest = event.clone();
        let mut zone = None;
        if let Some(fields) = rest.as_object_mut() {
            fields.remove("fan_out");
            zone = fields.remove("zone").as_ref().and_then(Value::as_str).map(str::to_owned);
        }
        (Self { by_messages: true, zone }, Cow::Owned(rest))
    }
}

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

/// The work that a schedule asks for in all organisations, and for when.
pub(crate) fn for_all(asked: &Asked, now: Timestamp) -> Option<(ScheduledWork, Timestamp)> {
    match asked {
        Asked::Scheduled { scheduled_at, organisation: None, target } => {
            let work = match target {
                Target::Changes => ScheduledWork::Changes,
                Target::Open => ScheduledWork::Open,
                Target::Certificate => ScheduledWork::Certificate,
                Target::Customers => ScheduledWork::Customers,
                Target::Invoice(_) | Target::Window { .. } => return None,
            };
            Some((work, *scheduled_at))
        }
        Asked::Check { organisation: None } => Some((ScheduledWork::Check, now)),
        Asked::Digest { scheduled_at, organisation: None } => {
            Some((ScheduledWork::Digest, *scheduled_at))
        }
        _ => None,
    }
}

impl<C: Changes> Sweeper<C> {
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
        let target = match work {
            ScheduledWork::Changes => Target::Changes,
            ScheduledWork::Open => Target::Open,
            ScheduledWork::Certificate => Target::Certificate,
            ScheduledWork::Customers => Target::Customers,
            ScheduledWork::Check | ScheduledWork::Digest => {
                return self.longest_unchecked(all).await;
            }
        };
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
        one: &[Settings],
        work: ScheduledWork,
        scheduled_at: Timestamp,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> Result<Answer, HandleError> {
        let target = match work {
            ScheduledWork::Changes => Target::Changes,
            ScheduledWork::Open => Target::Open,
            ScheduledWork::Certificate => Target::Certificate,
            ScheduledWork::Customers => Target::Customers,
            ScheduledWork::Check => {
                let connections = self.checks(one, deadline, tally).await?;
                return Ok(Answer { connections, ..Answer::of(Vec::new()) });
            }
            ScheduledWork::Digest => {
                let connections = self.digests(one, scheduled_at, deadline, tally).await?;
                return Ok(Answer { connections, ..Answer::of(Vec::new()) });
            }
        };
        let wanted = Wanted { target, scheduled_at: Some(scheduled_at), attribution: None };
        self.scheduled(one, &wanted, scheduled_at, deadline, tally).await
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
