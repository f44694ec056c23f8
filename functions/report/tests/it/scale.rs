//! What a seal and a verification read, write and cost grows with the rows of the day, and with nothing else.
//!
//! `ROWS` says how many rows the days have; 300,000 are shown by
//! `ROWS=75000,150000,300000 cargo test -p report --test it scale -- --nocapture`.

use std::time::Instant;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use serde_json::{Value, json};

use crate::world::{Item, ORGANISATION, World};

/// Bytes of a unit that is read consistently, and of one that is written.
const READ_UNIT: usize = 4_096;
const WRITE_UNIT: usize = 1_024;
/// Bytes of a row of the log, about, and of what a seal keeps of it.
const ROW_BYTES: usize = 900;
const SEALED_BYTES: usize = 150;

#[expect(clippy::disallowed_methods, reason = "a person's wish, and no setting")]
fn sizes() -> Vec<usize> {
    let sizes = std::env::var("ROWS").unwrap_or_else(|_| "1500,3000,6000".to_owned());
    sizes.split(',').map(|size| size.parse().unwrap()).collect()
}

/// So many rows of a day, as long as those about payments are.
async fn fill(world: &World, rows: usize) {
    world.log("2026-11-20T00:00:00Z", "0").await;
    let sample = world.item("activity", "at", "#0").await;
    let row = |n: usize| {
        let mut row = sample.clone();
        let at = format!("2026-11-20T12:00:00.{n:06}Z#10234#7-{n}");
        row.insert("at".to_owned(), AttributeValue::S(at));
        row.insert("why".to_owned(), AttributeValue::S(format!("{n:0>600}")));
        row
    };
    let put = |row: Item| {
        let put = PutRequest::builder().set_item(Some(row)).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    };
    let all: Vec<_> = (1..rows).collect();
    for some in all.chunks(25) {
        let puts: Vec<_> = some.iter().map(|n| put(row(*n))).collect();
        world.client.batch_write_item().request_items("activity", puts).send().await.unwrap();
    }
}

#[expect(clippy::float_arithmetic, reason = "a figure to print")]
/// US$ for one of something.
fn price(what: &str) -> f64 {
    let prices = include_str!("../../../../infra/ci/prices.json");
    let prices: Value = serde_json::from_str(prices).unwrap();
    let price = &prices["prices"][what];
    price["usd"].as_str().unwrap().parse::<f64>().unwrap() / price["per"].as_f64().unwrap()
}

/// Twice the rows are twice the reads and the pages, and no more (SP-29). A row in the middle of many is found.
#[tokio::test]
async fn a_seal_grows_with_the_rows_of_its_day_and_with_nothing_else() {
    println!(
        "{:>9} {:>10} {:>7} {:>8} {:>8} {:>8}",
        "rows", "rows read", "pages", "sealing", "verify", "US$"
    );
    for rows in sizes() {
        let world = World::new().await;
        fill(&world, rows).await;
        world.at("2026-11-21T03:00:00Z");
        world.proxy.heal();
        let begun = Instant::now();
        let wish = json!({"organisation": ORGANISATION, "from": "2026-11-20"});
        assert_eq!(world.ask(wish).await, [format!("2026-11-20 sealed rows {rows}")]);
        let sealing = begun.elapsed().as_secs_f64();
        let (read, calls) = (world.proxy.scanned(), world.proxy.calls().len());
        // Each row once; the engine looks again at the last row of a page, and at the organisation's seals.
        assert!(read <= rows + 2 + rows / 1_000, "{read}");
        let pages = world.proxy.writes() - 1;
        assert_eq!(pages, rows.div_ceil(1_000));
        assert!(calls <= 10 + pages + rows / 500, "{calls}");
        let begun = Instant::now();
        let found = world.verify().await;
        assert_eq!((found.rows, found.faults), (u64::try_from(rows).unwrap(), 0));
        let verifying = begun.elapsed().as_secs_f64();
        let mut altered = world.item("activity", "at", "-777").await;
        altered.insert("by".to_owned(), AttributeValue::S("Eve".to_owned()));
        world.put("activity", altered).await;
        assert_eq!(world.faults().await, ["2026-11-20 7-777 altered"]);
        // Read for the seal, and once more with the pages when the next day is sealed.
        let units =
            |bytes: usize, unit: usize| f64::from(u32::try_from(bytes.div_ceil(unit)).unwrap());
        let reads = units(rows * (2 * ROW_BYTES + SEALED_BYTES), READ_UNIT) * price("read unit");
        let writes = units(rows * SEALED_BYTES, WRITE_UNIT) * price("write unit");
        println!(
            "{rows:>9} {read:>10} {pages:>7} {sealing:>8.2} {verifying:>8.2} {:>8.4}",
            reads + writes
        );
    }
}
