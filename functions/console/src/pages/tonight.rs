//! The coming night's uploads, the payments that wait for a later one, and those that do not go (EX-31, EX-32,
//! EX-33).
//!
//! The tables say what waits. What would become of each is only known by judging it on figures of Xero's, which
//! costs calls: `upload` does that when a person asks for it, and never because a dashboard is open.

use std::collections::BTreeMap;

use askama::Template;
use commands::Reply;
use commands::reply::{Disposition, NightPlan, PlannedPayment};
use payments::explanations::{Facts, Outlook, QueuePosition, State, Subject};
use payments::upload::{
    ATTEMPTS_MAX, Customer, Line, NextUpload, NightState, PaymentCommand, Route, Upload,
};
use payments::{CustomerId, Money};
use serde_json::json;

use super::next_night::{Upcoming, nightly_max, sums};
use super::{Page, PageError, Stage, filled, payment_actions};
use crate::order::Order;
use crate::view::{Bar, Button, Frame};

/// Payments of each group that are shown.
const SHOWN_MAX: usize = 50;
/// Payments of a group that are counted.
const COUNTED_MAX: u32 = 200;

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
    /// The sum of those that are listed.
    sum: String,
    lines: Vec<Payment>,
    left_out: bool,
    /// An order about all that are listed.
    all: Option<Button>,
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
    may_not: Option<String>,
    groups: Vec<Group>,
}

/// A line of payments, as far as it is shown and counted.
struct Counted {
    uploads: Vec<Upload>,
    count: (u32, bool),
}

/// What the tables say.
struct Rows {
    upcoming: Upcoming,
    /// Who paid, of those that are shown as waiting: an action about a customer keeps a payment back.
    customers: BTreeMap<CustomerId, Customer>,
    refused: Counted,
    unconfirmed: Counted,
    held: Counted,
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
            judged = Some(judgement(stage, &rows, plan));
            groups = of_plan(stage, &rows, plan);
        }
        Some(None) => judged = Some("Nothing is uploaded for this organisation.".to_owned()),
    }
    filled(&Tonight {
        frame: stage.frame(),
        off: off(stage),
        when: when(stage, &rows),
        bars: bars(stage, &rows),
        judged,
        judge: stage.order(Order::PreviewPlan, json!({})).map(Button::primary),
        may_not: stage.may_not(),
        groups,
    })
}

async fn read(stage: &Stage<'_>) -> Result<Rows, PageError> {
    let upcoming = Upcoming::read(stage).await?;
    let shown = upcoming.waiting.iter().take(SHOWN_MAX);
    let mut ids: Vec<_> = shown.filter_map(|upload| upload.receipt.customer.clone()).collect();
    ids.sort();
    ids.dedup();
    stage.count(ids.len());
    let each = stage.tables.each_customer(stage.organisation(), &ids).await?;
    let customers = each.into_iter().filter_map(|(id, known)| Some((id, known.ok()?)));
    Ok(Rows {
        customers: customers.collect(),
        refused: counted(stage, Line::Refused).await?,
        unconfirmed: counted(stage, Line::Unknown).await?,
        held: counted(stage, Line::Held).await?,
        upcoming,
    })
}

async fn counted(stage: &Stage<'_>, line: Line) -> Result<Counted, PageError> {
    let (tables, organisation) = (stage.tables, stage.organisation());
    let page = tables.line_page(organisation, line, None, SHOWN_MAX).await?;
    let (uploads, read) = (page.uploads, page.unreadable.len());
    let read = read.saturating_add(uploads.len());
    stage.count(read);
    let mut count = (u32::try_from(read).unwrap_or(u32::MAX), false);
    if page.next.is_some() {
        count = tables.line_count_up_to(organisation, line, COUNTED_MAX).await?;
        stage.count_read(count.0);
    }
    Ok(Counted { uploads, count })
}

/// Why nothing goes at all; that uploads have switched themselves off is said on every page.
fn off(stage: &Stage<'_>) -> Option<String> {
    match stage.settings.upload.as_ref() {
        None => Some("Uploading is not set up for this organisation.".to_owned()),
        Some(uploading) if !uploading.enabled => Some(
            "Uploading is off. An administrator switches it on, on the page Configure.".to_owned(),
        ),
        _ => None,
    }
}

