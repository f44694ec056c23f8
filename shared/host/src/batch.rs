//! What a function answers to a batch of SQS messages: which ones it wants again.
//!
//! AWS takes an empty list for "all done" and deletes the batch, and takes a list that it cannot
//! read for "all failed". So a failed record must be named, and one that cannot be named fails
//! the whole invocation.

use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsMessage};
use payments::ReplayMark;

/// How often SQS hands out a message before it is a dead letter, as in the template.
pub const RECEIVES_MAX: u32 = 10;
/// Pause after the first failure; it doubles with each.
const FIRST_PAUSE_SECONDS: u64 = 15;
/// The longest pause, without what sets messages apart.
const PAUSE_SECONDS_MAX: u64 = 900;

/// What became of one record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RecordOutcome {
    /// It is done, or kept elsewhere: SQS may delete it.
    Done,
    /// It must come again.
    Again,
}

/// A record without an id. Lambda always gives one, so the caller is not Lambda; returning
/// this as the error of the invocation makes every record come again.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("record {position} of {records} has no message id, so all of them are to come again")]
pub struct BlankId {
    /// Which record, from 0.
    pub position: usize,
    /// How many records there were.
    pub records: usize,
}

/// The answer for these records: message id and outcome of each.
///
/// # Errors
///
/// [`BlankId`] if a record has no id, with any outcome.
pub fn answer<'a>(
    records: impl IntoIterator<Item = (Option<&'a str>, RecordOutcome)>,
) -> Result<SqsBatchResponse, BlankId> {
    let records: Vec<_> = records.into_iter().collect();
    let mut response = SqsBatchResponse::default();
    for (position, (id, outcome)) in records.iter().enumerate() {
        let Some(id) = id.filter(|id| !id.trim().is_empty()) else {
            return Err(BlankId { position, records: records.len() });
        };
        if *outcome == RecordOutcome::Again {
            response.add_failure(id);
        }
    }
    Ok(response)
}

/// How often SQS has handed out this record, this time included.
pub fn receives(record: &SqsMessage) -> u32 {
    let count = record.attributes.get("ApproximateReceiveCount");
    count.and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// When a record comes again that has failed as often as it was received: after 15 seconds, then 30, and so on to a
/// quarter of an hour. A fourth is added by the message's own number, so that what failed together comes apart.
pub fn pause(record: &SqsMessage) -> Duration {
    let doubled = receives(record).saturating_sub(1).min(10);
    let seconds = (FIRST_PAUSE_SECONDS << doubled).min(PAUSE_SECONDS_MAX);
    Duration::from_secs(seconds + serial(record.message_id.as_deref()) % (seconds / 4 + 1))
}

/// The records that this answer wants again: the handle by which SQS knows each of them as received, and its pause.
pub fn again<'r>(records: &'r [SqsMessage], answer: &SqsBatchResponse) -> Vec<(&'r str, Duration)> {
    let failed = &answer.batch_item_failures;
    let is_again = |record: &&SqsMessage| {
        failed.iter().any(|each| record.message_id.as_deref() == Some(&each.item_identifier))
    };
    let handle = |record: &'r SqsMessage| Some((record.receipt_handle.as_deref()?, pause(record)));
    records.iter().filter(is_again).filter_map(handle).collect()
}

/// A number that distinguishes a run over a batch from those that began in the same moment: the first 64 bits of
/// the id, a UUID, of the first message that it works on. 0 if the id is no UUID.
pub fn serial(message_id: Option<&str>) -> u64 {
    let digits: String =
        message_id.unwrap_or_default().chars().filter(|char| *char != '-').take(16).collect();
    u64::from_str_radix(&digits, 16).unwrap_or(0)
}

