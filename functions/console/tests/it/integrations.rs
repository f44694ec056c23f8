//! The tiles of the connections.

use console::roles::Role;
use payments::connection::{Facts, HealthIssue};
use payments::sweep::{SweepKind, SyncKind, SyncState};
use serde_json::json;

use crate::html::{assert_harmless, text};
use crate::world::{ORGANISATION, World, ago, now, organisation, well};

/// The part of the page from one tile to the next.
fn tile<'a>(said: &'a str, kind: &str) -> &'a str {
    let after = said.split_once(kind).unwrap_or_else(|| panic!("{kind}: {said}")).1;
    ["Bank feed:", "Payment gateway:", "As of"]
        .iter()
        .fold(after, |tile, next| tile.split(next).next().unwrap())
}

async fn said(world: &World) -> String {
    let html = world.look("integrations").await;
    assert_harmless(&html);
    text(&html)
}

#[tokio::test]
async fn there_is_a_tile_for_each_connection_with_the_third_partys_name() {
    // CC-01, CC-10
    let world = well().await;
    world.set(ORGANISATION, "bank_feed_name", "Bank of Bondi").await;
    world.set(ORGANISATION, "payment_gateway_name", "Paydock").await;
    let said = said(&world).await;
    for words in ["Accounting: Xero", "Bank feed: Bank of Bondi", "Payment gateway: Paydock"] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[tokio::test]
async fn what_works_is_active() {
    // CC-02, CC-05, CC-13
    let said = said(&well().await).await;
    let tile = tile(&said, "Accounting:");
    assert!(tile.contains("Active"), "{tile}");
    assert!(tile.contains("Last sync 2026-11-25 22:15 AEDT (15 min ago)"), "{tile}");
    assert!(tile.contains("Next run 2026-11-25 22:45 AEDT (in 15 min)"), "{tile}");
    assert!(tile.contains("Newest errors None."), "{tile}");
    assert!(!tile.contains("Contact"), "{tile}");
}

#[tokio::test]
async fn a_lost_connection_is_disconnected_and_says_whom_to_ask() {
    // CC-03, CC-19, ST-17: active and authorised are two answers
    let world = well().await;
    world.checked(&[HealthIssue::Refused, HealthIssue::Parked], &Facts::default(), ago(5)).await;
    let unnamed = said(&world).await;
    assert!(tile(&unnamed, "Accounting:").contains("Disconnected"), "{unnamed}");
    assert!(unnamed.contains("an administrator sets it on the page Configure"), "{unnamed}");

    world.set(ORGANISATION, "administrator_contact", "Wilma, ext. 7").await;
    let said = said(&world).await;
    let tile = tile(&said, "Accounting:");
    for words in [
        "Contact the administrator: Wilma, ext. 7",
        "Xero does not let us in. What to do:",
        "REFUSED (Authentication)",
        "PARKED (Validation)",
        "Connection no, as of",
        "Authorised no: Xero refuses",
    ] {
        assert!(tile.contains(words), "{words}: {tile}");
    }
}

#[tokio::test]
async fn failures_are_an_error_and_a_failed_run_does_not_move_last_sync() {
    // CC-04, CC-05, CC-14, AMB-36: nothing but the failed run is wrong.
    let world = well().await;
    world.swept(ago(90), ago(10), SyncState::Failed).await;
    world.ran(ago(10), |run| run.went_wrong("Authentication", "403".to_owned())).await;
    let said = said(&world).await;
    let tile = tile(&said, "Accounting:");
    assert!(tile.contains("▲ Error"), "{tile}");
    assert!(tile.contains("Last sync 2026-11-25 21:00 AEDT (1 h 30 min ago)"), "{tile}");
    assert!(tile.contains("Last attempt failed, 2026-11-25 22:20 AEDT (10 min ago)"), "{tile}");
    assert!(tile.contains("Next run overdue since 2026-11-25 21:30"), "{tile}");
    assert!(tile.contains("The last run failed: sweep Authentication. What to do:"), "{tile}");
    assert!(tile.contains("RUN_FAILED (Authentication)"), "{tile}");

    // The next good run ends it.
    world.swept(ago(1), ago(1), SyncState::Finished).await;
    world.ran(ago(1), |_| {}).await;
    let good = text(&world.look("integrations").await);
    assert!(self::tile(&good, "Accounting:").contains("Active"), "{good}");
}

#[tokio::test]
async fn a_limit_of_a_minute_is_no_error_and_neither_is_a_failure_of_the_other_side() {
    // A7.3, AMB-36: intake is the business's own system.
    let world = well().await;
    world.ran(ago(5), |run| run.went_wrong("Limit", "429".to_owned())).await;
    world
        .ran(ago(4), |run| {
            run.kind = SyncKind::Intake;
            run.went_wrong("Tables", "one report failed".to_owned());
        })
        .await;
    let said = said(&world).await;
    let tile = tile(&said, "Accounting:");
    assert!(tile.contains("Active") && !tile.contains("one report failed"), "{tile}");
}

#[tokio::test]
async fn uploads_off_is_an_error_that_a_person_can_end() {
    // CC-04
    let world = well().await;
    world.checked(&[HealthIssue::UploadsOff], &Facts::default(), ago(5)).await;
    assert!(said(&world).await.contains("Switch uploading on"));
}

#[tokio::test]
async fn a_report_that_cannot_be_taken_in_is_its_feeds_and_not_xeros() {
    // AMB-36, CC-07, CC-08
    let world = well().await;
    let parked = format!("{}#m", table::instant(now()));
    let row = [
        ("organisation", ORGANISATION),
        ("parked_at", &parked),
        ("by", "intake"),
        ("reason", "invalid_message"),
        ("detail", "/amount: is missing"),
        ("body", r#"{"type": "payment", "method": "card"}"#),
    ];
    world.put("parked", &row).await;
    let said = said(&world).await;
    let of = |kind| tile(&said, kind);
    assert!(of("Payment gateway:").contains("▲ Error"), "{said}");
    assert!(of("Bank feed:").contains("Not configured"), "{said}");
    assert!(of("Accounting:").contains("Active"), "{said}");
}

#[tokio::test]
async fn the_next_run_comes_as_often_as_the_stack_says() {
    // ST-16
    let mut world = well().await;
    world.swept(ago(5), ago(5), SyncState::Finished).await;
    for (minutes, next) in [(30, "22:55 AEDT (in 25 min)"), (10, "22:35 AEDT (in 5 min)")] {
        world.sweep_every = jiff::SignedDuration::from_mins(minutes);
        let said = said(&world).await;
        let tile = tile(&said, "Accounting:");
        assert!(tile.contains(&format!("Next run 2026-11-25 {next}")), "{tile}");
    }
}

#[tokio::test]
async fn what_was_not_brought_up_to_date_for_a_day_is_not_active() {
    // CC-23
    let world = World::new().await;
    world.checked(&[], &Facts::default(), ago(15)).await;
    world.swept(ago(24 * 60 + 1), ago(15), SyncState::Failed).await;
    let said = said(&world).await;
    assert!(tile(&said, "Accounting:").contains("STALE"), "{said}");
    // Nothing is known at all.
    let never = text(&World::new().await.look("integrations").await);
    let tile = tile(&never, "Accounting:");
    assert!(tile.contains("▲ Error") && tile.contains("NOT_CHECKED"), "{tile}");
    assert!(tile.contains("Last sync never") && tile.contains("Authorised not known"), "{tile}");
}

#[tokio::test]
async fn a_silent_webhook_has_a_countdown() {
    // X-03, CC-03
    let world = well().await;
    world.tables.missed(organisation(), ago(20 * 60 + 48), 3).await.unwrap();
    let silent = said(&world).await;
    assert!(silent.contains("WEBHOOK_SILENT"), "{silent}");
    assert!(
        silent.contains("switches the webhook off in 3 h 12 min: 2026-11-26 01:42 AEDT"),
        "{silent}"
    );

    let world = well().await;
    world.tables.missed(organisation(), ago(24 * 60), 3).await.unwrap();
    let off = said(&world).await;
    assert!(off.contains("Disconnected") && off.contains("has switched the webhook off"), "{off}");
}

#[tokio::test]
async fn the_newest_errors_come_first_with_class_and_cure() {
    // CC-13, CC-16, CC-18, CC-26
    let world = well().await;
    for (minutes, class) in [(200, "Timeout"), (100, "Authentication"), (20, "Validation")] {
        world.ran(ago(minutes), |run| run.went_wrong(class, format!("{class} it was"))).await;
    }
    for minutes in [30, 40, 50, 60] {
        world.ran(ago(minutes), |run| run.went_wrong("Limit", "too many".to_owned())).await;
    }
    let said = said(&world).await;
    let tile = tile(&said, "Accounting:");
    let tile = tile.split_once("Newest errors").unwrap().1;
    assert_eq!(tile.matches("What to do:").count(), 5, "five of seven: {tile}");
    let (first, last) = (tile.find("Validation it was").unwrap(), tile.find("too many").unwrap());
    assert!(first < last, "{tile}");
    assert!(
        tile.contains("correct at its source") && !tile.contains("Authentication it was"),
        "{tile}"
    );
    assert!(tile.contains("All errors"), "{tile}");
}

#[tokio::test]
async fn a_feed_that_never_brought_anything_is_not_configured() {
    // CC-01, CC-07, CC-08
    let said = said(&well().await).await;
    for kind in ["Bank feed:", "Payment gateway:"] {
        let tile = tile(&said, kind);
        assert!(tile.contains("Not configured") && !tile.contains("Last sync"), "{tile}");
    }
}

#[tokio::test]
async fn a_feed_is_as_fresh_as_what_it_brought() {
    // CC-07, CC-08, CC-23, CC-24
    let world = well().await;
    let brought = |minutes, method: &'static str| {
        let at = ago(minutes);
        let day = format!("{ORGANISATION}/{}", at.strftime("%Y-%m-%d"));
        (day, format!("{}#{method}", table::instant(at)), method)
    };
    for (day, at, method) in [brought(60, "bpay"), brought(26 * 60, "card")] {
        let row = [
            ("day", day.as_str()),
            ("at", &at),
            ("cause", "intake"),
            ("action", "recorded"),
            ("method", method),
        ];
        world.put("activity", &row).await;
    }
    let said = said(&world).await;
    let (bank, gateway) = (tile(&said, "Bank feed:"), tile(&said, "Payment gateway:"));
    assert!(bank.contains("✔ Active") && bank.contains("(1 h 0 min ago)"), "{bank}");
    assert!(
        gateway.contains("● Quiet") && gateway.contains("may not have published yet"),
        "{gateway}"
    );

    let parked = format!("{}#m", table::instant(now()));
    let row = [
        ("organisation", ORGANISATION),
        ("parked_at", &parked),
        ("by", "intake"),
        ("reason", "invalid_message"),
        ("detail", "/total: is missing"),
        ("body", "{}"),
    ];
    world.put("parked", &row).await;
    let said = text(&world.page(Role::Operator, json!({"page": "integrations"})).await);
    let bank = tile(&said, "Bank feed:");
    assert!(bank.contains("▲ Error") && bank.contains("/total: is missing"), "{bank}");
}

#[tokio::test]
async fn what_is_not_done_yet_is_said() {
    // AMB-35, CC-05
    let world = well().await;
    let mut changes = world.tables.sweep(organisation(), SweepKind::Changes).await.unwrap();
    changes.queued_at = Some(ago(1));
    world.tables.store_sweep(&changes, &[]).await.unwrap();
    let mut open = world.tables.sweep(organisation(), SweepKind::Open).await.unwrap();
    open.judging = Some("forward_days=99 time_zone=Australia/Sydney prefix=CM-".to_owned());
    world.tables.store_sweep(&open, &[]).await.unwrap();
    let account = "00000000-0000-0000-0000-000000000007".parse().unwrap();
    let upload = payments::upload::UploadSettings::new("2026-03-01".parse().unwrap(), account);
    let mut settings = world.tables.settings(organisation()).await.unwrap().unwrap();
    settings.upload = Some(upload);
    world.tables.store_settings(&settings).await.unwrap();
    world
        .tables
        .judged_by_start(organisation(), "upload_start=2001-01-01 time_zone=UTC")
        .await
        .unwrap();

    let said = said(&world).await;

    let tile = tile(&said, "Accounting:");
    assert!(tile.contains("(15 min ago); what was found at"), "{tile}");
    assert!(tile.contains("The settings, or the rules, were changed."), "{tile}");
    assert!(tile.contains("The start date of uploads was changed."), "{tile}");
}

#[tokio::test]
async fn a_feed_that_the_settings_name_has_a_tile_by_what_it_reports() {
    // CC-07, CC-08, CC-24, CC-27: it is 22:30 on 25 November in Sydney.
    use payments::feed::{FeedKind, FeedReport, FeedSchedule, FeedSettings};
    let world = well().await;
    let mut settings = world.tables.settings(organisation()).await.unwrap().unwrap();
    let feed = |source: &str, kind, name: &str| FeedSchedule {
        source: source.to_owned(),
        kind,
        name: Some(name.to_owned()),
        due_at: FeedSchedule::DUE_AT,
    };
    settings.feeds = FeedSettings {
        feeds: vec![
            feed("cards", FeedKind::PaymentGateway, "Paydock"),
            feed("main-bank", FeedKind::BankFeed, "Bank of Bondi"),
        ],
        mistakes: Vec::new(),
    };
    world.tables.store_settings(&settings).await.unwrap();
    let report = |source: &str, day: &str, imported| FeedReport {
        organisation: organisation(),
        source: source.to_owned(),
        revision: 1,
        from: day.parse().unwrap(),
        to: day.parse().unwrap(),
        imported,
        errors: 0,
        problem: None,
        not_published: false,
        reported_at: ago(30),
    };
    let tables = &world.tables;
    let bank = report("main-bank", "2026-11-24", 14);
    tables.store_feed_report(None, &bank, now()).await.unwrap();
    tables.store_feed_report(None, &report("cards", "2026-11-22", 3), now()).await.unwrap();
    tables.note_feed_receipt(organisation(), "main-bank", ago(10)).await.unwrap();
    let said = said(&world).await;
    let bank = tile(&said, "Bank feed:");
    for words in ["Bank of Bondi", "Active", "Receipts imported 14", "(10 min ago)"] {
        assert!(bank.contains(words), "{words}: {bank}");
    }
    let cards = tile(&said, "Payment gateway:");
    assert!(cards.contains("Late") && cards.contains("2026-11-24 was due"), "{cards}");
}
