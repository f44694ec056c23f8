//! Days are closed: what reconciles, what is in transit and what does not reconcile, in rows that people read.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use harness::Do;
use harness::dynamodb::Row;
use serde_json::{Value, json};

use crate::world::{World, settings};

/// A Tuesday; its close is at 18:00 in Sydney, 07:00 in UTC, and is made from 07:15 on.
const DAY: &str = "2026-03-10";
const IN_THE_DAY: &str = "2026-03-10T03:00:00Z";
const AFTER_THE_CLOSE: &str = "2026-03-10T07:20:00Z";
const AFTER_THE_NEXT: &str = "2026-03-11T07:20:00Z";

fn invoice(number: &str) -> Value {
    json!({
        "type": "invoice", "number": number, "revision": 1,
        "total": {"amount": "110.00", "currency": "AUD"},
        "contact": {"company": "Harbour Ferries Pty Ltd"},
        "issued_on": "2026-03-01", "due_on": "2026-03-20",
    })
}

fn payment(id: &str, amount: &str, status: &str, invoices: &[&str]) -> Value {
    let parts: Vec<_> =
        invoices.iter().map(|number| json!({"invoice": number, "amount": amount})).collect();
    json!({
        "type": "payment", "id": id, "revision": 1,
        "amount": {"amount": amount, "currency": "AUD"}, "date": DAY,
        "method": "bank_transfer", "transaction_id": format!("T-{id}"), "status": status,
        "entered_at": "2026-03-10T13:00:00+11:00", "allocations": parts,
    })
}

fn with(mut message: Value, members: Value) -> Value {
    for (name, value) in members.as_object().unwrap() {
        message[name] = value.clone();
    }
    message
}

impl World {
    /// The rows of closes whose keys begin like this, by their keys.
    async fn closes(&self, prefix: &str) -> BTreeMap<String, Row> {
        let rows = self.rows("closes").await.into_iter();
        rows.map(|row| (row["close"].clone(), row))
            .filter(|(key, _)| key.starts_with(prefix))
            .collect()
    }

    /// The row of a day.
    async fn day(&self, day: &str) -> Row {
        self.closes(&format!("day#{day}")).await.into_values().next().unwrap()
    }

    /// Status and causes of one subject, at the newest revision of a day's close.
    async fn stands(&self, day: &str, subject: &str) -> String {
        let revision = self.day(day).await["revision"].trim_start_matches('#').to_owned();
        let rows = self.closes(&format!("row#{day}#{revision}#{subject}")).await;
        let row = rows.into_values().next().unwrap_or_else(|| panic!("{day} has no {subject}"));
        format!("{} {}", row["status"], row["causes"])
    }

    /// A row is gone.
    async fn forget(&self, key: &str) {
        let delete = self.client.delete_item().table_name("closes");
        let delete =
            delete.key("organisation", AttributeValue::S(crate::world::organisation().to_string()));
        delete.key("close", AttributeValue::S(key.to_owned())).send().await.unwrap();
    }

    async fn actions(&self, of: &str) -> usize {
        self.rows("activity").await.iter().filter(|row| row["action"] == of).count()
    }
}

/// After the close of business, each invoice that the day has touched has a row, and the day its sums; not before
/// (SP-13, SP-14).
#[tokio::test]
async fn a_day_is_closed_after_its_close_and_not_before() {
    let world = World::new().await;
    world.at(IN_THE_DAY);
    world.report(invoice("10234")).await;
    world.report(payment("P-1", "110.00", "confirmed", &["10234"])).await;
    world.report(payment("P-2", "40.00", "failed", &[])).await;
    assert_eq!(world.close().await, ["2026-03-09 closed"]);
    world.at("2026-03-10T07:14:59Z");
    assert!(world.close().await.is_empty());
    world.at(AFTER_THE_CLOSE);
    assert_eq!(world.close().await, ["2026-03-10 closed"]);
    let day = world.day(DAY).await;
    assert_eq!(
        (&*day["in_transit"], &*day["not_reconciled"], &*day["reconciled"]),
        ("#1", "#1", "#0")
    );
    assert_eq!(day["revision"], "#1");
    assert!(world.stands(DAY, "invoice/10234").await.starts_with("in_transit"));
    let failed = world.stands(DAY, "payment/P-2").await;
    assert!(failed.starts_with("not_reconciled") && failed.contains("FAILED_PAYMENT"), "{failed}");
    assert_eq!(world.actions("close_completed").await, 2);
    assert!(world.close().await.is_empty());
}

