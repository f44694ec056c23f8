//! Tonight's uploads, the payments that wait for a later night, and those held or skipped (EX-31, EX-32, EX-33).
//!
//! The tables say what waits. What would become of each is only known by judging it on figures of Xero's, which
//! costs calls: `upload` does that when a person asks for it, and never because a dashboard is open.

use askama::Template;
use commands::Reply;
use commands::reply::{Disposition, NightPlan, PlannedPayment};
use payments::explanations::{Outlook, QueuePosition};
use payments::upload::{
    self, ATTEMPTS_MAX, Caps, Line, NIGHTLY_MAX, Night, NightState, Route, Upload,
};
use serde_json::json;

use super::{Page, PageError, Stage, filled, payment_actions};
use crate::order::Order;
use crate::view::{Bar, Button, Frame, Sign};

/// Payments of each group that are shown.
const SHOWN_MAX: usize = 50;
/// Payments of a line that are counted.
const COUNTED_MAX: u32 = 1_000;

struct Payment {
    why: Button,
    amount: String,
    date: String,
    when: String,
    reason: String,
    orders: Vec<Button>,
}

struct Group {
    title: &'static str,
    count: String,
    lines: Vec<Payment>,
    left_out: bool,
}

#[derive(Template)]
#[template(path = "tonight.html")]
struct Tonight {
    frame: Frame,
    off: Option<String>,
    when: String,
    bars: Vec<Bar>,
    judged: Option<String>,
    judge: Option<Button>,
    sign: Option<Sign>,
    may_not: Option<String>,
    groups: Vec<Group>,
}

/// What the tables say.
struct Rows {
    caps: Caps,
    is_over: bool,
    waiting: Vec<Upload>,
    waiting_count: (u32, bool),
    held: Vec<Upload>,
    held_count: (u32, bool),
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    let rows = read(stage).await?;
    let plan = stage.replies.iter().find_map(|reply| match reply {
        Reply::PreviewPlan(reply) => Some(reply.previews.first()),
        _ => None,
    });
    let (mut judged, mut groups) = (None, of_tables(stage, &rows));
    match plan {
        None => {}
        Some(Some(plan)) => {
            judged = Some(format!(
                "This is what the night of {} would do at this moment: {} would go, {} would wait, {} slots are free.",
                plan.night, plan.would_go, plan.would_wait, plan.slots_left
            ));
            groups = of_plan(stage, &rows, plan);
        }
        Some(None) => judged = Some("Nothing is uploaded for this organisation.".to_owned()),
    }
    filled(&Tonight {
        frame: stage.frame(),
        off: off(stage, &rows),
        when: when(stage, &rows),
        bars: bars(stage, &rows),
        judged,
        judge: stage.order(Order::PreviewPlan, json!({})),
        sign: stage.sign(),
        may_not: stage.may_not(),
        groups,
    })
}

async fn read(stage: &Stage<'_>) -> Result<Rows, PageError> {
    let (tables, organisation) = (stage.tables, stage.organisation());
    let caps = tables.caps(organisation).await?;
    let report = tables.night(organisation, tonight(stage)).await?;
    stage.count(2);
    let (waiting, _) = tables.line(organisation, Line::Waiting, None, SHOWN_MAX).await?;
    let waiting_count = tables.line_count_up_to(organisation, Line::Waiting, COUNTED_MAX).await?;
    let (held, _) = tables.line(organisation, Line::Held, None, SHOWN_MAX).await?;
    let held_count = tables.line_count_up_to(organisation, Line::Held, COUNTED_MAX).await?;
    stage.count(waiting.len().saturating_add(held.len()));
    stage.count_read(waiting_count.0.saturating_add(held_count.0));
    let is_over = report.is_some_and(|report| report.state == NightState::Finished);
    Ok(Rows { caps, is_over, waiting, waiting_count, held, held_count })
}

fn tonight(stage: &Stage<'_>) -> Night {
    Night::of(stage.now, &stage.settings.zone)
}

fn off(stage: &Stage<'_>, rows: &Rows) -> Option<String> {
    let uploading = stage.settings.upload.as_ref();
    match (uploading, &rows.caps.disabled) {
        (None, _) => Some("Uploading is not set up for this organisation.".to_owned()),
        (Some(uploading), _) if !uploading.enabled => {
            Some("Uploading is off: `upload_enabled` of the organisation is false.".to_owned())
        }
        (_, Some(disabled)) => Some(format!(
            "Uploading switched itself off {}: {}. It is switched on again on the page Limits.",
            stage.moment(disabled.at),
            disabled.why
        )),
        _ => None,
    }
}

fn when(stage: &Stage<'_>, rows: &Rows) -> String {
    let night = tonight(stage);
    if rows.is_over {
        return format!(
            "The upload of the night of {night} is finished; what waits goes in the next one."
        );
    }
    let due = stage.settings.upload.as_ref();
    let due = due.and_then(|upload| night.due(upload.due_at, &stage.settings.zone));
    let due = due.map(|at| format!(", at the latest by the catch-up from {} on", stage.moment(at)));
    format!(
        "The night of {night}, when the stack's UploadTime has come{}.",
        due.unwrap_or_default()
    )
}

