//! How the connection is: known, and not guessed (CC-02 to CC-05, CC-23, AMB-22, ST-13, ST-17).

use std::collections::BTreeMap;

use jiff::SignedDuration;
use payments::GrantId;
use payments::grant::{Grant, Grants as _, Pair};
use queue::{Cause, InvoiceChange, InvoiceChanges, Message};
use serde_json::{Value, json};
use uuid::Uuid;
use xero_simulator::{Effect, Fault, LimitProblem};

use crate::world::World;

async fn check(world: &World) -> Value {
    let event = json!({"scheduled_time": world.now(), "check": true});
    world.invoke(event).await.unwrap()["connections"][0].clone()
}

fn whats(answer: &Value) -> Vec<&str> {
    let troubles = answer["troubles"].as_array().unwrap();
    troubles.iter().map(|trouble| trouble["what"].as_str().unwrap()).collect()
}

/// One invoice that is up to date.
async fn synced() -> (World, Uuid) {
    let world = World::new().await;
    let invoice = world.both("10031").await;
    world.sweep().await;
    world.work_off().await;
    (world, invoice)
}

/// Xero announces an invoice.
async fn announce(world: &World, invoice: Uuid) {
    let changes = InvoiceChanges {
        organisation: world.organisation(),
        cause: Cause::Webhook,
        accepted_at: world.now(),
        not_before: None,
        invoices: vec![InvoiceChange::new(payments::XeroInvoiceId::new(invoice), None)],
    };
    world.mirror(Message::Invoices(changes)).await;
}

#[tokio::test]
async fn a_connection_is_active_when_everything_works_and_its_last_sync_is_fresh() {
    let (world, _) = synced().await;

    let answer = check(&world).await;

    assert_eq!((answer["status"].as_str(), whats(&answer)), (Some("Active"), vec![]));
    let row = &world.rows("connections").await[0];
    assert_eq!(row["status"], "Active");
    assert_eq!(row["last_success_at"], world.rows("sweeps").await[0]["last_success_at"]);
    assert!(row["short_code"].starts_with('!'), "{row:?}");

    // CC-23: a day later without another success.
    world.clock.advance(SignedDuration::from_hours(25));
    let answer = check(&world).await;
    assert_eq!((answer["status"].as_str(), whats(&answer)), (Some("Error"), vec!["STALE"]));
    assert!(answer["troubles"][0]["cure"].as_str().unwrap().contains("Sync now"));
}

#[tokio::test]
async fn webhooks_that_do_not_come_are_noticed_by_what_the_sweep_has_to_find() {
    // CM-42, X-03: with the countdown to the moment at which Xero gives up.
    let (world, invoice) = synced().await;
    world.clock.advance(SignedDuration::from_mins(5));
    world.pay(invoice, 10_00);
    let changed_at = world.now();
    world.clock.advance(SignedDuration::from_mins(25));
    world.sweep().await;
    world.work_off().await;

    let answer = check(&world).await;

    assert_eq!(
        (answer["status"].as_str(), whats(&answer)),
        (Some("Error"), vec!["WEBHOOK_SILENT"])
    );
    let row = &world.rows("connections").await[0];
    assert_eq!(
        (row["missed"].as_str(), &row["silent_since"][..16]),
        ("#1", &table::instant(changed_at)[..16])
    );
    let messages = &world.rows("messages").await[0];
    assert!(messages["message"].starts_with("WEBHOOK_SILENT"), "{messages:?}");
    assert!(messages["why"].contains("Intent to receive"), "{messages:?}");
    let off_at = (changed_at + SignedDuration::from_hours(24)).to_string();
    assert!(messages["why"].contains(&off_at[..16]), "{messages:?}");

    world.clock.advance(SignedDuration::from_hours(24));
    world.sweep().await;
    let answer = check(&world).await;
    assert_eq!(
        (answer["status"].as_str(), whats(&answer)),
        (Some("Disconnected"), vec!["WEBHOOK_OFF"])
    );

    // One that comes ends it.
    announce(&world, invoice).await;
    let answer = check(&world).await;
    assert_eq!((answer["status"].as_str(), whats(&answer)), (Some("Active"), vec![]));
}

