//! FAULT-07: the process ends at any of its calls to the outside, before or after it had its
//! effect; then everything is delivered again. In the end the tables are those of a run that
//! nothing happened to.

use harness::dynamodb::{RUN, assert_same, everything};
use harness::{CrashPoint, crash_moments};
use queue::{Message, Noted, NotedReason};

use crate::world::{
    World, another_organisation, at, events, events_of, invoice, now, organisation, paid, paper,
    raw_record, record,
};
use crate::xero::{Paper, usual};

/// Creating, changing, adopting, deleting and moving payments; holding, noting, parking; an
/// invoice that is stale at first, and one that Xero does not have for a while.
pub async fn eventful() -> (World, Vec<aws_lambda_events::sqs::SqsMessage>) {
    let world = World::new().await;
    for n in 1..=7 {
        world.record_invoice(n).await;
    }
    let before = |n, payments| Paper { updated_at: at(-60), ..paper(n, payments) };
    for (n, payments) in [
        (2, vec![paid(21, 2, 100), paid(22, 3, 200)]),
        (3, vec![paid(31, 2, 300)]),
        (4, vec![paid(41, 2, 400)]),
    ] {
        world.xero.put(organisation(), invoice(n), before(n, payments));
    }
    world.deliver(&[record("before", events(&[2, 3, 4], Some(at(-60))))]).await;
    world.record_payment("by-hand", &[5], 2, 500).await;

    let mut future = paid(12, 1, 50);
    future.date = jiff::civil::date(2027, 1, 1);
    world.xero.put(organisation(), invoice(1), paper(1, vec![paid(11, 2, 100), future]));
    world.xero.put(organisation(), invoice(2), paper(2, vec![paid(21, 4, 150)]));
    world.xero.put(organisation(), invoice(3), paper(3, vec![]));
    world.xero.put(organisation(), invoice(5), paper(5, vec![paid(51, 2, 500)]));
    // The fourth bears the number of the seventh from now on.
    world.xero.put(organisation(), invoice(4), paper(7, vec![paid(41, 2, 400)]));
    world.xero.put(organisation(), invoice(8), Paper { status: "PERHAPS", ..paper(8, vec![]) });
    let fresh = paper(6, vec![paid(61, 2, 600)]);
    world.xero.script(move |seen, books| {
        // The new payment of invoice 6 shows a little later.
        if now() >= at(15) {
            books.insert((organisation().to_string(), invoice(6).to_string()), fresh.clone());
        }
        Some(usual(seen, books))
    });
    world.xero.put(organisation(), invoice(6), before(6, vec![]));

    let noted = Noted {
        organisation: Some(organisation()),
        received_at: at(-1),
        reasons: vec![NotedReason {
            code: "unknown_category".to_owned(),
            category: None,
            count: 1,
        }],
    };
    let records = vec![
        record("m-1", events(&[1, 2, 3], Some(at(-3)))),
        record("m-2", events(&[3, 4, 5], Some(at(-3)))),
        record("m-3", events(&[6, 8], Some(at(-3)))),
        record("m-4", Message::Noted(noted)),
        raw_record("m-5", "<xml/>"),
        record("m-6", events_of(another_organisation(), &[1], Some(at(-3)))),
    ];
    (world, records)
}

#[tokio::test]
async fn wherever_the_process_ends_the_tables_end_the_same() {
    let (world, records) = eventful().await;
    let counter = CrashPoint::counting();
    world.end_with(&counter);
    world.drain(records).await;
    let expected = everything(&world.direct, RUN).await;
    assert_eq!(expected["payments"].len(), 5, "{:#?}", expected["payments"]);
    assert_eq!((expected["tombstones"].len(), expected["held_payments"].len()), (3, 1));
    assert_eq!(expected["parked"].len(), 2);
    let calls = counter.calls();
    assert!(calls.len() > 50, "{}", calls.len());

    let moments = crash_moments(&calls);
    let mut killed = 0;
    for (call, moment) in &moments {
        let (world, mut queue) = eventful().await;
        let crash_point = CrashPoint::at(*call, *moment);
        world.end_with(&crash_point);
        // Messages under way are still in the queue, and come again.
        killed += usize::from(crash_point.run(world.work_off(&mut queue)).await.is_none());
        world.end_with(&CrashPoint::counting());
        world.work_off(&mut queue).await;
        let tables = everything(&world.direct, RUN).await;
        assert_same(&tables, &expected, &format!("killed {moment:?} call {call}"));
    }
    // Eight invoices are written at once, so that the number of calls differs a little.
    assert!(killed + 5 > moments.len(), "killed at {killed} of {} moments", moments.len());
}
