//! Many runs at once, and a long past.

use dynoxide::{AttributeValue, Database, ImportOptions};
use harness::dynamodb;
use payments::OrganisationId;
use payments::upload::{Line, NIGHTLY_MAX, SendMode, Upload};
use table::{Tables, UPLOADS_PER_TRANSACTION_MAX, WriteError};

use crate::samples::{because, now, organisation};
use crate::upload_samples::{night, reserved, waiting};
use crate::world::World;

const RESERVERS: usize = 10;
/// More than a night may send.
const BACKLOG: usize = 250;
/// Uploads of all the nights before.
const PAST: usize = 100_000;

async fn backlog(tables: &Tables, count: usize) {
    let uploads: Vec<_> = (0..count).map(|n| waiting(&format!("P-{n:05}"))).collect();
    for chunk in uploads.chunks(UPLOADS_PER_TRANSACTION_MAX) {
        let new: Vec<_> = chunk.iter().map(|upload| (None, upload)).collect();
        tables.write_uploads(&new, None, because()).await.unwrap();
    }
}

/// Reserves a few at a time until nothing is granted any more; returns how many.
async fn reserve_all(tables: &Tables, few: usize) -> usize {
    let mut mine = 0;
    loop {
        let caps = tables.caps(organisation()).await.unwrap();
        let (next, _) = tables.line(organisation(), Line::Waiting, None, few).await.unwrap();
        let wanted = u32::try_from(next.len()).unwrap();
        let granted = caps.reserve(wanted, SendMode::Nightly(night()), NIGHTLY_MAX, now());
        let Some(after) = granted.caps else { return mine };
        let chosen = &next[..usize::try_from(granted.count).unwrap()];
        let slots: Vec<Upload> = chosen.iter().map(reserved).collect();
        let moves: Vec<_> = chosen.iter().map(Some).zip(&slots).collect();
        match tables.write_uploads(&moves, Some((&caps, &after)), because()).await {
            Ok(()) => mine += slots.len(),
            Err(WriteError::Conflict) => tokio::task::yield_now().await,
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[tokio::test]
async fn ten_runs_at_once_reserve_exactly_a_nights_worth() {
    // EX-31, N6
    let world = World::new().await;
    backlog(&world.tables, BACKLOG).await;
    let direct = Tables::new(world.direct.clone(), "");

    let runs: Vec<_> = (0..RESERVERS)
        .map(|run| {
            let tables = direct.clone();
            tokio::spawn(async move { reserve_all(&tables, 5 + 2 * run).await })
        })
        .collect();
    let mut reserved = 0;
    for run in runs {
        reserved += run.await.unwrap();
    }

    assert_eq!(reserved, 200);
    let caps = direct.caps(organisation()).await.unwrap();
    assert_eq!((caps.used_in(night()), caps.attempts(now())), (200, 200));
    assert_eq!(direct.line_count(organisation(), Line::Reserved).await.unwrap(), 200);
    assert_eq!(direct.line_count(organisation(), Line::Waiting).await.unwrap(), 50);
    // The oldest payments are the ones that have the slots.
    let (left, _) = direct.line(organisation(), Line::Waiting, None, 1).await.unwrap();
    assert_eq!(left[0].receipt.id.as_str(), "P-00200");
}

/// Rows of uploads that went up long ago, put past DynamoDB's interface, which would take minutes.
fn remember(database: &Database, organisation: OrganisationId) {
    let request = serde_json::json!({ "TableName": "uploads" }).to_string();
    let scan = database.scan(serde_json::from_str(&request).unwrap()).unwrap();
    let mut sample = scan.items.unwrap().remove(0);
    let text = |text: String| AttributeValue::S(text);
    sample.insert("state".to_owned(), text("uploaded".to_owned()));
    sample.remove("line");
    let items = (0..PAST).map(|n| {
        let (id, day) =
            (format!("OLD-{n:06}"), format!("2025-{:02}-{:02}", n % 12 + 1, n % 28 + 1));
        let mut item = sample.clone();
        item.insert("due_order".to_owned(), text(format!("{day}#{id}")));
        item.insert("payment_id".to_owned(), text(id));
        item.insert("night_of".to_owned(), text(format!("{organisation}/{day}")));
        item.insert("night".to_owned(), text(day));
        item
    });
    database.import_items("uploads", items.collect(), ImportOptions::default()).unwrap();
}

#[tokio::test]
async fn what_went_up_long_ago_costs_a_night_nothing() {
    // Given a hundred thousand payments that are in Xero, five that wait, and two of this night
    let database = Database::memory().unwrap();
    let world = World::over(database.clone()).await;
    backlog(&world.tables, 7).await;
    remember(&database, organisation());
    let (two, _) = world.tables.line(organisation(), Line::Waiting, None, 2).await.unwrap();
    let slots: Vec<_> = two.iter().map(reserved).collect();
    let moves: Vec<_> = two.iter().map(Some).zip(&slots).collect();
    world.tables.write_uploads(&moves, None, because()).await.unwrap();
    let scanned = async || {
        let scanned = world.proxy.scanned();
        world.proxy.heal();
        scanned
    };
    scanned().await;

    // When the lines and the night are read, then only their own rows are looked at
    let (line, _) = world.tables.line(organisation(), Line::Waiting, None, 200).await.unwrap();
    assert_eq!((line.len(), scanned().await), (5, 5));
    assert_eq!(world.tables.line_count(organisation(), Line::Waiting).await.unwrap(), 5);
    assert_eq!(scanned().await, 5);
    let of_night = world.tables.uploads_of_night(organisation(), night()).await.unwrap();
    assert_eq!((of_night.len(), scanned().await), (2, 2));
    let count = dynamodb::count(&world.direct, "uploads").await;
    assert_eq!(count, PAST + 7);
    println!(
        "with {PAST} payments of the past: 5 rows read for the 5 that wait, 2 for the 2 of the night"
    );
}
