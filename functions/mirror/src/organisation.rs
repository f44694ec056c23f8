//! One organisation's part of a batch: read, apply, and decide about what could not be read.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_lambda_events::sqs::SqsMessage;
use futures_util::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use payments::budget::Purpose;
use payments::{Ignored, InvoiceNumber, OrganisationId, Settings, Snapshot, XeroInvoiceId};
use queue::{Cause, Changes, InvoiceChange};
use table::ChangeContext;
use xero::{Invoices, Outage, ReadError};

use crate::applied::Applied;
use crate::change::{ApplyError, Draft, draft, write};
use crate::handler::{Handler, log_failure};
use crate::jobs::{Job, Jobs};
use crate::observation::observe;
use crate::retry::{Disposition, after_failure, after_read, blocking_error};
use crate::tally::Tally;

/// Invoices read by one call, and then written before the next one is made.
const PACK: usize = 40;
/// Invoices of a pack that are written at the same time. DynamoDB answers in milliseconds; more
/// would only make races of our own.
const WRITES_AT_ONCE: usize = 8;
/// Time that must be left for a pack to be begun: one call that takes as long as it may, and
/// [`WRITING`].
const RESERVE: SignedDuration = SignedDuration::from_secs(30);
/// Time kept back for writing what has been read, and for handing back the rest.
const WRITING: SignedDuration = SignedDuration::from_secs(10);
/// Pause for invoices of an organisation whose settings make no sense: a person has to mend them.
const SETTINGS_PAUSE: Duration = queue::DELAY_MAX;

/// So much later than a moment that another clock has named it is surely over.
const MOMENT: Duration = Duration::from_secs(1);

/// Pause for what a person has to approve first. When that is done, it is sent again at once.
const BRAKED_PAUSE: Duration = Duration::from_secs(60 * 60);

/// Whether payments may be removed and altered.
enum Brake {
    /// They may.
    Off,
    /// They wait for a person.
    On,
    /// The brake cannot be read at the moment.
    Unknown,
}

/// An invoice that is to be looked at again, and how long to wait.
pub(crate) type Deferred = (XeroInvoiceId, InvoiceChange, Duration);

/// What of an organisation's part of a batch is not done.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// The records that are to come again.
    pub(crate) again: BTreeSet<usize>,
    /// When the messages were accepted, as they say themselves, that were sent back for a sweep's invoices.
    pub(crate) sent_back: BTreeSet<Timestamp>,
}

impl Left {
    pub(crate) fn again(again: BTreeSet<usize>) -> Self {
        Self { again, sent_back: BTreeSet::new() }
    }
}

/// One organisation's part of a batch.
struct OrganisationRun<'a> {
    settings: Settings,
    jobs: &'a Jobs,
    /// Records that are to come again.
    again: BTreeSet<usize>,
    /// Invoices that are to be looked at later.
    later: Vec<Deferred>,
}

impl OrganisationRun<'_> {
    fn retry_later(&mut self, job: &Job) {
        self.again.extend(job.records.keys());
    }
}

