//! Whether all is well, in five seconds: a sentence, five tiles, and the most urgent work (SP-35, CC-20, ST-12).

use askama::Template;
use payments::connection::{ConnectionFacts, ConnectionStatus, judge_known};
use payments::failures::Failures;
use payments::sweep::{SweepKind, SweepState};
use payments::upload::{ATTEMPTS_MAX, NightReport, NightState, UploadState};
use serde_json::json;

use super::next_night::{Upcoming, nightly_max};
use super::work::{Task, Work};
use super::{Page, PageError, Stage, filled};
use crate::view::{Button, Frame};

/// Lines of work that are shown.
const TASKS_MAX: usize = 5;
/// The nights that are looked at for the last one.
const NIGHTS_MAX: usize = 1;

/// A fact with its figure, and where there is more of it.
struct Tile {
    label: String,
    figure: String,
    class: &'static str,
    lines: Vec<String>,
    open: Button,
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    frame: Frame,
    is_well: bool,
    verdict: String,
    health: String,
    find: Button,
    tiles: Vec<Tile>,
    tasks: Vec<Task>,
    all: Option<Button>,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    let (tables, organisation) = (stage.tables, stage.organisation());
    let work = Work::read(stage).await?;
    let upcoming = Upcoming::read(stage).await?;
    let nights = tables.nights(organisation, NIGHTS_MAX).await?;
    let kind = match stage.settings.mirror_enabled {
        true => SweepKind::Changes,
        false => SweepKind::Certificate,
    };
    let sweep = tables.sweep(organisation, kind).await?;
    stage.count(nights.len().saturating_add(1));
    let status = status(stage, &work, &sweep);
    let is_well = status == ConnectionStatus::Active && work.tasks.is_empty();
    let verdict = match (work.tasks.len(), is_well) {
        (_, true) => "All is well".to_owned(),
        (0, false) => format!("Xero: {status}"),
        (1, _) => "1 thing needs you".to_owned(),
        (count, _) => format!("{count} things need you"),
    };
    let tiles = vec![
        xero(stage, status, &sweep),
        needs_you(stage, &work),
        tonight(stage, &upcoming, &work),
        last_night(stage, nights.first()),
        limit(stage, &upcoming),
    ];
    let left_out = work.tasks.len() > TASKS_MAX;
    let all = || stage.buttons.page("All that needs you", Page::NeedsYou, json!({"clear": true}));
    filled(&Home {
        frame: stage.frame(),
        is_well,
        verdict,
        health: health(stage, status, &sweep),
        find: stage.buttons.page("Find", Page::Why, json!({})).primary(),
        tiles,
        tasks: work.tasks.into_iter().take(TASKS_MAX).collect(),
        all: left_out.then(all),
    })
}

fn status(stage: &Stage<'_>, work: &Work, sweep: &SweepState) -> ConnectionStatus {
    let row = stage.trouble.connection.as_ref();
    let failures = Failures {
        runs: row.map(|row| row.failed_runs.clone()).unwrap_or_default(),
        refused: work.refused,
        unknown: work.unconfirmed,
        ..Failures::default()
    };
    let known = ConnectionFacts {
        troubles: row.and_then(|row| row.troubles.as_deref()).unwrap_or_default(),
        checked_at: row.and_then(|row| row.checked_at),
        last_success_at: sweep.last_success_at.or(sweep.queued_at),
        silent_since: row.and_then(|row| row.silent_since),
        failures: Some(&failures),
    };
    judge_known(&known, stage.now).0
}

fn health(stage: &Stage<'_>, status: ConnectionStatus, sweep: &SweepState) -> String {
    let xero = match status {
        ConnectionStatus::Active => "Xero is connected.",
        ConnectionStatus::Error => "Xero is connected, and something fails.",
        ConnectionStatus::Disconnected => "Xero is disconnected.",
    };
    let read = stage.moment_or(sweep.last_success_at, "never");
    format!("{xero} Last read from Xero: {read}.")
}

