//! What could not be processed: kept in full with its reason, and done again from here.

use std::collections::BTreeMap;

use askama::Template;
use serde_json::json;
use table::ParkedRow;

use super::{PageError, Stage, filled};
use crate::order::Order;
use crate::view::{Button, Frame, Sign};

/// Rows that are read, the newest first.
const READ_MAX: usize = 200;
/// Rows that are shown.
const SHOWN_MAX: usize = 50;
/// What the buttons are about that are about no row alone.
const ALL: &str = "all of them";

struct Line {
    at: String,
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
    sign: Option<Sign>,
    may_not: Option<String>,
    preview_all: Option<Button>,
    replay_all: Option<Button>,
    groups: Vec<Group>,
    lines: Vec<Line>,
    left_out: bool,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    let found = stage.tables.newest_parked(stage.organisation(), READ_MAX).await?;
    let found = stage.counted(found);
    let any = !found.rows.is_empty();
    let lines = found.rows.iter().take(SHOWN_MAX).map(|row| line(stage, row)).collect();
    filled(&Parked {
        frame: stage.frame(),
        sign: stage.sign().filter(|_| any),
        may_not: stage.may_not().filter(|_| any),
        preview_all: stage.order_about(Order::PreviewReplay, ALL, json!({})).filter(|_| any),
        replay_all: stage.order_about(Order::Replay, ALL, json!({})).filter(|_| any),
        groups: groups(stage, &found.rows),
        lines,
        left_out: found.more || found.rows.len() > SHOWN_MAX,
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
        by: row.by.clone(),
        reason: row.reason.clone(),
        detail: row.detail.clone(),
        replay: stage.order_about(Order::Replay, &which, json!({"parked_at": row.parked_at})),
    }
}