#[tokio::test]
async fn a_change_that_a_webhook_announces_in_time_is_no_sign_of_silence() {
    let (world, invoice) = synced().await;
    world.clock.advance(SignedDuration::from_mins(20));
    world.pay(invoice, 10_00);
    world.clock.advance(SignedDuration::from_mins(1));
    announce(&world, invoice).await;
    // And one of a moment ago, which the sweep happens to see first.
    world.pay(invoice, 20_00);
    world.clock.advance(SignedDuration::from_mins(9));
    world.sweep().await;
    world.work_off().await;
    assert_eq!(world.mirrored().await.len(), 2);
    assert_eq!(check(&world).await["status"], "Active");
}

#[tokio::test]
async fn refused_credentials_are_a_lost_connection_and_an_outage_is_an_error() {
    // CC-03, CC-04, CC-16, CC-17
    let (world, _) = synced().await;
    let status = |status| Effect::Status { status, headers: vec![], body: String::new() };
    world.simulator.inject(Fault::on("GET", "/Organisation", status(503)));
    let answer = check(&world).await;
    assert_eq!((answer["status"].as_str(), whats(&answer)), (Some("Error"), vec!["UNREACHABLE"]));
    assert_eq!(answer["troubles"][0]["class"], "Timeout");

    world.simulator.clear_faults();
    world.simulator.inject(Fault::on("GET", "/Organisation", status(403)));
    let answer = check(&world).await;
    assert_eq!(
        (answer["status"].as_str(), whats(&answer)),
        (Some("Disconnected"), vec!["REFUSED"])
    );
    assert_eq!(answer["troubles"][0]["class"], "Authentication");
    let messages = world.rows("messages").await;
    assert!(
        messages.iter().any(|row| row["message"].starts_with("CONNECTION_LOST")),
        "{messages:?}"
    );

    // Waiting for the limit of a minute is no trouble (A7.3).
    world.simulator.clear_faults();
    world.simulator.inject(Fault::on("GET", "/Organisation", status(429)).times(1));
    assert_eq!(check(&world).await["status"], "Active");
}

/// What the log says of the connection, in order: action, rule, reason.
async fn turns(world: &World) -> Vec<String> {
    let mut rows = world.rows("activity").await;
    rows.sort_by(|a, b| a["at"].cmp(&b["at"]));
    let of_connection = rows.iter().filter(|row| row["action"].starts_with("connection_"));
    let said = |row: &BTreeMap<String, String>| {
        let reason = row.get("reason").map_or("", String::as_str);
        format!("{} {} {reason}", row["action"], row["rule"])
    };
    of_connection.map(said).collect()
}

#[tokio::test]
async fn a_connection_that_is_lost_and_comes_back_stands_in_the_log_once_each() {
    // CC-03, EX-24, EX-29
    let (world, _) = synced().await;
    check(&world).await;
    let refused = Effect::Status { status: 403, headers: vec![], body: String::new() };
    world.simulator.inject(Fault::on("GET", "/Organisation", refused));
    for _ in 0..2 {
        world.clock.advance(SignedDuration::from_hours(1));
        check(&world).await;
    }
    assert_eq!(turns(&world).await, ["connection_lost CC-03 REFUSED"]);
    let lost = async || {
        let rows = world.rows("messages").await;
        rows.iter().filter(|row| row["message"] == "CONNECTION_LOST#xero").count()
    };
    assert_eq!(lost().await, 1);

    world.simulator.clear_faults();
    for _ in 0..2 {
        world.clock.advance(SignedDuration::from_hours(1));
        check(&world).await;
    }
    let back = ["connection_lost CC-03 REFUSED", "connection_restored CC-02 "];
    assert_eq!(turns(&world).await, back);
    assert_eq!(lost().await, 0, "the message about a trouble that is over is gone");

    // CC-04, CC-23
    world.clock.advance(SignedDuration::from_hours(25));
    check(&world).await;
    assert_eq!(turns(&world).await.last().unwrap(), "connection_degraded CC-04 STALE");
}