fn bars(stage: &Stage<'_>, rows: &Rows) -> Vec<Bar> {
    let night = tonight(stage);
    let upload = stage.settings.upload.as_ref();
    let max = upload.map_or(NIGHTLY_MAX, |upload| upload.nightly_max).min(NIGHTLY_MAX);
    let (used, left) = (rows.caps.used_in(night), rows.caps.left(night, max, stage.now));
    let attempts = rows.caps.attempts(stage.now);
    vec![
        Bar::new("Tonight's payments", used, max, &format!("; {left} still fit")),
        Bar::new("Attempts in 30 days", attempts, ATTEMPTS_MAX, ""),
    ]
}

/// In which night the payment at this place of the line goes.
fn expected(stage: &Stage<'_>, rows: &Rows, place: usize) -> String {
    let place = QueuePosition::At(u32::try_from(place).unwrap_or(u32::MAX));
    let outlook = Outlook::of(place, &rows.caps, stage.settings, rows.is_over, stage.now);
    match (&rows.caps.disabled, outlook) {
        (None, Some(outlook)) => outlook.to_string(),
        _ => "uploading is off".to_owned(),
    }
}

fn of_tables(stage: &Stage<'_>, rows: &Rows) -> Vec<Group> {
    let here = json!({});
    let line = |upload: &Upload, when: String, reason: String| Payment {
        why: why(stage, upload.receipt.id.as_str()),
        amount: upload.receipt.amount.to_string(),
        date: upload.receipt.date.to_string(),
        when,
        reason,
        orders: payment_actions::orders(stage, upload, &here),
    };
    let waiting =
        rows.waiting.iter().zip(1..).map(|(upload, place)| {
            line(upload, expected(stage, rows, place), upload.reason.clone())
        });
    let held = rows
        .held
        .iter()
        .map(|upload| line(upload, String::new(), format!("{}: {}", upload.reason, upload.why)));
    vec![
        group("Wait for a night", rows.waiting_count, waiting.collect()),
        group("Held", rows.held_count, held.collect()),
    ]
}

fn group(title: &'static str, (count, more): (u32, bool), lines: Vec<Payment>) -> Group {
    let shown = u32::try_from(lines.len()).unwrap_or(u32::MAX);
    let at_least = if more { "at least " } else { "" };
    Group { title, count: format!("{at_least}{count}"), left_out: more || count > shown, lines }
}

fn of_plan(stage: &Stage<'_>, rows: &Rows, plan: &NightPlan) -> Vec<Group> {
    let mut place = 0_usize;
    let mut groups = [
        (Disposition::Go, "Go tonight", plan.would_go, Vec::new()),
        (Disposition::Wait, "Wait for a later night", plan.would_wait, Vec::new()),
        (Disposition::Hold, "Would be held", 0, Vec::new()),
        (Disposition::Skip, "Would be skipped", 0, Vec::new()),
    ];
    for planned in &plan.payments {
        let route = planned.route.as_deref().and_then(Route::from_code);
        let has_turn = matches!(planned.would, Disposition::Go | Disposition::Wait);
        let when = match route.filter(|_| has_turn) {
            Some(route) if route.is_nightly() => {
                place = place.saturating_add(1);
                expected(stage, rows, place)
            }
            Some(_) => "at once".to_owned(),
            None => String::new(),
        };
        let group = groups.iter_mut().find(|(would, ..)| *would == planned.would);
        let Some((_, _, count, lines)) = group else { continue };
        if !has_turn {
            *count = count.saturating_add(1);
        }
        if lines.len() < SHOWN_MAX {
            lines.push(of_planned(stage, planned, when));
        }
    }
    let group = |(_, title, count, lines): (_, _, u32, Vec<Payment>)| Group {
        title,
        count: count.to_string(),
        left_out: count > u32::try_from(lines.len()).unwrap_or(u32::MAX),
        lines,
    };
    groups.into_iter().map(group).collect()
}

fn of_planned(stage: &Stage<'_>, planned: &PlannedPayment, when: String) -> Payment {
    let here = json!({});
    let orders = planned.orders.iter().filter_map(|code| upload::PaymentCommand::from_code(code));
    let orders = orders.filter_map(|order| {
        payment_actions::order_about(stage, order, planned.payment.as_str(), &here)
    });
    let reason = match (&planned.reason, &planned.why) {
        (Some(reason), Some(why)) => format!("{reason}: {why}"),
        (Some(reason), None) => reason.clone(),
        _ => planned.parts.join(", "),
    };
    Payment {
        why: why(stage, planned.payment.as_str()),
        amount: planned.amount.clone(),
        date: planned.date.clone(),
        when,
        reason,
        orders: orders.collect(),
    }
}

fn why(stage: &Stage<'_>, payment: &str) -> Button {
    stage.buttons.page(payment, Page::Why, json!({"search": payment, "clear": true}))
}
