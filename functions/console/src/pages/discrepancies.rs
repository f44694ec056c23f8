//! What does not agree, with sums, by deadline, owner, kind or customer; several are taken or assigned at once (SP-19,
//! SP-36). One of them has a page of its own (`one_discrepancy`). What stands on a contact belongs to no invoice, and is
//! seen here only (A8.3, CM-50).

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use jiff::SignedDuration;
use payments::explanations::{Link, NEEDS_LOGIN, XeroLinks};
use payments::{Currency, Discrepancy, DiscrepancyKind, Money};
use serde_json::{Value, json};
use table::{DiscrepancySubject, OpenDiscrepancy, discrepancy_name};

use super::{Page, PageError, Stage, filled};
use crate::csv::csv;
use crate::event::{Filter, TEXT_CHARS_MAX, tick};
use crate::order::Order;
use crate::view::{Button, Frame};

/// Discrepancies that are read, added up, and given as CSV.
const READ_MAX: usize = 1_000;
/// Discrepancies that are shown: as many as one command may name.
const SHOWN_MAX: usize = 100;
/// A deadline within these hours is near: from 40 hours on (SP-19).
const SOON: SignedDuration = SignedDuration::from_hours(8);
/// Parts of the list.
const PARTS: [(&str, &str); 4] = [
    ("", "everything that is open"),
    ("breached", "in breach: open for more than 48 hours"),
    ("soon", "due within 8 hours, or in breach"),
    ("unowned", "without an owner"),
];
/// By what the list can be sorted.
const SORTS: [(&str, &str); 6] = [
    ("", "first deadline first"),
    ("owner", "by owner"),
    ("kind", "by kind"),
    ("cause", "by cause"),
    ("customer", "by customer"),
    ("amount", "largest amount first"),
];

struct Row {
    /// The name of its box, for those who may order something about several.
    tick: Option<String>,
    name: String,
    kind: String,
    /// The invoice or the contact.
    place: String,
    customer: String,
    owner: String,
    amount: String,
    look: Option<Button>,
    link: Option<Link>,
    found: String,
    due: String,
    is_late: bool,
    detail: String,
    details: Button,
    accept: Option<Button>,
}

/// The discrepancies that are alike, by what the list is sorted by, in one currency, added up.
struct Sum {
    what: String,
    count: usize,
    late: usize,
    unowned: usize,
    amount: String,
}