#[tokio::test]
async fn a_day_that_is_used_up_is_an_error_with_the_hour_at_which_it_is_over() {
    // A7.3: not a lost connection, and not active either.
    let (world, _) = synced().await;
    let limit = Effect::RateLimit { problem: LimitProblem::Day, retry_after: Some(20 * 3_600) };
    world.simulator.inject(Fault::on("GET", "/Organisation", limit).times(1));
    let until = world.now() + SignedDuration::from_hours(20);
    let answer = check(&world).await;
    assert_eq!((answer["status"].as_str(), whats(&answer)), (Some("Error"), vec!["DAY_LIMIT"]));
    let messages = world.rows("messages").await;
    assert!(messages[0]["why"].contains(&until.to_string()[..16]), "{messages:?}");
    // No call is made in the meantime, and the status still says so.
    world.calls();
    world.clock.advance(SignedDuration::from_hours(19));
    assert_eq!(whats(&check(&world).await), ["DAY_LIMIT"]);
    assert_eq!(world.calls(), 0);
    world.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(check(&world).await["status"], "Active");
}

#[tokio::test]
async fn an_issue_that_needs_a_person_keeps_a_connection_from_being_active() {
    // CC-04
    let (world, _) = synced().await;
    let parked = table::Parked {
        organisation: Some(world.organisation()),
        id: "m-1",
        by: "mirror",
        reason: "stale_read",
        detail: "read older than its event",
        body: b"{}",
        received_at: world.now(),
    };
    world.tables.park(&parked).await.unwrap();
    let losses = [("10031".parse().unwrap(), 2)].into();
    world.tables.ask_for_changes(world.organisation(), &losses, 1, world.now()).await.unwrap();
    let answer = check(&world).await;
    assert_eq!(answer["status"], "Error");
    assert_eq!(whats(&answer), ["MASS_CHANGE", "PARKED"]);
}

#[tokio::test]
async fn a_failed_run_is_an_error_with_its_class_until_the_next_good_one() {
    // AMB-36, CC-02, CC-04, A7.3: both directions, while the connection itself is well.
    let (world, _) = synced().await;
    let answers = |status| Effect::Status { status, headers: vec![], body: String::new() };
    for (path, status, class) in
        [("/Payments", 403, "Authentication"), ("/Invoices", 503, "Timeout")]
    {
        world.simulator.inject(Fault::on("GET", path, answers(status)));
        world.clock.advance(SignedDuration::from_mins(30));
        let _ = world.invoke(json!({"scheduled_time": world.now()})).await;
        world.simulator.clear_faults();
        let answer = check(&world).await;
        assert_eq!(
            (answer["status"].as_str(), whats(&answer)),
            (Some("Error"), vec!["RUN_FAILED"])
        );
        assert_eq!(answer["troubles"][0]["class"], class);
        assert_eq!(world.rows("connections").await[0]["status"], "Error");

        world.clock.advance(SignedDuration::from_mins(30));
        world.sweep().await;
        assert_eq!(check(&world).await["status"], "Active");
    }
    // A limit of a minute is none.
    let limit = Effect::RateLimit { problem: LimitProblem::Minute, retry_after: Some(20) };
    world.simulator.inject(Fault::on("GET", "/Payments", limit).times(1));
    world.clock.advance(SignedDuration::from_mins(30));
    world.sweep().await;
    assert_eq!(check(&world).await["status"], "Active");
}

