//! The used part of each limit: the night's 200, the 4,000 in 30 days, the calls to Xero; and how long waiting
//! payments will wait.

use askama::Template;
use payments::budget::{Budget, MINUTE_MAX};
use payments::explanations::{Outlook, QueuePosition};
use payments::upload::{
    ATTEMPTS_MAX, NEVER_TRIPS_PER_NIGHT, NIGHTLY_MAX, NextUpload, Night, NightReport, NightState,
    UploadState, trips_from,
};
use serde_json::json;

use super::next_night::Upcoming;
use super::tonight::night_bar;
use super::{PageError, Stage, filled};
use crate::order::Order;
use crate::times::bytes;
use crate::view::{Bar, Button, Chart, Frame};

/// Nights in the chart: as long as the window of attempts.
const NIGHTS_MAX: usize = 30;

/// What the page rests on.
struct Rows {
    upcoming: Upcoming,
    budget: Budget,
    nights: Vec<NightReport>,
}

#[derive(Template)]
#[template(path = "limits.html")]
struct Limits {
    frame: Frame,
    off: Option<String>,
    switch_on: Option<Button>,
    may_not: Option<String>,
    bars: Vec<Bar>,
    facts: Vec<(&'static str, String)>,
    chart: Option<Chart>,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    let rows = read(stage).await?;
    filled(&view(stage, &rows))
}

async fn read(stage: &Stage<'_>) -> Result<Rows, PageError> {
    let (tables, organisation) = (stage.tables, stage.organisation());
    let upcoming = Upcoming::read(stage).await?;
    let budget = tables.budget(organisation).await?;
    let nights = tables.nights(organisation, NIGHTS_MAX).await?;
    stage.count(nights.len().saturating_add(1));
    Ok(Rows { upcoming, budget, nights })
}

fn view(stage: &Stage<'_>, rows: &Rows) -> Limits {
    let caps = &rows.upcoming.caps;
    let switch_on = caps.disabled.as_ref().and(stage.order(Order::EnableUploads, json!({})));
    // Since when and why is said on every page.
    let off = caps.disabled.as_ref().map(|_| {
        "Payments that name their invoices still go at once. Switching it on resets nothing."
            .to_owned()
    });
    Limits {
        frame: stage.frame(),
        may_not: off.as_ref().and(stage.may_not()),
        off,
        switch_on,
        bars: bars(stage, rows),
        facts: facts(stage, rows),
        chart: chart(rows),
    }
}

fn bars(stage: &Stage<'_>, rows: &Rows) -> Vec<Bar> {
    let day_max = stage.settings.calls_per_day;
    let now = rows.budget.at(stage.now);
    let day_left = now.day_left(day_max, stage.now);
    let minute = u32::try_from(now.in_minute()).unwrap_or(u32::MAX);
    let minute_max = u32::try_from(MINUTE_MAX).unwrap_or(u32::MAX);
    let attempts = rows.upcoming.caps.attempts(stage.now);
    let left = |used: u32, max: u32| format!("; {} left", max.saturating_sub(used));
    let others = [
        Bar::new("Attempts in 30 days", attempts, ATTEMPTS_MAX, &left(attempts, ATTEMPTS_MAX)),
        Bar::new(
            "Calls to Xero in 24 hours",
            day_max.saturating_sub(day_left),
            day_max,
            &format!("; {day_left} left"),
        ),
        Bar::new("Calls to Xero in this minute", minute, minute_max, &left(minute, minute_max)),
    ];
    night_bar(stage, &rows.upcoming).into_iter().chain(others).collect()
}

fn facts(stage: &Stage<'_>, rows: &Rows) -> Vec<(&'static str, String)> {
    let caps = &rows.upcoming.caps;
    // The pace of the last night in which everything that fits was sent, and what stood in the line when it was.
    let last = rows.nights.iter().find(|report| report.state != NightState::Running);
    let pace = last.map_or(0, sent);
    let (counted, is_more) = rows.upcoming.count;
    let waiting = if is_more { counted.max(last.map_or(0, |last| last.carried)) } else { counted };
    let more = if is_more { "at least " } else { "" };
    let place = QueuePosition::At(waiting);
    let is_over = rows.upcoming.is_over();
    let outlook = Outlook::of(place, caps, stage.settings, is_over, stage.now);
    let clears = match (waiting, &caps.disabled, outlook) {
        (0, ..) => "nothing waits".to_owned(),
        (_, None, Some(outlook)) => {
            format!(
                "{more}{waiting} wait; the last of them goes {more}in the night of {}",
                outlook.night
            )
        }
        _ => format!("{more}{waiting} wait. None goes until uploads are on."),
    };
    let trips = match (&caps.disabled, next_full(stage, rows, pace)) {
        (Some(_), _) => "they are off".to_owned(),
        (None, Some(night)) => format!("in the night of {night}, at {pace} a night"),
        (None, None) if pace == 0 => "not by what the last night sent: nothing".to_owned(),
        (None, None) => format!("not within a month, at {pace} a night"),
    };
    let blocked =
        rows.budget.at(stage.now).blocked.map(|wait| (wait.exhausted.to_string(), wait.until));
    let blocked = blocked.or(stage.trouble.day_limit_until.map(|until| ("day".to_owned(), until)));
    vec![
        ("Waiting", clears),
        ("Uploads switch themselves off", trips),
        (
            "A pace that never reaches it",
            format!("{NEVER_TRIPS_PER_NIGHT} a night, if nothing else goes"),
        ),
        (
            "Data from Xero this month",
            format!(
                "{} of answers, unpacked, since the first of the month in UTC",
                bytes(rows.budget.fetched_this_month(stage.now))
            ),
        ),
        (
            "Xero asks us to wait",
            blocked.map_or_else(
                || "no".to_owned(),
                |(limit, until)| format!("limit {limit}, until {}", stage.moment(until)),
            ),
        ),
    ]
}

/// The night in which the 30-day limit is reached, if the coming ones send so many.
fn next_full(stage: &Stage<'_>, rows: &Rows, pace: u32) -> Option<Night> {
    let uploading = stage.settings.upload.as_ref()?;
    let report = rows.upcoming.report.as_ref();
    // A night that waits for proof has sent everything that fits, and is among the attempts.
    let is_through = report.is_some_and(|report| report.state != NightState::Running);
    let next = NextUpload::of(uploading, &stage.settings.zone, is_through, stage.now);
    trips_from(&rows.upcoming.caps, next, pace)
}

/// How many payments a night has sent, those that Xero has refused included: each is an attempt.
fn sent(report: &NightReport) -> u32 {
    report.totals.sent()
}

/// How many of them take a slot: what is, or may be, in Xero.
fn placed(report: &NightReport) -> u32 {
    sent(report).saturating_sub(report.totals.in_state(UploadState::Refused))
}

fn chart(rows: &Rows) -> Option<Chart> {
    let nights = rows.nights.iter().rev();
    let values: Vec<_> = nights.map(|report| (report.night.to_string(), placed(report))).collect();
    let sum = values.iter().fold(0_u32, |sum, (_, value)| sum.saturating_add(*value));
    let most = values.iter().map(|(_, value)| *value).max()?;
    let refused = rows.nights.iter().fold(0_u32, |sum, report| {
        sum.saturating_add(report.totals.in_state(UploadState::Refused))
    });
    let refused = match refused {
        0 => String::new(),
        refused => format!(" Xero refused {refused} more, which take no slot."),
    };
    let summary = format!(
        "{} nights, {sum} payments, {most} at most; the dashed line is {NIGHTLY_MAX}.{refused}",
        values.len()
    );
    Some(Chart::new("Payments sent in each night", summary, NIGHTLY_MAX, values))
}
