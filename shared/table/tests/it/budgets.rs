//! The count of calls, by many at once and with faults in between (X-09, N7).

use harness::Do;
use jiff::{SignedDuration, Timestamp};
use payments::OrganisationId;
use payments::Settings;
use payments::budget::{
    Budget, CallBudget, CallPermit, DAY_MAX, Denied, Exhausted, MINUTE_MAX, Purpose, Wait, Word,
};
use proptest::prelude::*;

use crate::round_trips::law;
use crate::samples::{now, organisation, settings};
use crate::world::World;

fn exhausted(denied: &Denied) -> Option<Exhausted> {
    match denied {
        Denied::Wait(wait) => Some(wait.exhausted),
        Denied::Unknown(_) => None,
    }
}

/// This call of its kind goes wrong.
fn fail(world: &World, operation: &'static str, nth: usize, fate: Do) {
    world.proxy.plan(move |call| {
        let it = call.operation == operation && call.of_its_kind == nth;
        if it { fate.clone() } else { Do::Pass }
    });
}

#[tokio::test]
async fn of_fifty_who_ask_at_once_five_may_call() {
    // FAULT-22
    let world = World::new().await;
    let budgets = world.tables.budgets();
    let asked: Vec<_> = (0..50)
        .map(|_| {
            let budgets = budgets.clone();
            tokio::spawn(async move { budgets.enter(organisation(), Purpose::Live, now()).await })
        })
        .collect();
    let (mut passes, mut denied) = (Vec::new(), Vec::new());
    for asked in asked {
        match asked.await.unwrap() {
            Ok(pass) => passes.push(pass),
            Err(error) => denied.push(error),
        }
    }
    assert_eq!((passes.len(), denied.len()), (5, 45));
    // All fifty want a row of the app's minute first: one that loses too many races for it comes again as well.
    let comes_again =
        |denied| matches!(exhausted(denied), Some(Exhausted::Concurrent | Exhausted::AppMinute));
    assert!(denied.iter().all(comes_again), "{denied:?}");
    let numbers: std::collections::BTreeSet<_> = passes.iter().map(|pass| pass.number).collect();
    assert_eq!(numbers.len(), 5, "each has a pass of its own");

    for pass in passes {
        budgets.leave(pass, Word::default(), now()).await;
    }
    let budget = world.tables.budget(organisation()).await.unwrap();
    assert_eq!((budget.open.len(), budget.in_minute()), (0, 5));
}

#[tokio::test]
async fn the_calls_of_all_processes_count_together() {
    // Two processes know nothing of each other but the row.
    let world = World::new().await;
    let processes = [world.tables.budgets(), world.tables.budgets()];
    for n in 0..MINUTE_MAX {
        let pass = processes[n % 2].enter(organisation(), Purpose::Live, now()).await.unwrap();
        processes[n % 2].leave(pass, Word::default(), now()).await;
    }
    let denied = processes[0].enter(organisation(), Purpose::Live, now()).await.unwrap_err();
    assert_eq!(exhausted(&denied), Some(Exhausted::Minute));
    // Another organisation has a minute of its own.
    let other = OrganisationId::new(uuid::Uuid::from_u128(7));
    processes[0].enter(other, Purpose::Live, now()).await.unwrap();
    let rows = world.rows("budgets").await;
    let of_organisations = rows.iter().filter(|row| !row["organisation"].starts_with("app"));
    assert_eq!(of_organisations.count(), 2, "the others are the app's");
}

#[tokio::test]
async fn without_its_count_nobody_calls() {
    // FAULT-22: fails closed toward Xero.
    let world = World::new().await;
    let budgets = world.tables.budgets();
    fail(&world, "PutItem budgets", 1, Do::Refuse("InternalServerError"));
    let denied = budgets.enter(organisation(), Purpose::Live, now()).await.unwrap_err();
    assert!(matches!(denied, Denied::Unknown(_)), "{denied:?}");
    world.proxy.heal();
    fail(&world, "GetItem budgets", 1, Do::Refuse("InternalServerError"));
    let denied = budgets.enter(organisation(), Purpose::Live, now()).await.unwrap_err();
    assert!(matches!(denied, Denied::Unknown(_)), "{denied:?}");
}

#[tokio::test]
async fn a_call_whose_counting_has_no_answer_counts_and_is_not_made() {
    // FAULT-19. The first write is the grant of the app's minute.
    let world = World::new().await;
    fail(&world, "PutItem budgets", 2, Do::LoseAnswer);
    let denied =
        world.tables.budgets().enter(organisation(), Purpose::Live, now()).await.unwrap_err();
    assert!(matches!(denied, Denied::Unknown(_)), "{denied:?}");
    assert_eq!(world.tables.budget(organisation()).await.unwrap().open.len(), 1);
}