#[derive(Template)]
#[template(path = "discrepancies.html")]
struct Discrepancies {
    frame: Frame,
    may_not: Option<String>,
    show: Button,
    search: String,
    parts: Vec<(&'static str, &'static str, bool)>,
    kinds: Vec<(String, bool)>,
    owners: Vec<(String, bool)>,
    sorts: Vec<(&'static str, &'static str, bool)>,
    bulk: Vec<Button>,
    /// By what the sums are.
    sums_by: &'static str,
    sums: Vec<Sum>,
    rows: Vec<Row>,
    any: bool,
    unreadable: Vec<String>,
    not_shown: usize,
    left_out: bool,
    needs_login: Option<&'static str>,
    csv: String,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    let (tables, organisation) = (stage.tables, stage.organisation());
    let found = tables.list_open_discrepancies(organisation, READ_MAX).await?;
    stage.count(found.rows.len().saturating_add(found.unreadable.len()));
    let mut links = XeroLinks::default();
    if !found.rows.is_empty() {
        links = tables.xero_links(organisation).await?;
        stage.count(1);
    }
    let filter = &stage.show.filter;
    let kinds: BTreeSet<_> = found.rows.iter().map(|open| open.found.key.kind.code()).collect();
    let owners: BTreeSet<_> = found.rows.iter().filter_map(|open| owner(&open.found)).collect();
    let chosen = |text: &str, of: &str| (text.to_owned(), text == of);
    let mut wanted: Vec<_> = found.rows.iter().filter(|open| is_wanted(stage, open)).collect();
    sort(&mut wanted, filter);
    let shown = wanted.get(..SHOWN_MAX.min(wanted.len())).unwrap_or_default();
    let bulk = bulk(stage, shown);
    let rows = shown.iter().enumerate();
    let rows: Vec<_> = rows
        .map(|(place, open)| Row {
            tick: (!bulk.is_empty()).then(|| tick(place)),
            ..row(stage, open, &links)
        })
        .collect();
    let any_link = rows.iter().any(|row| row.link.is_some());
    let unreadable = found.unreadable.iter().map(|row| format!("{}: {}", row.key, row.problem));
    filled(&Discrepancies {
        frame: stage.frame(),
        may_not: stage.may_not(),
        show: stage.buttons.page("Show", Page::Discrepancies, json!({})),
        search: filter.search.clone(),
        parts: PARTS.map(|(code, name)| (code, name, code == filter.only)).into(),
        kinds: kinds.iter().map(|kind| chosen(kind, &filter.kind)).collect(),
        owners: owners.iter().map(|owner| chosen(owner, &filter.whose)).collect(),
        sorts: SORTS.map(|(code, name)| (code, name, code == filter.sort)).into(),
        bulk,
        sums_by: sums_by(filter),
        sums: sums(stage, &wanted),
        rows,
        any: !found.rows.is_empty(),
        unreadable: unreadable.collect(),
        not_shown: wanted.len().saturating_sub(SHOWN_MAX),
        left_out: found.more,
        needs_login: any_link.then_some(NEEDS_LOGIN),
        csv: as_csv(stage, &wanted),
    })
}

fn owner(found: &Discrepancy) -> Option<&str> {
    found.case.owner.as_ref().map(|owner| owner.name.as_str())
}

fn name_of(open: &OpenDiscrepancy) -> String {
    discrepancy_name(&open.place, &open.found.key)
}

fn customer(open: &OpenDiscrepancy) -> String {
    open.customer.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// Whether the part of the list that was asked for has it.
fn is_wanted(stage: &Stage<'_>, open: &OpenDiscrepancy) -> bool {
    let (filter, found) = (&stage.show.filter, &open.found);
    let part = match filter.only.as_str() {
        "breached" => found.is_late(stage.now),
        "soon" => stage.now.saturating_add(SOON).is_ok_and(|soon| found.due_at() <= soon),
        "unowned" => found.case.owner.is_none(),
        _ => true,
    };
    let search = filter.search.to_lowercase();
    let texts = [
        name_of(open),
        customer(open),
        owner(found).unwrap_or_default().to_owned(),
        found.detail.clone(),
    ];
    part && (filter.kind.is_empty() || found.key.kind.code() == filter.kind)
        && (filter.whose.is_empty() || owner(found) == Some(filter.whose.as_str()))
        && (search.is_empty() || texts.iter().any(|text| text.to_lowercase().contains(&search)))
}

/// The first deadline comes first, also among rows that are equal otherwise.
fn sort(rows: &mut [&OpenDiscrepancy], filter: &Filter) {
    rows.sort_by_key(|open| open.found.due_at());
    match filter.sort.as_str() {
        // Those without an owner come first: they wait for one.
        "owner" => rows.sort_by(|a, b| owner(&a.found).cmp(&owner(&b.found))),
        "kind" => rows.sort_by_key(|open| open.found.key.kind.code()),
        "cause" => rows.sort_by_key(|open| cause(&open.found)),
        "customer" => rows.sort_by_key(|open| customer(open)),
        "amount" => {
            rows.sort_by_key(|open| std::cmp::Reverse(open.amount.map(|amount| amount.amount())))
        }
        _ => {}
    }
}

/// The buttons for those that are ticked, and for all that is shown.
fn bulk(stage: &Stage<'_>, shown: &[&OpenDiscrepancy]) -> Vec<Button> {
    let names: Vec<_> = shown.iter().map(|open| name_of(open)).collect();
    let Filter { only, kind, whose, search, sort, .. } = &stage.show.filter;
    let which = json!({"discrepancies": names, "only": only, "kind": kind, "whose": whose,
        "search": search, "sort": sort});
    let mut ticked = which.clone();
    ticked["ticked"] = json!(true);
    let all = format!("all {} below", names.len());
    let groups = [("the ticked ones", ticked), (all.as_str(), which)];
    let orders = [Order::TakeDiscrepancies, Order::AssignDiscrepancies];
    let buttons = groups.iter().flat_map(|(about, which)| {
        let button = |order: &Order| {
            let button = stage.order_about(*order, about, which.clone())?;
            Some(button.labelled(format!("{} {about}", order.label())))
        };
        orders.iter().filter_map(button).collect::<Vec<_>>()
    });
    buttons.filter(|_| !names.is_empty()).collect()
}

/// By what the sums are: by what the list is sorted, where rows are alike in that.
fn sums_by(filter: &Filter) -> &'static str {
    match filter.sort.as_str() {
        "owner" => "Owner",
        "cause" => "Cause",
        "customer" => "Customer",
        _ => "Kind",
    }
}