/// The mark of a message that was parked and is on its way again. Who parks it once more keeps it under the
/// same key.
pub fn mark(record: &SqsMessage) -> Option<ReplayMark> {
    let attribute = record.message_attributes.get(ReplayMark::ATTRIBUTE)?;
    attribute.string_value.as_deref()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checks_of_queues_know_how_often_a_message_is_received() {
        let facts = include_str!("../../../infra/ci/facts/code.json");
        let facts: serde_json::Value = serde_json::from_str(facts).unwrap();
        assert_eq!(facts["receives_max"], RECEIVES_MAX, "infra/ci/facts/code.json");
    }

    #[test]
    fn a_serial_is_what_a_message_id_begins_with() {
        let one = serial(Some("0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"));
        assert_eq!(one, 0x0a1b_2c3d_4e5f_6071);
        assert_ne!(one, serial(Some("0a1b2c3d-4e5f-6072-8293-a4b5c6d7e8f9")));
        assert_eq!((serial(None), serial(Some("")), serial(Some("message 1"))), (0, 0, 0));
    }

    #[test]
    fn failed_records_are_named_and_done_ones_are_not() {
        let response = answer([
            (Some("a"), RecordOutcome::Done),
            (Some("b"), RecordOutcome::Again),
            (Some("c"), RecordOutcome::Again),
        ]);
        let text = serde_json::to_string(&response.unwrap()).unwrap();
        assert_eq!(
            text,
            r#"{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"c"}]}"#
        );
    }

    fn record(id: &str, receives: &str) -> SqsMessage {
        let mut record = SqsMessage::default();
        record.message_id = Some(id.to_owned());
        record.receipt_handle = Some(format!("handle of {id}"));
        record.attributes.insert("ApproximateReceiveCount".to_owned(), receives.to_owned());
        record
    }

    #[test]
    fn what_failed_comes_again_in_seconds_at_first_and_within_a_quarter_of_an_hour_at_last() {
        // FAULT-33
        let seconds: Vec<_> = (1..=RECEIVES_MAX)
            .map(|receives| pause(&record("no uuid", &receives.to_string())).as_secs())
            .collect();
        assert_eq!(seconds, [15, 30, 60, 120, 240, 480, 900, 900, 900, 900]);
        assert_eq!(pause(&record("no uuid", "4294967295")).as_secs(), 900);
        assert_eq!(pause(&record("no uuid", "often")).as_secs(), 15);
    }

    #[test]
    fn what_failed_together_comes_again_apart() {
        // FAULT-33
        let ids = (0..200).map(|n: u64| format!("0a1b2c3d-4e5f-{:04x}-8293-a4b5c6d7e8f9", n * 7));
        let pauses: Vec<_> = ids.map(|id| pause(&record(&id, "3")).as_secs()).collect();
        assert!(pauses.iter().all(|seconds| (60..=75).contains(seconds)), "{pauses:?}");
        let apart: std::collections::BTreeSet<_> = pauses.iter().collect();
        assert!(apart.len() > 10, "{apart:?}");
    }

    #[test]
    fn only_what_failed_comes_again_early() {
        // FAULT-33
        let records = [record("a", "1"), record("no uuid", "2"), record("c", "1")];
        let answered = answer(
            records
                .iter()
                .zip([RecordOutcome::Done, RecordOutcome::Again, RecordOutcome::Done])
                .map(|(record, outcome)| (record.message_id.as_deref(), outcome)),
        );
        let found = again(&records, &answered.unwrap());
        assert_eq!(found, [("handle of no uuid", Duration::from_secs(30))]);
    }

    #[test]
    fn a_batch_that_is_done_is_an_empty_list() {
        let text = |response: SqsBatchResponse| serde_json::to_string(&response).unwrap();
        let done = answer([(Some("a"), RecordOutcome::Done)]).unwrap();
        assert_eq!(text(done), r#"{"batchItemFailures":[]}"#);
        assert_eq!(text(answer([]).unwrap()), r#"{"batchItemFailures":[]}"#);
    }

    #[test]
    fn a_record_without_an_id_fails_the_whole_batch() {
        for blank in [None, Some(""), Some(" ")] {
            for outcome in [RecordOutcome::Done, RecordOutcome::Again] {
                let error =
                    answer([(Some("a"), RecordOutcome::Done), (blank, outcome)]).unwrap_err();
                assert_eq!(error, BlankId { position: 1, records: 2 });
            }
        }
    }
}
