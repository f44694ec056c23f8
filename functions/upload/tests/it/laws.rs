//! Laws: for any sequence of runs, crashes, lost answers, duplicate invocations, people's deeds and
//! clock changes, Xero holds no more of a payment than it is (N5) and no more payments than a night may
//! have (N6); and once everything works again, every payment is in Xero once (N1, N3).

use harness::{CrashPoint, Moment};
use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rust_decimal::Decimal;
use serde_json::json;
use xero_simulator::{Effect, Fault, LimitProblem};

use crate::samples::{bpay, pay_now};
use crate::world::{World, evening, march};

/// How many stories are tried usually: each takes a week of nights.
const CASES: u32 = 24;

#[derive(Clone, Debug)]
enum Deed {
    /// The night of this moment is asked for, several times at once.
    Night(usize),
    /// The process ends at one of its calls.
    Killed(usize, bool),
    /// The next calls of this kind go wrong.
    Fault(&'static str, &'static str, Effect, u32),
    /// Time passes; a little of it may be taken back.
    Minutes(i64),
    Tasks,
}

fn arb_effect() -> impl Strategy<Value = Effect> {
    prop_oneof![
        3 => Just(Effect::LostAnswer),
        2 => Just(Effect::Cut),
        2 => Just(Effect::CutMidAnswer),
        1 => Just(Effect::TruncatedJson),
        1 => Just(Effect::HtmlPage { status: 503 }),
        1 => Just(Effect::Status { status: 500, headers: vec![], body: String::new() }),
        1 => Just(Effect::Status { status: 400, headers: vec![], body: String::new() }),
        1 => Just(Effect::RateLimit { problem: LimitProblem::Minute, retry_after: Some(20) }),
        2 => Just(Effect::OnlyFirst { count: 1 }),
        2 => (1_u64..14).prop_map(|minutes| Effect::AppliedLater { millis: minutes * 60_000 }),
    ]
}

fn arb_deed() -> impl Strategy<Value = Deed> {
    let written = prop_oneof![Just("/Payments"), Just("/BankTransactions"), Just("/Invoices")];
    prop_oneof![
        3 => (1_usize..4).prop_map(Deed::Night),
        2 => (1_usize..60, any::<bool>()).prop_map(|(call, after)| Deed::Killed(call, after)),
        4 => (written, arb_effect(), 1_u32..5)
            .prop_map(|(path, effect, times)| Deed::Fault("PUT", path, effect, times)),
        1 => Just(Deed::Fault("GET", "/", Effect::Cut, 1)),
        2 => (-2_i64..40).prop_map(Deed::Minutes),
        1 => Just(Deed::Minutes(13 * 60)),
        2 => Just(Deed::Tasks),
    ]
}

/// Seven payments that become eleven objects in Xero, three in a night, and two invoices of the provider.
async fn busy() -> World {
    let world = World::new().await;
    world.provider(&["processing"]).await;
    world.change(|uploading| (uploading.nightly_max, uploading.bundle_max) = (3, 3)).await;
    world.provider_invoice("F-1", &[("processing", 80_00)]).await;
    world.provider_invoice("F-2", &[("processing", 70_00)]).await;
    let split = world.customer("split").await;
    world.invoice(split, "CM-1", 100_00, march(1));
    world.invoice(split, "INV-2", 50_00, march(1));
    world.pay(bpay("P-1", "split", 180_00, march(1))).await;
    world.pay(bpay("P-2", "split", 20_00, march(2))).await;
    for n in 3..=6 {
        let contact = world.customer(&format!("K-{n}")).await;
        world.invoice(contact, &format!("CM-{n}"), 100_00, march(1));
        // Part payments: nothing but our own care keeps them from being there twice.
        world.pay(bpay(&format!("P-{n}"), &format!("K-{n}"), n * 10_00, march(1))).await;
    }
    let online = world.customer("online").await;
    world.invoice(online, "CM-8", 80_00, march(1));
    world.pay(pay_now("P-8", "8", 40_00)).await;
    world
}

async fn run(world: &World, at: jiff::Timestamp, times: usize) {
    let runs = (0..times).map(|_| world.invoke(json!({"scheduled_time": at})));
    futures_util::future::join_all(runs).await;
}

/// The most recent ten in the evening.
fn last_evening(world: &World) -> jiff::Timestamp {
    let mut at = evening();
    while at + SignedDuration::from_hours(24) <= world.now() {
        at += SignedDuration::from_hours(24);
    }
    at
}

async fn deed(world: &World, deed: &Deed) {
    let at = last_evening(world);
    match deed {
        Deed::Night(times) => run(world, at, *times).await,
        Deed::Killed(call, after) => {
            let moment = if *after { Moment::After } else { Moment::Before };
            let crash_point = CrashPoint::at(*call, moment);
            world.end_with(&crash_point);
            crash_point.run(run(world, at, 1)).await;
            world.end_with(&CrashPoint::counting());
        }
        Deed::Fault(method, path, effect, times) => {
            world.simulator.inject(Fault::on(method, path, effect.clone()).times(*times));
        }
        Deed::Minutes(minutes) => world.clock.advance(SignedDuration::from_mins(*minutes)),
        Deed::Tasks => drop(world.work_off_tasks().await),
    }
}

/// Everything works again, for a week of nights.
async fn heal(world: &World) {
    world.simulator.clear_faults();
    world.work_off_tasks().await;
    for _ in 0..7 {
        let next = last_evening(world) + SignedDuration::from_hours(24);
        world.clock.set(next);
        run(world, next, 1).await;
        world.work_off_tasks().await;
        world.check().await;
    }
}

#[test]
fn law_every_payment_is_in_xero_once() {
    // `PROPTEST_CASES` raises the number of stories that are tried.
    let usual = Config::default();
    let cases = if usual.cases == 256 { CASES } else { usual.cases };
    let config = Config { cases, failure_persistence: None, ..usual };
    let deeds = prop::collection::vec(arb_deed(), 1..10);
    let law = |deeds: Vec<Deed>| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = busy().await;
            for each in &deeds {
                deed(&world, each).await;
                world.check().await;
            }
            heal(&world).await;
            let mut in_xero = world.in_xero();
            for row in world.ledger().await {
                assert_eq!(row.state.code(), "uploaded", "{}: {}", row.receipt.id, row.why);
                // In how many parts depends on what was open at the time.
                let parts = row.parts.iter().filter_map(|part| in_xero.remove(&part.stamp));
                assert_eq!(parts.sum::<Decimal>(), row.receipt.amount.amount());
            }
            assert!(in_xero.is_empty(), "{in_xero:?}");
        });
        Ok(())
    };
    TestRunner::new(config).run(&deeds, law).unwrap();
}
