//! Invoices that take more than one transaction: exact in the end, after any interruption.

use std::collections::BTreeMap;
use std::sync::Arc;

use harness::dynamodb::{self, RUN, Row, having};
use harness::{CrashPoint, Do, Moment};
use payments::{
    Held, PaymentId, Protection, Snapshot, State, StoredInvoice, Verdict, XeroPayment, mirror,
};
use tokio::sync::Notify;

use crate::samples::{
    at, aud, because, now, number, organisation, settings, snapshot, xero_payment,
};
use crate::world::{Driven, World, change_to};

const MANY: u32 = 250;
const OPERATION: &str = "TransactWriteItems";

fn many(cents: impl Fn(u32) -> i64) -> Vec<XeroPayment> {
    (1..=MANY).map(|id| xero_payment(id, cents(id))).collect()
}

fn base(id: u32) -> i64 {
    i64::from(id) + 1_000
}

/// What happens to an invoice with 250 payments.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Story {
    Created,
    Changed,
    Deleted,
    /// Gone in Xero, and journaled here: 250 discrepancies.
    JournaledAndDeleted,
    /// All of them dated too far ahead.
    Held,
    /// The invoice bears another number in Xero now.
    NumberChanged,
}

impl Story {
    /// The world before, and the snapshot that is applied to it.
    async fn begin(self) -> (World, Snapshot) {
        let world = World::with_local_invoice().await;
        if !matches!(self, Self::Created | Self::Held) {
            let before = world.stored().await;
            let snapshot = snapshot(1, many(base));
            let Verdict::Changed(change) = mirror(&before, &snapshot, &settings(), now()) else {
                panic!("nothing to create");
            };
            let mut after = change.after;
            if self == Self::JournaledAndDeleted {
                for copy in &mut after.payments {
                    copy.journaled = true;
                    (copy.state, copy.protection) = (State::Protected, Some(Protection::Journaled));
                }
                after.settled = None;
            }
            // Without the decisions: fewer rows to write.
            world.tables.write_invoice(&before, &change_to(after), because()).await.unwrap();
        }
        world.proxy.heal();
        (world, self.snapshot())
    }

    fn snapshot(self) -> Snapshot {
        match self {
            Self::Created => snapshot(5, many(base)),
            Self::Changed => snapshot(5, many(|id| base(id) + 5_000)),
            Self::Deleted | Self::JournaledAndDeleted => snapshot(5, Vec::new()),
            Self::Held => {
                let mut payments = many(base);
                for payment in &mut payments {
                    payment.date = jiff::civil::date(2027, 3, 2);
                }
                snapshot(5, payments)
            }
            Self::NumberChanged => {
                Snapshot { number: "CM-20001".to_owned(), ..snapshot(5, many(base)) }
            }
        }
    }

    fn check(self, stored: &StoredInvoice) {
        let snapshot = self.snapshot();
        let there: BTreeMap<_, _> = stored.payments.iter().map(|p| (p.link, p.amount)).collect();
        let wanted: BTreeMap<_, _> =
            snapshot.payments.iter().map(|p| (Some(p.id), p.amount)).collect();
        match self {
            Self::Created | Self::Changed | Self::Deleted => assert_eq!(there, wanted),
            Self::JournaledAndDeleted => {
                assert_eq!(there.len(), 250);
                assert_eq!(stored.open_discrepancies().count(), 250);
            }
            Self::Held => {
                assert!(there.is_empty());
                assert!(stored.held.iter().all(|held| held.reason == Held::FutureDated));
                assert_eq!(stored.held.len(), 250);
            }
            Self::NumberChanged => {
                assert!(there.is_empty() && stored.xero.is_none());
                let moved = stored.moved_away.map(|moved| (moved.invoice, moved.version));
                assert_eq!(moved, Some((snapshot.invoice, snapshot.version())));
            }
        }
        assert_eq!(stored.settled.is_some(), self != Self::NumberChanged);
    }
}

