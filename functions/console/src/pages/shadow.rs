//! Shadow: what would have been done day by day, what differs between the two systems, what would be left alone, and what
//! stands in the way of switching on (CM-02, CM-03, CM-30). It reads the reports, of which there is one a day.

use std::collections::BTreeMap;

use askama::Template;
use commands::Reply;
use commands::reply::ShadowReply;
use payments::shadow::{EntryDifferenceKind, LeftAlone, QUIET_DAYS, ShadowReport};
use serde_json::json;

use super::{PageError, Stage, filled};
use crate::order::Order;
use crate::view::{Button, Frame};

/// Days that are shown.
const SHOWN_MAX: u16 = 31;

struct DayLine {
    day: String,
    made_at: String,
    would: String,
    agreeing: u32,
    differences: u32,
    differing: String,
    left_alone: String,
}

struct DifferenceLine {
    kind: String,
    invoice: String,
    payment: String,
    xero: String,
    why: String,
}

struct LeftLine {
    what: String,
    reason: String,
    why: String,
}

struct PointLine {
    asks: String,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "shadow.html")]
struct ShadowPage {
    frame: Frame,
    may_not: Option<String>,
    state: String,
    next: String,
    begin: Option<Button>,
    compare: Option<Button>,
    switch_on: Option<Button>,
    points: Vec<PointLine>,
    now: Vec<String>,
    days: Vec<DayLine>,
    day: String,
    differences: Vec<DifferenceLine>,
    left: Vec<LeftLine>,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    let reports = stage.tables.shadow_reports(stage.organisation(), SHOWN_MAX).await?;
    stage.count(reports.len());
    let looked = stage.replies.iter().find_map(|reply| match reply {
        Reply::LookAtShadow(reply) => Some(reply),
        _ => None,
    });
    let (state, next) = state(stage, &reports);
    let is_in = stage.settings.shadow.is_some();
    let order = |order| stage.order(order, json!({}));
    let (points, now) = looked.map(of_look).unwrap_or_default();
    let last = reports.first();
    filled(&ShadowPage {
        frame: stage.frame(),
        may_not: stage.may_not(),
        state,
        next,
        begin: if is_in { None } else { order(Order::EnterShadow) },
        compare: if is_in { order(Order::LookAtShadow) } else { None },
        switch_on: if is_in { order(Order::SwitchOn) } else { None },
        points,
        now,
        days: reports.iter().map(|report| day_line(stage, report)).collect(),
        day: last.map(|last| last.day.to_string()).unwrap_or_default(),
        differences: last.map(differences).unwrap_or_default(),
        left: last.map(|last| last.left.iter().map(left_line).collect()).unwrap_or_default(),
    })
}

/// The state in a sentence, and what to do.
fn state(stage: &Stage<'_>, reports: &[ShadowReport]) -> (String, String) {
    let Some(shadow) = stage.settings.shadow else {
        let next = "Begin the shadow while payments are still typed by hand in both systems: everything is decided and \
                    reported, and nothing is done.";
        return (
            "This organisation is not in shadow: what is decided is done.".to_owned(),
            next.to_owned(),
        );
    };
    let state = format!(
        "In shadow since {}: nothing is written to Xero, and no payment is changed here.",
        stage.moment(shadow.since)
    );
    let next = match reports.first().map(ShadowReport::differences_in_all) {
        None => "The first report is made in the evening; Compare now shows what differs at this moment.".to_owned(),
        Some(0) => format!(
            "Nothing differed on the last day. After {QUIET_DAYS} such days in a row, Switch on ends the shadow."
        ),
        Some(differing) => format!(
            "{differing} payments differ. Correct each of them in the system that is wrong; the next report checks it."
        ),
    };
    (state, next)
}

fn of_look(reply: &ShadowReply) -> (Vec<PointLine>, Vec<String>) {
    let point = |point: &commands::reply::ReadinessPoint| PointLine {
        asks: point.asks.clone(),
        problem: point.problem.clone(),
    };
    (reply.points.iter().map(point).collect(), reply.differences.clone())
}

fn day_line(stage: &Stage<'_>, report: &ShadowReport) -> DayLine {
    DayLine {
        day: report.day.to_string(),
        made_at: stage.moment(report.made_at),
        would: counted(&report.would, would_words),
        agreeing: report.agreeing,
        differences: report.differences_in_all(),
        differing: counted(&report.differing, kind_words),
        left_alone: counted(&report.left_alone, |code| code.to_lowercase().replace('_', " ")),
    }
}

fn counted(counts: &BTreeMap<String, u32>, words: impl Fn(&str) -> String) -> String {
    let all: Vec<_> =
        counts.iter().map(|(code, count)| format!("{count} {}", words(code))).collect();
    all.join(", ")
}

/// What would have been done, in words.
fn would_words(code: &str) -> String {
    match code {
        "mirror_imported" => "copied from Xero".to_owned(),
        "mirror_matched" | "mirror_adopted" => "found in both".to_owned(),
        "mirror_deleted" => "deleted here".to_owned(),
        "mirror_updated" => "changed here".to_owned(),
        "mirror_held" => "held".to_owned(),
        "upload_go" => "recorded in Xero".to_owned(),
        "upload_wait" => "left for a later night".to_owned(),
        "upload_hold" => "held until a person has looked".to_owned(),
        "upload_skip" => "not recorded".to_owned(),
        other => other.trim_start_matches("mirror_").replace('_', " "),
    }
}

fn kind_words(code: &str) -> String {
    match EntryDifferenceKind::from_code(code) {
        Some(EntryDifferenceKind::DeletedInXero) => "deleted in Xero",
        Some(EntryDifferenceKind::MissingHere) => "missing in the business's system",
        Some(EntryDifferenceKind::MissingInXero) => "missing in Xero",
        Some(EntryDifferenceKind::OtherAmount) => "of another amount",
        Some(EntryDifferenceKind::OtherDay) => "of another day",
        Some(EntryDifferenceKind::OtherInvoice) => "on another invoice",
        Some(EntryDifferenceKind::TwiceHere) => "twice in the business's system",
        Some(EntryDifferenceKind::TwiceInXero) => "twice in Xero",
        None => code,
    }
    .to_owned()
}

fn differences(report: &ShadowReport) -> Vec<DifferenceLine> {
    let text = |id: Option<String>| id.unwrap_or_else(|| "none".to_owned());
    let line = |one: &payments::shadow::EntryDifference| DifferenceLine {
        kind: kind_words(one.kind.code()),
        invoice: text(one.number.as_ref().map(ToString::to_string)),
        payment: text(one.payment.as_ref().map(ToString::to_string)),
        xero: text(one.xero.map(|xero| xero.to_string())),
        why: one.why.clone(),
    };
    report.differences.iter().map(line).collect()
}

fn left_line(left: &LeftAlone) -> LeftLine {
    let what = match (&left.payment, left.xero) {
        (Some(payment), _) => payment.to_string(),
        (None, Some(xero)) => xero.to_string(),
        (None, None) => "unknown".to_owned(),
    };
    LeftLine { what, reason: left.reason.clone(), why: left.why.clone() }
}
