//! What the operators' console reads: the newest rows and no more of them, and the rows that it writes.

use harness::Do;
use harness::dynamodb::Row;
use jiff::SignedDuration;
use payments::connection::{ConnectionStatus, Facts, HealthIssue};
use payments::sweep::SyncState;
use table::{NameOf, Ordered, WriteError};

use crate::samples::{now, organisation, settings};
use crate::sweeps::{failed_run, run, sweep};
use crate::world::World;

fn ordered<'a>(order: &'a str, request_id: &'a str) -> Ordered<'a> {
    Ordered {
        organisation: Some(organisation()),
        order,
        subject: Some("P-1"),
        result: "refused",
        detail: "takes the role operator",
        rule: Some("ST-22"),
        role: "viewer",
        by: "Ada",
        why: "to see",
        request_id,
    }
}

fn about(row: &Row) -> [&str; 6] {
    ["action", "order", "result", "rule", "by", "request_id"].map(|name| row[name].as_str())
}

#[tokio::test]
async fn an_order_is_one_row_of_the_log_however_often_it_is_recorded() {
    // ST-22
    let world = World::new().await;
    for _ in 0..2 {
        world.tables.record_order(&ordered("sync_now", "r-1"), now()).await.unwrap();
    }
    let nobodys = Ordered { organisation: None, ..ordered("hold", "r-2") };
    world.tables.record_order(&nobodys, now()).await.unwrap();

    let rows = world.rows("activity").await;
    assert_eq!(rows.len(), 2);
    let ours = rows.iter().find(|row| row["request_id"] == "r-1").unwrap();
    assert_eq!(about(ours), ["ordered", "sync_now", "refused", "ST-22", "Ada", "r-1"]);
    let theirs = rows.iter().find(|row| row["request_id"] == "r-2").unwrap();
    assert!(theirs["day"].starts_with("unknown/"), "{theirs:?}");

    let today = now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let read = world.tables.activity_of_day(organisation(), today, 10).await.unwrap();
    assert_eq!((read.rows.len(), read.more), (1, false));
    assert_eq!(read.rows[0].at, table::instant(now()));
    assert_eq!(read.rows[0].result.as_deref(), Some("refused"));
}

#[tokio::test]
async fn the_newest_runs_come_first_and_no_more_than_are_asked_for() {
    // CC-26
    let world = World::new().await;
    let (first, second) = (run(0, SyncState::Finished), failed_run(60, "Timeout"));
    let third = failed_run(120, "Limit");
    world.tables.store_sweep(&sweep(), &[&first, &second, &third]).await.unwrap();

    let all = world.tables.newest_runs(organisation(), 10).await.unwrap();
    assert_eq!((all.rows, all.more), (vec![third.clone(), second.clone(), first], false));
    let two = world.tables.newest_runs(organisation(), 2).await.unwrap();
    assert_eq!((two.rows, two.more), (vec![third.clone(), second.clone()], true));
    let failures = world.tables.newest_failures(organisation(), 10).await.unwrap();
    assert_eq!(failures.rows, [third, second]);
}

#[tokio::test]
async fn a_connection_comes_back_as_it_was_found() {
    let world = World::new().await;
    assert_eq!(world.tables.connection(organisation()).await.unwrap(), None);
    world.tables.missed(organisation(), now(), 1).await.unwrap();
    let unchecked = world.tables.connection(organisation()).await.unwrap().unwrap();
    assert_eq!((unchecked.troubles, unchecked.silent_since), (None, Some(now())));

    let judged = (ConnectionStatus::Error, vec![HealthIssue::WebhookSilent, HealthIssue::Parked]);
    let facts = Facts::default();
    world
        .tables
        .store_connection(organisation(), &judged, &facts, Some("!a"), false, now())
        .await
        .unwrap();
    let checked = world.tables.connection(organisation()).await.unwrap().unwrap();
    assert_eq!(checked.troubles, Some(judged.1));
    assert_eq!((checked.checked_at, checked.short_code.as_deref()), (Some(now()), Some("!a")));
}

