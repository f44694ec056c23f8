//! The example vectors of rules A1.2, end to end: a message comes in, Xero is read, the tables
//! say what they should.

use harness::dynamodb::{RUN, everything, having};
use payments::{DiscrepancyKind, Held, Kind, Payment, StoredInvoice};

use crate::world::{World, at, aud, events, march, now, organisation, paid, paper, record};
use crate::xero::{Paid, Reply};

/// Id, kind, cents and PaymentID of each payment, in the order of their ids.
fn brief(stored: &StoredInvoice) -> Vec<(String, Kind, payments::Money, Option<String>)> {
    let brief = |payment: &Payment| {
        let link = payment.link.map(|link| link.to_string());
        let id = if payment.id.is_copy() { "copy".to_owned() } else { payment.id.to_string() };
        (id, payment.kind, payment.amount, link)
    };
    stored.payments.iter().map(brief).collect()
}

fn link(id: u32) -> Option<String> {
    Some(Paid::xero_id(id))
}

fn copy(id: u32, cents: i64) -> (String, Kind, payments::Money, Option<String>) {
    ("copy".to_owned(), Kind::Imported, aud(cents), link(id))
}

fn manual(id: &str, cents: i64) -> (String, Kind, payments::Money, Option<String>) {
    (id.to_owned(), Kind::Manual, aud(cents), None)
}

fn open(stored: &StoredInvoice) -> Vec<DiscrepancyKind> {
    stored.open_discrepancies().map(|discrepancy| discrepancy.key.kind).collect()
}

/// One with a copy of payment 1, of 100.00.
async fn with_a_copy() -> World {
    let world = World::with_invoice(vec![paid(1, 2, 10_000)]).await;
    world.changed(&[1]).await;
    assert_eq!(brief(&world.stored(1).await), [copy(1, 10_000)]);
    world
}

/// The payments in Xero become these, and the function hears of it.
async fn xero_becomes(world: &World, payments: Vec<Paid>) -> StoredInvoice {
    let mut changed = paper(1, payments);
    changed.updated_at = at(10);
    world.xero.put(organisation(), crate::world::invoice(1), changed);
    let again = world.deliver(&[record("m-2", events(&[1], Some(at(10))))]).await;
    assert!(again.is_empty(), "{again:?}");
    world.stored(1).await
}

#[tokio::test]
async fn v1_a_payment_in_xero_becomes_one_payment_here() {
    let payment = Paid { reference: Some("DD".to_owned()), ..paid(1, 2, 10_000) };
    let world = World::with_invoice(vec![payment]).await;

    world.changed(&[1]).await;

    let stored = world.stored(1).await;
    assert_eq!(brief(&stored), [copy(1, 10_000)]);
    let copied = &stored.payments[0];
    assert_eq!((copied.date, copied.reference.as_deref()), (march(2), Some("DD")));
    assert_eq!(copied.note.as_deref(), Some(payments::NOTE_IMPORTED));
    assert!(stored.settled.is_some() && open(&stored).is_empty(), "{stored:#?}");
    let activity = world.rows("activity").await;
    let wanted = [("action", "imported"), ("cause", "webhook"), ("visible_after_ms", "#3000")];
    assert_eq!(having(&activity, &wanted).len(), 1, "{activity:#?}");
}

#[tokio::test]
async fn v2_the_same_event_again_changes_nothing_and_writes_nothing() {
    let world = with_a_copy().await;
    let before = everything(&world.direct, &[]).await;
    world.proxy.heal();
    world.changed(&[1]).await;
    assert_eq!(everything(&world.direct, &[]).await, before);
    assert_eq!(world.proxy.writes(), 0);
}

#[tokio::test]
async fn v3_a_payment_entered_by_hand_is_adopted_and_noted_once() {
    // CM-33, CM-25
    let world = World::with_invoice(vec![paid(1, 2, 10_000)]).await;
    world.record_payment("a", &[1], 2, 10_000).await;
    world.changed(&[1]).await;
    let stored = world.stored(1).await;
    let adopted = ("a".to_owned(), Kind::Imported, aud(10_000), link(1));
    assert_eq!(brief(&stored), [adopted]);
    let (note, matched) = (stored.payments[0].note.clone(), stored.payments[0].first_match_at);
    assert_eq!((note.as_deref(), matched), (Some(payments::NOTE_MATCHED), Some(now())));

    world.changed(&[1]).await;

    assert_eq!(world.stored(1).await.payments[0].note, note);
    assert_eq!(having(&world.rows("activity").await, &[("action", "adopted")]).len(), 1);
}