#[tokio::test]
async fn what_the_business_could_not_report_is_no_trouble_of_xero_and_no_good_morning() {
    // AMB-36, CC-20
    let (world, _) = synced().await;
    let parked = table::Parked {
        organisation: Some(world.organisation()),
        id: "m-1",
        by: "intake",
        reason: "invalid_message",
        detail: "/amount: is missing",
        body: b"{}",
        received_at: world.now(),
    };
    world.tables.park(&parked).await.unwrap();
    assert_eq!(check(&world).await["status"], "Active");
    world.invoke(json!({"scheduled_time": world.now(), "digest": true})).await.unwrap();
    let rows = world.rows("activity").await;
    let digest = rows.iter().find(|row| row["action"] == "morning_digest").unwrap();
    assert_eq!(digest["reason"], "look");
    assert!(digest["why"].contains("\nReports: 1 could not be taken in"), "{digest:?}");
}

#[tokio::test]
async fn a_grant_that_nothing_uses_is_warned_of_before_it_dies() {
    // 60 days, and one warning for each of the last stretches.
    let (world, _) = synced().await;
    let pair = Pair {
        generation: 1,
        access_token: "access".into(),
        access_until: world.now(),
        got_at: world.now(),
        refresh_token: "refresh".into(),
    };
    let new = Grant::new(GrantId::new(Uuid::from_u128(5)));
    let granted = new.authorised(&pair, [world.organisation()].into());
    world.tables.store_grant(&new, granted, world.now()).await.unwrap();
    check(&world).await;
    assert!(world.rows("messages").await.is_empty());

    world.clock.advance(SignedDuration::from_hours(47 * 24));
    for _ in 0..2 {
        check(&world).await;
        let messages = world.rows("messages").await;
        let expires = messages.iter().find(|row| row["why"].contains("dies within 14 days"));
        assert!(expires.is_some(), "{messages:?}");
    }
}

#[tokio::test]
async fn a_right_that_a_feature_needs_is_named_when_it_is_missing() {
    // ST-19, X-15
    let (world, _) = synced().await;
    world.simulator.forbid_action(world.tenant, "CreateInvoicePayment").unwrap();
    assert_eq!(check(&world).await["status"], "Active", "reading needs no rights");

    let account = "00000000-0000-0000-0000-000000000007".parse().unwrap();
    let upload = payments::upload::UploadSettings::new("2026-03-01".parse().unwrap(), account);
    world.settings(|settings| settings.upload = Some(upload)).await;
    let answer = check(&world).await;
    assert_eq!(
        (answer["status"].as_str(), whats(&answer)),
        (Some("Error"), vec!["MISSING_PERMISSION"])
    );
    assert_eq!(answer["troubles"][0]["class"], "Authentication");
    let messages = world.rows("messages").await;
    assert!(messages[0]["why"].contains("CreateInvoicePayment"), "{messages:?}");
}

#[tokio::test]
async fn the_right_to_prepayments_is_named_when_it_is_missing() {
    // ST-19: Xero has no name for it among its actions; `upload`, which may read bank transactions, tries it.
    let (world, _) = synced().await;
    let account = "00000000-0000-0000-0000-000000000007".parse().unwrap();
    let mut upload = payments::upload::UploadSettings::new("2026-03-01".parse().unwrap(), account);
    world.tables.prepayments_refused(world.organisation(), world.now()).await.unwrap();
    world.settings(|settings| settings.upload = Some(upload.clone())).await;
    assert_eq!(check(&world).await["status"], "Active", "no prepayments are made");

    upload.prepayment_account = Some("200".to_owned());
    world.settings(|settings| settings.upload = Some(upload)).await;
    assert_eq!(whats(&check(&world).await), ["MISSING_PERMISSION"]);
    let messages = world.rows("messages").await;
    let messages = messages.iter().find(|row| row["kind"] == "MISSING_PERMISSION").unwrap();
    assert!(messages["why"].contains("BankTransactions"), "{messages:?}");

    world.tables.saw_prepayments(world.organisation(), world.now()).await.unwrap();
    assert_eq!(check(&world).await["status"], "Active");
}
