//! What a close reads, writes and costs grows with the payments of its day, and with nothing else.
//!
//! `PAYMENTS` says how many payments the days have; 100,000 are shown by
//! `PAYMENTS=25000,50000,100000 cargo test -p reconcile --test it scale -- --nocapture`.

use std::collections::HashMap;
use std::time::Instant;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use serde_json::{Value, json};

use crate::world::World;

type Item = HashMap<String, AttributeValue>;

/// Bytes of a unit that is read consistently, and of one that is written.
const READ_UNIT: usize = 4_096;
const WRITE_UNIT: usize = 1_024;

/// What one close took.
struct Measured {
    payments: usize,
    rows_read: usize,
    bytes_read: usize,
    rows_written: usize,
    seconds: f64,
    /// How much memory the process took more than before, at most: the close, and the rows that it wrote, which the engine
    /// keeps in the same process. `None` where the system does not say it.
    megabytes: Option<usize>,
}

/// Kilobytes of memory of this process: now (`VmRSS:`), or at most since the count was set back (`VmHWM:`).
fn kilobytes(field: &str) -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

#[expect(clippy::disallowed_methods, reason = "a person's wish, and no setting")]
fn sizes() -> Vec<usize> {
    let sizes = std::env::var("PAYMENTS").unwrap_or_else(|_| "200,400,800".to_owned());
    sizes.split(',').map(|size| size.parse().unwrap()).collect()
}

/// The rows of the log about one invoice and its payment by card, as the functions write them.
async fn sample(world: &World) -> Vec<Item> {
    world
        .report(json!({
            "type": "invoice", "number": "10234", "revision": 1,
            "total": {"amount": "110.00", "currency": "AUD"},
            "contact": {"company": "Harbour Ferries Pty Ltd"},
            "issued_on": "2026-03-01", "due_on": "2026-03-20",
        }))
        .await;
    world
        .report(json!({
            "type": "payment", "id": "P-0", "revision": 1,
            "amount": {"amount": "110.00", "currency": "AUD"}, "date": "2026-03-10",
            "method": "bank_transfer", "transaction_id": "T-0", "status": "confirmed",
            "entered_at": "2026-03-10T12:00:00+11:00",
            "allocations": [{"invoice": "10234", "amount": "110.00"}],
        }))
        .await;
    let scan = world.client.scan().table_name("activity").send().await.unwrap();
    scan.items().iter().filter(|row| !row.contains_key("close")).cloned().collect()
}

/// The same about another invoice and payment.
fn copy(row: &Item, n: usize) -> Item {
    let text = |value: &AttributeValue| match value {
        AttributeValue::S(text) => {
            let text = text.replace("10234", &format!("{}", 100_000 + n));
            AttributeValue::S(text.replace("P-0", &format!("P-{n}")))
        }
        other => other.clone(),
    };
    row.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

async fn write(world: &World, rows: &[Item]) {
    for some in rows.chunks(25) {
        let put = |row: &Item| {
            let put = PutRequest::builder().set_item(Some(row.clone())).build().unwrap();
            WriteRequest::builder().put_request(put).build()
        };
        let puts: Vec<_> = some.iter().map(put).collect();
        let request = world.client.batch_write_item().request_items("activity", puts);
        request.send().await.unwrap();
    }
}

fn bytes(row: &Item) -> usize {
    let size = |value: &AttributeValue| match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
        _ => 1,
    };
    row.iter().map(|(name, value)| name.len() + size(value)).sum()
}

async fn measure(payments: usize) -> Measured {
    let world = World::without_stream().await;
    world.at("2026-03-10T03:00:00Z");
    assert_eq!(world.close().await, ["2026-03-09 closed"]);
    let sample = sample(&world).await;
    let size: usize = sample.iter().map(bytes).sum();
    for first in (1..payments).step_by(1_000) {
        let some = first..payments.min(first + 1_000);
        let rows: Vec<Item> =
            some.flat_map(|n| sample.iter().map(move |row| copy(row, n))).collect();
        write(&world, &rows).await;
    }
    world.at("2026-03-10T07:20:00Z");
    world.proxy.heal();
    let before = kilobytes("VmRSS:");
    let is_set_back = std::fs::write("/proc/self/clear_refs", "5").is_ok();
    let begun = Instant::now();
    assert_eq!(world.close().await, ["2026-03-10 closed"]);
    let seconds = begun.elapsed().as_secs_f64();
    let most = kilobytes("VmHWM:").filter(|_| is_set_back);
    let more = most.zip(before).map(|(most, before)| most.saturating_sub(before) / 1_024);
    let rows =
        world.client.scan().table_name("closes").select(aws_sdk_dynamodb::types::Select::Count);
    let mut pages = rows.into_paginator().send();
    let mut written = 0;
    while let Some(page) = pages.next().await {
        written += usize::try_from(page.unwrap().count).unwrap();
    }
    Measured {
        payments,
        rows_read: world.proxy.scanned(),
        bytes_read: size * payments,
        rows_written: written,
        seconds,
        megabytes: more,
    }
}

#[expect(clippy::float_arithmetic, reason = "a figure to print")]
/// US$ for a million of something, in a millionth of a dollar.
fn price(what: &str) -> f64 {
    let prices = include_str!("../../../../infra/ci/prices.json");
    let prices: Value = serde_json::from_str(prices).unwrap();
    let price = &prices["prices"][what];
    price["usd"].as_str().unwrap().parse::<f64>().unwrap() / price["per"].as_f64().unwrap()
}

/// Twice the payments are twice the rows, and no more (SP-13).
#[tokio::test]
async fn a_close_grows_with_its_payments_and_with_nothing_else() {
    let mut all = Vec::new();
    println!(
        "{:>9} {:>10} {:>12} {:>9} {:>10} {:>6}",
        "payments", "rows read", "rows written", "seconds", "US$", "MB"
    );
    for size in sizes() {
        let measured = measure(size).await;
        let units =
            |bytes: usize, unit: usize| f64::from(u32::try_from(bytes.div_ceil(unit)).unwrap());
        let reads = units(measured.bytes_read, READ_UNIT) * price("read unit");
        let writes = units(measured.rows_written * WRITE_UNIT, WRITE_UNIT) * price("write unit");
        println!(
            "{:>9} {:>10} {:>12} {:>9.1} {:>10.4} {:>6}",
            measured.payments,
            measured.rows_read,
            measured.rows_written,
            measured.seconds,
            reads + writes,
            measured.megabytes.map(|most| most.to_string()).unwrap_or_default()
        );
        all.push(measured);
    }
    // Some rows are read and written however small a day is.
    let of = |measured: &Measured| (measured.rows_read - 10, measured.rows_written - 2);
    for (less, more) in all.iter().zip(&all[1..]) {
        let (read, written) = of(less);
        assert!(of(more).0 * less.payments <= read * more.payments + 10 * more.payments);
        assert_eq!(of(more).1 * less.payments, written * more.payments);
    }
}