#[tokio::test]
async fn v4_what_is_removed_in_xero_is_deleted_here_and_leaves_a_tombstone() {
    // CM-09
    let world = with_a_copy().await;
    let stored = xero_becomes(&world, vec![]).await;
    assert!(stored.payments.is_empty());
    let tombstones = world.rows("tombstones").await;
    assert_eq!(having(&tombstones, &[("amount", "#100"), ("removed_by", "mirror")]).len(), 1);
}

#[tokio::test]
async fn v4_a_manual_payment_that_was_adopted_is_deleted_with_its_original() {
    // CM-35
    let world = World::with_invoice(vec![paid(1, 2, 10_000)]).await;
    world.record_payment("a", &[1], 2, 10_000).await;
    world.changed(&[1]).await;
    let stored = xero_becomes(&world, vec![]).await;
    assert!(stored.payments.is_empty());
    assert_eq!(having(&world.rows("tombstones").await, &[("payment_id", "a")]).len(), 1);
}

#[tokio::test]
async fn v5_a_journaled_copy_stays_and_the_difference_is_shown() {
    // CM-27
    let world = with_a_copy().await;
    world.change_payment(1, |payment| payment.journaled = true).await;
    let stored = xero_becomes(&world, vec![]).await;
    assert_eq!(brief(&stored), [copy(1, 10_000)]);
    assert_eq!(open(&stored), [DiscrepancyKind::JournaledDeleted]);
}

#[tokio::test]
async fn v6_an_edit_in_xero_is_a_deletion_and_a_new_payment() {
    let world = with_a_copy().await;
    let stored = xero_becomes(&world, vec![paid(2, 5, 12_000)]).await;
    assert_eq!(brief(&stored), [copy(2, 12_000)]);
    assert_eq!(stored.payments[0].date, march(5));
    assert_eq!(world.rows("tombstones").await.len(), 1);
}

#[tokio::test]
async fn v8_part_of_a_payment_over_several_invoices_is_held_and_not_imported_again() {
    // CM-28
    let world = World::with_invoice(vec![paid(1, 2, 10_000)]).await;
    world.record_invoice(2).await;
    world.record_payment("a", &[1, 2], 2, 10_000).await;
    world.changed(&[1]).await;
    let stored = world.stored(1).await;
    assert_eq!(brief(&stored), [manual("a", 10_000)]);
    assert_eq!(stored.held[0].reason, Held::MultiInvoice);
    assert_eq!(open(&stored), [DiscrepancyKind::MultiInvoiceHeld]);
}

#[tokio::test]
async fn v9_a_manual_payment_of_another_day_stays_and_looks_like_a_duplicate() {
    let world = World::with_invoice(vec![paid(1, 3, 10_000)]).await;
    world.record_payment("a", &[1], 2, 10_000).await;
    world.changed(&[1]).await;
    let stored = world.stored(1).await;
    assert_eq!(brief(&stored), [manual("a", 10_000), copy(1, 10_000)]);
    assert_eq!(open(&stored), [DiscrepancyKind::PossibleDuplicate]);
}

#[tokio::test]
async fn v11_the_whole_collection_is_compared_as_a_set() {
    // CM-31
    let world = World::with_invoice(vec![paid(1, 2, 4_000)]).await;
    world.changed(&[1]).await;
    world.record_payment("b", &[1], 2, 6_000).await;
    let payments = vec![paid(1, 2, 4_000), paid(2, 2, 6_000), paid(3, 2, 2_500)];
    let stored = xero_becomes(&world, payments).await;
    let adopted = ("b".to_owned(), Kind::Imported, aud(6_000), link(2));
    assert_eq!(brief(&stored), [adopted, copy(1, 4_000), copy(3, 2_500)]);
}

