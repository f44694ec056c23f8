//! One invoice is written as one, by one.

use harness::Do;
use harness::dynamodb::{self, having};
use payments::{StoredInvoice, Verdict, mirror};
use table::{Tables, WriteError};

use crate::samples::{
    because, local_invoice, now, number, organisation, settings, snapshot, xero_payment,
};
use crate::world::{ApplyError, Driven, World, change_to};

fn changed(verdict: Verdict) -> payments::Change {
    match verdict {
        Verdict::Changed(change) => *change,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn of_two_writers_who_read_the_same_revision_one_wins_and_one_hears_of_a_conflict() {
    let world = World::with_local_invoice().await;
    let before = world.stored().await;
    let judge = |minute, cents| {
        let snapshot = snapshot(minute, vec![xero_payment(1, cents)]);
        changed(mirror(&before, &snapshot, &settings(), now()))
    };
    let (one, other) = (judge(1, 100), judge(2, 200));

    world.tables.write_invoice(&before, &one, because()).await.unwrap();
    let lost = world.tables.write_invoice(&before, &other, because()).await;

    assert!(matches!(lost, Err(WriteError::Conflict)), "{lost:?}");
    assert_eq!(world.stored().await, StoredInvoice { revision: 2, ..one.after });
    assert_eq!(having(&world.rows("activity").await, &[("action", "imported")]).len(), 1);
}

#[tokio::test]
async fn an_invoice_is_new_only_once() {
    let world = World::new().await;
    let unknown = StoredInvoice::unknown(organisation(), number());
    let local = local_invoice(number());
    let change = payments::record_invoice(&unknown, &local, now()).unwrap().unwrap();

    world.tables.write_invoice(&unknown, &change, because()).await.unwrap();
    let again = world.tables.write_invoice(&unknown, &change, because()).await;

    assert!(matches!(again, Err(WriteError::Conflict)), "{again:?}");
    assert_eq!(world.rows("activity").await.len(), 1);
}

#[tokio::test]
async fn an_item_that_dynamodb_refuses_takes_everything_with_it() {
    // Given a change of which one row is larger than a row can be
    let world = World::with_local_invoice().await;
    let before = world.stored().await;
    let read = snapshot(1, vec![xero_payment(1, 100), xero_payment(2, 200)]);
    let mut change = changed(mirror(&before, &read, &settings(), now()));
    change.after.payments[1].note = Some("n".repeat(450_000));
    let tables_before = dynamodb::everything(&world.direct, &[]).await;

    let refused = world.tables.write_invoice(&before, &change, because()).await;

    assert!(matches!(refused, Err(WriteError::Unavailable { .. })), "{refused:?}");
    assert_eq!(dynamodb::everything(&world.direct, &[]).await, tables_before);
}

#[tokio::test]
async fn a_transaction_that_meets_another_one_is_a_lost_race() {
    // FAULT-19
    let world = World::with_local_invoice().await;
    let read = snapshot(1, vec![xero_payment(1, 100)]);
    for reasons in [&["TransactionConflict", "None"], &["None", "TransactionConflict"]] {
        let before = world.stored().await;
        let change = changed(mirror(&before, &read, &settings(), now()));
        world.proxy.plan(|call| if call.is_write() { Do::Cancel(reasons) } else { Do::Pass });
        let result = world.tables.write_invoice(&before, &change, because()).await;
        assert!(matches!(result, Err(WriteError::Conflict)), "{result:?}");
        world.proxy.heal();
    }
    let before = world.stored().await;
    let change = changed(mirror(&before, &read, &settings(), now()));
    world.proxy.plan(|_| Do::Refuse("TransactionInProgressException"));
    let result = world.tables.write_invoice(&before, &change, because()).await;
    assert!(matches!(result, Err(WriteError::Conflict)), "{result:?}");
    assert!(world.rows("payments").await.is_empty());
}

#[tokio::test]
async fn a_throttled_call_is_no_lost_race() {
    // FAULT-19
    let world = World::with_local_invoice().await;
    let before = world.stored().await;
    let read = snapshot(1, vec![xero_payment(1, 100)]);
    let change = changed(mirror(&before, &read, &settings(), now()));
    let plans = [
        Do::Cancel(&["ThrottlingError", "None"]),
        Do::Cancel(&["None", "ProvisionedThroughputExceeded"]),
        Do::Refuse("ProvisionedThroughputExceededException"),
        Do::Refuse("ValidationException"),
    ];
    for plan in plans {
        let this = plan.clone();
        world.proxy.plan(move |_| this.clone());
        let result = world.tables.write_invoice(&before, &change, because()).await;
        assert!(matches!(result, Err(WriteError::Unavailable { .. })), "{plan:?}: {result:?}");
        let read = world.tables.invoice(organisation(), &number()).await;
        assert!(matches!(read, Err(table::ReadError::Unavailable { .. })), "{plan:?}: {read:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_recognised_as_our_own_success() {
    // FAULT-19: the first try is carried out and its answer lost; the SDK tries again.
    let world = World::with_local_invoice().await;
    let retrying = Tables::new(dynamodb::client(&world.proxy.url, 3), "");
    world.proxy.plan(|call| match (call.operation.as_str(), call.of_its_kind) {
        ("TransactWriteItems", 1) => Do::LoseAnswer,
        _ => Do::Pass,
    });
    let before = world.stored().await;
    let read = snapshot(1, vec![xero_payment(1, 100)]);
    let change = changed(mirror(&before, &read, &settings(), now()));

    retrying.write_invoice(&before, &change, because()).await.unwrap();

    assert_eq!(world.proxy.writes(), 2);
    assert_eq!(world.stored().await, StoredInvoice { revision: 2, ..change.after });
    assert_eq!(having(&world.rows("activity").await, &[("action", "imported")]).len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_lost_for_good_leaves_nothing_to_do_twice() {
    // FAULT-19
    let world = World::with_local_invoice().await;
    let read = snapshot(1, vec![xero_payment(1, 100)]);
    world.proxy.plan(|call| if call.is_write() { Do::LoseAnswer } else { Do::Pass });
    let result = world.apply(&read).await;
    assert!(matches!(result, Err(ApplyError::Write(WriteError::Unavailable { .. }))), "{result:?}");
    world.proxy.heal();

    assert_eq!(world.apply(&read).await.unwrap(), Driven::Unchanged);
    assert_eq!(having(&world.rows("activity").await, &[("action", "imported")]).len(), 1);
}

#[tokio::test]
async fn every_decision_is_one_row_of_the_activity_log() {
    // SP-04, SP-09; V1, then V6.
    let world = World::with_local_invoice().await;
    world.apply(&snapshot(1, vec![xero_payment(1, 10_000)])).await.unwrap();
    world.apply(&snapshot(2, vec![xero_payment(2, 12_000)])).await.unwrap();

    let rows = world.rows("activity").await;
    let invoice = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046/10234";
    let common = [
        ("day", "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046/2026-10-05"),
        ("invoice", invoice),
        ("invoice_number", "10234"),
        ("cause", "webhook"),
        ("event_at", "2026-10-05T03:41:22.518000Z"),
        ("visible_after_ms", "#2605"),
    ];
    let of = |id: u32, amount, action, rule| {
        let id = format!("00000000-0000-0000-0000-{id:012}");
        let copy = format!("xero-{id}");
        let mut wanted = common.to_vec();
        wanted.extend([("action", action), ("rule", rule), ("amount", amount)]);
        wanted.extend([("currency", "AUD"), ("date", "2026-03-02"), ("method", "xero")]);
        wanted.extend([("transaction_id", id.as_str()), ("payment_id", copy.as_str())]);
        having(&rows, &wanted).len()
    };
    assert_eq!(of(1, "#100", "imported", "CM-34"), 1, "{rows:#?}");
    assert_eq!(of(1, "#100", "deleted", "CM-37"), 1, "{rows:#?}");
    assert_eq!(of(2, "#120", "imported", "CM-34"), 1, "{rows:#?}");
    // The fourth one is that the invoice was recorded.
    assert_eq!(rows.len(), 4, "{rows:#?}");
}

#[tokio::test]
async fn a_held_payment_is_logged_with_its_amount_method_and_transaction_id() {
    // SP-04, CM-40
    let world = World::with_local_invoice().await;
    let mut future = xero_payment(1, 10_000);
    future.date = jiff::civil::date(2026, 11, 5);
    world.apply(&snapshot(1, vec![future])).await.unwrap();
    let rows = world.rows("activity").await;
    let wanted = [
        ("action", "held"),
        ("rule", "CM-40"),
        ("amount", "#100"),
        ("currency", "AUD"),
        ("date", "2026-11-05"),
        ("method", "xero"),
        ("transaction_id", "00000000-0000-0000-0000-000000000001"),
    ];
    assert_eq!(having(&rows, &wanted).len(), 1, "{rows:#?}");
}

#[tokio::test]
async fn without_an_event_there_is_no_time_to_measure() {
    // SP-09
    let world = World::with_local_invoice().await;
    let because = table::ChangeContext { cause: "sweep", event_at: None, now: now() };
    crate::world::apply(&world.tables, &snapshot(1, vec![xero_payment(1, 1)]), because)
        .await
        .unwrap();
    let rows = world.rows("activity").await;
    let [row] = having(&rows, &[("cause", "sweep")])[..] else { panic!("{rows:#?}") };
    assert!(!row.contains_key("event_at") && !row.contains_key("visible_after_ms"));
}

#[tokio::test]
async fn an_older_snapshot_changes_nothing_and_a_later_read_of_the_same_version_does() {
    // V19, N4
    let world = World::with_local_invoice().await;
    let (older, newer) = (vec![xero_payment(1, 100)], vec![xero_payment(1, 200)]);
    world.apply(&snapshot(2, newer)).await.unwrap();
    let stored = world.stored().await;

    assert_eq!(world.apply(&snapshot(1, older)).await.unwrap(), Driven::Stale);

    assert_eq!(world.stored().await, stored);
    let mut again = snapshot(2, Vec::new());
    again.fetched_at += jiff::SignedDuration::from_secs(1);
    assert_eq!(world.apply(&again).await.unwrap(), Driven::Written);
    assert!(world.stored().await.payments.is_empty());
}

#[tokio::test]
async fn a_warning_and_its_receipt_are_stored_together_on_the_revision_that_was_read() {
    let world = World::new().await;
    let mut receipt = crate::samples::receipt("R-1");
    let warnings = [crate::samples::unlinked(&receipt)];
    world.tables.store_receipt(None, &receipt, &warnings, None, now()).await.unwrap();
    let known = receipt.clone();
    receipt.revision = 2;

    let new_again = world.tables.store_receipt(None, &receipt, &warnings, None, now()).await;
    world.tables.store_receipt(Some(&known), &receipt, &warnings, None, now()).await.unwrap();
    let lost = world.tables.store_receipt(Some(&known), &receipt, &[], None, now()).await;

    assert!(matches!(new_again, Err(WriteError::Conflict)), "{new_again:?}");
    assert!(matches!(lost, Err(WriteError::Conflict)), "{lost:?}");
    let unlinked = async || having(&world.rows("messages").await, &[("kind", "UNLINKED")]).len();
    assert_eq!(unlinked().await, 1, "what was not written ends no warning");
    let known = receipt.clone();
    receipt.revision = 3;
    world.tables.store_receipt(Some(&known), &receipt, &[], None, now()).await.unwrap();
    assert_eq!(unlinked().await, 0, "it is not raised again");
    let failed = world.tables.store_receipt(Some(&receipt), &receipt, &[], None, now());
    world.proxy.plan(|_| Do::Refuse("InternalServerError"));
    assert!(failed.await.unwrap_err().to_string().contains("receipts"));
}

#[tokio::test]
async fn an_invoice_of_which_nothing_is_known_is_not_an_error() {
    let world = World::new().await;
    let unknown = StoredInvoice::unknown(organisation(), number());
    assert_eq!(world.stored().await, unknown);
    let nothing = change_to(unknown.clone());
    world.tables.write_invoice(&unknown, &nothing, because()).await.unwrap();
    assert_eq!(world.stored().await.revision, 1);
}

#[tokio::test]
async fn the_numbers_of_an_invoice_are_found_by_its_id_in_its_own_organisation() {
    // N8
    let world = World::with_local_invoice().await;
    let read = snapshot(1, vec![xero_payment(1, 100)]);
    world.apply(&read).await.unwrap();
    let find = |organisation| world.tables.numbers_of(organisation, read.invoice);
    assert_eq!(find(organisation()).await.unwrap(), [number()]);
    let other = "11111111-92d4-4f57-b3c8-71e2d5a9f046".parse().unwrap();
    assert_eq!(find(other).await.unwrap(), []);
}
