//! What the full sweep reads of invoices that are settled: a thirtieth of them in a night, and all of them in a month
//! (ST-15).

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use jiff::SignedDuration;
use jiff::civil::date;
use payments::sweep::{ROTATION_DAYS, SweepKind};
use payments::{InvoiceNumber, Money, record_invoice};
use serde_json::{Value, json};
use table::ChangeContext;
use uuid::Uuid;

use crate::world::{World, march};

/// Invoices that are paid in full and mirrored, each with its payment; and one that is open.
async fn settled(count: usize) -> (World, Vec<(Uuid, Uuid)>) {
    let world = World::new().await;
    // Their due date is over, so that no day is waited for.
    world.clock.set("2026-12-02T01:00:00Z".parse().unwrap());
    let mut paid = Vec::new();
    for n in 1..=count {
        let invoice = world.both(&format!("{n:05}")).await;
        paid.push((invoice, world.pay(invoice, 1_000_00)));
    }
    world.pay(world.both("90000").await, 10_00);
    for _ in 0..2 {
        world.sweep().await;
        world.work_off().await;
        world.clock.advance(SignedDuration::from_mins(30));
    }
    assert_eq!(world.mirrored().await, world.in_xero());
    (world, paid)
}

/// A row of the table as it is, attribute by attribute.
async fn raw(world: &World, number: &str) -> std::collections::HashMap<String, AttributeValue> {
    let text = |text: String| AttributeValue::S(text);
    let get = world.direct.get_item().table_name("invoices");
    let get = get.key("organisation", text(world.tenant.to_string()));
    get.key("number", text(number.to_owned())).send().await.unwrap().item.unwrap()
}

/// Copies of a settled row under so many other numbers, of invoices that Xero does not have.
async fn copies(world: &World, like: &str, count: usize) {
    let row = raw(world, like).await;
    let rows: Vec<_> = (0..count)
        .map(|n| {
            let mut row = row.clone();
            let id = Uuid::from_u128(1 << 100 | n as u128).to_string();
            row.insert("number".to_owned(), AttributeValue::S(format!("5{n:05}")));
            row.insert("xero_invoice_id".to_owned(), AttributeValue::S(id));
            let put = PutRequest::builder().set_item(Some(row)).build().unwrap();
            WriteRequest::builder().put_request(put).build()
        })
        .collect();
    for rows in rows.chunks(25) {
        let write = world.direct.batch_write_item().request_items("invoices", rows.to_vec());
        assert!(write.send().await.unwrap().unprocessed_items.unwrap_or_default().is_empty());
    }
}

fn count(answer: &Value, name: &str) -> u64 {
    answer["run"]["counts"].get(name).and_then(Value::as_u64).unwrap_or(0)
}

async fn forget(world: &World, table: &str, key: &[(&str, &str)], attributes: &[&str]) {
    let mut update = world.direct.update_item().table_name(table);
    for (name, value) in key {
        update = update.key(*name, AttributeValue::S((*value).to_owned()));
    }
    let update = update.update_expression(format!("REMOVE {}", attributes.join(", ")));
    update.send().await.unwrap();
}

#[tokio::test]
async fn a_night_reads_what_is_unsettled_and_a_thirtieth_of_ten_thousand_settled_invoices() {
    let (world, _) = settled(1).await;
    copies(&world, "00001", 10_000).await;
    let first = world.full_sweep().await;
    assert_eq!(count(&first, "in_rotation"), 10_002, "the first one counts them: {first}");
    assert_eq!(count(&first, "stored"), 1, "{first}");
    assert_eq!(count(&first, "settled_compared"), 0, "{first}");

    for _ in 0..2 {
        world.proxy.heal();
        world.calls();
        let night = world.next_full_sweep().await;

        assert_eq!(night["outcome"], "finished", "{night}");
        // Counted where the rows are: the open one for each side, and a thirtieth.
        let read = world.proxy.rows_read();
        assert!((333..360).contains(&read), "{read} rows were read: {night}");
        assert_eq!(
            (count(&night, "stored"), count(&night, "in_rotation") / 10),
            (1, 33),
            "{night}"
        );
        // One page of what is open, and 40 invoices in a call.
        assert!(world.calls() <= 1 + 334 / 40 + 2);
    }
}

#[tokio::test]
async fn a_change_of_a_settled_invoice_is_found_by_the_next_sweep_of_what_changed() {
    let (world, paid) = settled(3).await;
    world.full_sweep().await;
    world.clock.advance(SignedDuration::from_hours(2));
    world.simulator.delete_payment(paid[1].1).unwrap();

    world.sweep().await;
    world.work_off().await;

    assert_eq!(world.mirrored().await, world.in_xero());
    assert!(raw(&world, "00002").await.contains_key("unsettled_in"), "it is open again");
    assert!(!raw(&world, "00003").await.contains_key("unsettled_in"));
}

#[tokio::test]
async fn a_change_of_a_settled_invoice_that_was_lost_is_found_within_thirty_days() {
    let (world, paid) = settled(5).await;
    world.full_sweep().await;
    world.clock.advance(SignedDuration::from_hours(2));
    // It stays paid: another payment has taken the place of the first one. And its message is lost.
    let (invoice, payment) = paid[3];
    world.simulator.delete_payment(payment).unwrap();
    world.pay_on(invoice, 1_000_00, march(2));
    world.sweep().await;
    assert_eq!(world.take_queued(), [invoice]);

    let mut found = None;
    for night in 1..=ROTATION_DAYS {
        let answer = world.next_full_sweep().await;
        assert_eq!(answer["outcome"], "finished", "{answer}");
        assert!(count(&answer, "in_rotation") <= 1, "six rows in a month: {answer}");
        if count(&answer, "newer_in_xero") == 1 {
            found = Some(night);
            break;
        }
    }

    assert!(found.is_some(), "nothing has found it");
    world.work_off().await;
    assert_eq!(world.mirrored().await, world.in_xero());
}

