//! Messages of the `uploads` queue: nights that go on, and payments to be posted at once.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use host::batch::{self, BlankId, RECEIVES_MAX, RecordOutcome};
use host::telemetry;
use jiff::Timestamp;
use payments::sweep::{SyncKind, Trigger};
use payments::upload::{Night, UploadSettings};
use payments::{OrganisationId, Settings};
use queue::{Changes, UploadTask, Uploads};
use table::Parked;

use crate::error::RunError;
use crate::run::{Run, Stop};
use crate::shadow::due_at;
use crate::tally::Tally;
use crate::{Failed, Uploader, night, uploading};

impl<Q: Uploads, C: Changes> Uploader<Q, C> {
    /// Works on a batch, and says which messages are to come again.
    pub(crate) async fn tasks(
        &self,
        event: SqsEvent,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> Result<SqsBatchResponse, BlankId> {
        let mut outcomes = Vec::with_capacity(event.records.len());
        for record in &event.records {
            let id = record.message_id.clone();
            let body = record.body.as_deref().unwrap_or_default();
            let outcome = match UploadTask::from_json(body) {
                Ok(task) => match self.task(&task, deadline, tally).await {
                    // It only says when. The work stands in the tables, and the hourly look finds it there.
                    RecordOutcome::Again if batch::receives(record) >= RECEIVES_MAX => {
                        RecordOutcome::Done
                    }
                    outcome => outcome,
                },
                Err(error) => self.park(record, &error.to_string()).await,
            };
            outcomes.push((id, outcome));
        }
        let answer = batch::answer(outcomes.iter().map(|(id, outcome)| (id.as_deref(), *outcome)))?;
        if let Some(redelivery) = &self.redelivery {
            redelivery.after(&batch::again(&event.records, &answer)).await;
        }
        Ok(answer)
    }

    async fn task(
        &self,
        task: &UploadTask,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> RecordOutcome {
        let (organisation, scheduled_at) = match task {
            UploadTask::Direct { organisation } => (*organisation, None),
            UploadTask::Night { organisation, scheduled_at, .. } => {
                (*organisation, Some(*scheduled_at))
            }
        };
        let settings = match self.tables.settings(organisation).await {
            Ok(settings) => settings,
            Err(error) => return failed(organisation, &error, "reading the settings failed"),
        };
        let Some(settings) = settings.filter(|settings| due_at(settings).is_some()) else {
            // The payments wait in their line until uploading is switched on.
            return RecordOutcome::Done;
        };
        if let Some(at) = scheduled_at {
            return match Box::pin(self.night(&settings, (at, Trigger::Queue), deadline, tally))
                .await
            {
                Ok(night::Outcome::Running) | Err(Failed { goes_on: false, .. }) => {
                    RecordOutcome::Again
                }
                Ok(_) | Err(Failed { goes_on: true, .. }) => RecordOutcome::Done,
            };
        }
        let Some(of) = uploading(&settings) else { return RecordOutcome::Done };
        match Box::pin(self.post((&settings, of), Trigger::Queue, deadline, tally)).await {
            Ok(()) => RecordOutcome::Done,
            Err(_) => RecordOutcome::Again,
        }
    }

    /// Posts at once what waits for it, as a run of its own.
    pub(crate) async fn post(
        &self,
        (settings, of): (&Settings, &UploadSettings),
        trigger: Trigger,
        deadline: Timestamp,
        tally: &mut Tally,
    ) -> Result<(), RunError> {
        let night = Night::of(self.clock.now(), &settings.zone);
        let run = Run { direct_only: true, ..self.run(settings, of, night, deadline) };
        let of_run = run.begun(SyncKind::Direct, trigger);
        let stop = run.direct().await;
        self.look_again_for(&run).await;
        tally.add(&run, stop.is_err());
        let ended = stop.as_ref().map(|stop| stop.as_ref().map(Stop::why));
        run.record(of_run, ended).await;
        stop.map(|_| ()).inspect_err(|error| {
            failed(settings.organisation, error, "posting at once failed");
        })
    }

    async fn park(&self, record: &SqsMessage, problem: &str) -> RecordOutcome {
        let parked = Parked {
            organisation: None,
            id: record.message_id.as_deref().unwrap_or_default(),
            by: "upload",
            reason: "not_a_task",
            detail: problem,
            body: record.body.as_deref().unwrap_or_default().as_bytes(),
            received_at: self.clock.now(),
        };
        match self.tables.park_again(&parked, batch::mark(record).as_ref()).await {
            Ok(()) => RecordOutcome::Done,
            Err(error) => {
                tracing::error!(error = telemetry::chain(&error), "parking a message failed");
                RecordOutcome::Again
            }
        }
    }
}

fn failed(
    organisation: OrganisationId,
    error: &dyn std::error::Error,
    what: &'static str,
) -> RecordOutcome {
    tracing::error!(xero.tenant_id = %organisation, error = telemetry::chain(error), "{what}");
    RecordOutcome::Again
}