async fn undisturbed(story: Story) -> (usize, BTreeMap<&'static str, Vec<Row>>) {
    let (world, snapshot) = story.begin().await;
    assert_eq!(world.apply(&snapshot).await.unwrap(), Driven::Written);
    story.check(&world.stored().await);
    let calls = world.proxy.calls();
    let transactions = calls.iter().filter(|call| call.operation == OPERATION).count();
    (transactions, dynamodb::everything(&world.direct, RUN).await)
}

/// Kills the process after every transaction, which is before the next one, and runs again.
async fn survives_a_crash_after_every_transaction(story: Story) {
    let (transactions, expected) = undisturbed(story).await;
    assert!(transactions > 2, "{transactions}");
    for transaction in 1..=transactions {
        let (world, snapshot) = story.begin().await;
        // The reads come first: header and three partitions.
        let crash_point = CrashPoint::at(4 + transaction, Moment::After);
        world.proxy.end_with(&crash_point);

        let killed = crash_point.run(world.apply(&snapshot)).await;

        let what = format!("{story:?}, transaction {transaction} of {transactions}");
        assert!(killed.is_none(), "{what}");
        world.proxy.heal();
        let halfway = world.stored().await;
        assert_eq!(halfway.revision, world_revision(story) + transaction as u64, "{what}");
        if transaction < transactions {
            assert!(halfway.settled.is_none(), "settled too early: {what}");
            if story == Story::NumberChanged {
                let numbers = world.tables.numbers_of(organisation(), snapshot.invoice).await;
                assert_eq!(numbers.unwrap(), [number()], "the rest is lost: {what}");
            }
        }
        assert_eq!(world.apply(&older(&snapshot)).await.unwrap(), Driven::Stale, "{what}");

        world.apply(&snapshot).await.unwrap();

        story.check(&world.stored().await);
        let tables = dynamodb::everything(&world.direct, RUN).await;
        dynamodb::assert_same(&tables, &expected, &what);
    }
}

/// The revision before the story: the local invoice, and three transactions for its payments.
fn world_revision(story: Story) -> u64 {
    if matches!(story, Story::Created | Story::Held) { 1 } else { 4 }
}

/// A snapshot of before the story, in which the invoice still has its number.
fn older(snapshot: &Snapshot) -> Snapshot {
    let number = "CM-10234".to_owned();
    Snapshot { number, ..crate::samples::snapshot(4, snapshot.payments[..0].to_vec()) }
}

#[tokio::test]
async fn two_hundred_and_fifty_payments_are_created_changed_and_deleted_exactly() {
    for story in [Story::Created, Story::Changed, Story::Deleted] {
        undisturbed(story).await;
    }
}

#[tokio::test]
async fn every_deleted_payment_of_many_has_its_tombstone_and_its_decision() {
    let (world, snapshot) = Story::Deleted.begin().await;
    world.apply(&snapshot).await.unwrap();
    assert_eq!(world.rows("tombstones").await.len(), 250);
    let activity = world.rows("activity").await;
    assert_eq!(having(&activity, &[("action", "deleted")]).len(), 250);
}

#[tokio::test]
async fn a_crash_while_many_are_created_is_made_good() {
    survives_a_crash_after_every_transaction(Story::Created).await;
}

#[tokio::test]
async fn a_crash_while_many_are_changed_is_made_good() {
    survives_a_crash_after_every_transaction(Story::Changed).await;
}

#[tokio::test]
async fn a_crash_while_many_are_deleted_is_made_good() {
    survives_a_crash_after_every_transaction(Story::Deleted).await;
}

#[tokio::test]
async fn a_crash_while_many_discrepancies_are_raised_leaves_none_unexplained() {
    survives_a_crash_after_every_transaction(Story::JournaledAndDeleted).await;
}

#[tokio::test]
async fn a_crash_while_many_are_held_leaves_none_unexplained() {
    survives_a_crash_after_every_transaction(Story::Held).await;
}

#[tokio::test]
async fn a_crash_while_an_invoice_leaves_its_number_leaves_nothing_behind() {
    survives_a_crash_after_every_transaction(Story::NumberChanged).await;
}

