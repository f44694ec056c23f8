//! Laws: for any sequence of changes in Xero, sweeps, crashes, faults and Sync Nows, nothing is missed once a
//! sweep succeeds and the queue is worked off (N1, N3); and the cursor never runs ahead of what is on the queue.

use harness::{CrashPoint, Moment};
use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use uuid::Uuid;
use xero_simulator::{Effect, Fault, LimitProblem};

use crate::world::World;

/// How many stories are tried usually.
const CASES: u32 = 24;
const INVOICES: usize = 4;

#[derive(Clone, Debug)]
enum Deed {
    /// A payment on one of the invoices.
    Pay(usize, i64),
    /// One of the payments that stand is deleted; its invoice keeps its stamp, or not.
    Delete(usize, bool),
    /// The clock asks.
    Sweep {
        full: bool,
    },
    /// Two of them at once.
    Twice,
    /// A person asks, for everything or for one invoice.
    SyncNow(Option<usize>),
    /// The process ends at one of its calls.
    Killed(usize, bool),
    /// The next call of this kind goes wrong.
    Fault(&'static str, Effect),
    /// The queue does not take what comes next.
    QueueFails,
    /// The mirror works the queue off.
    WorkOff,
    Minutes(i64),
}

fn arb_effect() -> impl Strategy<Value = Effect> {
    prop_oneof![
        Just(Effect::Cut),
        Just(Effect::TruncatedJson),
        Just(Effect::HtmlPage { status: 503 }),
        Just(Effect::Status { status: 500, headers: vec![], body: String::new() }),
        Just(Effect::RateLimit { problem: LimitProblem::Minute, retry_after: Some(20) }),
    ]
}

fn arb_deed() -> impl Strategy<Value = Deed> {
    let list = prop_oneof![Just("/Payments"), Just("/Invoices")];
    prop_oneof![
        5 => (0..INVOICES, 1_i64..9_000).prop_map(|(invoice, cents)| Deed::Pay(invoice, cents)),
        3 => (0_usize..20, any::<bool>()).prop_map(|(payment, quietly)| Deed::Delete(payment, quietly)),
        3 => any::<bool>().prop_map(|full| Deed::Sweep { full }),
        1 => Just(Deed::Twice),
        1 => proptest::option::of(0..INVOICES).prop_map(Deed::SyncNow),
        3 => (1_usize..12, any::<bool>()).prop_map(|(call, after)| Deed::Killed(call, after)),
        3 => (list, arb_effect()).prop_map(|(path, effect)| Deed::Fault(path, effect)),
        1 => Just(Deed::QueueFails),
        2 => Just(Deed::WorkOff),
        4 => (0_i64..45).prop_map(Deed::Minutes),
    ]
}

async fn invoice_of(world: &World, n: usize) -> Uuid {
    world.both(&(10_000 + n).to_string()).await
}

async fn act(world: &World, invoices: &[Uuid], payments: &mut Vec<Uuid>, deed: &Deed) {
    let scheduled = json!({"scheduled_time": world.now()});
    match deed {
        Deed::Pay(invoice, cents) => payments.push(world.pay(invoices[*invoice], *cents)),
        Deed::Delete(_, _) if payments.is_empty() => {}
        Deed::Delete(payment, quietly) => {
            let payment = payments.remove(payment % payments.len());
            let deleted = if *quietly {
                world.simulator.delete_payment_quietly(payment)
            } else {
                world.simulator.delete_payment(payment)
            };
            deleted.unwrap();
        }
        Deed::Sweep { full } => {
            let _ = world.invoke(json!({"scheduled_time": world.now(), "full": full})).await;
        }
        Deed::Twice => {
            let _ = tokio::join!(world.invoke(scheduled.clone()), world.invoke(scheduled));
        }
        Deed::SyncNow(None) => drop(world.sync_now(json!({})).await),
        Deed::SyncNow(Some(n)) => {
            drop(world.sync_now(json!({"invoice": format!("CM-{}", 10_000 + n)})).await);
        }
        Deed::Killed(call, after) => {
            let moment = if *after { Moment::After } else { Moment::Before };
            let crash_point = CrashPoint::at(*call, moment);
            world.end_with(&crash_point);
            let _ = crash_point.run(world.invoke(scheduled)).await;
            world.end_with(&CrashPoint::counting());
        }
        Deed::Fault(path, effect) => {
            world.simulator.inject(Fault::on("GET", path, effect.clone()).times(1));
        }
        Deed::QueueFails => world.line.recorded.fail_next(),
        Deed::WorkOff => {
            // Its own failures are not what this is about.
            world.simulator.clear_faults();
            world.line.recorded.recover();
            world.work_off().await;
        }
        Deed::Minutes(minutes) => world.clock.advance(SignedDuration::from_mins(*minutes)),
    }
}

async fn story(deeds: &[Deed]) {
    let world = World::new().await;
    let (mut invoices, mut payments) = (Vec::new(), Vec::new());
    for n in 0..INVOICES {
        invoices.push(invoice_of(&world, n).await);
    }
    for deed in deeds {
        act(&world, &invoices, &mut payments, deed).await;
        let state = world.state().await;
        assert!(state.cursor <= Some(world.now()), "{state:?}");
        assert!(state.last_success_at <= state.last_attempt_at.max(Some(world.now())));
    }
    world.simulator.clear_faults();
    world.line.recorded.recover();
    // After a lease that no run has ended.
    world.clock.advance(SignedDuration::from_mins(7));
    let answer = world.sweep().await;
    assert_eq!(answer["outcome"], "finished", "{answer}");
    world.work_off().await;
    assert_eq!(world.mirrored().await, world.in_xero());
    assert_eq!(world.rows("parked").await.len(), 0);
}

#[test]
fn law_one_sweep_that_succeeds_leaves_nothing_missing() {
    // `PROPTEST_CASES` raises the number of stories that are tried.
    let usual = Config::default();
    let cases = if usual.cases == 256 { CASES } else { usual.cases };
    let config = Config { cases, failure_persistence: None, ..usual };
    let stories = proptest::collection::vec(arb_deed(), 1..25);
    TestRunner::new(config)
        .run(&stories, |deeds| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(story(&deeds));
            Ok(())
        })
        .unwrap();
}
