//! The page of the daily closes, and of one day with its rows (SP-13 to SP-15, AMB-24). The days are closed by `reconcile`.

use console::roles::Role;
use host::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use payments::{PaymentStatus, Receipt};
use reconcile::{CloseWish, Reconciler};
use serde_json::{Value, json};

use crate::html::{assert_harmless, text};
use crate::samples::{aud, read, receipt, record, xero_payment};
use crate::world::{ORGANISATION, World, ago, command, now, organisation};

/// The Wednesday of the console's clock, which ended at 18:00 in Sydney, four and a half hours ago.
const TODAY: &str = "2026-11-25";
const ON_MONDAY: &str = "2026-11-23T08:00:00Z";

/// The days that are due at a moment are closed.
async fn close_at(world: &World, moment: Timestamp) {
    let reconciler = Reconciler::new(world.tables.clone(), Clock::new(move || moment));
    let wish = CloseWish::of(organisation(), None);
    let closes = reconciler.close(&wish, moment + SignedDuration::from_mins(15)).await.unwrap();
    assert!(!closes.is_empty() && closes.iter().all(|close| close.problem.is_none()), "{closes:?}");
}

/// A payment of the business's own that is not finished at the close.
async fn report(world: &World, id: &str, cents: i64, status: PaymentStatus) {
    let receipt =
        Receipt { amount: aud(cents), status, method: "bank_transfer".to_owned(), ..receipt(id) };
    world.tables.store_receipt(None, &receipt, &[], None, ago(590)).await.unwrap();
}

async fn page(world: &World, role: Role, event: Value) -> String {
    let mut event = event;
    event["page"] = "closes".into();
    event["organisation"] = ORGANISATION.into();
    let html = world.page(role, event).await;
    assert_harmless(&html);
    html
}

/// What is due and not closed is named, and an operator closes it by name and reason (SP-13).
#[tokio::test]
async fn days_that_were_missed_are_named_and_an_operator_closes_them() {
    let world = World::new().await;
    assert!(text(&page(&world, Role::Viewer, json!({})).await).contains("No day was closed yet."));
    close_at(&world, ON_MONDAY.parse().unwrap()).await;

    let html = page(&world, Role::Viewer, json!({})).await;
    let said = text(&html);
    for words in ["2026-11-24 ended", "2026-11-25 ended", "it is overdue", "2026-11-26, "] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!html.contains("&#34;order&#34;"), "a viewer has no buttons: {html}");

    let closes = [
        json!({"organisation": ORGANISATION, "day": "2026-11-24", "outcome": "closed", "revision": 1}),
    ];
    world.answers(Ok(json!({"closes": closes, "recorded": true})));
    let event = json!({"page": "closes", "order": "close"});
    let said = text(&world.press(Role::Operator, event).await);
    assert!(said.contains("2026-11-24: is closed."), "{said}");
    assert_eq!(world.asked(), [command("close", json!({"organisation": ORGANISATION}))]);

    // One day again, by its own page; what could not be closed is said.
    close_at(&world, now()).await;
    let failed = [
        json!({"organisation": ORGANISATION, "day": TODAY, "outcome": "failed", "problem": "the time was over"}),
    ];
    world.answers(Ok(json!({"closes": failed, "recorded": true})));
    let event = json!({"page": "closes", "order": "close", "day": TODAY});
    let said = text(&world.press(Role::Operator, event).await);
    assert!(said.contains("2026-11-25: the time was over."), "{said}");
    let day = json!({"organisation": ORGANISATION, "day": TODAY});
    assert_eq!(world.asked(), [command("close", day)]);
    assert!(said.contains("The close of 2026-11-25"), "the day stays on the page: {said}");
}