#[tokio::test]
async fn v13_a_payment_too_far_ahead_is_held_until_its_day_and_the_setting_lets_it_in() {
    // CM-40, CM-41. Today is 5 October in Sydney, and 7 days are allowed.
    let october = |id, day| Paid { date: jiff::civil::date(2026, 10, day), ..paid(id, 1, 100) };
    let world = World::with_invoice(vec![october(1, 12), october(2, 13)]).await;
    world.changed(&[1]).await;
    let stored = world.stored(1).await;
    assert_eq!(brief(&stored), [copy(1, 100)]);
    assert_eq!(stored.held[0].reason, Held::FutureDated);

    // When the day has come, the same answer of Xero's is judged again
    crate::world::advance(std::time::Duration::from_secs(86_400));
    world.changed(&[1]).await;
    assert_eq!(brief(&world.stored(1).await), [copy(1, 100), copy(2, 100)]);

    // With the setting off, all are let in
    let world = World::with_invoice(vec![october(1, 12), october(2, 13)]).await;
    world.set_up(organisation(), |settings| settings.forward_days = None).await;
    world.changed(&[1]).await;
    assert_eq!(brief(&world.stored(1).await), [copy(1, 100), copy(2, 100)]);
}

#[tokio::test]
async fn v14_other_numbers_are_none_of_ours() {
    // CM-05
    for number in ["INV-9", "cm-9", "CM-", ""] {
        let world = World::new().await;
        let mut other = paper(1, vec![paid(1, 2, 100)]);
        number.clone_into(&mut other.number);
        world.xero.put(organisation(), crate::world::invoice(1), other);
        let before = everything(&world.direct, RUN).await;
        world.changed(&[1]).await;
        assert_eq!(everything(&world.direct, RUN).await, before, "{number:?}");
        assert_eq!(world.proxy.writes(), 0, "{number:?}");
    }
}

#[tokio::test]
async fn v14_a_bill_is_none_of_ours() {
    // AMB-25
    let world = World::with_invoice(vec![]).await;
    let bill = crate::xero::Paper { kind: "ACCPAY", ..paper(1, vec![paid(1, 2, 100)]) };
    world.xero.put(organisation(), crate::world::invoice(1), bill);
    world.changed(&[1]).await;
    assert!(world.stored(1).await.xero.is_none());
}

#[tokio::test]
async fn v15_a_credit_note_is_no_payment_and_no_underpayment() {
    // CM-22, AMB-19
    let world = World::with_invoice(vec![]).await;
    let total = crate::world::TOTAL;
    let mut credited = paper(1, vec![paid(1, 2, total - 3_000)]);
    credited.credited = 3_000;
    world.xero.put(organisation(), crate::world::invoice(1), credited);
    world.changed(&[1]).await;
    let stored = world.stored(1).await;
    assert_eq!(brief(&stored), [copy(1, total - 3_000)]);
    let figures = stored.xero.as_ref().unwrap().figures;
    assert_eq!((figures.credited, figures.due), (aud(3_000), aud(0)));
    assert!(open(&stored).is_empty());
}

#[tokio::test]
async fn v16_a_batch_payment_over_two_invoices_is_one_copy_on_each() {
    let world = World::with_invoice(vec![paid(1, 2, 100)]).await;
    world.record_invoice(2).await;
    world.xero.put(organisation(), crate::world::invoice(2), paper(2, vec![paid(2, 2, 100)]));
    world.changed(&[1, 2]).await;
    for (n, id) in [(1, 1), (2, 2)] {
        let stored = world.stored(n).await;
        assert_eq!(brief(&stored), [copy(id, 100)]);
        assert!(!stored.payments[0].multi_invoice);
    }
}

#[tokio::test]
async fn v18_whatever_the_failure_nothing_is_changed() {
    // Guard 2, CM-38. What becomes of the message is in `outages`.
    let world = with_a_copy().await;
    let before = everything(&world.direct, &[]).await;
    let html = "<html><body>Maintenance</body></html>";
    let half = r#"{"Status":"OK","Invoices":[{"Type":"ACCREC","InvoiceID":"00"#;
    let empty = r#"{"Status":"OK","Invoices":[]}"#;
    let answers = [(429, ""), (500, ""), (503, html), (404, ""), (200, half), (200, html)];
    let more = [(200, empty), (200, ""), (200, "null"), (401, ""), (403, ""), (400, "{}")];
    for (status, body) in answers.into_iter().chain(more) {
        world.xero.always(Reply::status(status, body));
        world.deliver(&[record("m-2", events(&[1], Some(at(10))))]).await;
        let mut after = everything(&world.direct, &[]).await;
        after.insert("parked", vec![]);
        assert_eq!(after, before, "{status} {body}");
    }
}

#[tokio::test]
async fn v19_an_older_snapshot_that_arrives_late_is_skipped() {
    let world = with_a_copy().await;
    let mut older = paper(1, vec![]);
    older.updated_at = at(-60);
    world.xero.put(organisation(), crate::world::invoice(1), older);
    let before = everything(&world.direct, &[]).await;
    let again = world.deliver(&[record("m-2", events(&[1], Some(at(-60))))]).await;
    assert!(again.is_empty());
    assert_eq!(everything(&world.direct, &[]).await, before);
}

