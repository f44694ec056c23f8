//! The closes of the business days: what reconciles, what is in transit, what does not reconcile and what was missed
//! (SP-13 to SP-15, AMB-24). One day has a page of its own (`one_close`).

use askama::Template;
use jiff::SignedDuration;
use jiff::civil::Date;
use payments::close::{Calendar, CloseStatus, OVERDUE_AFTER, Sum};
use serde_json::json;
use table::DaySummary;

use super::one_close::{self, OneClose, count};
use super::{Page, PageError, Stage, filled};
use crate::csv::csv;
use crate::order::Order;
use crate::times;
use crate::view::{Button, Frame};

/// Days that are read and shown.
const SHOWN_MAX: usize = 60;
/// Days that are due and not closed, of which so many are named.
const DUE_MAX: usize = 30;

struct Line {
    day: String,
    closed_at: String,
    /// How late it was closed, if it was.
    late: Option<String>,
    revision: u64,
    reconciled: u64,
    in_transit: u64,
    not_reconciled: u64,
    no_money: u64,
    money: String,
    causes: String,
    look: Button,
}

#[derive(Template)]
#[template(path = "closes.html")]
struct Closes {
    frame: Frame,
    may_not: Option<String>,
    typed: String,
    show: Button,
    due: Vec<String>,
    next: String,
    close: Option<Button>,
    nothing: Option<String>,
    one: Option<OneClose>,
    lines: Vec<Line>,
    unreadable: Vec<String>,
    older: Option<Button>,
    csv: String,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    let typed = stage.show.filter.day.clone();
    if typed.is_empty() {
        return list(stage).await;
    }
    let one = match typed.parse::<Date>() {
        Ok(day) => one_close::read(stage, day).await?,
        Err(_) => None,
    };
    let nothing = one.is_none().then(|| not_closed(stage, &typed));
    page(stage, Found { one, nothing, ..Found::default() })
}

/// What a page shows.
#[derive(Default)]
struct Found {
    one: Option<OneClose>,
    nothing: Option<String>,
    due: Vec<Date>,
    lines: Vec<Line>,
    unreadable: Vec<String>,
    older: Option<Button>,
    csv: String,
}

fn not_closed(stage: &Stage<'_>, typed: &str) -> String {
    let Ok(day) = typed.parse::<Date>() else {
        return format!("{typed} is no day such as 2026-11-23.");
    };
    let calendar = Calendar::of(stage.settings);
    match calendar.is_business_day(day) {
        true => format!("{day} is not closed."),
        false => {
            format!("{day} is no business day: the close of {} covers it.", calendar.next(day))
        }
    }
}

fn page(stage: &Stage<'_>, found: Found) -> Result<String, PageError> {
    let calendar = Calendar::of(stage.settings);
    let next = calendar.day_of(stage.now);
    let due = |day: &Date| {
        let ended = calendar.closes_at(*day);
        let is_late = stage.now.duration_since(ended) > OVERDUE_AFTER;
        let late = if is_late { ": it is overdue" } else { "" };
        format!("{day} ended {}, and is not closed{late}.", stage.moment(ended))
    };
    filled(&Closes {
        frame: stage.frame(),
        may_not: stage.may_not(),
        typed: stage.show.filter.day.clone(),
        show: stage.buttons.page("Show", Page::Closes, json!({})),
        due: found.due.iter().map(due).collect(),
        next: format!("{next}, {}", stage.moment(calendar.closes_at(next))),
        close: match found.due.is_empty() {
            true => None,
            false => stage.order_about(Order::Close, "what is due", json!({})),
        },
        nothing: found.nothing,
        one: found.one,
        lines: found.lines,
        unreadable: found.unreadable,
        older: found.older,
        csv: found.csv,
    })
}

async fn list(stage: &Stage<'_>) -> Result<String, PageError> {
    let organisation = stage.organisation();
    let before = stage.show.filter.before.parse::<Date>().ok();
    let listed = stage.tables.list_closes(organisation, before, SHOWN_MAX).await?;
    stage.count(listed.rows.len().saturating_add(listed.unreadable.len()));
    // Of a list that begins with the newest day.
    let last = listed.rows.first().map(|day| day.closed.day);
    let due = match before {
        Some(_) => Vec::new(),
        // The newest day may be the one that cannot be read.
        None if !listed.unreadable.is_empty() => Vec::new(),
        None => Calendar::of(stage.settings).all_due(last, stage.now, DUE_MAX),
    };
    let older = listed.rows.last().filter(|_| listed.more).map(|day| {
        let more = json!({"before": day.closed.day.to_string(), "clear": true});
        stage.buttons.page("Earlier days", Page::Closes, more)
    });
    let unreadable = listed.unreadable.iter().map(|row| format!("{}: {}", row.key, row.problem));
    page(
        stage,
        Found {
            nothing: listed.rows.is_empty().then(|| "No day was closed yet.".to_owned()),
            due,
            csv: as_csv(stage, &listed.rows),
            lines: listed.rows.iter().map(|day| line(stage, day)).collect(),
            unreadable: unreadable.collect(),
            older,
            one: None,
        },
    )
}

/// How late a day was closed for the first time, if it was; a day that was opened again says nothing about that.
fn lateness(day: &DaySummary) -> Option<SignedDuration> {
    let late = day.closed_at.duration_since(day.closed.until);
    (day.closed.revision == 1 && late > OVERDUE_AFTER).then_some(late)
}

fn line(stage: &Stage<'_>, day: &DaySummary) -> Line {
    let id = day.closed.day.to_string();
    let wrong = day.sums.iter().filter(|((_, of), _)| *of == CloseStatus::NotReconciled);
    let money = wrong.filter_map(|(_, sum)| sum.money).map(|money| money.to_string());
    let causes = day.causes.iter().map(|(cause, count)| format!("{cause} {count}"));
    Line {
        closed_at: stage.moment(day.closed_at),
        late: lateness(day).map(times::span),
        revision: day.closed.revision,
        reconciled: count(day, CloseStatus::Reconciled),
        in_transit: count(day, CloseStatus::InTransit),
        not_reconciled: count(day, CloseStatus::NotReconciled),
        no_money: count(day, CloseStatus::NoMoney),
        money: money.collect::<Vec<_>>().join(", "),
        causes: causes.collect::<Vec<_>>().join(", "),
        look: stage
            .buttons
            .page("Look", Page::Closes, json!({"day": id, "clear": true}))
            .about(&id),
        day: id,
    }
}

fn as_csv(stage: &Stage<'_>, days: &[DaySummary]) -> String {
    let titles = ["day", "closed_at", "revision", "currency", "status", "payments", "amount"];
    let rows = days.iter().flat_map(|day| {
        let start = [
            day.closed.day.to_string(),
            times::clock(day.closed_at, &stage.settings.zone),
            day.closed.revision.to_string(),
        ];
        // A day without payments has a line of its own.
        let mut sums: Vec<_> = day.sums.iter().map(|(key, sum)| cells(*key, sum)).collect();
        if sums.is_empty() {
            sums.push(["", "", "0", ""].map(str::to_owned));
        }
        sums.into_iter().map(move |[currency, status, count, amount]| {
            let [day, closed_at, revision] = start.clone();
            [day, closed_at, revision, currency, status, count, amount]
        })
    });
    csv(titles, rows)
}

fn cells((currency, status): (&'static str, CloseStatus), sum: &Sum) -> [String; 4] {
    let amount = sum.money.map(|money| money.amount().to_string()).unwrap_or_default();
    [currency.to_owned(), status.to_string(), sum.count.to_string(), amount]
}
