//! However long the past and however large the backlog: a page reads as many rows as it says, and no more.

use console::roles::Role;
use harness::log_capture;
use serde_json::json;

use crate::html::text;
use crate::samples;
use crate::world::{ORGANISATION, World, ago, now, well};

/// How many rows a page says it has read.
async fn read(world: &World, page: &str) -> usize {
    rows_read(world, &json!({ "page": page })).await
}

/// The same of a page with parameters.
pub async fn rows_read(world: &World, event: &serde_json::Value) -> usize {
    rows_of(&world.page(Role::Viewer, event.clone()).await)
}

/// How many rows are said at the bottom of a page.
pub fn rows_of(html: &str) -> usize {
    let said = text(html);
    let footer = said.rsplit_once("; ").unwrap_or_else(|| panic!("{said}")).1;
    footer.split(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("{said}"))
}

async fn many(
    world: &World,
    table: &str,
    count: usize,
    row: impl Fn(usize) -> Vec<(&'static str, String)>,
) {
    for n in 0..count {
        let row = row(n);
        let row: Vec<_> = row.iter().map(|(name, value)| (*name, value.as_str())).collect();
        world.put(table, &row).await;
    }
}

#[tokio::test]
async fn pages_read_a_bounded_number_of_rows_and_say_how_many() {
    log_capture::start();
    let world = well().await;
    let day = format!("{ORGANISATION}/2026-11-25");
    let at = |n: usize| format!("{}#{n:05}", table::instant(now()));
    let organisation = || ("organisation", ORGANISATION.to_owned());
    many(&world, "activity", 620, |n| {
        vec![("day", day.clone()), ("at", at(n)), ("action", "a".to_owned())]
    })
    .await;
    many(&world, "messages", 540, |n| {
        let raised = ("raised_at", table::instant(now()));
        vec![organisation(), ("message", format!("K#{n}")), ("kind", "K".to_owned()), raised]
    })
    .await;
    many(&world, "parked", 260, |n| {
        let text = |name| (name, "x".to_owned());
        vec![organisation(), ("parked_at", at(n)), text("by"), text("reason"), text("detail")]
    })
    .await;
    let line = format!("{ORGANISATION}/waiting");
    many(&world, "uploads", 1_100, |n| {
        let id = format!("P-{n:05}");
        vec![organisation(), ("payment_id", id.clone()), ("line", line.clone()), ("due_order", id)]
    })
    .await;
    many(&world, "customers", 130, |n| {
        let at = ("blocked_at", table::instant(now()));
        let id = format!("C-{n:05}");
        vec![
            organisation(),
            ("customer", id),
            ("blocked", "x".to_owned()),
            at,
            ("revision", "#1".to_owned()),
        ]
    })
    .await;
    for minutes in 0..230 {
        world.ran(ago(minutes), |run| run.went_wrong("Timeout", "slow".to_owned())).await;
    }

    for (page, rows) in [
        // One for the organisation each, and four for what touches every page; then the rows of limits and sweeps.
        ("integrations", 1 + 3 + 25 + 50 + 100 + 100),
        ("limits", 1 + 3 + 200 + 700),
        ("activity", 1 + 1 + 500),
        ("sync_log", 1 + 200),
        // The connection says whether there are links.
        ("actions", 1 + 100 + 1),
        ("messages", 1 + 500),
        ("parked", 1 + 200),
        ("dead_letters", 1),
    ] {
        // No organisation is named: the list of organisations is read as well.
        assert_eq!(read(&world, page).await, rows + 1 + 4, "{page}");
    }
    let said = text(&world.look("limits").await);
    assert!(said.contains("at least 700 wait"), "{said}");
    let heard = log_capture::take();
    assert!(heard.contains("\"rows_read\":507"), "{heard}");
}

#[tokio::test]
async fn a_payment_and_an_invoice_take_the_same_rows_however_many_others_there_are() {
    let world = samples::eventful().await;
    samples::store(&world, &samples::waiting("P-1")).await;
    let asked = [
        json!({"page": "why", "search": "P-1"}),
        json!({"page": "why", "search": samples::xero(1).to_string()}),
        json!({"page": "invoice", "invoice": "10234"}),
    ];
    let mut before = Vec::new();
    for event in &asked {
        before.push(rows_read(&world, event).await);
    }
    let invoice = format!("{ORGANISATION}/99999");
    let name = |name: &'static str, value: &str| (name, value.to_owned());
    for table in ["payments", "held_payments", "tombstones", "discrepancies", "activity"] {
        many(&world, table, 300, |n| {
            let n = format!("x-{n:05}");
            let key = match table {
                "payments" => [name("invoice", &invoice), name("payment_id", &n)],
                "held_payments" => [name("invoice", &invoice), name("xero_payment_id", &n)],
                "tombstones" => [name("invoice", &invoice), name("removed", &n)],
                "discrepancies" => [name("invoice", &invoice), name("discrepancy", &n)],
                _ => [name("day", "other"), name("at", &n)],
            };
            key.into()
        })
        .await;
    }
    for (event, before) in asked.iter().zip(before) {
        assert_eq!(rows_read(&world, event).await, before, "{event}");
        assert!(before <= 30, "{event}: {before}");
    }
}

#[tokio::test]
async fn tonight_reads_a_nights_worth_counts_on_and_shows_fifty() {
    let world = samples::world().await;
    let uploads: Vec<_> = (0..1_100).map(|n| samples::waiting(&format!("P-{n:05}"))).collect();
    for some in uploads.chunks(50) {
        let rows: Vec<_> = some.iter().map(|upload| (None, upload)).collect();
        world.tables.write_uploads(&rows, None, samples::because(300)).await.unwrap();
    }
    // The organisation twice, what touches every page, caps, night and a customer; those that are read, and counted.
    assert_eq!(read(&world, "tonight").await, 2 + 4 + 3 + 200 + 700);
    let said = text(&world.look("tonight").await);
    assert!(said.contains("Wait for a night: at least 700"), "{said}");
}
