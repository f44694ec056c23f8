//! One batch of the `intake` queue.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use host::batch::{self, BlankId, RECEIVES_MAX, RecordOutcome};
use host::clock::Clock;
use host::counters::Counters as _;
use host::telemetry;
use jiff::{SignedDuration, Timestamp};
use payments::{OrganisationId, Refusal, Settings};
use queue::{Changes, UploadTask, Uploads};
use table::{ReadError, Tables};

use crate::contract::{self, Message, Report};
use crate::parked::{Parking, sent_at};
use crate::recorder::{Failure, Recorded, Recorder};
use crate::share::Share;
use crate::tally::Tally;

/// Time kept back before the deadline: the longest that one message takes, which is a payment
/// over 200 invoices, and the longest that waking the `upload` function takes.
const RESERVE: SignedDuration = SignedDuration::from_secs(30);

/// What a batch is worked on with.
pub(crate) struct Handler<'a, C, U> {
    pub(crate) tables: &'a Tables,
    pub(crate) changes: &'a C,
    pub(crate) uploads: &'a U,
    pub(crate) clock: &'a Clock,
    /// When the invocation has to be over.
    pub(crate) deadline: Timestamp,
}

/// How the work on one record ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Done {
    /// So.
    As(RecordOutcome),
    /// Done, once the function that posts payments at once knows of it.
    Direct,
}

impl Done {
    const fn outcome(self) -> RecordOutcome {
        match self {
            Self::As(outcome) => outcome,
            Self::Direct => RecordOutcome::Done,
        }
    }
}

/// Settings by organisation; `None` for one that is not set up here.
type SettingsCache = BTreeMap<OrganisationId, Option<Settings>>;

/// The records of payments and provider invoices that wait to be posted at once, by organisation.
type Direct = BTreeMap<OrganisationId, Vec<usize>>;

/// What a batch holds of each organisation, and of those whose messages do not name it.
type Shares = BTreeMap<Option<OrganisationId>, Share>;