impl<C: Changes> Handler<'_, C> {
    /// Works on one organisation's invoices; returns what of them is not done.
    pub(crate) async fn organisation(
        &self,
        organisation: OrganisationId,
        jobs: &Jobs,
        records: &[SqsMessage],
        tally: &mut Tally,
    ) -> Left {
        let settings = self.tables.settings(organisation).await;
        // In shadow, everything is decided as if it were done (CM-30).
        let settings = match settings.map(|settings| settings.map(Settings::deciding)) {
            Ok(Some(settings)) if settings.mirror_enabled => settings,
            Ok(found) => {
                let off = found.as_ref().and_then(Settings::mirror_off);
                let reason = off.unwrap_or(Ignored::OtherTenant).code();
                return Left::again(self.leave(organisation, jobs, records, reason, tally).await);
            }
            Err(error @ table::ReadError::Unreadable { .. }) => {
                log_failure(organisation, &error, "settings make no sense; invoices wait");
                let later = jobs.iter().map(|(id, job)| (*id, job.change, SETTINGS_PAUSE));
                return self.hand_back(organisation, jobs, later.collect(), tally).await;
            }
            Err(error) => {
                log_failure(organisation, &error, "reading the settings failed");
                let all = jobs.values().flat_map(|job| job.records.keys().copied());
                return Left::again(all.collect());
            }
        };
        self.record_webhook_seen(organisation, jobs).await;
        let of_run = self.begun(organisation, jobs, records);
        let mut run = OrganisationRun { settings, jobs, again: BTreeSet::new(), later: Vec::new() };
        self.packs(organisation, &mut run, tally).await;
        let mut left = self.hand_back(organisation, jobs, run.later, tally).await;
        left.again.extend(run.again);
        self.record(of_run, left.again.len(), tally).await;
        left
    }

    /// What happens now goes before what can wait: the day has calls for it when the others are used up.
    async fn packs(
        &self,
        organisation: OrganisationId,
        run: &mut OrganisationRun<'_>,
        tally: &mut Tally,
    ) {
        for purpose in [Purpose::Live, Purpose::Sweep] {
            let of_purpose = run.jobs.iter().filter(|(_, job)| purpose_of(job.cause) == purpose);
            let ids: Vec<_> = of_purpose.map(|(id, _)| *id).collect();
            self.packs_for(purpose, organisation, &ids, run, tally).await;
        }
    }

    async fn packs_for(
        &self,
        purpose: Purpose,
        organisation: OrganisationId,
        ids: &[XeroInvoiceId],
        run: &mut OrganisationRun<'_>,
        tally: &mut Tally,
    ) {
        let mut closed: Option<ReadError> = None;
        for pack in ids.chunks(PACK) {
            if let Some(error) = closed {
                tracing::warn!(
                    xero.tenant_id = %organisation,
                    class = error.class().code(),
                    invoices = pack.len(),
                    error = %error,
                    "not read: the same would happen again"
                );
                for id in pack {
                    self.failed(run, *id, error, tally).await;
                }
            } else if let Some(time) = time_to_read(self.now(), self.deadline) {
                let read = self.read(purpose, organisation, pack, time).await;
                closed = blocking_error(&read);
                self.found(run, &read.found, tally).await;
                for (id, error) in read.failed {
                    log_unread(organisation, id, &error);
                    self.failed(run, id, error, tally).await;
                }
            } else {
                tally.postponed += pack.len();
                run.later.extend(pack.iter().map(|id| (*id, run.jobs[id].change, Duration::ZERO)));
            }
        }
    }

    /// Reads a pack, and gives up when there is just time enough to write and to hand back.
    async fn read(
        &self,
        purpose: Purpose,
        organisation: OrganisationId,
        pack: &[XeroInvoiceId],
        time: Duration,
    ) -> Invoices {
        let read = self.xero.invoices_for(purpose, organisation, pack);
        tokio::time::timeout(time, read).await.unwrap_or_else(|_| {
            let failed = pack.iter().map(|id| (*id, Outage::TimedOut.into()));
            Invoices { failed: failed.collect(), ..Invoices::default() }
        })
    }

    /// Applies what was read: everything is decided before the first row is written, so that a mass change
    /// is seen as one.
    async fn found(
        &self,
        run: &mut OrganisationRun<'_>,
        snapshots: &[Snapshot],
        tally: &mut Tally,
    ) {
        let (jobs, settings) = (run.jobs, &run.settings);
        let drafts: Vec<_> = futures_util::stream::iter(snapshots)
            .map(|snapshot| async move {
                (snapshot, draft(self.tables, settings, snapshot, self.now()).await)
            })
            .buffer_unordered(WRITES_AT_ONCE)
            .collect()
            .await;
        if settings.shadow.is_some() {
            return self.observe_all(run, drafts, tally).await;
        }
        let brake = self.brake(settings, &losses(&drafts)).await;
        let of = &*run;
        let applied: Vec<_> = futures_util::stream::iter(drafts)
            .map(|(snapshot, draft)| {
                let brake = &brake;
                async move { (snapshot, self.apply(of, snapshot, draft, brake).await) }
            })
            .buffer_unordered(WRITES_AT_ONCE)
            .collect()
            .await;
        let found = applied.iter().filter(|(snapshot, applied)| {
            let swept = jobs[&snapshot.invoice].cause == Cause::Sweep;
            swept && matches!(applied, Ok(Applied::Changed(_)))
        });
        let found: Vec<_> = found.map(|(snapshot, _)| snapshot.updated_at).collect();
        self.record_webhook_missed(settings.organisation, &found).await;
        for (snapshot, applied) in applied {
            self.conclude(run, snapshot, applied, tally).await;
        }
    }

    /// Writes what was decided about an invoice, unless the brake for mass changes is on.
    async fn apply(
        &self,
        run: &OrganisationRun<'_>,
        snapshot: &Snapshot,
        draft: Result<Draft, ApplyError>,
        brake: &Brake,
    ) -> Result<Applied, ApplyError> {
        let draft = draft?;
        let is_loss = draft.losses().next().is_some();
        match brake {
            Brake::On if is_loss => Ok(Applied::Braked),
            Brake::Unknown if is_loss => Err(ApplyError::Brake),
            _ => {
                let job = &run.jobs[&snapshot.invoice];
                let (cause, event_at) = (job.cause.code(), event_at(job, snapshot));
                let because = ChangeContext { cause, event_at, now: self.now() };
                write(self, &run.settings, snapshot, draft, because).await
            }
        }
    }

    /// Keeps what was read and decided in shadow, and writes nothing else (CM-30).
    async fn observe_all(
        &self,
        run: &mut OrganisationRun<'_>,
        drafts: Vec<(&Snapshot, Result<Draft, ApplyError>)>,
        tally: &mut Tally,
    ) {
        for (snapshot, draft) in drafts {
            let applied = match draft {
                Ok(draft) => observe(self, &run.settings, snapshot, &draft).await,
                Err(error) => Err(error),
            };
            self.conclude(run, snapshot, applied, tally).await;
        }
    }

    /// What becomes of a snapshot that would remove or alter so many more payments than the brake was asked about;
    /// `None` if that may be.
    pub(crate) async fn stops(
        &self,
        settings: &Settings,
        number: &InvoiceNumber,
        more: u32,
    ) -> Option<Result<Applied, ApplyError>> {
        match self.brake(settings, &BTreeMap::from([(number.clone(), more)])).await {
            Brake::Off => None,
            Brake::On => Some(Ok(Applied::Braked)),
            Brake::Unknown => Some(Err(ApplyError::Brake)),
        }
    }

    /// Whether so many payments may be removed or altered now.
    async fn brake(&self, settings: &Settings, losses: &BTreeMap<InvoiceNumber, u32>) -> Brake {
        let Some(max) = settings.mass_change_max.filter(|_| !losses.is_empty()) else {
            return Brake::Off;
        };
        let (organisation, now) = (settings.organisation, self.now());
        let asked = self.tables.ask_for_changes(organisation, losses, max, now).await;
        let since = match asked {
            Ok(None) => return Brake::Off,
            Ok(Some(since)) => since,
            Err(error) => {
                log_failure(organisation, &error, "the brake could not be asked");
                return Brake::Unknown;
            }
        };
        let count = losses.values().fold(0_u32, |sum, count| sum.saturating_add(*count));
        let why = format!(
            "more than {max} payments would be removed or altered within an hour, the last {count} of them \
             on {} invoices. None of them is until a person approves; the row of the table `brakes` lists the \
             invoices that wait",
            losses.len()
        );
        tracing::warn!(
            xero.tenant_id = %organisation,
            invoices = losses.len(),
            "a mass change is stopped until a person approves"
        );
        let subject = table::instant(since);
        let raised =
            self.tables.raise_message(organisation, "MASS_CHANGE", &subject, &why, now).await;
        if let Err(error) = raised {
            log_failure(organisation, &error, "telling of a mass change failed");
        }
        Brake::On
    }

    /// Decides what becomes of an event now that its invoice has been read.
    async fn conclude(
        &self,
        run: &mut OrganisationRun<'_>,
        snapshot: &Snapshot,
        applied: Result<Applied, ApplyError>,
        tally: &mut Tally,
    ) {
        let (organisation, job) = (snapshot.organisation, &run.jobs[&snapshot.invoice]);
        let applied = match applied {
            Ok(applied) => applied,
            Err(error) => {
                log_failure(organisation, &error, "applying an invoice failed");
                match error {
                    // It would be the same at every delivery: a person has to mend the row.
                    ApplyError::Read(error @ table::ReadError::Unreadable { .. }) => {
                        let fate = Disposition::Park("unreadable_row");
                        self.settle(run, snapshot.invoice, fate, &error.to_string(), tally).await;
                    }
                    error => {
                        tally.failures.add("Tables", host::telemetry::chain(&error));
                        run.retry_later(job);
                    }
                }
                return;
            }
        };
        tally.count(&applied, job.cause, event_at(job, snapshot), self.now());
        let latest = match applied {
            Applied::Ignored(reason) => {
                tracing::info!(
                    xero.tenant_id = %organisation,
                    xero.invoice_id = %snapshot.invoice,
                    reason = reason.code(),
                    "invoice left alone"
                );
                // A bill never becomes a sale. A number may come, and an old read not show it yet.
                if reason == Ignored::NotSalesInvoice {
                    return;
                }
                snapshot.updated_at
            }
            Applied::Stale(stored) => stored,
            Applied::ReadAhead(read_at) => {
                let ahead = Duration::try_from(read_at.duration_since(self.now()));
                let pause = ahead.unwrap_or_default().saturating_add(MOMENT).min(queue::DELAY_MAX);
                let fate = Disposition::Later(job.change, pause);
                return self
                    .settle(run, snapshot.invoice, fate, "read by a clock ahead", tally)
                    .await;
            }
            // A person may take a while; none of it counts as a failure.
            Applied::Braked => {
                let fate = Disposition::Later(job.change, BRAKED_PAUSE);
                return self.settle(run, snapshot.invoice, fate, "braked", tally).await;
            }
            Applied::Unchanged | Applied::Changed(_) => snapshot.updated_at,
        };
        let fate = after_read(job.change, job.cause, latest);
        if fate == Disposition::Done
            && job.change.stale_reads > 0
            && Some(latest) < job.change.event_at
        {
            tracing::info!(
                xero.tenant_id = %organisation,
                xero.invoice_id = %snapshot.invoice,
                "an event brought nothing new; its invoice has an older stamp"
            );
        }
        self.settle(run, snapshot.invoice, fate, "read older than its event", tally).await;
    }

    async fn failed(
        &self,
        run: &mut OrganisationRun<'_>,
        id: XeroInvoiceId,
        error: ReadError,
        tally: &mut Tally,
    ) {
        tally.failures.add(error.class().code(), error.to_string());
        let fate = after_failure(run.jobs[&id].change, &error);
        self.settle(run, id, fate, &error.to_string(), tally).await;
    }

    async fn settle(
        &self,
        run: &mut OrganisationRun<'_>,
        id: XeroInvoiceId,
        fate: Disposition,
        detail: &str,
        tally: &mut Tally,
    ) {
        let job = &run.jobs[&id];
        match fate {
            Disposition::Done => {}
            Disposition::Later(change, pause) => run.later.push((id, change, pause)),
            Disposition::Park(reason) => {
                tally.parked += 1;
                if !self.park(run.settings.organisation, job, reason, detail).await {
                    run.retry_later(job);
                }
            }
        }
    }
}