#[tokio::test]
async fn what_xero_does_not_show_is_read_alone() {
    let (world, _) = settled(1).await;
    copies(&world, "00001", 30).await;
    world.full_sweep().await;
    let night = world.next_full_sweep().await;
    let compared = count(&night, "settled_compared");
    assert_eq!((compared, count(&night, "in_rotation")), (2, 2), "{night}");
    assert_eq!(count(&night, "not_shown"), 1, "one of them is in Xero: {night}");
    assert_eq!(world.take_queued(), [Uuid::from_u128(1 << 100)]);
}

#[tokio::test]
async fn rows_of_an_earlier_version_are_found_at_once_and_given_their_place() {
    // AMB-20: a day comes for an invoice that is in no index.
    let (world, _) = settled(2).await;
    let organisation = world.tenant.to_string();
    world.settings(|settings| settings.forward_days = Some(0)).await;
    let held = world.both("80000").await;
    world.pay_on(held, 46_00, date(2026, 12, 5));
    world.sweep().await;
    world.work_off().await;
    for number in ["00001", "80000", "90000"] {
        let key = [("organisation", &*organisation), ("number", number)];
        forget(&world, "invoices", &key, &["unsettled_in"]).await;
    }
    let key = [("organisation", &*organisation), ("sweep", "open_invoices")];
    forget(&world, "sweeps", &key, &["rotation_begun_on", "rotation_after", "rotation_size"]).await;
    // It is the 5th in Sydney.
    world.clock.set("2026-12-04T13:00:00Z".parse().unwrap());

    let first = world.full_sweep().await;

    assert_eq!((count(&first, "put_into_place"), count(&first, "in_rotation")), (2, 4), "{first}");
    assert_eq!(world.take_queued(), [held], "{first}");
    for (number, is_unsettled) in [("00001", false), ("80000", true), ("90000", true)] {
        let is_listed = raw(&world, number).await.contains_key("unsettled_in");
        assert_eq!(is_listed, is_unsettled, "{number}");
    }
    let second = world.next_full_sweep().await;
    assert_eq!((count(&second, "put_into_place"), count(&second, "stored")), (0, 2), "{second}");
}

#[tokio::test]
async fn a_version_that_came_back_for_a_day_leaves_nothing_out_for_longer_than_a_month() {
    let (world, _) = settled(1).await;
    world.full_sweep().await;
    // It has written the row without knowing of the index, and made no full sweep.
    let key = [("organisation", &*world.tenant.to_string()), ("number", "90000")];
    forget(&world, "invoices", &key, &["unsettled_in"]).await;
    let mut put = 0;
    for _ in 0..ROTATION_DAYS {
        put += count(&world.next_full_sweep().await, "put_into_place");
    }
    assert_eq!(put, 1);
    assert!(raw(&world, "90000").await.contains_key("unsettled_in"));
}

#[tokio::test]
async fn the_certificate_says_until_when_everything_was_compared() {
    let (world, _) = settled(1).await;
    let certificate = async || {
        world.invoke(json!({"scheduled_time": world.now(), "certify": true})).await.unwrap();
        let rows = world.rows("certificates").await;
        rows.into_iter().max_by_key(|row| row["day"].clone()).unwrap()
    };
    assert!(!certificate().await.contains_key("unsettled_compared_at"), "nothing was yet");
    world.full_sweep().await;
    for _ in 0..ROTATION_DAYS {
        world.next_full_sweep().await;
    }
    let swept = world.tables.sweep(world.organisation(), SweepKind::Open).await.unwrap();
    let row = certificate().await;
    assert_eq!(row["all_compared_since"], "2026-12-03", "{row:?}");
    let until = swept.last_success_at.unwrap().to_string();
    assert_eq!(row["unsettled_compared_at"][..19], until[..19], "{row:?}");
}

#[tokio::test]
async fn a_paid_invoice_on_which_too_much_was_paid_keeps_its_place_among_the_balances() {
    // ST-05, ST-24: Xero has it paid, and the business asks for 200.00 less.
    let (world, _) = settled(1).await;
    let number: InvoiceNumber = "00001".parse().unwrap();
    let before = world.tables.invoice(world.organisation(), &number).await.unwrap();
    let mut local = before.local.clone().unwrap();
    local.revision = 2;
    local.total = Money::parse("800.00", "AUD".parse().unwrap()).unwrap();
    let change = record_invoice(&before, &local, world.now()).unwrap().unwrap();
    let because = ChangeContext { cause: "intake", event_at: None, now: world.now() };
    world.tables.write_invoice(&before, &change, because).await.unwrap();
    world.next_full_sweep().await;
    world.work_off().await;
    let left = async || {
        let balances = world.tables.list_balances(world.organisation(), None, 10).await.unwrap();
        let of_it = balances.rows.iter().find(|row| row.number == number);
        of_it.map(|row| row.balance.left.to_string())
    };
    assert_eq!(left().await.as_deref(), Some("-200.00 AUD"));
    let organisation = world.tenant.to_string();
    let key = [("organisation", &*organisation), ("number", "00001")];
    forget(&world, "invoices", &key, &["unsettled_in"]).await;
    let key = [("organisation", &*organisation), ("sweep", "open_invoices")];
    forget(&world, "sweeps", &key, &["rotation_begun_on", "rotation_after", "rotation_size"]).await;
    for put_into_place in [1, 0] {
        let sweep = world.next_full_sweep().await;
        assert_eq!(count(&sweep, "put_into_place"), put_into_place, "{sweep}");
        assert_eq!(left().await.as_deref(), Some("-200.00 AUD"));
    }
}
