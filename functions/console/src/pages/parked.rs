//! What could not be processed: kept in full with its reason, and done again from here.

use std::collections::BTreeMap;

use askama::Template;
use serde_json::{Value, json};
use table::ParkedRow;

use super::{PageError, Stage, filled};
use crate::order::Order;
use crate::view::{Button, Frame};

/// Rows that are read, the newest first.
const READ_MAX: usize = 200;
/// Rows that are shown.
const SHOWN_MAX: usize = 50;
/// What the buttons are about that are about no row alone.
const ALL: &str = "all of them";
/// Members that name what a message is about, in the order in which they are looked for.
const NAMES: [&str; 4] = ["id", "payment", "number", "customer"];
/// Characters of such a name that are shown.
const NAME_CHARS_MAX: usize = 64;

struct Line {
    at: String,
    about: String,
    by: String,
    reason: String,
    detail: String,
    replay: Option<Button>,
}

struct Group {
    reason: String,
    count: usize,
    preview: Option<Button>,
    replay: Option<Button>,
}

#[derive(Template)]
#[template(path = "parked.html")]
struct Parked {
    frame: Frame,
    may_not: Option<String>,
    preview_all: Option<Button>,
    replay_all: Option<Button>,
    groups: Vec<Group>,
    lines: Vec<Line>,
    /// Of no organisation that is known: a message that says none is on the page of each.
    of_none: Vec<Line>,
    left_out: bool,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    let found = stage.tables.newest_parked(Some(stage.organisation()), READ_MAX).await?;
    let found = stage.counted(found);
    let of_none = stage.counted(stage.tables.newest_parked(None, SHOWN_MAX).await?);
    let any = !found.rows.is_empty();
    let lines = found.rows.iter().take(SHOWN_MAX).map(|row| line(stage, row)).collect();
    filled(&Parked {
        frame: stage.frame(),
        may_not: stage.may_not().filter(|_| any),
        preview_all: stage.order_about(Order::PreviewReplay, ALL, json!({})).filter(|_| any),
        replay_all: stage.order_about(Order::Replay, ALL, json!({})).filter(|_| any),
        groups: groups(stage, &found.rows),
        lines,
        of_none: of_none.rows.iter().map(|row| Line { replay: None, ..line(stage, row) }).collect(),
        left_out: found.more || found.rows.len() > SHOWN_MAX || of_none.more,
    })
}

fn groups(stage: &Stage<'_>, rows: &[ParkedRow]) -> Vec<Group> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        *counts.entry(&row.reason).or_default() += 1;
    }
    let group = |(reason, count): (&str, usize)| Group {
        reason: reason.to_owned(),
        count,
        preview: stage.order_about(Order::PreviewReplay, reason, json!({"reason": reason})),
        replay: stage.order_about(Order::Replay, reason, json!({"reason": reason})),
    };
    counts.into_iter().map(group).collect()
}

fn line(stage: &Stage<'_>, row: &ParkedRow) -> Line {
    let (at, id) = row.parked_at.split_once('#').unwrap_or((&row.parked_at, ""));
    let at = stage.clock(at);
    let which = format!("{}, {at}, {id}", row.reason);
    Line {
        at,
        about: about(row, id),
        by: row.by.clone(),
        reason: row.reason.clone(),
        detail: row.detail.clone(),
        replay: stage.order_about(Order::Replay, &which, json!({"parked_at": row.parked_at})),
    }
}

/// What the parked thing is about: what a report names, or else what its row is known by, which is the id of an
/// invoice in Xero or of a message.
fn about(row: &ParkedRow, id: &str) -> String {
    let report = row.body.as_deref().and_then(|body| serde_json::from_str::<Value>(body).ok());
    let named = report.as_ref().and_then(|report| {
        let name = NAMES.iter().find_map(|name| report[name].as_str())?;
        Some(format!("{} {name}", report["type"].as_str()?))
    });
    named.unwrap_or_else(|| id.to_owned()).chars().take(NAME_CHARS_MAX).collect()
}