#[tokio::test]
async fn whoever_has_the_newer_snapshot_wins_however_far_the_other_one_has_come() {
    // FAULT-12, N4: one writer is held up in front of its k-th transaction, the other runs to
    // its end, and then the first one goes on.
    let (transactions, _) = undisturbed(Story::Created).await;
    let old = snapshot(5, many(base));
    let mut payments = many(|id| base(id) + 5_000);
    payments[0] = xero_payment(MANY + 1, 77);
    let new = snapshot(6, payments);
    for held_up_at in 1..=transactions {
        for (first, second) in [(&old, &new), (&new, &old)] {
            let world = World::with_local_invoice().await;
            let bell = Arc::new(Notify::new());
            let ring = bell.clone();
            world.proxy.plan(move |call| {
                let held_up = call.operation == OPERATION && call.of_its_kind == held_up_at;
                if held_up { Do::Wait(bell.clone()) } else { Do::Pass }
            });
            let other = async {
                while world.proxy.writes() < held_up_at {
                    tokio::task::yield_now().await;
                }
                let driven = world.apply(second).await.unwrap();
                ring.notify_one();
                driven
            };

            let (driven, driven_other) = tokio::join!(world.apply(first), other);

            let what = format!("held up at {held_up_at}: {driven:?}, {driven_other:?}");
            driven.unwrap();
            let stored = world.stored().await;
            let there: BTreeMap<_, _> =
                stored.payments.iter().map(|p| (p.link, p.amount)).collect();
            let wanted: BTreeMap<_, _> =
                new.payments.iter().map(|p| (Some(p.id), p.amount)).collect();
            assert_eq!(there, wanted, "{what}");
            assert_eq!(stored.xero.as_ref().unwrap().version, new.version(), "{what}");
            assert!(stored.settled.is_some(), "{what}");
            assert_eq!(mirror(&stored, &new, &settings(), now()), Verdict::Unchanged, "{what}");
        }
    }
}

#[tokio::test]
async fn two_who_write_the_same_snapshot_help_each_other_and_log_each_decision_once() {
    // FAULT-11
    let (_, expected) = undisturbed(Story::Created).await;
    let (world, snapshot) = Story::Created.begin().await;
    let (one, other) = tokio::join!(world.apply(&snapshot), world.apply(&snapshot));
    one.unwrap();
    other.unwrap();
    let tables = dynamodb::everything(&world.direct, RUN).await;
    dynamodb::assert_same(&tables, &expected, "two at once");
}

#[tokio::test]
async fn partitions_of_more_than_a_megabyte_are_read_whole() {
    let world = World::with_local_invoice().await;
    let payments: Vec<_> = (1..=3_000)
        .map(|id| XeroPayment {
            reference: Some(format!("{id:0>900}")),
            ..xero_payment(id, i64::from(id))
        })
        .collect();
    let read = snapshot(1, payments.clone());
    assert_eq!(world.apply(&read).await.unwrap(), Driven::Written);

    world.proxy.heal();
    let stored = world.stored().await;

    let pages = world.proxy.calls().iter().filter(|call| call.operation == "Query").count();
    assert!(pages > 5, "{pages} pages only");
    assert_eq!(stored.payments.len(), 3_000);
    for payment in &payments {
        let id = PaymentId::of_copy(payment.id, 0);
        assert_eq!(stored.payment(&id).unwrap().reference, payment.reference);
    }
    assert_eq!(mirror(&stored, &read, &settings(), now()), Verdict::Unchanged);
}

#[tokio::test]
async fn what_the_first_transaction_says_of_xero_is_what_the_last_one_says() {
    // A reader in between sees the new figures and that they are not settled yet.
    let (world, snapshot) = Story::Created.begin().await;
    let crash_point = CrashPoint::at(5, Moment::After);
    world.proxy.end_with(&crash_point);
    crash_point.run(world.apply(&snapshot)).await;
    let invoices = world.rows("invoices").await;
    let total = Some(&format!("#{}", aud(100_000_000).amount().normalize()));
    assert_eq!(invoices[0].get("xero_total"), total);
    assert_eq!(invoices[0]["state"], "to_be_mirrored");
    assert_eq!(invoices[0]["xero_updated_at"], table::instant(at("2026-10-05T03:05:00Z")));
}
