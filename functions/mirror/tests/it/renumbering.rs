//! An invoice that gets another number in Xero: its payments are on one number at most, and in
//! the end on the right one.

use crate::faults::{Guillotine, Moment};
use crate::world::{World, at, events, invoice, number, organisation, paid, paper, record};
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
    // N4, scenario 12: the read was made before the number changed, and arrives after.
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
async fn payments_left_on_a_former_number_are_found_by_the_next_read_of_whatever_cause() {
    // The index lagged, or two consumers crossed: both numbers have the invoice. The next sweep
    // brings the very answer that the new number is settled with.
    let world = both_local().await;
    let (old, new) = (numbered(1, 0, two()), numbered(2, 10, two()));
    see(&world, new.clone()).await;
    let second = world.stored(2).await;
    // As if the old number had been written by somebody who did not see the new one.
    forget(&world, 2).await;
    see(&world, old).await;
    let because = table::Because { cause: "webhook", event_at: None, now: at(0) };
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
        let guillotine = Guillotine::counting();
        world.end_with(&guillotine);
        if transaction == 1 {
            world.deliver(&records).await;
            transactions = guillotine.calls().iter().filter(|write| **write).count();
            assert!(transactions > 8, "{transactions}");
        } else {
            let calls = Guillotine::at_effect(transaction, Moment::After);
            world.end_with(&calls);
            calls.run(world.deliver(&records)).await;
            world.end_with(&Guillotine::counting());
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
