//! Uploads are written as one, by one, and found again in their line and in their night.

use harness::dynamodb::{self, having};
use harness::{CrashPoint, Do, Moment};
use jiff::civil::date;
use payments::upload::{Caps, Line, SendMode, Upload};
use payments::{InvoiceNumber, PaymentId, Receipt};
use table::{Tables, UPLOADS_PER_TRANSACTION_MAX, UPLOADS_WITH_CAPS_MAX, WriteError};

use crate::samples::{because, now, number, organisation, receipt};
use crate::upload_samples::{admitted, night, reserved, stored, waiting};
use crate::world::World;

/// So many that wait, written, as they are read.
pub async fn backlog(world: &World, count: usize) -> Vec<Upload> {
    let mut uploads = Vec::new();
    for number in 1..=count {
        let upload = waiting(&format!("P-{number:03}"));
        world.tables.write_uploads(&[(None, &upload)], None, because()).await.unwrap();
        uploads.push(stored(&upload));
    }
    world.proxy.heal();
    uploads
}

/// The caps after so many slots were reserved.
fn used(caps: &Caps, count: u32) -> Caps {
    caps.reserve(count, SendMode::Nightly(night()), 200, now()).caps.unwrap()
}

fn pairs<'a>(before: &'a [Upload], after: &'a [Upload]) -> Vec<(Option<&'a Upload>, &'a Upload)> {
    before.iter().map(Some).zip(after).collect()
}

#[tokio::test]
async fn of_two_writers_who_read_the_same_upload_one_wins_and_one_hears_of_a_conflict() {
    let world = World::new().await;
    let before = &backlog(&world, 1).await[0];
    let one = reserved(before);
    let other = Upload { included: true, ..before.clone() };

    let write =
        async |after| world.tables.write_uploads(&[(Some(before), after)], None, because()).await;
    let (won, lost) = tokio::join!(write(&one), write(&other));
    let results = [won, lost];

    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    let conflict = |result: &Result<_, _>| matches!(result, Err(WriteError::Conflict));
    assert_eq!(results.iter().filter(|result| conflict(result)).count(), 1, "{results:?}");
    let read = world.tables.upload(organisation(), &before.receipt.id).await.unwrap().unwrap();
    assert_eq!(read.revision, 2);
}

#[tokio::test]
async fn an_upload_is_new_only_once() {
    let world = World::new().await;
    let upload = waiting("P-1");
    world.tables.write_uploads(&[(None, &upload)], None, because()).await.unwrap();
    let again = world.tables.write_uploads(&[(None, &upload)], None, because()).await;
    assert!(matches!(again, Err(WriteError::Conflict)), "{again:?}");
    assert_eq!(world.rows("activity").await.len(), 1);
}

#[tokio::test]
async fn the_caps_and_the_uploads_that_use_them_are_written_together_or_not_at_all() {
    // EX-31
    let world = World::new().await;
    let before = backlog(&world, 3).await;
    let after: Vec<_> = before.iter().map(reserved).collect();
    let unused = world.tables.caps(organisation()).await.unwrap();
    let caps = used(&unused, 3);
    let elsewhere = Upload { included: true, ..before[2].clone() };
    world.tables.write_uploads(&[(Some(&before[2]), &elsewhere)], None, because()).await.unwrap();
    let tables_before = dynamodb::everything(&world.direct, &[]).await;

    // When one of the three, or the caps, are not what they were
    let moves = pairs(&before, &after);
    let lost = world.tables.write_uploads(&moves, Some((&unused, &caps)), because()).await;
    let stale = Caps { revision: 1, ..unused.clone() };
    let lost_too = world.tables.write_uploads(&moves[..2], Some((&stale, &caps)), because()).await;

    // Then nothing is written; and with the rest, everything
    for lost in [lost, lost_too] {
        assert!(matches!(lost, Err(WriteError::Conflict)), "{lost:?}");
    }
    assert_eq!(dynamodb::everything(&world.direct, &[]).await, tables_before);
    let caps = used(&unused, 2);
    world.tables.write_uploads(&moves[..2], Some((&unused, &caps)), because()).await.unwrap();
    let read = world.tables.caps(organisation()).await.unwrap();
    assert_eq!(read, Caps { revision: 1, ..caps });
    assert_eq!(world.tables.line_count(organisation(), Line::Reserved).await.unwrap(), 2);
}

