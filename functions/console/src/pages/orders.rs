//! Orders: how each stands in money, with sums (SP-05, SP-07, SP-24). One of them has a page of its own (`one_order`).

use std::collections::BTreeMap;

use askama::Template;
use payments::{Currency, Money, OrderId, OrderStatus};
use serde_json::json;
use table::StoredOrder;

use super::one_order::{self, OneOrder};
use super::{Page, PageError, Stage, filled};
use crate::csv::csv;
use crate::event::Filter;
use crate::times;
use crate::view::{Button, Frame};

/// Orders that are read and shown.
const SHOWN_MAX: usize = 200;
/// What stands in the place of a status as long as nothing has come.
const NOTHING_YET: &str = "nothing yet";
/// By what the list can be sorted.
const SORTS: [(&str, &str); 4] = [
    ("", "last id first"),
    ("placed", "last placed first"),
    ("total", "largest total first"),
    ("left", "most left to pay first"),
];

struct Line {
    order: String,
    customer: String,
    placed: String,
    total: String,
    received: String,
    left: String,
    progress: String,
    status: String,
    is_odd: bool,
    look: Button,
}

/// The orders of one status in one currency, added up.
struct Sum {
    status: String,
    count: usize,
    total: String,
    received: String,
    left: String,
}

#[derive(Template)]
#[template(path = "orders.html")]
struct Orders {
    frame: Frame,
    typed: String,
    show: Button,
    nothing: Option<String>,
    one: Option<OneOrder>,
    kinds: Vec<(&'static str, bool)>,
    sorts: Vec<(&'static str, &'static str, bool)>,
    sums: Vec<Sum>,
    lines: Vec<Line>,
    unreadable: Vec<String>,
    older: Option<Button>,
    csv: String,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    let typed = stage.show.filter.order_id.clone();
    if typed.is_empty() {
        return list(stage).await;
    }
    let one = match typed.parse::<OrderId>() {
        Ok(id) => one_order::read(stage, &id).await?,
        Err(_) => None,
    };
    let nothing = one.is_none().then(|| format!("No order {typed} was reported."));
    page(stage, Found { one, nothing, ..Found::default() })
}

/// What a page shows.
#[derive(Default)]
struct Found {
    one: Option<OneOrder>,
    nothing: Option<String>,
    sums: Vec<Sum>,
    lines: Vec<Line>,
    unreadable: Vec<String>,
    older: Option<Button>,
    csv: String,
}

fn page(stage: &Stage<'_>, found: Found) -> Result<String, PageError> {
    let filter = &stage.show.filter;
    let statuses = OrderStatus::ALL.iter().map(|status| status.code()).chain([NOTHING_YET]);
    filled(&Orders {
        frame: stage.frame(),
        typed: filter.order_id.clone(),
        show: stage.buttons.page("Show", Page::Orders, json!({})),
        nothing: found.nothing,
        one: found.one,
        kinds: statuses.map(|status| (status, status == filter.kind)).collect(),
        sorts: SORTS.map(|(code, name)| (code, name, code == filter.sort)).into(),
        sums: found.sums,
        lines: found.lines,
        unreadable: found.unreadable,
        older: found.older,
        csv: found.csv,
    })
}

async fn list(stage: &Stage<'_>) -> Result<String, PageError> {
    let filter = &stage.show.filter;
    let before = filter.before.parse::<OrderId>().ok();
    let organisation = stage.organisation();
    let listed = stage.tables.list_orders(organisation, before.as_ref(), SHOWN_MAX).await?;
    stage.count(listed.rows.len().saturating_add(listed.unreadable.len()));
    let last = listed.rows.last().map(|stored| stored.order.id.clone()).filter(|_| listed.more);
    let mut rows = listed.rows;
    let is_wanted = |stored: &StoredOrder| filter.kind.is_empty() || status(stored) == filter.kind;
    rows.retain(is_wanted);
    sort(&mut rows, filter);
    let nothing = rows.is_empty().then(|| match filter.kind.is_empty() {
        true => "No order was reported.".to_owned(),
        false => format!("None of them is {}.", filter.kind),
    });
    let older = last.map(|last| {
        let more = json!({"before": last.as_str()});
        stage.buttons.page("Earlier ids", Page::Orders, more)
    });
    let unreadable = listed.unreadable.iter().map(|row| format!("{}: {}", row.key, row.problem));
    page(
        stage,
        Found {
            one: None,
            nothing,
            sums: sums(&rows),
            csv: as_csv(stage, &rows),
            lines: rows.iter().map(|stored| line(stage, stored)).collect(),
            unreadable: unreadable.collect(),
            older,
        },
    )
}

fn sort(rows: &mut [StoredOrder], filter: &Filter) {
    match filter.sort.as_str() {
        "placed" => rows.sort_by_key(|stored| std::cmp::Reverse(stored.order.placed_at)),
        "total" => {
            rows.sort_by_key(|stored| std::cmp::Reverse(stored.order.components.total.amount()))
        }
        "left" => rows.sort_by_key(|stored| std::cmp::Reverse(left(stored).map(Money::amount))),
        _ => {}
    }
}

/// How it stands, in the code of the tables.
pub(super) fn status(stored: &StoredOrder) -> &'static str {
    let standing = stored.standing.and_then(|standing| standing.status);
    standing.map_or(NOTHING_YET, OrderStatus::code)
}