/// What a look at an invoice is for.
fn purpose_of(cause: Cause) -> Purpose {
    match cause {
        Cause::Webhook | Cause::Intake | Cause::Manual => Purpose::Live,
        Cause::Sweep => Purpose::Sweep,
    }
}

/// When the change happened: as its event says, or as Xero says where the sweep found it (A7.1).
fn event_at(job: &Job, snapshot: &Snapshot) -> Option<Timestamp> {
    let found = (job.cause == Cause::Sweep).then_some(snapshot.updated_at);
    job.change.event_at.or(found)
}

fn log_unread(organisation: OrganisationId, id: XeroInvoiceId, error: &ReadError) {
    tracing::warn!(
        xero.tenant_id = %organisation,
        xero.invoice_id = %id,
        class = error.class().code(),
        error = %error,
        "reading an invoice failed; nothing is changed"
    );
}

/// How long a pack may be read for; `None` if there is not time enough to begin one.
fn time_to_read(now: Timestamp, deadline: Timestamp) -> Option<Duration> {
    let left = deadline.duration_since(now);
    if left < RESERVE { None } else { Duration::try_from(left - WRITING).ok() }
}

/// How many payments of each number would be removed or altered. Two reads can be about one number: one leaves it, and
/// another takes it.
fn losses(drafts: &[(&Snapshot, Result<Draft, ApplyError>)]) -> BTreeMap<InvoiceNumber, u32> {
    let mut losses: BTreeMap<InvoiceNumber, u32> = BTreeMap::new();
    let decided = drafts.iter().filter_map(|(_, draft)| draft.as_ref().ok());
    for (number, count) in decided.flat_map(Draft::losses) {
        let sum = losses.entry(number).or_default();
        *sum = sum.saturating_add(count);
    }
    losses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_leaves_time_for_writing_and_is_not_begun_without() {
        // N10
        let now: Timestamp = "2026-10-05T03:41:25Z".parse().unwrap();
        let left = |seconds| time_to_read(now, now + SignedDuration::from_secs(seconds));
        assert_eq!(left(120), Some(Duration::from_secs(110)));
        assert_eq!(left(30), Some(Duration::from_secs(20)), "as long as a call may take");
        assert_eq!(left(29), None);
        assert_eq!(left(-5), None);
    }
}
