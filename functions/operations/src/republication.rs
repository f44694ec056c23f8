//! Decisions of some hours are announced again, on the order of a person: the same rows, the same events, under the
//! same ids. For rows that the stream has given up, and no longer has.

use bus::Bus;
use commands::reply::Republication;
use commands::{Attribution, Kind, Republish};
use host::telemetry;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use payments::Occurrence;
use payments::events::{Announcement, announce};
use table::AuditEntry;
use table::stream::Image;

use crate::{ExecutionError, Operations};

/// Longest sort key of a row, in characters; DynamoDB has none of more than 1,024 bytes.
const KEY_CHARS_MAX: usize = 1_024;
/// Most time between the first and the last decision: each day in it is asked for, whether it has any or not.
const SPAN_MAX: SignedDuration = SignedDuration::from_hours(31 * 24);
/// Rows that are read, and announced, before the next ones are.
const PAGE_ROWS: i32 = 100;
/// Most rows of one invocation: an operators' page waits 20 seconds for the answer.
const ROWS_MAX: usize = 2_000;
/// Most keys that an answer lists.
const KEYS_MAX: usize = 100;
/// What a page takes at most, with all its retries, and the answer after it.
const CLOSING_TIME: SignedDuration = SignedDuration::from_secs(20);

/// Longest that decisions are announced: `announce` waits no longer for the answer to a command of the version before.
const WORK_MAX: SignedDuration = SignedDuration::from_secs(55);

impl<C, U, Q, B: Bus> Operations<C, U, Q, B> {
    /// Announces again what was decided in these hours, as far as there is time; without a person who orders it, only says what that would be. Who orders it is written down
    /// first: an order that is cut off was given all the same. That row itself announces nothing.
    ///
    /// # Errors
    /// `Tables`: the order could not be written down, and nothing was done.
    pub(crate) async fn announce_again(
        &self,
        wish: &Republish,
        attribution: Option<&Attribution>,
        deadline: Timestamp,
    ) -> Result<Republication, ExecutionError> {
        check(wish)?;
        if let Some(attribution) = attribution {
            self.record_republication(wish, attribution).await?;
        }
        let mut answer = Republication {
            preview: attribution.is_none(),
            next: wish.next.clone(),
            ..Republication::default()
        };
        let latest = self.clock.now().saturating_add(WORK_MAX).unwrap_or(deadline);
        match self.republish(wish, &mut answer, deadline.min(latest)).await {
            Ok(complete) => answer.complete = complete,
            // A person reads the answer: what was done, and why that was not all.
            Err(problem) => answer.problem = Some(problem),
        }
        if answer.complete {
            answer.next = None;
        }
        tracing::info!(
            xero.tenant_id = %wish.organisation,
            preview = answer.preview,
            rows = answer.rows,
            events.sent = answer.announced,
            events.failed = answer.failed,
            rows.unreadable = answer.unreadable,
            complete = answer.complete,
            problem = answer.problem,
            "announced some hours of the activity log again"
        );
        Ok(answer)
    }

    async fn record_republication(
        &self,
        wish: &Republish,
        attribution: &Attribution,
    ) -> Result<(), ExecutionError> {
        let subject = format!("{} to {}", wish.from, wish.to);
        let order = AuditEntry {
            action: Occurrence::AnnouncedAgain,
            subject: &subject,
            reason: "events",
            by: attribution.by(),
            why: attribution.reason(),
            at: self.clock.now(),
        };
        let written = self.tables.log_order(Some(wish.organisation), &order).await;
        written.map_err(|error| ExecutionError::NotAnnounced(telemetry::chain(&error)))
    }

    /// Whether all of the hours is done; `next` says how far it came.
    async fn republish(
        &self,
        wish: &Republish,
        answer: &mut Republication,
        deadline: Timestamp,
    ) -> Result<bool, String> {
        let date = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
        let start = wish.next.as_deref().and_then(moment_of).unwrap_or(wish.from);
        let (mut day, last) = (date(start), date(wish.to));
        let mut after = wish.next.clone();
        loop {
            if answer.rows >= ROWS_MAX || self.is_late(deadline) {
                return Ok(false);
            }
            let hours = (wish.from, wish.to);
            let page =
                self.tables.decided(wish.organisation, day, hours, after.as_deref(), PAGE_ROWS);
            let page = page.await.map_err(|error| telemetry::chain(&error))?;
            self.publish_rows(&page.rows, answer).await?;
            match (page.more, day.tomorrow()) {
                (true, _) => after.clone_from(&answer.next),
                (false, Ok(tomorrow)) if day < last => (day, after) = (tomorrow, None),
                (false, _) => return Ok(true),
            }
        }
    }

