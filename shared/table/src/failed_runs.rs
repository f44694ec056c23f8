//! Which work failed when it was last done: one attribute of the connection's row for each, written when a run
//! fails and taken away by the next good one (AMB-36). And how many uploads fail.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use payments::OrganisationId;
use payments::failures::{FailedRun, Failures, RunSays, Work, class_of, says};
use payments::sweep::SyncRun;
use payments::upload::{Line, UNKNOWN_MAX, Upload};

use crate::attributes::{Item, Reader, Writer, instant};
use crate::error::{ReadError, WriteError};
use crate::schema::CONNECTIONS;
use crate::tables::Tables;

/// Failing uploads of one line are counted so far.
const COUNTED_MAX: u32 = 100;
/// Rows with a slot, or sent, that are looked at for those that stand still.
const LOOKED_AT_MAX: usize = 100;

impl Tables {
    /// Notes what a run says of its work. The read keeps a good run from writing anything in ordinary times.
    pub(crate) async fn note_run(&self, run: &SyncRun) -> Result<(), WriteError> {
        match says(run) {
            Some((_, RunSays::Failed(failed))) => self.note_failed(run, &failed).await,
            Some((work, RunSays::Good)) => self.note_good(run, work).await,
            Some((_, RunSays::Nothing)) | None => Ok(()),
        }
    }

    async fn note_failed(&self, run: &SyncRun, failed: &FailedRun) -> Result<(), WriteError> {
        let row = Writer::default()
            .instant("at", failed.at)
            .text("class", failed.class)
            .text("run", &run.id)
            .finish();
        let update = self
            .connection_update(run.organisation)
            .update_expression("SET #failed = :failed")
            .condition_expression("attribute_not_exists(#failed) OR #failed.#at < :at")
            .expression_attribute_names("#failed", attribute(failed.work))
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":failed", AttributeValue::M(row))
            .expression_attribute_values(":at", AttributeValue::S(instant(failed.at)));
        unless_overtaken(update.send().await)
    }

    async fn note_good(&self, run: &SyncRun, work: Work) -> Result<(), WriteError> {
        let key = [("organisation", run.organisation.to_string())];
        let row = self.one(CONNECTIONS, &key).await.map_err(|error| WriteError::Unavailable {
            table: CONNECTIONS,
            source: Box::new(error),
        })?;
        let at = run.ended_at.unwrap_or(run.started_at);
        if !row.is_some_and(|row| row.contains_key(&attribute(work))) {
            return Ok(());
        }
        let update = self
            .connection_update(run.organisation)
            .update_expression("REMOVE #failed")
            .condition_expression("#failed.#at <= :at")
            .expression_attribute_names("#failed", attribute(work))
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":at", AttributeValue::S(instant(at)));
        unless_overtaken(update.send().await)
    }

    /// What fails at this moment: the last runs, as the connection's row has them, and the uploads.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn failures(
        &self,
        organisation: OrganisationId,
        runs: Vec<FailedRun>,
        now: Timestamp,
    ) -> Result<Failures, ReadError> {
        let mut failures = Failures { runs, ..Failures::default() };
        for line in [Line::Refused, Line::PartlyUploaded] {
            let (count, _) = self.line_count_up_to(organisation, line, COUNTED_MAX).await?;
            failures.refused = failures.refused.saturating_add(count);
        }
        let unknown = self.line_count_up_to(organisation, Line::Unknown, COUNTED_MAX).await?;
        failures.unknown = unknown.0;
        for line in [Line::Reserved, Line::Sent] {
            let (rows, _) = self.line(organisation, line, None, LOOKED_AT_MAX).await?;
            let still = rows.iter().filter(|row| stands_still(row, now)).count();
            let still = u32::try_from(still).unwrap_or(u32::MAX);
            failures.standing = failures.standing.saturating_add(still);
        }
        Ok(failures)
    }
}

/// Nothing that has a slot or was sent stays so for an hour unless something is wrong.
fn stands_still(upload: &Upload, now: Timestamp) -> bool {
    now.duration_since(upload.since) > UNKNOWN_MAX
}

/// The runs that failed last, as a connection's row has them. One that cannot be read failed all the same.
pub(crate) fn failed_runs(item: &Item) -> Vec<FailedRun> {
    let of = |work: Work| {
        let failed = item.get(&attribute(work))?.as_m().ok()?;
        let row = Reader::new(CONNECTIONS, failed);
        let at = row.parsed("at").unwrap_or_default();
        Some(FailedRun { class: class_of(row.text("class").unwrap_or_default()), work, at })
    };
    Work::ALL.iter().copied().filter_map(of).collect()
}

fn attribute(work: Work) -> String {
    format!("failed_{work}")
}

/// A newer run has said something else meanwhile.
fn unless_overtaken<T>(
    result: Result<
        T,
        aws_sdk_dynamodb::error::SdkError<
            aws_sdk_dynamodb::operation::update_item::UpdateItemError,
        >,
    >,
) -> Result<(), WriteError> {
    match result {
        Ok(_) => Ok(()),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|error| error.is_conditional_check_failed_exception()) =>
        {
            Ok(())
        }
        Err(error) => Err(WriteError::unavailable(CONNECTIONS, error)),
    }
}