fn when(stage: &Stage<'_>, rows: &Rows) -> String {
    let Some(next) = rows.upcoming.next else { return String::new() };
    let state = rows.upcoming.report.as_ref().map(|report| report.state);
    let (fits, sum) = rows.upcoming.fitting();
    let what = match fits {
        0 => "Nothing waits for it.".to_owned(),
        fits => format!("{fits} payments wait for it, {sum}, as far as Xero lets them through."),
    };
    match state {
        Some(NightState::Running) => {
            "The night's upload is running. What does not fit goes in the next one.".to_owned()
        }
        Some(NightState::WaitingForProof) => {
            "Everything that fits was sent. Xero has not confirmed all of it: it is \
             looked for there, and sent again only if it is not there."
                .to_owned()
        }
        Some(NightState::Finished) => format!(
            "The last upload is finished. Next upload: the night of {}, {}. {what}",
            next.night,
            stage.moment(next.at)
        ),
        None => {
            format!("Next upload: the night of {}, {}. {what}", next.night, stage.moment(next.at))
        }
    }
}

fn bars(stage: &Stage<'_>, rows: &Rows) -> Vec<Bar> {
    let upcoming = &rows.upcoming;
    let attempts = upcoming.caps.attempts(stage.now);
    let attempts = Bar::new("Attempts in 30 days", attempts, ATTEMPTS_MAX, "");
    night_bar(stage, upcoming).into_iter().chain([attempts]).collect()
}

/// How much of the coming night is used.
pub(super) fn night_bar(stage: &Stage<'_>, upcoming: &Upcoming) -> Option<Bar> {
    let next = upcoming.next?;
    let label = format!("Payments of the night of {}", next.night);
    let used = upcoming.caps.used_in(next.night);
    Some(Bar::new(label, used, nightly_max(stage), &format!("; {} still fit", upcoming.left)))
}

/// In which night the payment at this place of the line goes.
fn expected(stage: &Stage<'_>, rows: &Rows, place: usize) -> String {
    if stage.trouble.is_disconnected {
        return "once Xero is connected".to_owned();
    }
    let place = QueuePosition::At(u32::try_from(place).unwrap_or(u32::MAX));
    let caps = &rows.upcoming.caps;
    let is_over = rows.upcoming.is_over();
    let outlook = Outlook::of(place, caps, stage.settings, is_over, stage.now);
    match (&caps.disabled, outlook) {
        (None, Some(outlook)) => outlook.to_string(),
        _ => "uploading is off".to_owned(),
    }
}

fn of_tables(stage: &Stage<'_>, rows: &Rows) -> Vec<Group> {
    let stopped = |upload: &Upload| {
        line(stage, upload, String::new(), format!("{}: {}", upload.reason, upload.why))
    };
    let unconfirmed = |upload: &Upload| {
        let look = upload.look_at();
        let when = look.map(|at| format!("looked for in Xero {}", stage.moment(at)));
        line(stage, upload, when.unwrap_or_default(), upload.why.clone())
    };
    let waiting = rows.upcoming.waiting.iter().zip(1..).take(SHOWN_MAX);
    let waiting = waiting.map(|(upload, place)| waiting_line(stage, rows, upload, place));
    let some = |title, counted: &Counted, line: &dyn Fn(&Upload) -> Payment| {
        let lines: Vec<_> = counted.uploads.iter().map(line).collect();
        let all =
            payment_actions::order_about_all(stage, PaymentCommand::Release, &counted.uploads);
        Group { all, ..group(title, counted.count, amounts(&counted.uploads), lines) }
    };
    let mut groups = vec![
        some("Refused by Xero", &rows.refused, &stopped),
        some("Sent, not confirmed", &rows.unconfirmed, &unconfirmed),
    ];
    // Their usual number is none.
    groups.retain(|group| !group.lines.is_empty());
    let shown: Vec<_> = rows.upcoming.waiting.iter().take(SHOWN_MAX).cloned().collect();
    groups.push(Group {
        all: payment_actions::order_about_all(stage, PaymentCommand::Hold, &shown),
        ..group("Wait for a night", rows.upcoming.count, amounts(&shown), waiting.collect())
    });
    groups.push(some("Held", &rows.held, &stopped));
    groups
}

