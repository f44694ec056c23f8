//! Laws of mirroring: what holds in every world, not only in the examples.
//!
//! `PROPTEST_CASES` raises the number of worlds that are tried.

use std::collections::{BTreeMap, BTreeSet};

use crate::worlds::{
    after, arb_deliveries, arb_history, arb_plain_world, arb_settings, arb_world, changed,
    known_invoice, noon, settings, sum_of,
};
use jiff::{SignedDuration, Timestamp};
use payments::upload::Stamp;
use payments::{
    Action, Held, HeldPayment, Kind, Origin, Payment, PaymentStatus, Protection, Snapshot, State,
    StoredInvoice, Verdict, XeroPaymentId, is_settled, mirror,
};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource(
            "proptest-regressions",
        ))),
        ..ProptestConfig::default()
    }
}

/// Links by Xero payment, with how often each occurs.
fn links(stored: &StoredInvoice) -> BTreeMap<XeroPaymentId, usize> {
    let mut links = BTreeMap::new();
    for link in stored.payments.iter().filter_map(|payment| payment.link) {
        *links.entry(link).or_default() += 1;
    }
    links
}

/// Whether a payment is changed and deleted along with Xero: the three exceptions (CM-27 to CM-29)
/// and what we uploaded (AMB-08) are not.
fn follows(payment: &Payment) -> bool {
    payment.kind == Kind::Imported && !payment.journaled && !payment.multi_invoice
}

/// A payment without what follows from the other payments of its invoice.
fn own(payment: &Payment) -> Payment {
    Payment { balance_after: None, ..payment.clone() }
}

