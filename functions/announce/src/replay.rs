//! Decisions of some hours are announced again, on the order of a person: the same rows, the same events, under the
//! same ids. For rows that the stream has given up, and no longer has.

use std::collections::BTreeMap;

use bus::Bus;
use host::clock::Clock;
use host::telemetry;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use payments::Occurrence;
use payments::events::{Announcement, announce};
use serde::Serialize;
use table::stream::Image;
use table::{AuditEntry, Tables};

use crate::HandleError;
use crate::event::{Wish, moment_of};

/// Rows that are read, and announced, before the next ones are.
const PAGE_ROWS: i32 = 100;
/// Most rows of one invocation: an operators' page waits 20 seconds for the answer.
const ROWS_MAX: usize = 2_000;
/// Most keys that an answer lists.
const KEYS_MAX: usize = 100;
/// What a page takes at most, with all its retries, and the answer after it.
const CLOSING_TIME: SignedDuration = SignedDuration::from_secs(20);

/// What became of a wish. Keys, codes and counts only: no names, no amounts.
#[derive(Debug, Default, Serialize)]
pub struct AgainAnswer {
    /// Whether this was only a look.
    pub preview: bool,
    /// Rows that were read.
    pub rows: usize,
    /// Events that are on the bus again, or would be.
    pub announced: usize,
    /// The same by name.
    pub events: BTreeMap<&'static str, usize>,
    /// Rows that announce nothing, by what they say was done.
    pub not_announced: BTreeMap<String, usize>,
    /// Rows that cannot be read.
    pub unreadable: usize,
    /// The keys of the first of them.
    pub unreadable_rows: Vec<String>,
    /// Events that the bus will never take: the ids of the first of them.
    pub refused: Vec<String>,
    /// Events that the bus did not take this time.
    pub failed: usize,
    /// Why that is not all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Whether all of these hours is done.
    pub complete: bool,
    /// If it is not: the same wish with this goes on behind what is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What a wish is carried out with.
pub(crate) struct Again<'a, B> {
    pub(crate) tables: &'a Tables,
    pub(crate) bus: &'a B,
    pub(crate) clock: &'a Clock,
    pub(crate) deadline: Timestamp,
}

impl<B: Bus> Again<'_, B> {
    /// Announces again what was decided in these hours, as far as there is time. Who wants it is written down
    /// first: an order that is cut off was given all the same. That row itself announces nothing.
    ///
    /// # Errors
    /// `Tables`: the order could not be written down, and nothing was done.
    pub(crate) async fn announce(&self, wish: &Wish) -> Result<AgainAnswer, HandleError> {
        if !wish.preview {
            self.write_down(wish).await?;
        }
        let mut answer = AgainAnswer {
            preview: wish.preview,
            next: wish.next.clone(),
            ..AgainAnswer::default()
        };
        match self.go_on(wish, &mut answer).await {
            Ok(complete) => answer.complete = complete,
            // A person reads the answer: what was done, and why that was not all.
            Err(problem) => answer.problem = Some(problem),
        }
        if answer.complete {
            answer.next = None;
        }
        tracing::info!(
            xero.tenant_id = %wish.organisation,
            preview = wish.preview,
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

    async fn write_down(&self, wish: &Wish) -> Result<(), HandleError> {
        let subject = format!("{} to {}", wish.from, wish.to);
        let order = AuditEntry {
            action: Occurrence::AnnouncedAgain,
            subject: &subject,
            reason: "events",
            by: &wish.by,
            why: &wish.why,
            at: self.clock.now(),
        };
        let written = self.tables.log_order(Some(wish.organisation), &order).await;
        written.map_err(|error| HandleError::Tables(telemetry::chain(&error)))
    }

    /// Whether all of the hours is done; `next` says how far it came.
    async fn go_on(&self, wish: &Wish, answer: &mut AgainAnswer) -> Result<bool, String> {
        let date = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
        let start = wish.next.as_deref().and_then(moment_of).unwrap_or(wish.from);
        let (mut day, last) = (date(start), date(wish.to));
        let mut after = wish.next.clone();
        loop {
            if answer.rows >= ROWS_MAX || self.is_nearly_over() {
                return Ok(false);
            }
            let hours = (wish.from, wish.to);
            let page =
                self.tables.decided(wish.organisation, day, hours, after.as_deref(), PAGE_ROWS);
            let page = page.await.map_err(|error| telemetry::chain(&error))?;
            self.tell(&page.rows, answer).await?;
            match (page.more, day.tomorrow()) {
                (true, _) => after.clone_from(&answer.next),
                (false, Ok(tomorrow)) if day < last => (day, after) = (tomorrow, None),
                (false, _) => return Ok(true),
            }
        }
    }

    /// Announces what some rows say; those before the first that failed are done.
    async fn tell(&self, rows: &[Image], answer: &mut AgainAnswer) -> Result<(), String> {
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
            *answer.events.entry(announcement.kind.code()).or_default() += 1;
        }
        for (position, _) in &refused {
            if let Some(never) = announcements.get(*position) {
                answer.announced -= 1;
                *answer.events.entry(never.kind.code()).or_insert(1) -= 1;
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

    fn is_nearly_over(&self) -> bool {
        self.clock.now().saturating_add(CLOSING_TIME).is_ok_and(|end| end > self.deadline)
    }
}

/// What a row announces, if anything.
fn read(row: &Image, answer: &mut AgainAnswer) -> Option<Announcement> {
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