fn waiting_line(stage: &Stage<'_>, rows: &Rows, upload: &Upload, place: usize) -> Payment {
    let customer = upload.receipt.customer.as_ref();
    let facts = Facts {
        upload: Some(upload.clone()),
        customer: customer.and_then(|id| rows.customers.get(id)).cloned(),
        caps: Some(rows.upcoming.caps.clone()),
        ..Facts::none(Subject::Ours(upload.receipt.id.clone()))
    };
    // Its one state, as its own page has it: what is kept back has no night.
    match State::of(&facts, stage.settings) {
        Some(state @ State::Blocked(_)) => {
            let action = facts.customer.and_then(|customer| customer.blocked).unwrap_or_default();
            line(stage, upload, String::new(), format!("{state}: {action}"))
        }
        _ => line(stage, upload, expected(stage, rows, place), upload.reason.clone()),
    }
}

fn line(stage: &Stage<'_>, upload: &Upload, when: String, reason: String) -> Payment {
    Payment {
        why: why(stage, upload.receipt.id.as_str()),
        amount: upload.receipt.amount.to_string(),
        date: upload.receipt.date.to_string(),
        when,
        reason,
        orders: payment_actions::orders(stage, upload, &json!({})),
    }
}

fn amounts(uploads: &[Upload]) -> String {
    sums(uploads.iter().map(|upload| upload.receipt.amount))
}

fn group(
    title: &'static str,
    (count, more): (u32, bool),
    sum: String,
    lines: Vec<Payment>,
) -> Group {
    let shown = u32::try_from(lines.len()).unwrap_or(u32::MAX);
    let at_least = if more { "at least " } else { "" };
    let left_out = more || count > shown;
    Group { title, count: format!("{at_least}{count}"), sum, lines, left_out, all: None }
}

/// What the judged night does, in a sentence.
fn judgement(stage: &Stage<'_>, rows: &Rows, plan: &NightPlan) -> String {
    let going = plan.payments.iter().filter(|planned| planned.would == Disposition::Go);
    let sum = sums(going.filter_map(|planned| read_money(&planned.amount)));
    let stay = plan.payments.iter().filter(|planned| planned.would == Disposition::Hold).count();
    let skipped = plan.payments.iter().filter(|planned| planned.would == Disposition::Skip).count();
    let at = rows.upcoming.next.map(|next: NextUpload| format!(", {}", stage.moment(next.at)));
    let at =
        at.filter(|_| rows.upcoming.next.is_some_and(|next| next.night.to_string() == plan.night));
    let sum = if sum.is_empty() { String::new() } else { format!(" ({sum})") };
    format!(
        "The night of {}{}: {} payments go{sum}, {} wait for a later night, {stay} are held, {skipped} do not go. \
         {} slots are free.",
        plan.night,
        at.unwrap_or_default(),
        plan.would_go,
        plan.would_wait,
        plan.slots_left
    )
}

/// An amount as a plan has it, such as `4.00 AUD`.
fn read_money(text: &str) -> Option<Money> {
    let (amount, currency) = text.split_once(' ')?;
    Money::parse(amount, currency.parse().ok()?).ok()
}

fn of_plan(stage: &Stage<'_>, rows: &Rows, plan: &NightPlan) -> Vec<Group> {
    let mut place = 0_usize;
    // What does not go comes first: it is what a person looks for.
    let mut groups = [
        (Disposition::Hold, "Would be held", 0, Vec::new(), Vec::new()),
        (Disposition::Skip, "Would be skipped", 0, Vec::new(), Vec::new()),
        (Disposition::Go, "Go in that night", plan.would_go, Vec::new(), Vec::new()),
        (Disposition::Wait, "Wait for a later night", plan.would_wait, Vec::new(), Vec::new()),
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
        let Some((_, _, count, lines, amounts)) = group else { continue };
        if !has_turn {
            *count = count.saturating_add(1);
        }
        amounts.extend(read_money(&planned.amount));
        if lines.len() < SHOWN_MAX {
            lines.push(of_planned(stage, planned, when));
        }
    }
    let group = |(_, title, count, lines, amounts): (_, _, u32, Vec<Payment>, Vec<Money>)| Group {
        title,
        count: count.to_string(),
        sum: sums(amounts),
        left_out: count > u32::try_from(lines.len()).unwrap_or(u32::MAX),
        lines,
        all: None,
    };
    groups.into_iter().map(group).collect()
}

fn of_planned(stage: &Stage<'_>, planned: &PlannedPayment, when: String) -> Payment {
    let here = json!({});
    let orders = planned.orders.iter().filter_map(|code| PaymentCommand::from_code(code));
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
