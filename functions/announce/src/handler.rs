//! One batch: read, decide, send.

use bus::Bus;
use host::clock::Clock;
use host::telemetry;
use payments::events::{Announcement, Kind, announce};

use crate::tally::Tally;
use table::stream_batch::{BatchAnswer, Record, StreamEvent, Unnamed};

/// Announces what the new rows of a batch say. A row that cannot be read is passed over, and so is one that the
/// bus will never take: the row itself stays in the log, and what comes after it must not wait for a person.
///
/// # Errors
/// [`Unnamed`], before anything is sent.
pub(crate) async fn batch(
    event: StreamEvent,
    bus: &impl Bus,
    clock: &Clock,
    tally: &mut Tally,
) -> Result<BatchAnswer, Unnamed> {
    let records = event.records;
    tally.records = records.len();
    if let Some(position) = records.iter().position(|record| record.sequence_number().is_empty()) {
        return Err(Unnamed { position, records: records.len() });
    }
    let mut announcements = Vec::new();
    let mut sequence_numbers = Vec::new();
    for record in &records {
        if let Some(announcement) = read(record, tally) {
            announcements.push(announcement);
            sequence_numbers.push(record.sequence_number());
        }
    }
    tally.quiet = records.len() - announcements.len() - tally.passed_over;
    if announcements.is_empty() {
        return Ok(BatchAnswer::default());
    }
    let sending = bus.send(&announcements).await;
    for (position, why) in &sending.refused {
        tally.passed_over += 1;
        let event_id = announcements.get(*position).map(|refused| refused.detail.id());
        tracing::error!(
            event.id = event_id.unwrap_or_default(),
            bus.code = why,
            "the event bus will never take this event; it is passed over"
        );
    }
    tally.sent = sending.done - sending.refused.len();
    let is_refused = |at: usize| sending.refused.iter().any(|(position, _)| *position == at);
    let digests = announcements[..sending.done].iter().enumerate();
    let digests = digests.filter(|(_, sent)| sent.kind == Kind::DigestReady);
    tally.digests = digests.filter(|(at, _)| !is_refused(*at)).count();
    tally.failed = announcements.len() - sending.done;
    let now = clock.now();
    announcements[..sending.done].iter().for_each(|sent| tally.took(sent.at, now));
    if let Some(problem) = &sending.problem {
        tracing::error!(
            error = telemetry::chain(problem),
            events.failed = tally.failed,
            "not every event is on the bus; the stream comes again from there"
        );
    }
    Ok(sequence_numbers
        .get(sending.done)
        .map_or_else(BatchAnswer::default, |n| BatchAnswer::from(n)))
}

/// What a record announces, if anything.
fn read(record: &Record, tally: &mut Tally) -> Option<Announcement> {
    if !record.is_new() {
        return None;
    }
    let mut pass_over = |error: &dyn std::error::Error| {
        tally.passed_over += 1;
        tracing::error!(
            activity.key = record.image().key(),
            stream.sequence_number = record.sequence_number(),
            error = telemetry::chain(error),
            "a row of the activity log cannot be announced; it is passed over"
        );
    };
    let entry = record.image().entry().map_err(|error| pass_over(&error)).ok()??;
    announce(&entry).map_err(|error| pass_over(&error)).ok()?
}
