//! CC-27: a feed reports each of its imports, also an empty one, and a receipt says which feed has brought it.

use serde_json::{Value, json};

use crate::messages::{ORGANISATION, payment, with};
use crate::world::World;

fn report(revision: u64, day: &str, imported: u64) -> Value {
    json!({"version": 1, "type": "feed_report", "organisation": ORGANISATION, "source": "main-bank",
        "revision": revision, "from": day, "to": day, "imported": imported,
        "reported_at": "2026-03-09T06:02:11+11:00"})
}

#[tokio::test]
async fn cc_27_the_newest_report_of_a_feed_stands_and_an_earlier_one_that_comes_late_is_no_news() {
    let world = World::new().await;
    world.take(&report(1, "2026-03-07", 12)).await;
    world.take(&report(3, "2026-03-08", 0)).await;
    world.take(&report(2, "2026-03-07", 13)).await;
    world.take(&report(3, "2026-03-08", 0)).await;
    let rows = world.rows("feeds").await;
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0]["covers_to"].as_str(), rows[0]["imported"].as_str()), ("2026-03-08", "0"));
    assert!(world.rows("parked").await.is_empty());
}

#[tokio::test]
async fn cc_27_a_receipt_names_the_feed_that_has_brought_it() {
    let world = World::new().await;
    let paid = payment("P-1", 1, "150.00", &[]);
    world.take(&with(paid, "/source", json!("main-bank"))).await;
    let rows = world.rows("feeds").await;
    assert_eq!(rows[0]["feed"], "received#main-bank");
    assert_eq!(world.rows("receipts").await.len(), 1);
}