#[tokio::test]
async fn v20_our_own_upload_does_not_come_back_as_new() {
    let world = uploaded().await;
    let stored = xero_becomes(&world, vec![paid(9, 2, 10_000)]).await;
    assert_eq!(brief(&stored), [("a".to_owned(), Kind::Uploaded, aud(10_000), link(9))]);
}

#[tokio::test]
async fn v21_an_uploaded_payment_that_is_removed_in_xero_stays_and_is_shown() {
    // AMB-08
    let world = uploaded().await;
    xero_becomes(&world, vec![paid(9, 2, 10_000)]).await;
    let mut emptied = paper(1, vec![]);
    emptied.updated_at = at(20);
    world.xero.put(organisation(), crate::world::invoice(1), emptied);
    world.deliver(&[record("m-3", events(&[1], Some(at(20))))]).await;
    let stored = world.stored(1).await;
    assert_eq!(brief(&stored), [("a".to_owned(), Kind::Uploaded, aud(10_000), link(9))]);
    assert_eq!(open(&stored), [DiscrepancyKind::UploadedDeletedInXero]);
}

async fn uploaded() -> World {
    let world = World::with_invoice(vec![]).await;
    world.record_payment("a", &[1], 2, 10_000).await;
    world
        .change_payment(1, |payment| {
            payment.kind = Kind::Uploaded;
            payment.link = Some(Paid::xero_id(9).parse().unwrap());
        })
        .await;
    world
}

#[tokio::test]
async fn an_invoice_that_is_not_here_yet_is_shown_and_its_payments_come_with_it() {
    // Guard 4
    let world = World::new().await;
    world.xero.put(organisation(), crate::world::invoice(1), paper(1, vec![paid(1, 2, 100)]));
    world.changed(&[1]).await;
    let stored = world.stored(1).await;
    assert!(stored.payments.is_empty());
    assert_eq!(open(&stored), [DiscrepancyKind::UnknownInvoice]);

    world.record_invoice(1).await;
    world.changed(&[1]).await;

    let stored = world.stored(1).await;
    assert_eq!(brief(&stored), [copy(1, 100)]);
    assert!(open(&stored).is_empty());
}

#[tokio::test]
async fn while_an_action_about_the_customer_is_open_its_invoices_wait_and_nothing_is_lost() {
    // EX-28, AMB-15, A7.4
    let world = with_a_copy().await;
    world.owed_by(1, "K-1").await;
    world.action("K-1", Some("two contacts of this name")).await;

    // Another payment is there, and the first one is gone: neither is followed, and both are known.
    let stored = xero_becomes(&world, vec![paid(2, 3, 5_000)]).await;
    assert_eq!(brief(&stored), [copy(1, 10_000)]);
    let held: Vec<_> = stored.held.iter().map(|held| held.reason).collect();
    assert_eq!(held, [Held::BlockedByAction]);
    assert!(world.rows("tombstones").await.is_empty());
    let waiting = async || {
        let id = "K-1".parse().unwrap();
        world.tables.invoices_waiting_for(organisation(), &id).await.unwrap()
    };
    assert_eq!(waiting().await, [crate::world::invoice(1)]);
    let before = everything(&world.direct, RUN).await;
    world.changed(&[1]).await;
    assert_eq!(everything(&world.direct, RUN).await, before, "the same again writes nothing");

    // Solved: the same read of Xero is judged again, and nothing waits any more.
    world.action("K-1", None).await;
    world.changed(&[1]).await;
    let stored = world.stored(1).await;
    assert_eq!(brief(&stored), [copy(2, 5_000)]);
    assert!(stored.held.is_empty() && stored.settled.is_some());
    assert_eq!(waiting().await, []);
    assert_eq!(world.rows("tombstones").await.len(), 1);
}

#[tokio::test]
async fn an_action_about_another_customer_holds_nothing() {
    // EX-28: all others go on.
    let world = World::with_invoice(vec![paid(1, 2, 10_000)]).await;
    world.owed_by(1, "K-1").await;
    world.action("K-2", Some("two contacts of this name")).await;
    world.changed(&[1]).await;
    assert_eq!(brief(&world.stored(1).await), [copy(1, 10_000)]);
}