#[tokio::test]
async fn an_end_that_is_not_counted_leaves_the_call_open_for_a_while() {
    let world = World::new().await;
    let budgets = world.tables.budgets();
    let pass = budgets.enter(organisation(), Purpose::Live, now()).await.unwrap();
    fail(&world, "PutItem budgets", 1, Do::Refuse("InternalServerError"));
    budgets.leave(pass, Word::default(), now()).await;
    assert_eq!(world.tables.budget(organisation()).await.unwrap().open.len(), 1);
}

#[tokio::test]
async fn the_day_is_as_long_as_the_organisations_setting_says() {
    // 1,000 on the free tier; here ten, of which two are for live events.
    let world = World::new().await;
    let few = Settings { calls_per_day: 10, ..settings() };
    world.tables.store_settings(&few).await.unwrap();
    let budgets = world.tables.budgets();
    for _ in 0..8 {
        let pass = budgets.enter(organisation(), Purpose::Sweep, now()).await.unwrap();
        budgets.leave(pass, Word::default(), now()).await;
    }
    let denied = budgets.enter(organisation(), Purpose::Sweep, now()).await.unwrap_err();
    assert_eq!(exhausted(&denied), Some(Exhausted::Day));
    budgets.enter(organisation(), Purpose::Live, now()).await.unwrap();
}

#[derive(Clone, Debug)]
enum Step {
    Later(i64),
    Enter(Purpose),
    Leave(usize, Word),
}

fn arb_word() -> impl Strategy<Value = Word> {
    let left = || prop::option::of(0_u32..70);
    let seconds = prop::option::of((0_i64..90_000).prop_map(SignedDuration::from_secs));
    let turned_away = (prop::sample::select(Exhausted::ALL), seconds);
    (left(), left(), left(), prop::option::weighted(0.1, turned_away), 0_u64..1 << 40).prop_map(
        |(day_left, minute_left, app_minute_left, turned_away, bytes)| Word {
            day_left,
            minute_left,
            app_minute_left,
            turned_away,
            bytes,
        },
    )
}

#[test]
fn law_a_budget_is_kept_as_it_is() {
    let step = prop_oneof![
        2 => (0_i64..100_000).prop_map(Step::Later),
        5 => prop::sample::select(Purpose::ALL).prop_map(Step::Enter),
        4 => (0_usize..5, arb_word()).prop_map(|(nth, word)| Step::Leave(nth, word)),
    ];
    law(48, prop::collection::vec(step, 1..30), async |world, organisation, steps| {
        let budgets = world.tables.budgets();
        let mut expected = Budget::unused(organisation);
        let mut open: Vec<CallPermit> = Vec::new();
        // The row holds whole milliseconds.
        let mut at = Timestamp::from_millisecond(now().as_millisecond()).unwrap();
        for step in steps {
            match step {
                Step::Later(millis) => at += SignedDuration::from_millis(millis),
                Step::Enter(purpose) => {
                    let pure = expected.enter(purpose, DAY_MAX, at).map(|(after, _)| after);
                    match (budgets.enter(organisation, purpose, at).await, pure) {
                        (Ok(pass), Ok(after)) => {
                            open.push(pass);
                            expected = Budget { revision: expected.revision + 1, ..after };
                        }
                        (Err(Denied::Wait(wait)), Err(pure)) => assert_eq!(wait, pure),
                        (stored, pure) => panic!("{stored:?} {pure:?}"),
                    }
                }
                Step::Leave(nth, word) if nth < open.len() => {
                    let pass = open.remove(nth);
                    budgets.leave(pass, word, at).await;
                    let after = expected.leave(pass, word, at);
                    expected = Budget { revision: expected.revision + 1, ..after };
                }
                Step::Leave(..) => {}
            }
            let stored = world.tables.budget(organisation).await.unwrap();
            // The share of the app's minute is the store's business.
            expected.grant = stored.grant;
            assert_eq!(stored, expected);
        }
    });
}

#[tokio::test]
async fn the_apps_calls_are_counted_in_parts_each_in_a_row_of_its_own() {
    let world = World::new().await;
    let budgets = world.tables.budgets();
    let organisations: Vec<_> =
        (1..=16).map(|n| OrganisationId::new(uuid::Uuid::from_u128(n))).collect();
    for organisation in &organisations {
        let pass = budgets.enter(*organisation, Purpose::Live, now()).await.unwrap();
        budgets.leave(pass, Word::default(), now()).await;
        let budget = world.tables.budget(*organisation).await.unwrap();
        assert_eq!(budget.grant.unwrap().left, 0, "no more than it needed");
    }
    let rows = world.rows("budgets").await;
    let of_app = rows.iter().filter(|row| row["organisation"].starts_with("app"));
    let writes: Vec<u64> =
        of_app.map(|row| row["revision"].trim_start_matches('#').parse().unwrap()).collect();
    assert_eq!(
        writes.iter().sum::<u64>(),
        16,
        "one for each call of an organisation that calls now and then"
    );
    assert!(writes.len() >= 6, "{writes:?}");
}

#[test]
fn a_wait_says_what_is_used_up_and_until_when() {
    let wait = Wait { exhausted: Exhausted::Day, until: now() };
    assert!(wait.to_string().contains("day is used up until 20"), "{wait}");
}