fn cause(found: &Discrepancy) -> String {
    found.case.cause.map_or_else(|| "not known yet".to_owned(), |cause| cause.to_string())
}

/// In what a row is like others.
fn alike(open: &OpenDiscrepancy, by: &str) -> String {
    match by {
        "Owner" => owner(&open.found).unwrap_or("no owner").to_owned(),
        "Cause" => cause(&open.found),
        "Customer" => {
            let id = customer(open);
            if id.is_empty() { "not known".to_owned() } else { id }
        }
        _ => open.found.key.kind.to_string(),
    }
}

/// What is open, alike, and of one currency.
type Alike<'a> = (Option<Currency>, Vec<&'a OpenDiscrepancy>);

/// Each of what is alike in each currency in a line (SP-14). One without an amount is counted all the same.
fn sums(stage: &Stage<'_>, rows: &[&OpenDiscrepancy]) -> Vec<Sum> {
    let by = sums_by(&stage.show.filter);
    let mut of: BTreeMap<(String, &str), Alike<'_>> = BTreeMap::new();
    for open in rows {
        let currency = open.amount.map(Money::currency);
        let key = (alike(open, by), currency.map_or("", |currency| currency.code()));
        of.entry(key).or_insert((currency, Vec::new())).1.push(open);
    }
    let line = |((what, _), (currency, rows)): ((String, &str), Alike<'_>)| {
        let sum = currency.map(|currency| {
            Money::sum(currency, rows.iter().filter_map(|open| open.amount))
                .map_or_else(|_| "too much to add up".to_owned(), |sum| sum.to_string())
        });
        Sum {
            what,
            count: rows.len(),
            late: rows.iter().filter(|open| open.found.is_late(stage.now)).count(),
            unowned: rows.iter().filter(|open| open.found.case.owner.is_none()).count(),
            amount: sum.unwrap_or_else(|| "–".to_owned()),
        }
    };
    of.into_iter().map(line).collect()
}

fn as_csv(stage: &Stage<'_>, rows: &[&OpenDiscrepancy]) -> String {
    csv(
        [
            "discrepancy",
            "kind",
            "customer",
            "owner",
            "amount",
            "currency",
            "open_since",
            "due_at",
            "in_breach",
            "cause",
            "figures",
        ],
        rows.iter().map(|open| {
            let found = &open.found;
            [
                name_of(open),
                found.key.kind.to_string(),
                customer(open),
                owner(found).unwrap_or_default().to_owned(),
                open.amount.map(|amount| amount.amount().to_string()).unwrap_or_default(),
                open.amount.map(|amount| amount.currency().to_string()).unwrap_or_default(),
                found.since().to_string(),
                found.due_at().to_string(),
                if found.is_late(stage.now) { "yes" } else { "no" }.to_owned(),
                found.case.cause.map(|cause| cause.to_string()).unwrap_or_default(),
                found.detail.clone(),
            ]
        }),
    )
}

