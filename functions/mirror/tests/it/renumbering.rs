//! An invoice that gets another number in Xero: its payments are on one number at most, and in
//! the end on the right one.

use harness::{CrashPoint, Moment};
use payments::upload::{Stamp, Target, admit};
use payments::{Kind, Payment, PaymentStatus, Receipt, State};
use table::ChangeContext;

use crate::world::{
    World, advance, at, aud, events, invoice, march, now, number, organisation, paid, paper, record,
};
use crate::xero::{Paid, Paper};

/// `invoice(1)` with the number of `n`, as Xero has it since that second.
fn numbered(n: u32, since: i64, payments: Vec<Paid>) -> Paper {
    Paper { updated_at: at(since), ..paper(n, payments) }
}

fn two() -> Vec<Paid> {
    vec![paid(1, 2, 100), paid(2, 3, 200)]
}

async fn both_local() -> World {
    let world = World::new().await;
    world.record_invoice(1).await;
    world.record_invoice(2).await;
    world
}

async fn see(world: &World, paper: Paper) {
    let event_at = Some(paper.updated_at);
    world.xero.put(organisation(), invoice(1), paper);
    let again = world.deliver(&[record("m", events(&[1], event_at))]).await;
    assert!(again.is_empty(), "{again:?}");
}

async fn counts(world: &World) -> (usize, usize) {
    (world.stored(1).await.payments.len(), world.stored(2).await.payments.len())
}

#[tokio::test]
async fn payments_move_with_their_invoice_to_its_new_number() {
    let world = both_local().await;
    see(&world, numbered(1, 0, two())).await;
    assert_eq!(counts(&world).await, (2, 0));
    see(&world, numbered(2, 10, two())).await;
    assert_eq!(counts(&world).await, (0, 2));
    assert_eq!(world.rows("tombstones").await.len(), 2);
}

#[tokio::test]
async fn a_number_that_is_none_of_ours_takes_the_payments_away() {
    // CM-05
    let world = both_local().await;
    see(&world, numbered(1, 0, two())).await;
    let gone = Paper { number: "INV-7".to_owned(), ..numbered(1, 10, two()) };
    see(&world, gone).await;
    assert_eq!(counts(&world).await, (0, 0));
}

#[tokio::test]
async fn a_late_read_from_before_the_change_does_not_bring_the_payments_back() {
    // N4, FAULT-12: the read was made before the number changed, and arrives after.
    let world = both_local().await;
    see(&world, numbered(1, 0, two())).await;
    see(&world, numbered(2, 10, two())).await;
    see(&world, numbered(1, 0, two())).await;
    assert_eq!(counts(&world).await, (0, 2));
}

#[tokio::test]
async fn a_late_read_does_not_import_under_a_number_that_was_never_seen() {
    // N4: here the old number was never stored; only the new one knows how new it is.
    let world = both_local().await;
    see(&world, numbered(2, 10, two())).await;
    see(&world, numbered(1, 0, two())).await;
    assert_eq!(counts(&world).await, (0, 2), "the same payments on two invoices");
    see(&world, Paper { number: "INV-7".to_owned(), ..numbered(1, 0, two()) }).await;
    assert_eq!(counts(&world).await, (0, 2));
}

#[tokio::test]
async fn payments_left_on_a_former_number_are_found_by_the_next_read_of_every_cause() {
    // The index lagged, or two consumers crossed: both numbers have the invoice. The next sweep
    // brings the very answer that the new number is settled with.
    let world = both_local().await;
    let (old, new) = (numbered(1, 0, two()), numbered(2, 10, two()));
    see(&world, new.clone()).await;
    let second = world.stored(2).await;
    // As if a process that did not see the new number had written the old one.
    forget(&world, 2).await;
    see(&world, old).await;
    let because = table::ChangeContext { cause: "webhook", event_at: None, now: at(0) };
    let unknown = world.stored(2).await;
    let after = payments::StoredInvoice { revision: unknown.revision, ..second };
    let change = payments::Change { after, tombstones: vec![], decisions: vec![] };
    world.tables.write_invoice(&unknown, &change, because).await.unwrap();
    assert_eq!(counts(&world).await, (2, 2));

    see(&world, new).await;

    assert_eq!(counts(&world).await, (0, 2));
}

async fn forget(world: &World, n: u32) {
    use aws_sdk_dynamodb::types::AttributeValue;
    let stored = world.stored(n).await;
    let text = |text: String| AttributeValue::S(text);
    let delete = world.direct.delete_item().table_name("invoices");
    let delete = delete.key("organisation", text(organisation().to_string()));
    delete.key("number", text(number(n).to_string())).send().await.unwrap();
    for payment in stored.payments {
        let delete = world.direct.delete_item().table_name("payments");
        let delete = delete.key("invoice", text(table::invoice_key(organisation(), &number(n))));
        delete.key("payment_id", text(payment.id.to_string())).send().await.unwrap();
    }
}