#[tokio::test]
async fn wherever_a_run_ends_the_caps_and_the_uploads_agree() {
    // N6
    for moment in [Moment::Before, Moment::After] {
        let world = World::new().await;
        let before = backlog(&world, 3).await;
        let after: Vec<_> = before.iter().map(reserved).collect();
        let unused = world.tables.caps(organisation()).await.unwrap();
        let caps = used(&unused, 3);
        let crash_point = CrashPoint::at_effect(1, moment);
        world.proxy.end_with(&crash_point);
        let moves = pairs(&before, &after);
        let write = world.tables.write_uploads(&moves, Some((&unused, &caps)), because());

        assert!(crash_point.run(write).await.is_none());

        world.proxy.heal();
        let slots = world.tables.caps(organisation()).await.unwrap().used_in(night());
        let rows = world.tables.line_count(organisation(), Line::Reserved).await.unwrap();
        let expected = if moment == Moment::After { 3 } else { 0 };
        assert_eq!((slots, rows), (expected, expected), "{moment:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_recognised_as_our_own_success_by_every_write() {
    // FAULT-19: the first try is carried out and its answer lost; the SDK tries again.
    let world = World::new().await;
    let retrying = Tables::new(dynamodb::client(&world.proxy.url, 3), "");
    let lose = || {
        world.proxy.plan(|call| match (call.operation.as_str(), call.of_its_kind) {
            ("TransactWriteItems", 1) => Do::LoseAnswer,
            _ => Do::Pass,
        });
    };
    let upload = waiting("P-1");
    let unused = Caps::unused(organisation());
    let caps = used(&unused, 1);
    lose();
    let moves = [(None, &upload)];
    retrying.write_uploads(&moves, Some((&unused, &caps)), because()).await.unwrap();
    assert_eq!(world.proxy.writes(), 2);
    lose();
    let caps = Caps { revision: 1, ..caps };
    retrying.write_caps(&caps, &caps.on(), "Ada", "tested", because()).await.unwrap();
    let customer = crate::upload_samples::customer("C-1");
    lose();
    retrying.store_customer(None, &customer, None, now()).await.unwrap();
    let report = payments::upload::NightReport::begun(organisation(), night(), now(), now());
    lose();
    retrying.store_night(&report).await.unwrap();
    lose();
    let (known, other) = (receipt("P-2"), waiting("P-2"));
    retrying.store_receipt(None, &known, &[], Some((None, &other)), now()).await.unwrap();
    for (table, rows) in [("uploads", 2), ("caps", 1), ("customers", 1), ("nights", 1)] {
        assert_eq!(world.rows(table).await.len(), rows, "{table}");
    }
}

#[tokio::test]
async fn more_than_one_transaction_holds_is_refused_before_anything_is_written() {
    let world = World::new().await;
    let uploads: Vec<_> =
        (0..=UPLOADS_PER_TRANSACTION_MAX).map(|n| waiting(&format!("P-{n}"))).collect();
    let new: Vec<_> = uploads.iter().map(|upload| (None, upload)).collect();
    let unused = Caps::unused(organisation());
    // One more than all: uploading switches itself off, which is another row.
    let off = unused.reserve(4001, SendMode::Direct, 200, now()).caps.unwrap();
    let caps = Some((&unused, &off));

    let too_many = [
        world.tables.write_uploads(&new, None, because()).await,
        world.tables.write_uploads(&new[..=UPLOADS_WITH_CAPS_MAX], caps, because()).await,
    ];
    for result in too_many {
        assert!(matches!(result, Err(WriteError::Malformed(_))), "{result:?}");
    }
    assert_eq!(world.proxy.calls().len(), 0);

    world.tables.write_uploads(&new[..UPLOADS_WITH_CAPS_MAX], caps, because()).await.unwrap();
    let rest: Vec<_> =
        (0..UPLOADS_PER_TRANSACTION_MAX).map(|n| waiting(&format!("Q-{n}"))).collect();
    let rest: Vec<_> = rest.iter().map(|upload| (None, upload)).collect();
    world.tables.write_uploads(&rest, None, because()).await.unwrap();
    assert_eq!(world.rows("uploads").await.len(), 99);
    let log = world.rows("activity").await;
    assert_eq!(having(&log, &[("action", "uploading_disabled"), ("rule", "EX-32")]).len(), 1);
    assert_eq!(log.len(), 100);
}

#[tokio::test]
async fn what_is_no_change_of_one_row_each_is_a_mistake_of_ours() {
    let world = World::new().await;
    let (one, other) = (waiting("P-1"), waiting("P-2"));
    for moves in [vec![(None, &one), (None, &one)], vec![(Some(&one), &other)]] {
        let result = world.tables.write_uploads(&moves, None, because()).await;
        assert!(matches!(result, Err(WriteError::Malformed(_))), "{result:?}");
    }
    world.tables.write_uploads(&[], None, because()).await.unwrap();
    assert_eq!(world.proxy.calls().len(), 0);
}

#[tokio::test]
async fn every_change_of_state_or_reason_is_one_row_of_the_activity_log() {
    // A7.4, SP-04
    let world = World::new().await;
    let before = backlog(&world, 1).await.remove(0);
    let after = reserved(&before);
    world.tables.write_uploads(&[(Some(&before), &after)], None, because()).await.unwrap();
    // Which parts there are is no state.
    let after = stored(&after);
    let same = Upload { attempts: 7, ..after.clone() };
    world.tables.write_uploads(&[(Some(&after), &same)], None, because()).await.unwrap();

    let rows = world.rows("activity").await;
    let of = |action, reason| {
        let wanted = [
            ("action", action),
            ("reason", reason),
            ("rule", "A7.4"),
            ("cause", "webhook"),
            ("payment_id", "P-001"),
            ("transaction_id", "T-P-001"),
            ("method", "bpay"),
            ("amount", "#1"),
            ("currency", "AUD"),
            ("visible_after_ms", "#2605"),
        ];
        having(&rows, &wanted).len()
    };
    assert_eq!(of("upload_waiting", "reported"), 1, "{rows:#?}");
    assert_eq!(of("upload_reserved", "slot_reserved"), 1, "{rows:#?}");
    assert_eq!(rows.len(), 2, "{rows:#?}");
}

#[tokio::test]
async fn an_upload_about_one_invoice_is_part_of_its_history() {
    // EX-24, ST-14
    let world = World::new().await;
    let number = |text: &str| text.parse::<InvoiceNumber>().unwrap();
    let reported = |id: &str, invoices: &[&str]| {
        let allocation = |invoice: &&str| payments::Allocation {
            invoice: number(invoice),
            amount: receipt(id).amount,
        };
        let allocations = invoices.iter().map(allocation).collect();
        admitted(&Receipt { allocations, method: "virtual_terminal".to_owned(), ..receipt(id) })
    };
    let one = reported("P-1", &["10234"]);
    let two = reported("P-2", &["10234", "10235"]);
    for upload in [&one, &two, &admitted(&receipt("P-3"))] {
        world.tables.write_uploads(&[(None, upload)], None, because()).await.unwrap();
    }
    let page = world.tables.history(organisation(), &number("10234"), None).await.unwrap();
    let [entry] = &page.entries[..] else { panic!("{page:?}") };
    assert_eq!(
        (entry.action.as_str(), entry.payment_id.as_deref()),
        ("upload_waiting", Some("P-1"))
    );
    assert_eq!(entry.invoice_number.as_deref(), Some("10234"));
    assert!(entry.unreadable.is_empty(), "{entry:?}");
    let none = world.tables.history(organisation(), &number("10235"), None).await.unwrap();
    assert!(none.entries.is_empty(), "{none:?}");
}

#[tokio::test]
async fn a_line_is_read_page_by_page_oldest_first_and_no_further_than_asked() {
    // Given payments of three days, and others that stand in other lines
    let world = World::new().await;
    let dated = |id: &str, day| Receipt { date: date(2026, 3, day), ..receipt(id) };
    for (id, day) in [("B", 2), ("A", 3), ("C", 2), ("E", 1), ("D", 4)] {
        let upload = admitted(&dated(id, day));
        world.tables.write_uploads(&[(None, &upload)], None, because()).await.unwrap();
    }
    for other in [
        Receipt { method: "cash".to_owned(), ..receipt("X") },
        Receipt {
            channel: Some(payments::upload::Channel::VirtualTerminal),
            allocations: vec![payments::Allocation {
                invoice: number(),
                amount: receipt("Y").amount,
            }],
            method: "card".to_owned(),
            ..receipt("Y")
        },
    ] {
        world.tables.write_uploads(&[(None, &admitted(&other))], None, because()).await.unwrap();
    }
    world.proxy.heal();

    let mut pages = Vec::new();
    let mut cursor = None;
    loop {
        let line = world.tables.line(organisation(), Line::Waiting, cursor, 2).await.unwrap();
        pages.push(line.0.iter().map(|upload| upload.receipt.id.to_string()).collect::<Vec<_>>());
        let scanned = world.proxy.scanned();
        assert!(scanned <= 2 * pages.len(), "{scanned} rows for {} pages", pages.len());
        cursor = line.1;
        if cursor.is_none() {
            break;
        }
    }

    assert_eq!(pages, [vec!["E", "B"], vec!["C", "A"], vec!["D"]]);
    let count = async |line| world.tables.line_count(organisation(), line).await.unwrap();
    assert_eq!(count(Line::Waiting).await, 5);
    assert_eq!((count(Line::Skipped).await, count(Line::Direct).await), (1, 1));
    let none = world.tables.line(organisation(), Line::Waiting, None, 0).await.unwrap();
    assert!(none.0.is_empty());
}

#[tokio::test]
async fn many_uploads_are_found_by_their_ids_whatever_is_left_out_at_first() {
    // FAULT-19: DynamoDB leaves out keys that it could not read yet.
    let world = World::new().await;
    let uploads: Vec<_> = (0..120).map(|n| waiting(&format!("P-{n:03}"))).collect();
    for chunk in uploads.chunks(UPLOADS_PER_TRANSACTION_MAX) {
        let new: Vec<_> = chunk.iter().map(|upload| (None, upload)).collect();
        world.tables.write_uploads(&new, None, because()).await.unwrap();
    }
    let mut ids: Vec<PaymentId> = uploads.iter().map(|upload| upload.receipt.id.clone()).collect();
    ids.push("missing".parse().unwrap());
    ids.push(ids[0].clone());
    world.proxy.plan(|call| match call.of_its_kind {
        1 => Do::LeaveOut,
        _ => Do::Pass,
    });

    let read = world.tables.uploads(organisation(), &ids).await.unwrap();

    assert_eq!(read, uploads.iter().map(stored).collect::<Vec<_>>());
    assert_eq!(world.proxy.calls().len(), 3);
    world.proxy.plan(|_| Do::LeaveOut);
    let failed = world.tables.uploads(organisation(), &ids).await;
    assert!(matches!(failed, Err(table::ReadError::Unavailable { .. })), "{failed:?}");
    assert_eq!(world.proxy.calls().len(), 14, "seven times for each of two requests");
}
