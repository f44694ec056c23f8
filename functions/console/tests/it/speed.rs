//! How much each page reads, and how long it takes, with 100,000 payments and 10,000 decisions of one
//! organisation. How much it reads is what holds on any machine; how long it takes is printed.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use console::roles::Role;
use dynoxide::{AttributeValue, Database, ImportOptions};
use payments::upload::Hold;
use serde_json::{Value, json};

use crate::rows_read::rows_of;
use crate::samples::{self, store, waiting, xero};
use crate::world::{ORGANISATION, World, ago};

/// Payments, twenty on each invoice.
const PAYMENTS: usize = 100_000;
const PAYMENTS_ON_AN_INVOICE: usize = 20;
/// Rows of the log, all of today; every tenth is about invoice 10234.
const DECISIONS: usize = 10_000;
/// Customers of the business.
const CUSTOMERS: usize = 20_000;
/// Payments that wait for a night: ten nights' worth.
const WAITING: usize = 2_000;
/// Open actions, and payments that are held because of them.
const OPEN: usize = 1_000;
/// What a page may take from the event to its HTML, tables included.
const PAGE_MAX: Duration = Duration::from_millis(200);

type Rows = RangeInclusive<usize>;
type Item = HashMap<String, AttributeValue>;

/// A page, the event that asks for it, and how many rows that reads: as many as there are, and no more than it
/// may.
fn pages() -> Vec<(&'static str, Value, Rows)> {
    let page = |page: &str| json!({ "page": page });
    let why = |search: &str| json!({"page": "why", "search": search});
    vec![
        ("home", page("home"), 900..=1_500),
        ("needs_you", page("needs_you"), 50..=500),
        ("integrations", page("integrations"), 200..=500),
        ("limits", page("limits"), 900..=950),
        ("tonight", page("tonight"), 1_100..=1_200),
        ("why, by our id", why("P-1"), 5..=20),
        ("why, by Xero's id", why(&xero(2).to_string()), 10..=20),
        ("why, the last of the line", why("W-01999"), 1_000..=1_050),
        ("why, an invoice", why("CM-10234"), 10..=20),
        ("why, an amount", why("77.77"), 1_000..=1_500),
        ("invoice", json!({"page": "invoice", "invoice": "10234"}), 55..=70),
        ("activity of today", page("activity"), 500..=515),
        ("activity of an invoice", json!({"page": "activity", "invoice": "10234"}), 500..=515),
        ("closes", page("closes"), 1..=70),
        ("balances", page("balances"), 1..=1_410),
        ("sync_log", page("sync_log"), 2..=210),
        ("actions", page("actions"), 601..=1_710),
        ("customers", page("customers"), 100..=1_500),
        ("discrepancies", page("discrepancies"), 2..=1_010),
        ("messages", page("messages"), 2..=510),
        ("parked", page("parked"), 2..=210),
        ("dead_letters", page("dead_letters"), 2..=10),
        ("configure", page("configure"), 2..=10),
    ]
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn rows(database: &Database, table: &str) -> Vec<Item> {
    let request = json!({ "TableName": table }).to_string();
    database.scan(serde_json::from_str(&request).unwrap()).unwrap().items.unwrap()
}

fn sample(database: &Database, table: &str, has: &str) -> Item {
    rows(database, table).into_iter().find(|row| row.contains_key(has)).unwrap()
}

/// Puts copies of a row past DynamoDB's interface, each with its own keys.
fn copies(
    database: &Database,
    table: &str,
    sample: &Item,
    count: usize,
    keys: impl Fn(usize) -> Vec<(&'static str, String)>,
) {
    let item = |n: usize| {
        let mut item = sample.clone();
        item.extend(keys(n).into_iter().map(|(name, key)| (name.to_owned(), text(key))));
        item
    };
    let items = (0..count).map(item).collect();
    database.import_items(table, items, ImportOptions::default()).unwrap();
}

async fn crowded() -> World {
    let database = Database::memory().unwrap();
    let world = World::over(database.clone()).await;
    samples::fill(&world).await;
    store(&world, &waiting("P-1")).await;

    let payment = sample(&database, "payments", "amount");
    copies(&database, "payments", &payment, PAYMENTS, |n| {
        let invoice = 20_000 + n / PAYMENTS_ON_AN_INVOICE;
        let id = format!("xero-{}", xero(1_000_000 + u128::try_from(n).unwrap()));
        vec![
            ("invoice", format!("{ORGANISATION}/{invoice}")),
            ("invoice_number", invoice.to_string()),
            ("xero_payment_id", id.trim_start_matches("xero-").to_owned()),
            ("payment_id", id),
        ]
    });
    let decision = sample(&database, "activity", "amount");
    copies(&database, "activity", &decision, DECISIONS, |n| {
        let invoice = if n % 10 == 0 { 10_234 } else { 20_000 + n };
        vec![
            ("day", format!("{ORGANISATION}/2026-11-25")),
            ("at", format!("2026-11-25T0{}:00:00.{n:06}Z#{invoice}", n % 10)),
            ("invoice", format!("{ORGANISATION}/{invoice}")),
            ("invoice_number", invoice.to_string()),
        ]
    });
    let upload = sample(&database, "uploads", "line");
    copies(&database, "uploads", &upload, WAITING, |n| {
        let id = format!("W-{n:05}");
        vec![("due_order", format!("2026-11-03#{id}")), ("payment_id", id)]
    });
    crowd_of_actions(&world, &database).await;
    world
}

async fn crowd_of_actions(world: &World, database: &Database) {
    let mut held = waiting("H-1");
    held.put_on_hold(Hold::BlockedByAction, "an action is open", None, ago(100));
    store(world, &held).await;
    let line = AttributeValue::S(format!("{ORGANISATION}/held"));
    let held = rows(database, "uploads").into_iter().find(|row| row.get("line") == Some(&line));
    copies(database, "uploads", &held.unwrap(), OPEN, |n| {
        let id = format!("H-{n:05}");
        vec![("due_order", format!("2026-11-03#{id}")), ("payment_id", id)]
    });
    samples::blocked(world, "C-1", "two contacts").await;
    let blocked = sample(database, "customers", "blocked_at");
    copies(database, "customers", &blocked, OPEN, |n| {
        vec![
            ("customer", format!("C-{n:05}")),
            ("blocked_at", format!("2026-11-24T00:00:00.{n:06}Z")),
        ]
    });
    let mut calm = blocked.clone();
    calm.retain(|name, _| !name.starts_with("blocked"));
    copies(database, "customers", &calm, CUSTOMERS, |n| vec![("customer", format!("K-{n:05}"))]);
}

/// Shows every page a few times; returns the quickest of each, since other work of the machine only adds.
async fn measured() -> Vec<(&'static str, usize, Rows, Duration)> {
    let began = Instant::now();
    let world = crowded().await;
    println!("{PAYMENTS} payments, {DECISIONS} decisions: {} ms", began.elapsed().as_millis());
    println!("{:<28}{:>12}{:>12}{:>8}", "page", "rows read", "at most", "ms");
    let mut measured = Vec::new();
    for (name, event, expected) in pages() {
        let (mut quickest, mut rows) = (Duration::MAX, 0);
        for _ in 0..3 {
            let began = Instant::now();
            let html = world.page(Role::Admin, event.clone()).await;
            quickest = quickest.min(began.elapsed());
            rows = rows_of(&html);
        }
        println!("{name:<28}{rows:>12}{:>12}{:>8}", expected.end(), quickest.as_millis());
        measured.push((name, rows, expected, quickest));
    }
    measured
}

#[tokio::test]
async fn no_page_reads_more_because_there_are_a_hundred_thousand_payments() {
    for (name, rows, expected, _) in measured().await {
        assert!(expected.contains(&rows), "{name} read {rows}, and not {expected:?}");
    }
}

#[tokio::test]
#[ignore = "by the clock, which a busy machine fails: the workflow runs it alone, and the README says how"]
async fn every_page_is_there_within_200_ms() {
    for (name, _, _, took) in measured().await {
        assert!(took <= PAGE_MAX, "{name} took {} ms", took.as_millis());
    }
}
