//! Home and the queue of work: whether all is well, and what needs a person first.

use console::roles::Role;
use payments::upload::{PaymentCommand, Target, WriteOutcome, obey};
use serde_json::json;

use crate::html::{assert_harmless, text};
use crate::rows_read::rows_read;
use crate::samples::{self, blocked, store, waiting};
use crate::world::{ORGANISATION, World, ago, well};

async fn page(world: &World, page: &str) -> String {
    let html = world.page(Role::Operator, json!({ "page": page })).await;
    assert_harmless(&html);
    text(&html)
}

/// A payment that Xero has refused.
async fn refused(world: &World, id: &str) {
    let mut upload = waiting(id);
    let contact = payments::XeroContactId::new(uuid::Uuid::from_u128(7));
    let parts = vec![(Target::Prepayment { contact }, upload.receipt.amount)];
    upload.reserve("2026-11-25".parse().unwrap(), parts, ago(30)).unwrap();
    upload.send(&[1], "key", ago(29)).unwrap();
    let outcome = WriteOutcome::Refused("the contact is archived".to_owned());
    upload.answer(1, outcome, false, ago(28)).unwrap();
    upload.settle_refusal(None);
    store(world, &upload).await;
}

#[tokio::test]
async fn all_is_well_in_one_sentence() {
    // SP-35, CC-20, CC-02
    let world = samples::world().await;
    store(&world, &waiting("P-1")).await;
    // A widget that names no page shows it.
    let said = text(&world.page(Role::Viewer, json!({})).await);
    for words in [
        "✔ All is well",
        "Xero is connected. Last read from Xero: 2026-11-25 22:15 AEDT (15 min ago).",
        "Next upload 1 of 200",
        "4.00 AUD",
        "30-day limit 0 of 4000 attempts",
        "✔ Nothing needs you.",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains('▲'), "{said}");
    assert!(page(&world, "needs_you").await.contains("✔ Nothing needs you."));
}

#[tokio::test]
async fn every_kind_of_work_is_in_one_queue_the_most_urgent_first() {
    // SP-18, SP-19, EX-27, ST-12, ST-15
    let world = samples::eventful().await;
    refused(&world, "B-2008").await;
    let held = obey(&waiting("Q-1"), PaymentCommand::Hold, "Ada", "disputed", ago(9));
    store(&world, &held.unwrap().unwrap()).await;
    blocked(&world, "C-9", "two contacts").await;
    let row = [
        ("organisation", ORGANISATION),
        ("parked_at", "2026-11-20T00:00:00.000000Z#a"),
        ("by", "intake"),
        ("reason", "invalid_message"),
        ("detail", "the amount is no number"),
    ];
    world.put("parked", &row).await;
    let said = page(&world, "needs_you").await;
    let places: Vec<_> = [
        // Five days old, and so three days late.
        "1 messages could not be processed.",
        "1 customers wait for an answer.",
        "1 invoices are paid in part and overdue.",
        "Xero refused 1 payment.",
        "On hold: 1 payment.",
    ]
    .into_iter()
    .map(|words| said.find(words).unwrap_or_else(|| panic!("{words}: {said}")))
    .collect();
    assert!(places.is_sorted(), "{said}");
    for words in
        ["the contact is archived", "4.00 AUD", "two contacts", "Ada: disputed", "days 11 h late"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    let home = page(&world, "home").await;
    assert!(home.contains("▲ 5 things need you"), "{home}");
    assert!(home.contains("Xero refused 1 payment."), "{home}");
}

#[tokio::test]
async fn what_stops_everything_comes_before_all_other_work() {
    // CC-03, CC-19
    let world = samples::eventful().await;
    let facts = payments::connection::Facts { refused: true, ..Default::default() };
    world.checked(&[payments::connection::HealthIssue::Refused], &facts, ago(5)).await;
    let said = page(&world, "home").await;
    assert!(said.contains("✖ Disconnected") && said.contains("2 things need you"), "{said}");
    let first = said.find("Xero is disconnected. Nothing is read").unwrap();
    assert!(first < said.find("paid in part and overdue").unwrap(), "{said}");
}

#[tokio::test]
async fn an_organisation_that_uploads_nothing_has_a_home_as_well() {
    let world = well().await;
    let said = page(&world, "home").await;
    assert!(said.contains("Next upload not set up") && said.contains("✔ All is well"), "{said}");
}

#[tokio::test]
async fn home_reads_no_more_rows_than_it_says() {
    let world = samples::world().await;
    let uploads: Vec<_> = (0..1_100).map(|n| waiting(&format!("P-{n:05}"))).collect();
    for some in uploads.chunks(50) {
        let rows: Vec<_> = some.iter().map(|upload| (None, upload)).collect();
        world.tables.write_uploads(&rows, None, samples::because(300)).await.unwrap();
    }
    assert!(rows_read(&world, &json!({"page": "home"})).await <= 1_500);
}