/// A day that is closed again says the same, also if nothing of its close is left (SP-13).
#[tokio::test]
async fn the_same_day_closed_twice_gives_the_same_bytes() {
    let world = World::new().await;
    world.at(IN_THE_DAY);
    world.close().await;
    world.report(invoice("10234")).await;
    world.report(payment("P-1", "110.00", "confirmed", &["10234"])).await;
    world.report(payment("P-2", "40.00", "pending", &[])).await;
    world.at(AFTER_THE_CLOSE);
    world.close().await;
    let first = world.rows("closes").await;
    // What happens later is another day's.
    world.at("2026-03-10T23:00:00Z");
    world
        .report(with(
            payment("P-2", "40.00", "failed", &[]),
            json!({"revision": 2, "entered_at": "2026-03-11T09:00:00+11:00"}),
        ))
        .await;
    let wish = json!({"organisation": crate::world::organisation(), "day": DAY, "by": "Ada", "why": "audit"});
    assert_eq!(world.ask_close(wish.clone()).await, ["2026-03-10 unchanged"]);
    assert_eq!(world.rows("closes").await, first);
    for key in world
        .closes(&format!("day#{DAY}"))
        .await
        .into_keys()
        .chain(world.closes(&format!("row#{DAY}")).await.into_keys())
    {
        world.forget(&key).await;
    }
    assert_eq!(world.ask_close(wish).await, ["2026-03-10 closed"]);
    let (mut first, mut again) = (first, world.rows("closes").await);
    for row in first.iter_mut().chain(&mut again) {
        row.remove("closed_at");
    }
    assert_eq!(again, first);
}

/// A fact from before a close that is heard of after it opens the day again, where it can be seen (SP-13).
#[tokio::test]
async fn a_late_fact_opens_its_day_again() {
    let world = World::new().await;
    world.at(IN_THE_DAY);
    world.close().await;
    world.report(invoice("10234")).await;
    world.at(AFTER_THE_CLOSE);
    world.close().await;
    assert!(world.stands(DAY, "invoice/10234").await.starts_with("open"));
    let before = world.closes(&format!("row#{DAY}#1#")).await;
    // Eleven hours later the business's system reports what its gateway had at noon.
    world.at("2026-03-10T18:00:00Z");
    let late = json!({"event_at": "2026-03-10T12:00:00+11:00"});
    world.report(with(payment("P-1", "110.00", "confirmed", &["10234"]), late)).await;
    assert!(world.close().await.is_empty());
    world.at(AFTER_THE_NEXT);
    assert_eq!(world.close().await, ["2026-03-11 closed"]);
    let day = world.day(DAY).await;
    assert_eq!((&*day["revision"], &*day["in_transit"]), ("#2", "#1"));
    assert!(world.stands(DAY, "invoice/10234").await.starts_with("in_transit"));
    assert_eq!(world.actions("close_reopened").await, 1);
    // What the first close said stays.
    assert_eq!(world.closes(&format!("row#{DAY}#1#")).await, before);
    let wish = json!({"organisation": crate::world::organisation(), "day": DAY});
    assert_eq!(world.ask_close(wish).await, ["2026-03-10 unchanged"]);
}

/// Weekends and holidays have no close, and the next one covers them; a close that was missed is made up for, in order
/// (SP-13).
#[tokio::test]
async fn the_next_close_covers_days_without_one_and_missed_ones_are_made_up_for() {
    let world = World::new().await;
    let mut settings = settings();
    settings.close.holidays = ["2026-03-12".parse().unwrap()].into();
    settings.close.at = "17:00".parse().unwrap();
    world.set(&settings).await;
    world.at(IN_THE_DAY);
    assert_eq!(world.close().await, ["2026-03-09 closed"]);
    // On the holiday, and on Saturday.
    world.at("2026-03-12T03:00:00Z");
    world.report(payment("P-1", "10.00", "failed", &[])).await;
    world.at("2026-03-14T03:00:00Z");
    world.report(payment("P-2", "20.00", "failed", &[])).await;
    // The schedule has not come for a week.
    world.at("2026-03-16T08:00:00Z");
    let closed =
        ["2026-03-10 closed", "2026-03-11 closed", "2026-03-13 closed", "2026-03-16 closed"];
    assert_eq!(world.close().await, closed);
    assert!(world.stands("2026-03-13", "payment/P-1").await.starts_with("not_reconciled"));
    assert!(world.stands("2026-03-16", "payment/P-2").await.starts_with("not_reconciled"));
    assert!(world.closes("row#2026-03-11").await.is_empty());
    let wish = |day: &str| json!({"organisation": crate::world::organisation(), "day": day});
    let holiday = world.ask_close(wish("2026-03-12")).await;
    assert_eq!(holiday, ["2026-03-12 failed it is no business day: the next close covers it"]);
    let early = world.ask_close(wish("2026-03-17")).await;
    assert_eq!(early, ["2026-03-17 failed the close of this day is still to come"]);
}