fn tile(stage: &Stage<'_>, label: &str, figure: String, open: (&str, Page)) -> Tile {
    let button = stage.buttons.page(open.0, open.1, json!({"clear": true}));
    Tile {
        label: label.to_owned(),
        figure,
        class: "",
        lines: Vec::new(),
        open: button.quiet().about(label),
    }
}

fn xero(stage: &Stage<'_>, status: ConnectionStatus, sweep: &SweepState) -> Tile {
    let (figure, class) = match status {
        ConnectionStatus::Active => ("✔ Connected", "pm-well"),
        ConnectionStatus::Error => ("▲ Error", "pm-urgent"),
        ConnectionStatus::Disconnected => ("✖ Disconnected", "pm-urgent"),
    };
    Tile {
        class,
        lines: vec![format!("last read {}", stage.moment_or(sweep.last_success_at, "never"))],
        ..tile(stage, "Xero", figure.to_owned(), ("Connections", Page::Integrations))
    }
}

fn needs_you(stage: &Stage<'_>, work: &Work) -> Tile {
    let first = work.tasks.first();
    let at_least = if work.is_more { "or more, " } else { "" };
    Tile {
        class: if work.tasks.is_empty() { "pm-well" } else { "pm-urgent" },
        lines: match first {
            Some(task) => vec![format!("{at_least}the first: {}", task.when)],
            None => vec!["no work waits for a person".to_owned()],
        },
        ..tile(
            stage,
            "Needs you",
            if work.tasks.is_empty() {
                "✔ Nothing".to_owned()
            } else {
                work.tasks.len().to_string()
            },
            ("See all", Page::NeedsYou),
        )
    }
}

fn tonight(stage: &Stage<'_>, upcoming: &Upcoming, work: &Work) -> Tile {
    let open = ("Plan", Page::Tonight);
    let Some(next) = upcoming.next else {
        return tile(stage, "Next upload", "not set up".to_owned(), open);
    };
    let (fits, sum) = upcoming.fitting();
    let mut lines = vec![stage.moment(next.at)];
    let more = if upcoming.count.1 { "at least " } else { "" };
    let later = upcoming.count.0.saturating_sub(fits);
    if !sum.is_empty() {
        lines.push(sum);
    }
    if later > 0 {
        lines.push(format!("{more}{later} for a later night"));
    }
    if !work.held.is_empty() {
        lines.push(format!("{} on hold", work.held.len()));
    }
    Tile { lines, ..tile(stage, "Next upload", format!("{fits} of {}", nightly_max(stage)), open) }
}

fn last_night(stage: &Stage<'_>, night: Option<&NightReport>) -> Tile {
    let open = ("Sync log", Page::SyncLog);
    let Some(report) = night else {
        return tile(stage, "Last upload", "none yet".to_owned(), open);
    };
    let state = |state| report.totals.in_state(state);
    let (refused, unknown) = (state(UploadState::Refused), state(UploadState::Unknown));
    let mut lines = vec![format!("night of {}", report.night)];
    for (count, what) in
        [(refused, "refused"), (unknown, "not confirmed"), (report.carried, "moved on")]
    {
        if count > 0 {
            lines.push(format!("{count} {what}"));
        }
    }
    if let Some(stopped) = &report.stopped {
        lines.push(stopped.clone());
    }
    if report.state == NightState::Running {
        lines.push("running".to_owned());
    }
    let sent = state(UploadState::Uploaded).saturating_add(state(UploadState::PartlyUploaded));
    let unwell = refused > 0 || unknown > 0 || report.stopped.is_some();
    Tile {
        class: if unwell { "pm-urgent" } else { "" },
        lines,
        ..tile(stage, "Last upload", format!("{sent} in Xero"), open)
    }
}

fn limit(stage: &Stage<'_>, upcoming: &Upcoming) -> Tile {
    let attempts = upcoming.caps.attempts(stage.now);
    Tile {
        lines: vec![format!("of {ATTEMPTS_MAX} attempts")],
        ..tile(stage, "30-day limit", attempts.to_string(), ("Limits", Page::Limits))
    }
}