fn received(stored: &StoredOrder) -> Money {
    let currency = stored.order.components.total.currency();
    stored.standing.map_or(Money::zero(currency), |standing| standing.received)
}

/// The rest to be paid; less than nothing if too much was kept.
fn left(stored: &StoredOrder) -> Option<Money> {
    stored.order.to_pay().minus(received(stored)).ok()
}

fn line(stage: &Stage<'_>, stored: &StoredOrder) -> Line {
    let order = &stored.order;
    let which = json!({"order_id": order.id.as_str(), "clear": true});
    let odd = [OrderStatus::Overpaid, OrderStatus::PartiallyPaid].map(OrderStatus::code);
    Line {
        order: order.id.to_string(),
        customer: order.customer.as_ref().map(ToString::to_string).unwrap_or_default(),
        placed: times::clock(order.placed_at, &stage.settings.zone),
        total: order.components.total.to_string(),
        received: received(stored).to_string(),
        left: left(stored).map(|left| left.to_string()).unwrap_or_default(),
        progress: stored.standing.map(|standing| standing.progress.to_string()).unwrap_or_default(),
        status: status(stored).to_owned(),
        is_odd: odd.contains(&status(stored)),
        look: stage.buttons.page("Look", Page::Orders, which).about(order.id.as_str()),
    }
}

fn sums(rows: &[StoredOrder]) -> Vec<Sum> {
    let mut of: BTreeMap<(&str, &str), (Currency, Vec<&StoredOrder>)> = BTreeMap::new();
    for stored in rows {
        let currency = stored.order.components.total.currency();
        let key = (status(stored), currency.code());
        of.entry(key).or_insert((currency, Vec::new())).1.push(stored);
    }
    let sum = |((status, _), (currency, rows)): ((&str, &str), (Currency, Vec<&StoredOrder>))| {
        let add = |of: fn(&StoredOrder) -> Option<Money>| {
            let sum = Money::sum(currency, rows.iter().filter_map(|stored| of(stored)));
            sum.map_or_else(|_| "too much to add up".to_owned(), |sum| sum.to_string())
        };
        Sum {
            status: status.to_owned(),
            count: rows.len(),
            total: add(|stored| Some(stored.order.components.total)),
            received: add(|stored| Some(received(stored))),
            left: add(left),
        }
    };
    of.into_iter().map(sum).collect()
}

fn as_csv(stage: &Stage<'_>, rows: &[StoredOrder]) -> String {
    let amount = |money: Option<Money>| money.map(|money| money.amount().to_string());
    csv(
        [
            "order", "customer", "placed", "currency", "total", "received", "left", "progress",
            "status",
        ],
        rows.iter().map(|stored| {
            let order = &stored.order;
            let total = order.components.total;
            [
                order.id.to_string(),
                order.customer.as_ref().map(ToString::to_string).unwrap_or_default(),
                times::clock(order.placed_at, &stage.settings.zone),
                total.currency().code().to_owned(),
                total.amount().to_string(),
                received(stored).amount().to_string(),
                amount(left(stored)).unwrap_or_default(),
                stored.standing.map(|standing| standing.progress.to_string()).unwrap_or_default(),
                status(stored).to_owned(),
            ]
        }),
    )
}