fn row(stage: &Stage<'_>, open: &OpenDiscrepancy, links: &XeroLinks) -> Row {
    let found = &open.found;
    let (place, look, which) = place_of(stage, &open.place, found);
    let link = match &open.place {
        DiscrepancySubject::Contact(contact) => links.contact(*contact),
        _ => None,
    };
    let name = name_of(open);
    Row {
        tick: None,
        kind: found.key.kind.to_string(),
        customer: customer(open),
        owner: owner(found).unwrap_or("no owner").to_owned(),
        amount: open.amount.map(|amount| amount.to_string()).unwrap_or_default(),
        look,
        link,
        found: stage.moment(found.since()),
        due: stage.moment(found.due_at()),
        is_late: found.is_late(stage.now),
        detail: found.detail.clone(),
        details: details(stage, "Details", &name),
        accept: accept(stage, found, &format!("{} of {place}", found.key), which),
        place,
        name,
    }
}

/// The button that leads to one discrepancy, by its name.
pub(super) fn details(stage: &Stage<'_>, label: &str, name: &str) -> Button {
    let which = json!({"place": name, "clear": true});
    stage.buttons.page(label, Page::Discrepancies, which).about(name)
}

/// What a discrepancy stands on: in words, the button that shows it, and how a command names it.
pub(super) fn place_of(
    stage: &Stage<'_>,
    place: &DiscrepancySubject,
    found: &Discrepancy,
) -> (String, Option<Button>, Value) {
    let page = |label: &str, page, which: Value, about: &str| {
        Some(stage.buttons.page(label, page, which).about(about))
    };
    match place {
        DiscrepancySubject::Invoice(number) => {
            let which = json!({"invoice": number.as_str(), "clear": true});
            let look = page("Invoice", Page::Invoice, which, number.as_str());
            (format!("invoice {number}"), look, json!({"invoice": number.as_str()}))
        }
        DiscrepancySubject::Contact(contact) => {
            let look = payment(found).and_then(|payment| {
                let search = json!({"search": payment, "clear": true});
                page("Why", Page::Why, search, payment)
            });
            (format!("contact {contact}"), look, json!({"contact": contact.to_string()}))
        }
        DiscrepancySubject::Order(order) => {
            let which = json!({"order_id": order.as_str(), "clear": true});
            let look = page("Order", Page::Orders, which, order.as_str());
            (format!("order {order}"), look, json!({"order_id": order.as_str()}))
        }
        DiscrepancySubject::Payment(id) => {
            let which = json!({"search": id.as_str(), "clear": true});
            let look = page("Why", Page::Why, which, id.as_str());
            (format!("payment {id}"), look, json!({"payment": id.as_str()}))
        }
    }
}

/// The payment of the business's own that a discrepancy of a contact is about.
fn payment(found: &Discrepancy) -> Option<&str> {
    let subject = found.key.subject.as_str();
    let is_pair = found.key.kind == DiscrepancyKind::PossibleDuplicate;
    is_pair.then(|| subject.split(' ').next()).flatten()
}

/// The button that accepts a discrepancy (AMB-31).
pub(super) fn accept(
    stage: &Stage<'_>,
    found: &Discrepancy,
    name: &str,
    place: Value,
) -> Option<Button> {
    let mut which = place;
    which["discrepancy"] = json!(found.key.to_string());
    which["seen"] = json!(seen(found));
    stage.order_about(Order::Accept, name, which).filter(|_| found.is_open())
}

/// What the person has read. Values too long for a button are not compared.
pub(super) fn seen(found: &Discrepancy) -> Option<&str> {
    let is_short = found.detail.chars().count() <= TEXT_CHARS_MAX;
    is_short.then_some(found.detail.as_str())
}