#[tokio::test]
async fn a_crash_in_the_middle_of_a_large_move_leaves_nothing_behind() {
    // 250 payments take several transactions on either number.
    let many: Vec<_> = (1..=250).map(|id| paid(id, 2, i64::from(id))).collect();
    let mut transactions = 1;
    for transaction in 1.. {
        if transaction > transactions {
            break;
        }
        let world = both_local().await;
        see(&world, numbered(1, 0, many.clone())).await;
        assert_eq!(counts(&world).await, (250, 0));
        world.xero.put(organisation(), invoice(1), numbered(2, 10, many.clone()));
        world.proxy.heal();
        let records = [record("m-2", events(&[1], Some(at(10))))];
        // The last of the reads before it, and so many of the writes.
        let crash_point = CrashPoint::counting();
        world.end_with(&crash_point);
        if transaction == 1 {
            world.deliver(&records).await;
            transactions = crash_point.calls().iter().filter(|write| **write).count();
            assert!(transactions > 8, "{transactions}");
        } else {
            let calls = CrashPoint::at_effect(transaction, Moment::After);
            world.end_with(&calls);
            calls.run(world.deliver(&records)).await;
            world.end_with(&CrashPoint::counting());
            assert!(world.deliver(&records).await.is_empty());
        }
        assert_eq!(counts(&world).await, (0, 250), "killed after transaction {transaction}");
        let numbers = world.tables.numbers_of(organisation(), invoice(1)).await.unwrap();
        assert_eq!(numbers, [number(2)]);
        assert_eq!(world.rows("tombstones").await.len(), 250);
    }
}

#[tokio::test]
async fn another_prefix_in_the_settings_moves_and_deletes_nothing() {
    let world = both_local().await;
    see(&world, numbered(1, 0, two())).await;
    let prefix = payments::NumberPrefix::new("XX-").unwrap();
    world.set_up(organisation(), |settings| settings.prefix = prefix.clone()).await;
    see(&world, numbered(1, 0, two())).await;
    assert_eq!(counts(&world).await, (2, 0));
}

/// A payment that we have put onto `invoice(1)`, as Xero shows it.
async fn uploaded(world: &World) -> Vec<Paid> {
    world.record_payment("P-1", &[1], 2, 100).await;
    world.change_payment(1, as_uploaded).await;
    vec![Paid { reference: Some(stamp().to_string()), ..paid(1, 2, 100) }]
}

/// Payment P-1 as a whole, without an invoice.
fn receipt() -> Receipt {
    Receipt {
        organisation: organisation(),
        id: "P-1".parse().unwrap(),
        revision: 1,
        amount: aud(100),
        date: march(2),
        reference: None,
        method: "bpay".to_owned(),
        channel: None,
        customer: Some("K-1".parse().unwrap()),
        transaction_id: "T-P-1".to_owned(),
        status: PaymentStatus::Confirmed,
        approved: true,
        settled: false,
        journaled: false,
        allocations: Vec::new(),
        entered_at: at(0),
        document: None,
    }
}

/// What payment P-1 bears in Xero on `invoice(1)`.
fn stamp() -> Stamp {
    let receipt = receipt();
    let mut upload = *admit(None, &receipt, at(0)).upload.unwrap();
    let target = Target::Invoice { id: invoice(1), number: "CM-10001".to_owned() };
    let night = "2026-03-02".parse().unwrap();
    upload.reserve(night, vec![(target, receipt.amount)], at(0)).unwrap();
    upload.parts[0].stamp.clone()
}

fn as_uploaded(payment: &mut Payment) {
    payment.kind = Kind::Uploaded;
    payment.state = State::Uploaded;
    payment.protection = None;
    payment.link = Some(Paid::xero_id(1).parse().unwrap());
    payment.stamp = Some(stamp());
}

/// Where it stands, of which kind, and what is held or does not agree on the two.
async fn standing(world: &World) -> Vec<(u32, String, &'static str)> {
    let mut found = Vec::new();
    for n in [1, 2] {
        let stored = world.stored(n).await;
        found.extend(stored.payments.iter().map(|p| (n, p.id.to_string(), p.kind.code())));
        found.extend(stored.held.iter().map(|h| (n, h.payment.id.to_string(), h.reason.code())));
        let open = stored.open_discrepancies();
        found.extend(open.map(|open| (n, open.key.subject.clone(), open.key.kind.code())));
    }
    found
}

#[tokio::test]
async fn amb_33_our_upload_goes_along_with_its_invoice_to_the_new_number() {
    let world = both_local().await;
    let payments = uploaded(&world).await;
    see(&world, numbered(1, 0, payments.clone())).await;
    assert_eq!(standing(&world).await, [(1, "P-1".to_owned(), "uploaded")]);

    see(&world, numbered(2, 10, payments.clone())).await;

    let there = [(2, "P-1".to_owned(), "uploaded")];
    assert_eq!(standing(&world).await, there);
    let log = world.rows("activity").await;
    let placed = log.iter().filter(|row| row["action"] == "uploaded" && row["rule"] == "AMB-33");
    assert_eq!(placed.count(), 1);
    // The same again, and an old read from before the change: nothing moves any more.
    see(&world, numbered(2, 10, payments.clone())).await;
    see(&world, numbered(1, 0, payments.clone())).await;
    assert_eq!(standing(&world).await, there);
    // And back.
    see(&world, numbered(1, 20, payments)).await;
    assert_eq!(standing(&world).await, [(1, "P-1".to_owned(), "uploaded")]);
}