proptest! {
    #![proptest_config(config())]

    /// A1.1: running on one's own result changes nothing.
    #[test]
    fn law_idempotent(world in arb_world()) {
        if let Some(change) = world.change() {
            let again = mirror(&change.after, &world.snapshot, &world.settings, world.now);
            if let Verdict::Changed(again) = again {
                prop_assert_eq!(&change.after, &again.after);
                prop_assert!(false, "changed, and yet the same");
            }
            if change.after.xero.is_some() && world.snapshot.ties_out() {
                let settled = is_settled(&change.after, &world.snapshot, &world.settings, world.now);
                let moved = change.decisions.iter().any(|d| d.action == Action::NumberChanged);
                prop_assert!(settled || moved);
            }
        }
    }

    /// What `is_settled` spares us would indeed have changed nothing, on any later day and
    /// with any settings.
    #[test]
    fn law_settled_means_unchanged(
        world in arb_world(),
        days in 0_i64..200,
        other in prop::option::of(arb_settings()),
    ) {
        let stored = after(&world.stored, world.verdict());
        let (settings, later) = (other.unwrap_or(world.settings), noon(10 + days));
        if is_settled(&stored, &world.snapshot, &settings, later) {
            let verdict = mirror(&stored, &world.snapshot, &settings, later);
            prop_assert!(!matches!(verdict, Verdict::Changed(_)), "{verdict:#?}");
        }
    }

    /// A1.1: no Xero payment has two local ones, no local payment two Xero ones, and equal ones
    /// are counted like beads (CM-32 to CM-34).
    #[test]
    fn law_one_to_one(world in arb_world()) {
        let Some(change) = world.change() else { return Ok(()) };
        for (xero, count) in links(&change.after) {
            prop_assert_eq!(count, 1, "{} is linked {} times", xero, count);
        }
        let ids: BTreeSet<_> = change.after.payments.iter().map(|payment| &payment.id).collect();
        prop_assert_eq!(ids.len(), change.after.payments.len());
        for decision in change.decisions.iter().filter(|d| d.action == Action::Imported) {
            let xero = decision.xero.unwrap();
            let copy = change.after.linked(xero).unwrap();
            let equal = |p: &&Payment| p.amount == copy.amount && p.date == copy.date;
            // A copy is only made if nothing equal was left to match it with.
            let free = change.after.payments.iter().filter(equal).filter(|payment| {
                payment.link.is_none_or(|link| !shows(&world, link))
                    && (!payment.multi_invoice || payment.kind == Kind::Uploaded)
                    && payment.status != PaymentStatus::Failed
            });
            prop_assert_eq!(free.count(), 0);
            // A part of a payment over several invoices holds back exactly one (CM-28).
            let parts = change.after.payments.iter().filter(equal).filter(|payment| {
                payment.multi_invoice
                    && payment.kind != Kind::Uploaded
                    && payment.link.is_none_or(|link| !shows(&world, link))
                    && payment.status != PaymentStatus::Failed
            });
            let back = change.after.held.iter().filter(|held| {
                held.reason == Held::MultiInvoice
                    && (held.payment.amount, held.payment.date) == (copy.amount, copy.date)
                    && shows(&world, held.payment.id)
            });
            prop_assert_eq!(parts.count(), back.count());
        }
    }

    /// A1.1: once a read has been judged, every payment that counts in it is either linked with a
    /// local one or held.
    #[test]
    fn law_every_xero_payment_is_linked_or_held(world in arb_world()) {
        let stored = after(&world.stored, world.verdict());
        let judged = stored.xero.as_ref().is_some_and(|xero| {
            let snapshot = &world.snapshot;
            let same_number = snapshot.number == xero.number;
            same_number && xero.invoice == snapshot.invoice && xero.version == snapshot.version()
        });
        if !judged || stored.local.is_none() {
            return Ok(());
        }
        let counted = world.snapshot.counted_payments();
        for xero in &counted {
            let linked = stored.linked(xero.id).is_some();
            let held = stored.held.iter().filter(|held| held.payment.id == xero.id).count();
            prop_assert_eq!(usize::from(linked) + held, 1, "{:?}", xero);
        }
        if world.snapshot.ties_out() {
            prop_assert!(stored.held.iter().all(|held| counted.contains(&&held.payment)));
            let left = |p: &&Payment| follows(p) && p.link.is_none_or(|link| !shows(&world, link));
            prop_assert_eq!(stored.payments.iter().find(left), None);
        }
    }

    /// ST-04, CM-26: where nothing is protected or held, the copies add up to `AmountPaid`.
    #[test]
    fn law_sums_tie_out(world in arb_plain_world()) {
        let stored = after(&world.stored, world.verdict());
        let counted = world.snapshot.counted_payments();
        for xero in &counted {
            if let Some(local) = stored.linked(xero.id).filter(|local| follows(local)) {
                prop_assert_eq!((local.amount, local.date), (xero.amount, xero.date));
                if local.origin == Origin::Xero {
                    prop_assert_eq!(&local.reference, &xero.reference);
                }
            }
        }
        let plain = stored.payments.iter().all(follows) && stored.held.is_empty();
        if plain {
            let copies = stored.payments.iter().map(|payment| payment.amount);
            prop_assert_eq!(sum_of(copies), world.snapshot.figures.paid);
        }
    }

    /// CM-37, CM-38: nothing is deleted but on the word of a complete read that is not older.
    #[test]
    fn law_never_deletes_without_a_complete_fresh_read(world in arb_world()) {
        let Some(change) = world.change() else { return Ok(()) };
        let known = world.stored.xero.as_ref();
        if let Some(known) = known.filter(|known| known.invoice == world.snapshot.invoice) {
            prop_assert!(world.snapshot.version() >= known.version);
        }
        if !world.snapshot.ties_out() {
            // A copy whose place a report takes is no payment less (AMB-27).
            let replaced = |why: &str| why.starts_with("replaced by the report");
            prop_assert!(change.tombstones.iter().all(|gone| replaced(&gone.why)));
            let kept = world.stored.held.iter().all(|old| {
                change.after.linked(old.payment.id).is_some()
                    || change.after.held.iter().any(|held| held.payment.id == old.payment.id)
            });
            prop_assert!(kept, "held payments were forgotten");
            prop_assert!(!change.decisions.iter().any(|d| d.action == Action::NumberChanged));
            for discrepancy in change.after.open_discrepancies() {
                let before = world.stored.discrepancy(&discrepancy.key);
                let accuses = discrepancy.key.kind.code().contains("DELETED");
                prop_assert!(!accuses || before.is_some_and(|before| before.is_open()));
            }
        }
    }

    /// CM-27 to CM-29, CM-36, CM-39, AMB-08: what is protected is neither deleted nor altered.
    #[test]
    fn law_protected_payments_stay_as_they_are(world in arb_world()) {
        let Some(change) = world.change() else { return Ok(()) };
        for old in &world.stored.payments {
            let new = change.after.payment(&old.id);
            // A report takes the place of a copy, and its journal over (AMB-27).
            let by = change.decisions.iter().any(|d| {
                d.rule == "AMB-27" && d.payment.as_ref() == Some(&old.id)
            });
            let takes_over = |new: &Payment| new.journaled && new.origin == Origin::Local;
            if new.is_none() && by && change.after.payments.iter().any(takes_over) {
                continue;
            }
            if !follows(old) {
                let new = new.expect("a protected payment was deleted");
                prop_assert_eq!((new.amount, new.date), (old.amount, old.date));
                prop_assert_eq!(&new.reference, &old.reference);
                if old.multi_invoice && old.link.is_none() && old.kind == Kind::Manual {
                    prop_assert_eq!(new, old);
                }
                if new.protection == Some(Protection::Manual) {
                    prop_assert_eq!(new, old);
                }
                if old.status == PaymentStatus::Failed {
                    prop_assert_eq!(new, old);
                }
            }
        }
    }

    /// CM-23, A7.4: what disappears leaves a tombstone with its whole row, and every change of a
    /// payment has its decision.
    #[test]
    fn law_everything_is_explained(world in arb_world()) {
        let Some(change) = world.change() else { return Ok(()) };
        let decided = |action: &[Action], payment: &Payment| {
            change.decisions.iter().any(|decision| {
                action.contains(&decision.action) && decision.payment.as_ref() == Some(&payment.id)
            })
        };
        let mut gone = 0;
        for old in &world.stored.payments {
            match change.after.payment(&old.id) {
                None => {
                    gone += 1;
                    let stone = change.tombstones.iter().find(|stone| stone.payment.id == old.id);
                    prop_assert_eq!(Some(old), stone.map(|stone| &stone.payment));
                    prop_assert!(decided(&[Action::Deleted], old));
                }
                Some(new) if own(new) != own(old) => {
                    prop_assert!(decided(&[Action::Adopted, Action::Matched, Action::Updated], old));
                }
                Some(_) => {}
            }
        }
        prop_assert_eq!(gone, change.tombstones.len());
        for new in &change.after.payments {
            let is_new = world.stored.payment(&new.id).is_none();
            prop_assert_eq!(is_new, decided(&[Action::Imported], new));
        }
        let held = |stored: &StoredInvoice| -> BTreeSet<_> {
            stored.held.iter().map(|held| (held.payment.id, held.reason)).collect()
        };
        let (before, now) = (held(&world.stored), held(&change.after));
        for (id, _) in before.symmetric_difference(&now) {
            let is_decided = |d: &&payments::Decision| {
                d.xero == Some(*id) && [Action::Held, Action::Released].contains(&d.action)
            };
            prop_assert!(change.decisions.iter().any(|d| is_decided(&d)));
        }
        for decision in &change.decisions {
            prop_assert!(!decision.why.is_empty() && !decision.rule.is_empty());
        }
    }

    /// A7.4: every payment has exactly one state, which agrees with its protection.
    #[test]
    fn law_one_state_for_every_payment(world in arb_world()) {
        let stored = after(&world.stored, world.verdict());
        for payment in &stored.payments {
            let expected = if payment.journaled {
                (State::Protected, Some(Protection::Journaled))
            } else if payment.multi_invoice && payment.kind != Kind::Uploaded {
                (State::Protected, Some(Protection::MultiInvoice))
            } else {
                match (payment.kind, payment.origin) {
                    (Kind::Manual, _) => (State::Protected, Some(Protection::Manual)),
                    (Kind::Uploaded, _) => (State::Uploaded, None),
                    (Kind::Imported, Origin::Xero) => (State::Applied, None),
                    (Kind::Imported, Origin::Local) => (State::Adopted, None),
                }
            };
            prop_assert_eq!((payment.state, payment.protection), expected);
            prop_assert!(payment.kind != Kind::Manual || payment.link.is_none());
        }
        for held in &stored.held {
            prop_assert!(stored.linked(held.payment.id).is_none());
            prop_assert_eq!(held.reason == Held::FutureDated, held.until.is_some());
        }
    }

    /// V20, AMB-05: what bears our stamp for this very invoice is held until its upload is linked,
    /// even if it equals something else; and nothing else is held for that.
    #[test]
    fn law_our_own_uploads_are_held_until_they_are_linked(world in arb_world()) {
        let Some(change) = world.change() else { return Ok(()) };
        let invoice = world.snapshot.invoice;
        let same_number = change.after.xero.as_ref().is_some_and(|xero| xero.invoice == invoice);
        if world.stored.local.is_none() || world.snapshot.number != "CM-10234" || !same_number {
            return Ok(());
        }
        for xero in world.snapshot.counted_payments() {
            let stamp = xero.reference.as_deref().and_then(Stamp::find_in);
            let known = |payment: &Payment| {
                payment.link == Some(xero.id) || (stamp.is_some() && payment.stamp == stamp)
            };
            let ours = stamp.as_ref().is_some_and(|stamp| stamp.is_for(invoice));
            // What a person took for a part of a payment over several invoices stays that (CM-28, A8.3).
            let consumed = |held: &HeldPayment| {
                held.payment.id == xero.id
                    && matches!(held.reason, Held::MultiInvoice | Held::BlockedByAction)
            };
            let under_way = ours
                && !world.stored.payments.iter().any(known)
                && !world.stored.held.iter().any(consumed);
            let held = change.after.held.iter().find(|held| held.payment.id == xero.id);
            let held = held.is_some_and(|held| held.reason == Held::UploadUnderWay);
            prop_assert_eq!(held, under_way, "{:?}", xero);
            prop_assert!(!held || change.after.linked(xero.id).is_none());
        }
    }

    /// CM-25: a payment is noted once; matching it again writes nothing more.
    #[test]
    fn law_notes_are_written_once(world in arb_world()) {
        let Some(change) = world.change() else { return Ok(()) };
        for new in &change.after.payments {
            let old = world.stored.payment(&new.id);
            if let Some(old) = old.filter(|old| old.first_match_at.is_some()) {
                prop_assert_eq!((&new.note, new.first_match_at), (&old.note, old.first_match_at));
            }
            if new.kind == Kind::Imported && new.link.is_some() && old.is_none_or(|old| old.link.is_none()) {
                prop_assert!(new.note.is_some() && new.first_match_at.is_some());
            }
        }
    }

    /// CM-38: the stored version never goes back, and an older read changes nothing.
    #[test]
    fn law_versions_only_grow(world in arb_world()) {
        let Some(known) = &world.stored.xero else { return Ok(()) };
        let same = known.invoice == world.snapshot.invoice;
        let verdict = world.verdict();
        if same && world.snapshot.version() < known.version {
            prop_assert!(matches!(verdict, Verdict::Stale), "{verdict:#?}");
        } else if let Some(new) = changed(verdict).and_then(|change| change.after.xero) {
            prop_assert!(new.invoice != known.invoice || new.version >= known.version);
        }
    }

    /// ST-15, SP-18, AMB-23, A7.2: a discrepancy that comes back keeps its first date, and is due 48 hours later.
    #[test]
    fn law_discrepancies_keep_their_first_date(world in arb_world()) {
        let Some(change) = world.change() else { return Ok(()) };
        for old in &world.stored.discrepancies {
            let new = change.after.discrepancy(&old.key).expect("a discrepancy was forgotten");
            prop_assert_eq!(new.detected_at, old.detected_at);
            // A7.1: the 48 hours of one that came back run from then.
            let came_back = !old.is_open() && new.is_open();
            let since = if came_back { world.now } else { old.since() };
            prop_assert_eq!(new.due_at(), since + SignedDuration::from_hours(48));
            let times = |found: &payments::Discrepancy| found.reopened.map_or(0, |back| back.count);
            prop_assert_eq!(times(new), times(old) + u32::from(came_back));
            let is_decided = |action| {
                let about = format!("{} {}", old.key.kind, old.key.subject);
                change.decisions.iter().any(|d| d.action == action && d.why.starts_with(about.trim()))
            };
            match (old.is_open(), new.is_open()) {
                (true, false) => prop_assert!(is_decided(Action::DiscrepancyResolved)),
                (false, true) => prop_assert!(is_decided(Action::DiscrepancyRaised)),
                _ => {}
            }
        }
        for new in &change.after.discrepancies {
            let known = world.stored.discrepancy(&new.key).is_some();
            prop_assert!(known || (new.is_open() && new.detected_at == world.now));
        }
    }

    /// A1.1: neither the order in which Xero lists payments nor that of our rows matters.
    #[test]
    fn law_order_does_not_matter(world in arb_world(), seed in any::<u64>()) {
        let mut shuffled = world.clone();
        let mut random = crate::worlds::Lottery(seed);
        random.shuffle(&mut shuffled.stored.payments);
        random.shuffle(&mut shuffled.stored.held);
        random.shuffle(&mut shuffled.stored.discrepancies);
        random.shuffle(&mut shuffled.snapshot.payments);
        if let Some(again) = shuffled.snapshot.payments.first().cloned() {
            shuffled.snapshot.payments.push(again);
        }
        let sorted = |stored: &StoredInvoice, verdict| {
            let mut stored = after(stored, verdict);
            stored.payments.sort_by(|a, b| a.id.cmp(&b.id));
            stored.held.sort_by_key(|held| held.payment.id);
            stored.discrepancies.sort_by(|a, b| a.key.cmp(&b.key));
            // Its fingerprint lists the payment that came twice twice.
            stored.settled = None;
            stored
        };
        let straight = sorted(&world.stored, world.verdict());
        prop_assert_eq!(straight, sorted(&shuffled.stored, shuffled.verdict()));
    }

    /// Reads may arrive in any order, and any number of times: the newest one decides.
    ///
    /// Only the traces of the way may differ: times, and the local ids of copies. Invoices that
    /// begin with local payments are left out, for there the way rightly matters (a payment matched
    /// by an earlier read is imported from then on, CM-35).
    #[test]
    fn law_the_newest_read_decides(
        (history, order) in arb_history().prop_flat_map(|history| {
            let order = arb_deliveries(history.len());
            (Just(history), order)
        }),
    ) {
        let settings = settings(Some(7), "Pacific/Auckland");
        let ours = |snapshot: &Snapshot| snapshot.number == "CM-10234";
        let mut stored = known_invoice(Vec::new());
        // An invoice that was never linked leaves no trace when it is seen under another number.
        let first = history.iter().position(ours).filter(|_| !history.iter().all(ours));
        for index in first.into_iter().chain(order) {
            stored = after(&stored, mirror(&stored, &history[index], &settings, noon(10)));
        }
        let newest = history.last().unwrap();
        let fresh = known_invoice(Vec::new());
        let expected = after(&fresh, mirror(&fresh, newest, &settings, noon(10)));
        prop_assert_eq!(content(&stored), content(&expected));
        if ours(newest) {
            // A second read that shows the same is not written, so its time may be missing.
            prop_assert_eq!(stored.xero.unwrap().version.updated_at, newest.updated_at);
            prop_assert_eq!(stored.settled, expected.settled);
        } else {
            prop_assert!(stored.xero.is_none() && stored.payments.is_empty());
        }
    }
}

fn shows(world: &crate::worlds::World, link: XeroPaymentId) -> bool {
    world.snapshot.counted_payments().iter().any(|xero| xero.id == link)
}

/// An invoice without ids of copies and without times.
fn content(stored: &StoredInvoice) -> (Vec<Payment>, Vec<String>, Vec<String>) {
    let never = Timestamp::UNIX_EPOCH;
    let mut payments: Vec<_> = stored.payments.clone();
    payments.sort_by_key(|payment| payment.link);
    for payment in &mut payments {
        payment.id = "a-copy".parse().unwrap();
        payment.created_at = never;
        payment.first_match_at = Some(never);
    }
    let held = stored.held.iter().map(|held| format!("{:?} {:?}", held.payment, held.reason));
    let open = stored.open_discrepancies().map(|open| format!("{:?} {}", open.key, open.detail));
    (payments, held.collect(), open.collect())
}