/// Each day has its sums by status; a day that was missed or opened again shows it (SP-13, SP-14).
#[tokio::test]
async fn sp_13_days_are_listed_with_their_result() {
    let world = World::new().await;
    close_at(&world, ON_MONDAY.parse().unwrap()).await;
    record(&world, "10234", "Ada Ltd").await;
    read(&world, "10234", 580, vec![xero_payment(1, 10_000)], 0).await;
    report(&world, "P-8", 1_250, PaymentStatus::Confirmed).await;
    report(&world, "P-9", 2_000, PaymentStatus::Failed).await;
    close_at(&world, now()).await;

    let said = text(&page(&world, Role::Viewer, json!({})).await);
    for words in [
        "▲ missed, and made up for 1 day 4 h later",
        "1 1 ▲ 1 0 20.00 AUD FAILED_PAYMENT 1",
        "2026-11-25,2026-11-25 22:30:00,1,AUD,reconciled,1,100.00",
        "2026-11-25,2026-11-25 22:30:00,1,AUD,in_transit,1,12.50",
        "2026-11-25,2026-11-25 22:30:00,1,AUD,not_reconciled,1,20.00",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let (_, days) = said.split_once("Days Day").unwrap();
    let places = ["2026-11-25", "2026-11-24", "2026-11-23"].map(|day| days.find(day).unwrap());
    assert!(places.is_sorted(), "the newest first: {said}");
    let older = text(&page(&world, Role::Viewer, json!({"before": "2026-11-24"})).await);
    assert!(older.contains("2026-11-23,") && !older.contains("2026-11-24,"), "{older}");
}

/// One day shows what does not reconcile with its cause, and what is in transit with the day on which it is expected
/// (SP-14, SP-15, AMB-24).
#[tokio::test]
async fn sp_14_one_day_shows_its_rows_with_causes_and_expected_days() {
    let world = World::new().await;
    record(&world, "10234", "Ada Ltd").await;
    read(&world, "10234", 580, vec![xero_payment(1, 10_000)], 0).await;
    report(&world, "P-8", 1_250, PaymentStatus::Confirmed).await;
    report(&world, "P-9", 2_000, PaymentStatus::Failed).await;
    close_at(&world, now()).await;

    let said = text(&page(&world, Role::Operator, json!({"day": TODAY})).await);
    for words in [
        "The close of 2026-11-25",
        "It covers 2026-11-24 18:00:00 to 2026-11-25 18:00:00",
        "reconciled AUD 1 100.00 AUD",
        "FAILED_PAYMENT missing payment 1 20.00 AUD",
        "invoice 10234 reconciled 100.00 AUD 100.00 AUD 0.00 AUD",
        "invoice,10234,reconciled,,,AUD,100.00,0.00,",
        "payment P-8 in transit 2026-11-26 P-8 12.50 AUD, in transit, expected 2026-11-26",
        "payment P-9 ▲ not reconciled FAILED_PAYMENT P-9 20.00 AUD, not reconciled, FAILED_PAYMENT",
        "payment,P-9,not_reconciled,FAILED_PAYMENT,,,,,P-9,AUD,20.00,not_reconciled,FAILED_PAYMENT,",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let wrong = json!({"day": TODAY, "kind": "not_reconciled"});
    let wrong = text(&page(&world, Role::Viewer, wrong).await);
    assert!(wrong.contains("payment P-9") && !wrong.contains("invoice 10234"), "{wrong}");
    let none = text(&page(&world, Role::Viewer, json!({"day": TODAY, "kind": "open"})).await);
    assert!(none.contains("No row is open."), "{none}");
    let behind = json!({"day": TODAY, "before": format!("row#{TODAY}#1#payment/P-8")});
    let behind = text(&page(&world, Role::Viewer, behind).await);
    assert!(behind.contains("payment P-9") && !behind.contains("payment P-8"), "{behind}");
    for (day, words) in [
        ("2026-11-22", "2026-11-22 is no business day: the close of 2026-11-23 covers it."),
        ("2026-11-26", "2026-11-26 is not closed."),
        ("yesterday", "yesterday is no day such as 2026-11-23."),
    ] {
        let said = text(&page(&world, Role::Viewer, json!({ "day": day })).await);
        assert!(said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn hostile_names_and_rows_that_cannot_be_read_hide_nothing() {
    let world = World::new().await;
    report(&world, "<script>alert(1)</script>", 2_000, PaymentStatus::Failed).await;
    close_at(&world, now()).await;
    let said = text(&page(&world, Role::Operator, json!({"day": TODAY})).await);
    assert!(said.contains("payment <script>"), "{said}");
    let row = [
        ("organisation", ORGANISATION),
        ("close", &format!("row#{TODAY}#1#invoice/1")),
        ("status", "<b>"),
    ];
    world.put("closes", &row).await;
    world.put("closes", &[("organisation", ORGANISATION), ("close", "day#2026-11-26")]).await;
    let said = text(&page(&world, Role::Operator, json!({"day": TODAY})).await);
    assert!(said.contains("A row cannot be read") && said.contains("payment <script>"), "{said}");
    let said = text(&page(&world, Role::Operator, json!({})).await);
    assert!(said.contains("A close cannot be read: day#2026-11-26"), "{said}");
    assert!(
        said.contains(
            "2026-11-25 2026-11-25 22:30 AEDT (just now) ▲ missed, and made up for 4 h 30 min later"
        ),
        "{said}"
    );
}

/// When days are closed stands among the settings, with what it means and does; nonsense is said, and stops nothing (SP-13).
#[tokio::test]
async fn sp_13_the_settings_of_the_close_say_what_they_do_and_nonsense_stops_nothing() {
    let world = World::new().await;
    let mut settings = world.tables.settings(organisation()).await.unwrap().unwrap();
    settings.close.at = "17:30".parse().unwrap();
    settings.close.holidays = ["2026-12-25", "2026-01-01"].map(|day| day.parse().unwrap()).into();
    world.tables.store_settings(&settings).await.unwrap();
    let said = text(&world.look("configure").await);
    for words in [
        "A business day ends at When a business day ends.",
        "Default: 18:00. A time from 04:00 to 23:59.",
        "Days that are closed stay as they were. The business day 2026-11-26 ends 2026-11-26 17:30 AEDT (in 19 h 0 min).",
        "No close on 2026-12-25.",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }

    world.set(ORGANISATION, "close_at", "half past five").await;
    world.set(ORGANISATION, "holidays", "Christmas").await;
    let said = text(&world.look("configure").await);
    for words in [
        "▲ close_at is no time such as 17:30 from 04:00 on: 18:00 is used",
        "▲ holidays is no list of days such as 2026-12-25: none is known",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    // The days are closed all the same.
    close_at(&world, now()).await;
    assert!(text(&page(&world, Role::Viewer, json!({})).await).contains("2026-11-25"));
}