#[tokio::test]
async fn amb_33_a_payment_reported_again_on_the_new_number_counts_once() {
    let world = both_local().await;
    let payments = uploaded(&world).await;
    see(&world, numbered(1, 0, payments.clone())).await;
    world.record_payment("P-1", &[2], 2, 100).await;
    see(&world, numbered(2, 10, payments)).await;
    assert_eq!(standing(&world).await, [(2, "P-1".to_owned(), "uploaded")]);
}

#[tokio::test]
async fn amb_33_a_proof_that_lands_on_the_former_number_is_found_on_the_new_one() {
    // Renumbered between the plan and the proof, or while the number was none of ours: the payment was held.
    let world = both_local().await;
    world.record_payment("P-1", &[1], 2, 100).await;
    let payments = vec![Paid { reference: Some(stamp().to_string()), ..paid(1, 2, 100) }];
    see(&world, numbered(1, 0, Vec::new())).await;
    see(&world, numbered(2, 10, payments.clone())).await;
    let held = world.stored(2).await;
    assert_eq!(held.held[0].reason.code(), "UPLOAD_UNDER_WAY");
    assert!(held.settled.unwrap().review_on.is_some(), "the night looks at it again");
    world.change_payment(1, as_uploaded).await;

    see(&world, numbered(2, 20, payments)).await;

    assert_eq!(standing(&world).await, [(2, "P-1".to_owned(), "uploaded")]);
}

#[tokio::test]
async fn amb_33_a_crash_between_the_two_numbers_loses_and_doubles_nothing() {
    for write in 1..=3 {
        let world = both_local().await;
        let payments = uploaded(&world).await;
        see(&world, numbered(1, 0, payments.clone())).await;
        world.xero.put(organisation(), invoice(1), numbered(2, 10, payments));
        world.proxy.heal();
        let records = [record("m-2", events(&[1], Some(at(10))))];
        let calls = CrashPoint::at_effect(write, Moment::After);
        world.end_with(&calls);
        calls.run(world.deliver(&records)).await;
        world.end_with(&CrashPoint::counting());
        assert!(world.deliver(&records).await.is_empty());
        let there = standing(&world).await;
        assert_eq!(there, [(2, "P-1".to_owned(), "uploaded")], "killed after write {write}");
    }
}

#[tokio::test]
async fn a_stamp_that_a_person_has_copied_into_a_reference_holds_the_payment_for_a_day_and_not_for_ever()
 {
    // V20: what bears our stamp is left to the upload, as long as there is one on its way.
    let world = both_local().await;
    let payments = vec![Paid { reference: Some(stamp().to_string()), ..paid(1, 2, 100) }];
    see(&world, numbered(1, 0, payments.clone())).await;
    assert_eq!(world.stored(1).await.held[0].reason.code(), "UPLOAD_UNDER_WAY");
    advance(std::time::Duration::from_secs(23 * 3_600));
    see(&world, numbered(1, 10, payments.clone())).await;
    assert_eq!(world.stored(1).await.held.len(), 1, "it may be known yet");

    advance(std::time::Duration::from_secs(3_600));
    see(&world, numbered(1, 20, payments.clone())).await;

    let stored = world.stored(1).await;
    assert!(stored.held.is_empty(), "{:?}", stored.held);
    assert_eq!(stored.payments.len(), 1, "it is a payment like any other, and has its copy");
    let log = world.rows("activity").await;
    let released = log.iter().find(|row| row["action"] == "released").unwrap();
    assert!(released["why"].contains("no upload on its way bears it"), "{released:?}");
    see(&world, numbered(1, 30, payments)).await;
    assert_eq!(world.stored(1).await.payments.len(), 1);
}

#[tokio::test]
async fn what_bears_the_stamp_of_an_upload_on_its_way_stays_with_it_however_long_that_takes() {
    let world = both_local().await;
    let because = ChangeContext { cause: "upload", event_at: None, now: now() };
    let mut row = admit(None, &receipt(), now()).upload.unwrap();
    let target = Target::Invoice { id: invoice(1), number: "CM-10001".to_owned() };
    row.reserve("2026-03-02".parse().unwrap(), vec![(target, aud(100))], now()).unwrap();
    row.send(&[1], "key", now()).unwrap();
    world.tables.write_uploads(&[(None, &*row)], None, because).await.unwrap();
    let payments = vec![Paid { reference: Some(stamp().to_string()), ..paid(1, 2, 100) }];
    see(&world, numbered(1, 0, payments.clone())).await;
    advance(std::time::Duration::from_secs(72 * 3_600));
    see(&world, numbered(1, 10, payments)).await;
    let held = world.stored(1).await.held;
    assert_eq!(held[0].reason.code(), "UPLOAD_UNDER_WAY");
}
