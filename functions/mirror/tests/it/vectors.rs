//! The example vectors of rules A1.2 that one invoice cannot show whole: more than one invoice, the log,
//! reads that fail or come late, and open actions. The others are in `scenarios`.

use harness::dynamodb::{RUN, everything, having};
use payments::{DiscrepancyKind, Held, Kind, Payment, StoredInvoice};

use crate::world::{World, at, aud, events, march, organisation, paid, paper, record};
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
async fn v18_no_failure_changes_anything() {
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
