//! The used part of each limit: the night's 200, the 4,000 in 30 days, the calls to Xero; and how long waiting
//! payments will wait.

use askama::Template;
use payments::budget::{Budget, MINUTE_MAX};
use payments::upload::{
    ATTEMPTS_MAX, Caps, Forecast, Line, NEVER_TRIPS_PER_NIGHT, NIGHTLY_MAX, Night, NightReport,
    NightState, UploadState,
};
use serde_json::json;

use super::{PageError, Stage, filled};
use crate::order::Order;
use crate::times::bytes;
use crate::view::{Bar, Button, Chart, Frame, Sign};

/// Nights in the chart: as long as the window of attempts.
const NIGHTS_MAX: usize = 30;
/// Payments of the backlog that are counted, at a cost that does not grow with it: five nights' worth.
const WAITING_MAX: u32 = 1_000;

/// What the page rests on.
struct Rows {
    caps: Caps,
    budget: Budget,
    nights: Vec<NightReport>,
    waiting: u32,
    more_waiting: bool,
}

#[derive(Template)]
#[template(path = "limits.html")]
struct Limits {
    frame: Frame,
    off: Option<String>,
    sign: Option<Sign>,
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
    let caps = tables.caps(organisation).await?;
    let budget = tables.budget(organisation).await?;
    let nights = tables.nights(organisation, NIGHTS_MAX).await?;
    stage.count(nights.len().saturating_add(2));
    let (waiting, more_waiting) =
        tables.line_count_up_to(organisation, Line::Waiting, WAITING_MAX).await?;
    stage.count(usize::try_from(waiting).unwrap_or(usize::MAX));
    Ok(Rows { caps, budget, nights, waiting, more_waiting })
}

fn view(stage: &Stage<'_>, rows: &Rows) -> Limits {
    let switch_on = rows.caps.disabled.as_ref().and(stage.order(Order::EnableUploads, json!({})));
    let off = rows.caps.disabled.as_ref().map(|disabled| {
        format!(
            "Uploading switched itself off {}: {}. Payments that name their invoices still go at once. \
             Switching it on resets nothing.",
            stage.moment(disabled.at),
            disabled.why
        )
    });
    Limits {
        frame: stage.frame(),
        sign: switch_on.as_ref().and(stage.sign()),
        may_not: off.as_ref().and(stage.may_not()),
        off,
        switch_on,
        bars: bars(stage, rows),
        facts: facts(stage, rows),
        chart: chart(rows),
    }
}

fn nightly_max(stage: &Stage<'_>) -> u32 {
    let upload = stage.settings.upload.as_ref();
    upload.map_or(NIGHTLY_MAX, |upload| upload.nightly_max).min(NIGHTLY_MAX)
}

fn bars(stage: &Stage<'_>, rows: &Rows) -> Vec<Bar> {
    let night = Night::of(stage.now, &stage.settings.zone);
    let day_max = stage.settings.calls_per_day;
    let now = rows.budget.at(stage.now);
    let day_left = now.day_left(day_max, stage.now);
    let minute = u32::try_from(now.in_minute()).unwrap_or(u32::MAX);
    let minute_max = u32::try_from(MINUTE_MAX).unwrap_or(u32::MAX);
    let attempts = rows.caps.attempts(stage.now);
    let left = |used: u32, max: u32| format!("; {} left", max.saturating_sub(used));
    let used = rows.caps.used_in(night);
    vec![
        Bar::new(
            "Tonight's payments",
            used,
            nightly_max(stage),
            &format!("; {} still fit", rows.caps.left(night, nightly_max(stage), stage.now)),
        ),
        Bar::new("Attempts in 30 days", attempts, ATTEMPTS_MAX, &left(attempts, ATTEMPTS_MAX)),
        Bar::new(
            "Calls to Xero in 24 hours",
            day_max.saturating_sub(day_left),
            day_max,
            &format!("; {day_left} left"),
        ),
        Bar::new("Calls to Xero in this minute", minute, minute_max, &left(minute, minute_max)),
    ]
}

fn facts(stage: &Stage<'_>, rows: &Rows) -> Vec<(&'static str, String)> {
    let night = Night::of(stage.now, &stage.settings.zone);
    // The pace of the last night that was through, and what stood in the line when it was.
    let last = rows.nights.iter().find(|report| report.state == NightState::Finished);
    let pace = last.map_or(0, placed);
    let carried = last.map_or(0, |report| report.carried);
    let waiting = if rows.more_waiting { rows.waiting.max(carried) } else { rows.waiting };
    let forecast = Forecast::after(&rows.caps, night, pace, waiting, nightly_max(stage), stage.now);
    let more = if rows.more_waiting { "at least " } else { "" };
    let clears = match (waiting, &rows.caps.disabled) {
        (0, _) => "nothing waits".to_owned(),
        (_, Some(_)) => format!("{more}{waiting} wait, and uploading is off: never, as it is"),
        (_, None) => {
            format!("{more}{waiting} wait; cleared {more}in the night of {}", forecast.clears_in)
        }
    };
    let trips = match (&rows.caps.disabled, forecast.trips_in) {
        (Some(_), _) => "it has".to_owned(),
        (None, Some(night)) => format!("in the night of {night}, at {pace} a night"),
        (None, None) => format!("not within a month, at {pace} a night"),
    };
    let blocked = rows.budget.at(stage.now).blocked;
    vec![
        ("The backlog", clears),
        ("Uploading switches itself off", trips),
        (
            "A pace that never does",
            format!("{NEVER_TRIPS_PER_NIGHT} a night, if nothing else goes"),
        ),
        (
            "Fetched this month",
            format!(
                "{} of answers, unpacked, since the first of the month in UTC",
                bytes(rows.budget.fetched_this_month(stage.now))
            ),
        ),
        (
            "Xero asks us to wait",
            blocked.map_or_else(
                || "no".to_owned(),
                |wait| format!("limit {}, until {}", wait.exhausted, stage.moment(wait.until)),
            ),
        ),
    ]
}

/// How many payments a night has put into Xero, or tried to.
fn placed(report: &NightReport) -> u32 {
    [UploadState::Uploaded, UploadState::PartlyUploaded, UploadState::Refused, UploadState::Unknown]
        .into_iter()
        .fold(0, |sum, state| sum.saturating_add(report.totals.in_state(state)))
}

fn chart(rows: &Rows) -> Option<Chart> {
    let nights = rows.nights.iter().rev();
    let values: Vec<_> = nights.map(|report| (report.night.to_string(), placed(report))).collect();
    let sum = values.iter().fold(0_u32, |sum, (_, value)| sum.saturating_add(*value));
    let most = values.iter().map(|(_, value)| *value).max()?;
    let summary = format!(
        "{} nights, {sum} payments, {most} at most; the dashed line is {NIGHTLY_MAX}.",
        values.len()
    );
    Some(Chart::new("Payments sent in each night", summary, NIGHTLY_MAX, values))
}
