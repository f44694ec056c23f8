//! How far a sweep has come, what its runs did, and what the full sweep compares.

use payments::sweep::{
    Latency, Progress, SweepKind, SweepState, SweptList, SyncKind, SyncRun, SyncRunId, SyncState,
    Trigger,
};
use table::WriteError;

use crate::samples::{at, invoice_id, now, number, organisation, snapshot, xero_payment};
use crate::world::World;

/// A run that began so many seconds after now.
pub fn run(seconds: i64, state: SyncState) -> SyncRun {
    let started_at = now() + jiff::SignedDuration::from_secs(seconds);
    SyncRun {
        organisation: organisation(),
        id: SyncRunId::new(started_at, SyncKind::Sweep, 1),
        kind: SyncKind::Sweep,
        trigger: Trigger::Manual,
        by: Some("Ada".to_owned()),
        why: Some("a payment is missing".to_owned()),
        subject: None,
        state,
        scheduled_at: Some(now()),
        started_at,
        ended_at: Some(started_at + jiff::SignedDuration::from_secs(3)),
        counts: [("queued".to_owned(), 7)].into(),
        errors: Default::default(),
        problem: None,
        calls: 2,
        bytes: 4_711,
        latency: Latency::of([5, 1, 400].map(jiff::SignedDuration::from_secs)),
    }
}

/// The same, gone wrong.
pub fn failed_run(seconds: i64, class: &str) -> SyncRun {
    let mut run = run(seconds, SyncState::Failed);
    run.went_wrong(class, format!("{class} at Xero"));
    run
}

pub fn sweep() -> SweepState {
    let mut sweep = SweepState::new(organisation(), SweepKind::Changes);
    sweep.begin(run(0, SyncState::Running).id, Trigger::Manual, at("2026-10-05T04:00:00Z"), now());
    sweep
}

#[tokio::test]
async fn a_sweep_and_its_run_come_back_as_they_were_stored() {
    let world = World::new().await;
    let new = world.tables.sweep(organisation(), SweepKind::Changes).await.unwrap();
    assert_eq!(new, SweepState::new(organisation(), SweepKind::Changes));
    let mut begun = sweep();
    begun.reached(Progress {
        begun_at: Some(now()),
        since: at("2026-10-05T03:00:00Z"),
        list: SweptList::Payments,
        reached: at("2026-10-05T03:10:00Z"),
    });
    let run = run(0, SyncState::Running);
    let stored = world.tables.store_sweep(&begun, &[&run]).await.unwrap();
    assert_eq!(stored, SweepState { revision: 1, ..begun });
    assert_eq!(world.tables.sweep(organisation(), SweepKind::Changes).await.unwrap(), stored);
    assert_eq!(world.tables.sync_run(organisation(), &run.id).await.unwrap(), Some(run));

    let mut over = stored;
    over.read_whole(now());
    over.end(SyncState::Finished, Trigger::Schedule, Some(now()), true, now());
    let over = world.tables.store_sweep(&over, &[]).await.unwrap();
    assert_eq!(world.tables.sweep(organisation(), SweepKind::Changes).await.unwrap(), over);
    let other = world.tables.sweep(organisation(), SweepKind::Open).await.unwrap();
    assert_eq!(other.revision, 0, "the two sweeps do not know each other");
}

#[tokio::test]
async fn of_two_runs_at_once_one_begins_and_the_other_one_leaves_no_trace() {
    let world = World::new().await;
    let (one, other) = (run(0, SyncState::Running), run(1, SyncState::Running));
    world.tables.store_sweep(&sweep(), &[&one]).await.unwrap();
    let lost = world.tables.store_sweep(&sweep(), &[&other]).await;
    assert!(matches!(lost, Err(WriteError::Conflict)), "{lost:?}");
    assert_eq!(world.tables.sync_run(organisation(), &other.id).await.unwrap(), None);
}

#[tokio::test]
async fn all_invoices_stand_in_short() {
    let world = World::with_local_invoice().await;
    world.apply(&snapshot(1, vec![xero_payment(1, 100)])).await.unwrap();
    let waiting: payments::InvoiceNumber = "20001".parse().unwrap();
    world.record(&waiting).await;

    let standings = world.tables.standings(organisation(), None, 10).await.unwrap();
    assert_eq!(standings.unreadable, []);

    let [known, new] = standings.standings.as_slice() else { panic!("{standings:?}") };
    assert_eq!((&known.number, known.is_local, known.is_settled), (&number(), true, true));
    let xero = known.xero.unwrap();
    let stored = world.tables.invoice(organisation(), &number()).await.unwrap();
    assert_eq!(xero.invoice, invoice_id());
    assert_eq!(Some(xero.paid), stored.xero.as_ref().map(|xero| xero.figures.paid));
    assert_eq!(known.review_on, stored.settled.unwrap().review_on);
    assert_eq!((&new.number, new.is_local, new.xero), (&waiting, true, None));
    let first = world.tables.standings(organisation(), None, 1).await.unwrap();
    assert_eq!((&first.standings[..], &first.next), (std::slice::from_ref(known), &Some(number())));
    let rest = world.tables.standings(organisation(), first.next.as_ref(), 5).await.unwrap();
    assert_eq!((&rest.standings[..], rest.next), (std::slice::from_ref(new), None));
    let found = world.tables.standings_of(organisation(), [&waiting].into_iter()).await.unwrap();
    assert_eq!(found, std::slice::from_ref(new));
}
