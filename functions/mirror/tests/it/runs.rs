//! Records of each batch: the sync log (CC-09), and how long changes took (SP-09).

use harness::Do;
use jiff::SignedDuration;
use payments::sweep::{Latency, SyncKind, SyncRun, SyncState, Trigger};
use queue::Message;

use crate::world::{
    World, another_organisation, at, events, invoice, now, organisation, paid, paper, record,
};
use crate::xero::Reply;

const ID: &str = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
const SERIAL: u64 = 0x0a1b_2c3d_4e5f_6071;

/// The run that began now with the message `ID`, as it was when it began.
fn begun() -> SyncRun {
    SyncRun::begun(organisation(), SyncKind::Mirror, Trigger::Queue, SERIAL, now())
}

#[tokio::test]
async fn a_batch_leaves_a_run_for_each_organisation_with_counts_calls_bytes_and_latency() {
    // CC-09, SP-09, N8
    let world = World::new().await;
    world.set_up(another_organisation(), |_| {}).await;
    for n in 1..=3 {
        world.record_invoice(n).await;
        world.xero.put(organisation(), invoice(n), paper(n, vec![paid(n, 2, 100)]));
    }
    let Message::Invoices(mut elsewhere) = events(&[9], Some(at(-3))) else { panic!() };
    elsewhere.organisation = another_organisation();
    world.xero.put(another_organisation(), invoice(9), paper(9, vec![]));
    let records = [
        record(ID, events(&[1, 2], Some(at(-3)))),
        record("m-2", events(&[3], Some(at(-400)))),
        record("m-3", Message::Invoices(elsewhere)),
    ];

    assert!(world.deliver(&records).await.is_empty());

    let calls = world.xero.calls();
    let call =
        calls.iter().find(|call| crate::xero::tenant(call) == organisation().to_string()).unwrap();
    let expected = SyncRun {
        state: SyncState::Finished,
        ended_at: Some(now()),
        counts: [("changed".to_owned(), 3), ("decisions".to_owned(), 3)].into(),
        calls: 1,
        bytes: world.xero.bytes_for(call),
        latency: Latency::of([3, 3, 400].map(SignedDuration::from_secs)),
        ..begun()
    };
    assert_eq!(expected.latency.unwrap().late, 1);
    let run = world.tables.sync_run(organisation(), &begun().id).await.unwrap();
    assert_eq!(run, Some(expected));
    let all = world.rows("sync_runs").await;
    let others: Vec<_> = all
        .iter()
        .filter(|run| run["organisation"] == another_organisation().to_string())
        .collect();
    assert_eq!((all.len(), others.len()), (2, 1));
    assert_eq!((others[0]["calls"].as_str(), others[0]["state"].as_str()), ("#1", "finished"));
}

#[tokio::test]
async fn a_batch_that_could_not_be_read_is_a_failed_run_with_its_class_and_is_found_among_them() {
    // CC-09, CC-17, CC-26
    let world = World::with_invoice(vec![]).await;
    world.xero.always(Reply::status(503, "Ada Ltd owes 46.00"));
    assert!(world.deliver(&[record(ID, events(&[1], Some(at(-3))))]).await.is_empty());
    let run = world.tables.sync_run(organisation(), &begun().id).await.unwrap().unwrap();
    assert_eq!((run.state, run.errors), (SyncState::Failed, [("Timeout".to_owned(), 1)].into()));
    assert_eq!(run.counts, [("handed_back".to_owned(), 1)].into());
    let problem = run.problem.unwrap();
    assert!(problem.contains("503"), "{problem}");
    assert!(!problem.contains("Ada") && !problem.contains("46"), "N9: {problem}");
    assert_eq!(world.rows("sync_runs").await[0]["failed_in"], organisation().to_string());
}

#[tokio::test]
async fn a_batch_is_done_even_if_its_run_cannot_be_written() {
    let world = World::with_invoice(vec![paid(1, 2, 100)]).await;
    world.proxy.plan(|call| match call.operation.as_str() {
        "PutItem sync_runs" => Do::Refuse("InternalServerError"),
        _ => Do::Pass,
    });
    assert!(world.deliver(&[record(ID, events(&[1], Some(at(-3))))]).await.is_empty());
    assert_eq!(world.stored(1).await.payments.len(), 1);
    assert!(world.rows("sync_runs").await.is_empty());
}