    /// Announces what some rows say; those before the first that failed are done.
    async fn publish_rows(&self, rows: &[Image], answer: &mut Republication) -> Result<(), String> {
        let mut announcements: Vec<Announcement> = Vec::new();
        let mut places = Vec::new();
        for (place, row) in rows.iter().enumerate() {
            if let Some(announcement) = read(row, answer) {
                announcements.push(announcement);
                places.push(place);
            }
        }
        answer.rows += rows.len();
        let done_to = |place: usize| rows[..place].last().and_then(Image::at).map(str::to_owned);
        let (mut done, mut refused, mut problem) = (announcements.len(), Vec::new(), None);
        if !answer.preview && !announcements.is_empty() {
            let sending = self.bus.send(&announcements).await;
            (done, refused, problem) = (sending.done, sending.refused, sending.problem);
        }
        for announcement in &announcements[..done] {
            answer.announced += 1;
            *answer.events.entry(announcement.kind.code().to_owned()).or_default() += 1;
        }
        for (position, _) in &refused {
            if let Some(never) = announcements.get(*position) {
                answer.announced -= 1;
                *answer.events.entry(never.kind.code().to_owned()).or_insert(1) -= 1;
                if answer.refused.len() < KEYS_MAX {
                    answer.refused.push(never.detail.id().to_owned());
                }
            }
        }
        let failed = announcements.len() - done;
        answer.failed += failed;
        let place = places.get(done).copied().unwrap_or(rows.len());
        answer.next = done_to(place).or(answer.next.take());
        match problem {
            None if failed == 0 => Ok(()),
            None => Err("the event bus did not take everything".to_owned()),
            Some(problem) => Err(telemetry::chain(&problem)),
        }
    }

    fn is_late(&self, deadline: Timestamp) -> bool {
        self.clock.now().saturating_add(CLOSING_TIME).is_ok_and(|end| end > deadline)
    }
}

/// Whether the hours make sense.
///
/// # Errors
/// The field that does not.
fn check(wish: &Republish) -> Result<(), ExecutionError> {
    let Republish { from, to, next, .. } = wish;
    let wrong = |what: &str| ExecutionError::Field(Kind::AnnounceAgain, what.to_owned());
    if from > to {
        return Err(wrong("`from` must not be later than `to`"));
    }
    if to.duration_since(*from) > SPAN_MAX {
        return Err(wrong("`from` and `to` are more than 31 days apart: ask in parts"));
    }
    if let Some(next) = next {
        // Microseconds are all that a key has of its moment.
        let at = moment_of(next).filter(|_| next.chars().count() <= KEY_CHARS_MAX);
        let within = |at: Timestamp| at <= *to && from.duration_since(at).as_micros() < 1;
        if !at.is_some_and(within) {
            return Err(wrong("`next` is none that an answer about these hours had"));
        }
    }
    Ok(())
}

/// The moment with which the second half of a row's key begins.
fn moment_of(at: &str) -> Option<Timestamp> {
    at.split('#').next()?.parse().ok()
}

/// What a row announces, if anything.
fn read(row: &Image, answer: &mut Republication) -> Option<Announcement> {
    let mut unreadable = |error: &dyn std::error::Error| {
        tracing::warn!(
            activity.key = row.key(),
            error = telemetry::chain(error),
            "a row of the activity log cannot be announced again"
        );
        answer.unreadable += 1;
        if answer.unreadable_rows.len() < KEYS_MAX {
            answer.unreadable_rows.push(row.key());
        }
    };
    let entry = row.entry().map_err(|error| unreadable(&error)).ok()?;
    let announcement = match &entry {
        Some(entry) => announce(entry).map_err(|error| unreadable(&error)).ok()?,
        None => None,
    };
    if announcement.is_none() {
        *answer.not_announced.entry(row.action().to_owned()).or_default() += 1;
    }
    announcement
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_that_make_no_sense_are_refused_and_not_quoted() {
        let wish = |from: &str, to: &str, next: Option<&str>| {
            let wish = Republish {
                organisation: "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046".parse().unwrap(),
                from: from.parse().unwrap(),
                to: to.parse().unwrap(),
                next: next.map(str::to_owned),
            };
            check(&wish).map_err(|error| error.to_string())
        };
        let (first, last) = ("2026-11-23T00:00:00Z", "2026-11-23T02:00:00Z");
        assert_eq!(wish(first, last, None), Ok(()));
        assert_eq!(wish(first, last, Some("2026-11-23T01:00:00.000000Z#10234#7-0")), Ok(()));
        for (from, to, next, words) in [
            (last, first, None, "later than"),
            ("2026-10-01T00:00:00Z", last, None, "31 days"),
            (first, last, Some("canary"), "`next`"),
            (first, last, Some("2026-11-23T03:00:00.000000Z#1#1-0"), "`next`"),
            (first, last, Some("2026-11-22T23:59:59.999999Z#1#1-0"), "`next`"),
        ] {
            let error = wish(from, to, next).unwrap_err();
            assert!(error.contains(words) && !error.contains("canary"), "{words}: {error}");
        }
    }
}