/// Of two checks at once with the same result, one announces it; a loss that a grant has announced is not announced again.
#[tokio::test]
async fn a_connection_that_turns_is_one_row_of_the_log_written_with_it_ex_24() {
    let world = World::new().await;
    let facts = Facts::default();
    let found = |troubles: &[HealthIssue]| (ConnectionStatus::Error, troubles.to_vec());
    let (well, lost) = (found(&[]), found(&[HealthIssue::Refused]));
    let at = |minute: i64| now() + SignedDuration::from_mins(minute);
    let store = async |judged: &(ConnectionStatus, Vec<HealthIssue>), dead: bool, minute: i64| {
        let stored =
            world.tables.store_connection(organisation(), judged, &facts, None, dead, at(minute));
        stored.await.unwrap();
    };
    let actions = async || {
        let mut rows = world.rows("activity").await;
        rows.sort_by_key(|row| row["at"].clone());
        rows.iter().map(|row| row["action"].clone()).collect::<Vec<_>>()
    };
    store(&well, false, 0).await;
    assert!(actions().await.is_empty());
    tokio::join!(store(&lost, false, 1), store(&lost, false, 2), store(&lost, false, 3));
    assert_eq!(actions().await, ["connection_lost"]);
    store(&well, false, 4).await;
    assert_eq!(actions().await, ["connection_lost", "connection_restored"]);
    // the grant says so, at both ends.
    store(&lost, true, 5).await;
    store(&well, false, 6).await;
    assert_eq!(actions().await.len(), 2);
    // It is alive again, and Xero refuses all the same.
    store(&lost, true, 7).await;
    store(&lost, false, 8).await;
    assert_eq!(actions().await.len(), 3);
    // Both or neither.
    world.proxy.plan(|_| Do::Refuse("ProvisionedThroughputExceededException"));
    let failed = world.tables.store_connection(organisation(), &well, &facts, None, false, at(9));
    assert!(failed.await.is_err());
    world.proxy.heal();
    assert_eq!(actions().await.len(), 3);
}

#[tokio::test]
async fn names_are_given_to_organisations_that_are_there_together_with_the_row_of_the_log() {
    // CC-10, CC-19
    let world = World::new().await;
    let names = [(NameOf::Organisation, "Harbour Ferries"), (NameOf::Administrator, "Wilma")];
    let order = ordered("rename", "r-1");
    let nobody = world.tables.rename(organisation(), &names, &order, now()).await;
    assert!(matches!(nobody, Err(WriteError::Conflict)), "{nobody:?}");
    assert!(world.rows("activity").await.is_empty());

    world.tables.store_settings(&settings()).await.unwrap();
    world.tables.rename(organisation(), &names, &order, now()).await.unwrap();
    let row = world.tables.organisation(organisation()).await.unwrap().unwrap();
    assert_eq!(row.name.as_deref(), Some("Harbour Ferries"));
    assert!(row.settings.is_ok());
    let names = [(NameOf::Administrator, ""), (NameOf::BankFeed, "Bank of Bondi")];
    world.tables.rename(organisation(), &names, &ordered("rename", "r-2"), now()).await.unwrap();
    let all = world.tables.organisations(10).await.unwrap();
    let row = &all.rows[0];
    assert_eq!(
        (row.name.as_deref(), row.administrator.as_deref()),
        (Some("Harbour Ferries"), None)
    );
    assert_eq!(row.bank_feed.as_deref(), Some("Bank of Bondi"));
    assert_eq!(world.rows("activity").await.len(), 2);
}

#[tokio::test]
async fn no_kind_of_message_hides_another() {
    // EX-29, AMB-40
    let world = World::new().await;
    let later = now() + jiff::SignedDuration::from_mins(1);
    for (kind, at) in [("A", now()), ("B", later), ("C", now())] {
        world.tables.raise_message(organisation(), kind, "s", "why", at).await.unwrap();
    }
    for n in 0..600 {
        let subject = format!("{n:03}");
        world.tables.raise_message(organisation(), "BB", &subject, "why", later).await.unwrap();
    }
    let found = world.tables.messages(organisation()).await.unwrap();
    let counts: Vec<_> =
        found.iter().map(|kind| (kind.kind.as_str(), kind.count, kind.more)).collect();
    assert_eq!(counts, [("C", 1, false), ("BB", 500, true), ("B", 1, false), ("A", 1, false)]);
    assert_eq!((found[1].newest.len(), found[3].newest[0].why.as_str()), (20, "why"));
}
