//! Feeds: what brings receipts to the business, such as a bank feed or a payment gateway. Each is named in the settings with its
//! kind and its schedule, says of each of its imports how it went, and is judged by that, never by the payments' methods
//! (CC-07, CC-08, CC-24, CC-27).

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::ids::OrganisationId;
use crate::reason::codes;

/// Most feeds of an organisation.
pub const FEEDS_MAX: usize = 20;
/// Longest name of a source, in characters.
pub const SOURCE_CHARS_MAX: usize = 60;
/// How long after its time a feed is late.
pub const FEED_LATE_AFTER: SignedDuration = SignedDuration::from_hours(2);

codes! {
    /// A kind of feed.
    FeedKind {
        /// What arrives on a bank account (CC-07).
        BankFeed = "bank_feed",
        /// Cards online and by phone (CC-08).
        PaymentGateway = "payment_gateway",
        /// A second accounting system.
        Accounting = "accounting",
        /// Another system of the business.
        BusinessSystem = "business_system",
    }
    /// How a feed is.
    FeedState {
        /// It has reported what was due.
        Active = "active",
        /// It has reported that its source has not published yet: no error (CC-24).
        NotReady = "not_ready",
        /// It has reported errors.
        Failing = "failing",
        /// The report that was due has not come.
        Late = "late",
        /// It has never reported.
        NeverReported = "never_reported",
    }
}

/// A feed, as the settings name it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FeedSchedule {
    /// Its name in messages.
    pub source: String,
    /// Its kind.
    pub kind: FeedKind,
    /// What people call it; the source if nothing is said.
    pub name: Option<String>,
    /// When it reports the day before, by the organisation's clock (CC-22).
    pub due_at: Time,
}

impl FeedSchedule {
    /// When a feed reports unless the settings say otherwise.
    pub const DUE_AT: Time = Time::constant(6, 0, 0, 0);

    /// What people call it.
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.source)
    }
}

/// The feeds of an organisation, in the order of their sources.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FeedSettings {
    /// Each of them.
    pub feeds: Vec<FeedSchedule>,
    /// What of the settings makes no sense: it is left out, and stops nothing. Quotes no values.
    pub mistakes: Vec<String>,
}

/// What a feed says of an import.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FeedReport {
    /// Whose.
    pub organisation: OrganisationId,
    /// Which feed.
    pub source: String,
    /// Counts the reports of this feed, from 1.
    pub revision: u64,
    /// The first day that the import covers.
    pub from: Date,
    /// The last day that it covers.
    pub to: Date,
    /// How many receipts it brought; also none.
    pub imported: u32,
    /// How many it could not bring.
    pub errors: u32,
    /// What went wrong, in words.
    pub problem: Option<String>,
    /// Whether the source has not published these days yet (CC-24).
    pub not_published: bool,
    /// When the import ended.
    pub reported_at: Timestamp,
}

/// How a feed is, and since when it should have reported.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FeedJudgement {
    /// How it is.
    pub state: FeedState,
    /// The day that it has to have covered by now.
    pub expected: Date,
    /// When that was due.
    pub due: Timestamp,
}

/// Judges a feed by its last report.
pub fn judge_feed(
    feed: &FeedSchedule,
    last: Option<&FeedReport>,
    zone: &TimeZone,
    now: Timestamp,
) -> FeedJudgement {
    let today = now.to_zoned(zone.clone()).date();
    let due_on = |day: Date| {
        let due = day.to_datetime(feed.due_at).to_zoned(zone.clone());
        due.map_or(now, |due| due.timestamp())
    };
    let yesterday = |day: Date| day.checked_sub(1.days()).unwrap_or(day);
    let on = if due_on(today) <= now { today } else { yesterday(today) };
    let (expected, due) = (yesterday(on), due_on(on));
    let is_late = now.duration_since(due) > FEED_LATE_AFTER;
    let state = match last {
        None => FeedState::NeverReported,
        Some(last) if last.to < expected && is_late => FeedState::Late,
        Some(last) if last.errors > 0 || last.problem.is_some() => FeedState::Failing,
        Some(last) if last.not_published => FeedState::NotReady,
        Some(_) => FeedState::Active,
    };
    FeedJudgement { state, expected, due }
}

/// Whether a text can be the name of a source: lower-case letters, digits and `-`.
pub fn is_source(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=SOURCE_CHARS_MAX).contains(&text.len()) && text.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_is_judged_by_what_it_has_reported() {
        // CC-22, CC-24, CC-27
        let zone = TimeZone::get("Australia/Sydney").unwrap();
        let feed = FeedSchedule {
            source: "main-bank".to_owned(),
            kind: FeedKind::BankFeed,
            name: None,
            due_at: FeedSchedule::DUE_AT,
        };
        let report = |to: &str| FeedReport {
            organisation: OrganisationId::new(uuid::Uuid::nil()),
            source: feed.source.clone(),
            revision: 1,
            from: to.parse().unwrap(),
            to: to.parse().unwrap(),
            imported: 0,
            errors: 0,
            problem: None,
            not_published: false,
            reported_at: "2026-11-24T19:05:00Z".parse().unwrap(),
        };
        let state = |last: Option<&FeedReport>, at: &str| {
            judge_feed(&feed, last, &zone, at.parse().unwrap()).state
        };
        // 25 November in Sydney begins at 13:00 of the 24th in UTC; six o'clock there is 19:00.
        let (early, in_time, late) =
            ("2026-11-24T18:59:00Z", "2026-11-24T20:59:00Z", "2026-11-24T21:01:00Z");
        let (before, yesterday) = (report("2026-11-23"), report("2026-11-24"));
        assert_eq!(state(Some(&before), early), FeedState::Active);
        assert_eq!(state(Some(&before), in_time), FeedState::Active);
        assert_eq!(state(Some(&before), late), FeedState::Late);
        assert_eq!(state(Some(&yesterday), late), FeedState::Active);
        let not_published = FeedReport { not_published: true, ..yesterday.clone() };
        assert_eq!(state(Some(&not_published), late), FeedState::NotReady);
        let failing = FeedReport { errors: 2, ..yesterday };
        assert_eq!(state(Some(&failing), late), FeedState::Failing);
        assert_eq!(state(None, late), FeedState::NeverReported);
    }
}
