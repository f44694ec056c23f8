//! Reports of weeks, months, quarters and any days, with links to their files that stop to work after a quarter of an hour
//! (SP-27 to SP-31, SP-33).

use archive::Archive;
use askama::Template;
use serde_json::json;
use table::StoredReport;

use super::{Page, PageError, Stage, filled};
use crate::order::Order;
use crate::times;
use crate::view::{Button, Frame};

/// Reports that are read and shown.
const SHOWN_MAX: usize = 60;
/// Reports that are read: their names are in the order of kinds, and not of time.
const READ_MAX: usize = 300;

struct Line {
    period: String,
    headline: String,
    made: String,
    /// What came of counting it again, and whether it is another one.
    recount: String,
    is_wrong: bool,
    files: Button,
}

/// A file with its link.
struct Link {
    name: String,
    url: String,
}

#[derive(Template)]
#[template(path = "reports.html")]
struct Reports {
    frame: Frame,
    may_not: Option<String>,
    make: Option<Button>,
    chosen: Option<(String, Vec<Link>)>,
    lines: Vec<Line>,
    unreadable: Vec<String>,
    nothing: Option<&'static str>,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    let found = stage.tables.reports(stage.organisation(), READ_MAX).await?;
    stage.count(found.rows.len().saturating_add(found.unreadable.len()));
    let unreadable = found.unreadable.iter().map(|row| format!("{}: {}", row.key, row.problem));
    let unreadable = unreadable.collect();
    let mut listed = found.rows;
    listed.sort_by(|one, other| other.made_at.cmp(&one.made_at));
    let typed = stage.show.filter.word.clone();
    let chosen = listed.iter().find(|report| report.period == typed);
    let chosen = match (chosen, stage.archive) {
        (Some(report), Some(archive)) => {
            Some((report.period.clone(), links(report, archive).await?))
        }
        _ => None,
    };
    let nothing = match stage.archive {
        None => Some("This stack has no bucket for reports."),
        Some(_) if listed.is_empty() => Some(
            "No period is over and sealed yet. Reports come by themselves, three to nine hours after its end in UTC.",
        ),
        Some(_) => None,
    };
    filled(&Reports {
        frame: stage.frame(),
        may_not: stage.may_not(),
        make: stage.order_about(Order::MakeReport, "these days", json!({})),
        chosen,
        unreadable,
        lines: listed.iter().take(SHOWN_MAX).map(|report| line(stage, report)).collect(),
        nothing,
    })
}

async fn links(report: &StoredReport, archive: &Archive) -> Result<Vec<Link>, PageError> {
    let mut links = Vec::new();
    for name in &report.files {
        let url = archive.link(&format!("{}/{name}", report.folder())).await;
        let url = url.map_err(PageError::Archive)?;
        links.push(Link { name: name.clone(), url });
    }
    Ok(links)
}

fn line(stage: &Stage<'_>, report: &StoredReport) -> Line {
    let recount = report.recount.as_ref();
    let words = recount.map(|recount| {
        let at = times::clock(recount.at, &stage.settings.zone);
        match &recount.difference {
            Some(difference) => format!("{difference} ({at})"),
            None => format!("the same ({at})"),
        }
    });
    let by = report.by.as_ref().map(|by| format!(", ordered by {by}"));
    let period = report.period.clone();
    Line {
        headline: report.headline.clone(),
        made: stage.moment(report.made_at) + &by.unwrap_or_default(),
        is_wrong: recount.is_some_and(|recount| recount.difference.is_some()),
        recount: words.unwrap_or_else(|| "not yet".to_owned()),
        files: stage
            .buttons
            .page("Files", Page::Reports, json!({"word": period, "clear": true}))
            .about(&period),
        period,
    }
}