/// A payment that is not in Xero by the next close, and one that stays pending, are discrepancies with a clock, in the
/// table of all others, and end as soon as their facts do (SP-15, SP-20, ST-15, AMB-24).
#[tokio::test]
async fn what_has_not_come_to_its_end_becomes_a_discrepancy() {
    let world = World::new().await;
    world.at(IN_THE_DAY);
    world.close().await;
    world.report(invoice("10234")).await;
    world.report(payment("P-1", "110.00", "confirmed", &["10234"])).await;
    world.at(AFTER_THE_CLOSE);
    world.close().await;
    assert!(world.rows("discrepancies").await.is_empty());
    world.at(AFTER_THE_NEXT);
    assert_eq!(world.close().await, ["2026-03-11 closed"]);
    let stands = world.stands("2026-03-11", "invoice/10234").await;
    assert!(stands.starts_with("not_reconciled") && stands.contains("OTHER_METHOD"), "{stands}");
    let found = world.rows("discrepancies").await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((&*found[0]["discrepancy"], &*found[0]["state"]), ("UNPROCESSED#P-1", "open"));
    assert_eq!(found[0]["due_at"], "2026-03-13T07:20:00.000000Z");
    world.at("2026-03-11T10:00:00Z");
    let refunded = json!({"revision": 2, "status": "refunded"});
    world.report(with(payment("P-1", "110.00", "confirmed", &["10234"]), refunded)).await;
    assert_eq!(world.rows("discrepancies").await[0]["state"], "resolved");
}

/// An invoice that Xero does not have is looked at each day: nothing of it has come in when its due date has passed
/// (SP-15).
#[tokio::test]
async fn an_unpaid_invoice_that_xero_does_not_have_is_missing_its_payment() {
    let world = World::new().await;
    world.at(IN_THE_DAY);
    world.close().await;
    world.report(with(invoice("10234"), json!({"due_on": "2026-03-11"}))).await;
    world.at(AFTER_THE_NEXT);
    assert_eq!(world.close().await, ["2026-03-10 closed", "2026-03-11 closed"]);
    assert!(world.rows("discrepancies").await.is_empty());
    world.at("2026-03-12T07:20:00Z");
    assert_eq!(world.close().await, ["2026-03-12 closed"]);
    let found = world.rows("discrepancies").await;
    assert_eq!(found[0]["discrepancy"], "MISSING_PAYMENT#");
    world.at("2026-03-13T07:20:00Z");
    world.close().await;
    let stands = world.stands("2026-03-13", "invoice/10234").await;
    assert!(stands.contains("MISSING_PAYMENT"), "{stands}");
}

/// A table that does not answer leaves a day to be closed, and the next schedule closes it (N2).
#[tokio::test]
async fn a_close_that_was_interrupted_is_made_by_the_next_schedule() {
    let world = World::new().await;
    world.at(IN_THE_DAY);
    world.close().await;
    world.report(invoice("10234")).await;
    world.report(payment("P-1", "110.00", "failed", &["10234"])).await;
    world.at(AFTER_THE_CLOSE);
    for table in ["BatchWriteItem", "TransactWriteItems", "Query"] {
        world.proxy.plan(move |call| match call.operation == table {
            true => Do::Refuse("ValidationException"),
            false => Do::Pass,
        });
        let outcome = world.close().await;
        assert!(outcome[0].starts_with("2026-03-10 failed"), "{table}: {outcome:?}");
    }
    world.proxy.heal();
    assert_eq!(world.close().await, ["2026-03-10 closed"]);
    assert_eq!(world.actions("close_completed").await, 2);
}
