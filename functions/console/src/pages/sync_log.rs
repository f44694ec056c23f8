//! What each run did: what it saw, what it put on the queue, what went wrong (CC-09, CC-13).

use askama::Template;
use payments::connection::cure_of_class;
use payments::sweep::{SyncKind, SyncRun};
use payments::upload::UploadState;
use serde_json::json;

use super::{Page, PageError, Stage, filled};
use crate::event::Filter;
use crate::times::{self, bytes, span};
use crate::view::{Button, Frame};

/// Runs that are read.
const READ_MAX: usize = 200;
/// Runs that are shown.
const SHOWN_MAX: usize = 50;

struct Line {
    at: String,
    what: String,
    state: String,
    is_bad: bool,
    who: String,
    counts: String,
    cost: String,
    errors: String,
    cures: Vec<&'static str>,
}

#[derive(Template)]
#[template(path = "sync_log.html")]
struct SyncLog {
    frame: Frame,
    kinds: Vec<(&'static str, bool)>,
    only_errors: bool,
    apply: Button,
    lines: Vec<Line>,
    left_out: bool,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    let (tables, organisation) = (stage.tables, stage.organisation());
    let filter = &stage.show.filter;
    // The index of failures has them in the order of their ends, and nothing else in between (CC-26).
    let only_errors = filter.only == "errors";
    let found = if only_errors {
        tables.newest_failures(organisation, READ_MAX).await?
    } else {
        tables.newest_runs(organisation, READ_MAX).await?
    };
    let mut found = stage.counted(found);
    if only_errors {
        // A run that ended well may have sent what Xero has refused or not confirmed.
        let newest = stage.counted(tables.newest_runs(organisation, READ_MAX).await?);
        let unwell =
            newest.rows.into_iter().filter(|run| run.errors.is_empty() && failing(run) > 0);
        found.rows.extend(unwell);
        let ended = |run: &SyncRun| run.ended_at.unwrap_or(run.started_at);
        found.rows.sort_by_key(|run| std::cmp::Reverse(ended(run)));
    }
    let wanted: Vec<_> = found.rows.iter().filter(|run| is_wanted(run, filter)).collect();
    let left_out = found.more || wanted.len() > SHOWN_MAX;
    let lines = wanted.into_iter().take(SHOWN_MAX).map(|run| line(stage, run)).collect();
    let kinds = SyncKind::ALL.iter().map(|kind| (kind.code(), kind.code() == filter.kind));
    filled(&SyncLog {
        frame: stage.frame(),
        kinds: kinds.collect(),
        only_errors,
        apply: stage.buttons.page("Show", Page::SyncLog, json!({})),
        lines,
        left_out,
    })
}

/// How many payments of a run Xero has refused, or may have and has not confirmed.
fn failing(run: &SyncRun) -> u32 {
    let states = [UploadState::Refused, UploadState::Unknown];
    let counts = states.iter().filter_map(|state| run.counts.get(state.code()));
    counts.fold(0, |sum, count| sum.saturating_add(*count))
}

/// A kind that is none chooses nothing.
fn is_wanted(run: &SyncRun, filter: &Filter) -> bool {
    SyncKind::from_code(&filter.kind).is_none_or(|kind| run.kind == kind)
}

fn line(stage: &Stage<'_>, run: &SyncRun) -> Line {
    let counted = |map: &std::collections::BTreeMap<String, u32>| {
        map.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
    };
    let took = run.ended_at.map(|at| at.duration_since(run.started_at));
    let who = match (&run.by, &run.why) {
        (Some(by), Some(why)) => format!("{by}: {why}"),
        (Some(by), None) => by.clone(),
        _ => run.trigger.to_string(),
    };
    let mut errors = match &run.problem {
        Some(problem) if run.errors.is_empty() => problem.clone(),
        Some(problem) => format!("{}: {problem}", counted(&run.errors)),
        None => counted(&run.errors),
    };
    if failing(run) > 0 {
        let dot = if errors.is_empty() { "" } else { ". " };
        errors.push_str(&format!(
            "{dot}{} payments were refused by Xero or are not confirmed: see the page Tonight.",
            failing(run)
        ));
    }
    Line {
        at: times::clock(run.started_at, &stage.settings.zone),
        what: match &run.subject {
            Some(subject) => format!("{} ({subject})", run.kind),
            None => run.kind.to_string(),
        },
        state: match took {
            Some(took) if took.as_secs() < 60 => {
                format!("{} after {} s", run.state, took.as_secs())
            }
            Some(took) => format!("{} after {}", run.state, span(took)),
            None => run.state.to_string(),
        },
        is_bad: !run.errors.is_empty() || failing(run) > 0,
        who,
        counts: counted(&run.counts),
        cost: match run.calls {
            1 => format!("1 call, {}", bytes(run.bytes)),
            calls => format!("{calls} calls, {}", bytes(run.bytes)),
        },
        errors,
        cures: run.errors.keys().map(|class| cure_of_class(class)).collect(),
    }
}