impl<C: Changes, U: Uploads> Handler<'_, C, U> {
    /// Works on a batch, and says which records are to come again.
    ///
    /// A record is done when it is in the tables, every invoice that it concerns will be looked at
    /// again, and its payment will be posted if it is one to be posted at once; or when it is
    /// parked with everything that is wrong with it.
    ///
    /// # Errors
    /// `BlankId`, see there.
    pub(crate) async fn batch(
        &self,
        event: &SqsEvent,
        tally: &mut Tally,
    ) -> Result<SqsBatchResponse, BlankId> {
        let records = &event.records;
        let began = self.clock.now();
        let mut work: Vec<_> = records
            .iter()
            .map(|record| contract::read_message(record.body.as_deref().unwrap_or_default()))
            .enumerate()
            .collect();
        work.sort_by_key(|(_, read)| read.as_ref().map(|message| message.report.place()).ok());
        let mut outcomes = vec![RecordOutcome::Again; records.len()];
        let mut known = SettingsCache::new();
        let mut direct = Direct::new();
        let mut shares = Shares::new();
        for (position, read) in work {
            let owner = read.as_ref().map_or_else(
                |invalid| invalid.organisation,
                |read| Some(read.report.organisation()),
            );
            let share = shares.entry(owner).or_default();
            share.positions.push(position);
            let tally = &mut share.tally;
            if self.clock.now().saturating_add(RESERVE).is_ok_and(|end| end > self.deadline) {
                // It comes again.
                continue;
            }
            let record = &records[position];
            outcomes[position] = match read {
                Ok(message) => {
                    let done = self.one(record, &message, &mut known, tally).await;
                    if done == Done::Direct {
                        let owner = message.report.organisation();
                        direct.entry(owner).or_default().push(position);
                    }
                    done.outcome()
                }
                Err(invalid) => {
                    let problems = invalid.problems.len();
                    let owner = invalid.organisation;
                    let parking = Parking { owner, reason: "invalid_message", problems };
                    self.park(record, &parking, &invalid.account(), tally).await
                }
            };
        }
        for position in self.wake(direct, &mut shares).await {
            outcomes[position] = RecordOutcome::Again;
        }
        for (owner, mut share) in shares {
            share.count(&outcomes);
            if let Some(Some(settings)) = owner.and_then(|owner| known.get(&owner)) {
                self.record(settings.organisation, &share, records, began).await;
            }
            tally.absorb(share.tally);
        }
        let ids = records.iter().map(|record| record.message_id.as_deref());
        batch::answer(ids.zip(outcomes))
    }

    /// Wakes the `upload` function, once for each organisation however many of its payments wait.
    /// Returns the records whose payments may not be known to it: they come again, and ask again.
    async fn wake(&self, direct: Direct, shares: &mut Shares) -> Vec<usize> {
        let mut again = Vec::new();
        for (organisation, positions) in direct {
            let tally = &mut shares.entry(Some(organisation)).or_default().tally;
            match self.uploads.send(&UploadTask::Direct { organisation }, 0).await {
                Ok(()) => tally.wakes += 1,
                Err(error) => {
                    tracing::error!(
                        xero.tenant_id = %organisation,
                        error = telemetry::chain(&error),
                        "asking for payments to be posted failed"
                    );
                    tally.failures.add("Queue", telemetry::chain(&error));
                    again.extend(positions);
                }
            }
        }
        again
    }

    async fn one(
        &self,
        record: &SqsMessage,
        Message { report, event_at, source }: &Message,
        known: &mut SettingsCache,
        tally: &mut Tally,
    ) -> Done {
        let organisation = report.organisation();
        let settings = match self.settings(organisation, known).await {
            Ok(Some(settings)) => settings,
            Ok(None) => {
                let why = "the organisation is not set up here";
                let parking =
                    Parking { owner: Some(organisation), reason: "other_tenant", problems: 1 };
                return Done::As(self.park(record, &parking, why, tally).await);
            }
            Err(error) => {
                log_failure(record, organisation, &error, "reading the settings failed");
                tally.failures.add("Tables", telemetry::chain(&error));
                return Done::As(RecordOutcome::Again);
            }
        };
        let recorder = Recorder {
            tables: self.tables,
            changes: self.changes,
            settings,
            clock: self.clock,
            sent_at: sent_at(record),
            event_at: began_at(*event_at, sent_at(record)),
        };
        match recorder.record(report).await {
            Ok(recorded) => {
                self.count(report, recorded, recorder.event_at, tally);
                if let (Some(source), true) = (source, recorded.changed)
                    && let Err(error) =
                        self.tables.note_feed_receipt(organisation, source, self.clock.now()).await
                {
                    // The receipt is there; the next one of this source says so again.
                    log_failure(
                        record,
                        organisation,
                        &error,
                        "noting the source of a receipt failed",
                    );
                }
                if recorded.direct { Done::Direct } else { Done::As(RecordOutcome::Done) }
            }
            Err(Failure::Refused(refusal)) => {
                if refusal.may_pass_later() && batch::receives(record) < RECEIVES_MAX {
                    tally.early += 1;
                    return Done::As(RecordOutcome::Again);
                }
                let reason = code(&refusal);
                let parking = Parking { owner: Some(organisation), reason, problems: 1 };
                Done::As(self.park(record, &parking, &refusal.to_string(), tally).await)
            }
            Err(failure) => {
                log_failure(record, organisation, &failure, "a report could not be recorded");
                tally.failures.add(failure.class(), telemetry::chain(&failure));
                Done::As(RecordOutcome::Again)
            }
        }
    }

    async fn settings<'k>(
        &self,
        organisation: OrganisationId,
        known: &'k mut SettingsCache,
    ) -> Result<Option<&'k Settings>, ReadError> {
        let settings = match known.entry(organisation) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(self.tables.settings(organisation).await?),
        };
        Ok(settings.as_ref())
    }

    async fn park(
        &self,
        record: &SqsMessage,
        parking: &Parking,
        detail: &str,
        tally: &mut Tally,
    ) -> RecordOutcome {
        match parking.park(self.tables, record, detail, self.clock.now()).await {
            Ok(()) => {
                tally.parked += 1;
                RecordOutcome::Done
            }
            Err(error) => {
                tracing::error!(error = telemetry::chain(&error), "parking a message failed");
                tally.failures.add("Tables", telemetry::chain(&error));
                RecordOutcome::Again
            }
        }
    }

    fn count(
        &self,
        report: &Report,
        recorded: Recorded,
        event_at: Option<Timestamp>,
        tally: &mut Tally,
    ) {
        tally.warnings += recorded.warnings;
        tally.looks += recorded.looks;
        if !recorded.changed {
            tally.unchanged += 1;
            return;
        }
        tally.delays.add(event_at, self.clock.now());
        match report {
            Report::Invoice(_) => tally.invoices += 1,
            Report::Payment(_) => tally.payments += 1,
            Report::Journaling(_) => tally.journalings += 1,
            Report::Customer(_) => tally.customers += 1,
            Report::ProviderInvoice(_) | Report::ProviderCredit(_) => tally.provider_invoices += 1,
            Report::Order(_) => tally.orders += 1,
            Report::Notice(_) => tally.notices += 1,
            Report::Feed(_) => tally.feeds += 1,
        }
    }
}

/// When the clock of a report starts (SP-09): with its event, where the message says when that was, else when it was
/// sent. An event that comes after it was sent is one by a clock that is ahead.
fn began_at(event_at: Option<Timestamp>, sent_at: Option<Timestamp>) -> Option<Timestamp> {
    match (event_at, sent_at) {
        (Some(event_at), Some(sent_at)) => Some(event_at.min(sent_at)),
        (event_at, sent_at) => event_at.or(sent_at),
    }
}

/// The reason that stands in the parked row.
fn code(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::RevisionReused { .. } => "revision_reused",
        Refusal::UnknownNotice { .. } => "unknown_notice",
        Refusal::IllegalStatus { .. } => "illegal_status",
        Refusal::CurrencyDiffers { .. } => "currency_differs",
        Refusal::UnknownCopy { .. } => "unknown_copy",
    }
}

fn log_failure(
    record: &SqsMessage,
    organisation: OrganisationId,
    error: &dyn std::error::Error,
    what: &'static str,
) {
    tracing::error!(
        xero.tenant_id = %organisation,
        message.id = record.message_id.as_deref().unwrap_or_default(),
        error = telemetry::chain(error),
        "{what}"
    );
}
