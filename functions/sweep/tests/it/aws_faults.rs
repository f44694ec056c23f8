//! Failures: nothing moves that should not, and nothing is lost.

use harness::Do;
use jiff::SignedDuration;
use payments::sweep::SyncState;
use serde_json::json;
use xero_simulator::{Effect, Fault, LimitProblem};

use crate::world::{HALF_AN_HOUR, World};

#[tokio::test]
async fn a_failed_read_moves_nothing() {
    // AMB-07, CC-14
    let world = World::new().await;
    world.sweep().await;
    let before = world.state().await;
    let invoice = world.both("1").await;
    world.take_queue();
    for effect in [
        Effect::Status { status: 503, headers: Vec::new(), body: String::new() },
        Effect::Status { status: 403, headers: Vec::new(), body: String::new() },
        Effect::TruncatedJson,
        Effect::HtmlPage { status: 200 },
        Effect::Cut,
    ] {
        world.clock.advance(HALF_AN_HOUR);
        world.simulator.inject(Fault::on("GET", "/Invoices", effect.clone()).times(1));

        let failed = world.invoke(json!({"scheduled_time": world.now()})).await;

        assert!(failed.unwrap_err().contains("1 of 1 sweeps failed"), "{effect:?}");
        let after = world.state().await;
        assert_eq!((after.cursor, after.progress), (before.cursor, None), "{effect:?}");
        assert_eq!(after.last_success_at, before.last_success_at, "{effect:?}");
        assert_eq!(after.last_attempt, Some(SyncState::Failed));
        assert_eq!(after.last_attempt_at, Some(world.now()));
        assert!(world.take_queued().is_empty(), "{effect:?}");
        assert!(world.last_run().await.contains_key("failed_in"));
        world.simulator.clear_faults();
    }
    world.clock.advance(HALF_AN_HOUR);
    world.sweep().await;
    assert_eq!(world.take_queued(), [invoice]);
}

#[tokio::test]
async fn a_call_limit_stops_a_run_which_the_next_one_goes_on_with() {
    let world = World::new().await;
    let invoice = world.both("1").await;
    let limit = Effect::RateLimit { problem: LimitProblem::Minute, retry_after: Some(20) };
    world.simulator.inject(Fault::on("GET", "/Payments", limit).times(1));
    let begun = world.now();

    let answer = world.sweep().await;

    assert_eq!(answer["outcome"], "stopped", "{answer}");
    assert_eq!(answer["run"]["errors"], json!({"Limit": 1}));
    assert_eq!(world.take_queued(), [invoice], "what was read is on the queue");
    let state = world.state().await;
    assert_eq!((state.cursor, state.last_success_at), (None, None));
    world.clock.advance(HALF_AN_HOUR);
    world.calls();

    assert_eq!(world.sweep().await["outcome"], "finished");

    assert_eq!(world.calls(), 1, "it goes on with the payments");
    let state = world.state().await;
    assert_eq!(state.cursor, Some(begun), "the read began then, and not when it went on");
    assert_eq!(state.progress, None);
}

#[tokio::test]
async fn nothing_is_begun_shortly_before_the_end_of_the_invocation() {
    let world = World::new().await;
    let soon = world.now() + SignedDuration::from_secs(39);
    let event = json!({"scheduled_time": world.now()});
    let answer = world.invoke_until(event, soon).await.unwrap();
    assert_eq!(answer["sweeps"][0]["outcome"], "stopped");
    assert_eq!(world.calls(), 0);
    assert_eq!(world.state().await.lease_until, None, "the next one may begin at once");
}

#[tokio::test]
async fn what_the_queue_did_not_take_is_sent_again_and_the_cursor_waits() {
    let world = World::new().await;
    let invoice = world.both("1").await;
    world.line.recorded.fail_next();
    assert!(world.invoke(json!({"scheduled_time": world.now()})).await.is_err());
    assert_eq!(world.state().await.cursor, None);
    assert!(world.last_run().await["errors"].contains("Queue"));
    world.sweep().await;
    assert_eq!(world.take_queued(), [invoice]);
}

#[tokio::test]
async fn two_sweeps_at_once_are_one() {
    let world = World::new().await;
    let invoice = world.both("1").await;
    let event = json!({"scheduled_time": world.now()});
    let (one, other) = tokio::join!(world.invoke(event.clone()), world.invoke(event));
    let outcomes = [one, other].map(|answer| answer.unwrap()["sweeps"][0]["outcome"].clone());
    assert!(outcomes.contains(&json!("finished")), "{outcomes:?}");
    assert!(outcomes.contains(&json!("another_run_is_at_it")), "{outcomes:?}");
    assert_eq!(world.take_queued(), [invoice]);
    assert_eq!(world.calls(), 2);
}

#[tokio::test]
async fn a_run_that_was_overtaken_ends_without_a_word_of_its_own() {
    let world = World::new().await;
    world.both("1").await;
    // The row changes hands between its first page and its second one.
    world.proxy.plan(|call| match (call.operation.as_str(), call.of_its_kind) {
        ("TransactWriteItems", 2) => Do::Cancel(&["ConditionalCheckFailed", "None"]),
        _ => Do::Pass,
    });
    let failed = world.invoke(json!({"scheduled_time": world.now()})).await.unwrap_err();
    assert!(failed.contains("another run has taken over"), "{failed}");
    assert_eq!(world.state().await.cursor, None);
}

#[tokio::test]
async fn of_several_organisations_one_that_fails_does_not_stop_the_others() {
    let world = World::new().await;
    let other = world.simulator.add_organisation(xero_simulator::NewOrganisation::default());
    let other = payments::OrganisationId::new(other.unwrap());
    world.settings(|settings| settings.organisation = other).await;
    let cut = Fault::on("GET", "/Invoices", Effect::Cut).times(1);
    world.simulator.inject(cut);
    let failed = world.invoke(json!({"scheduled_time": world.now()})).await.unwrap_err();
    assert!(failed.contains("1 of 2 sweeps failed"), "{failed}");
    let runs = world.rows("sync_runs").await;
    let mut states: Vec<_> = runs.iter().map(|run| run["state"].as_str()).collect();
    states.sort_unstable();
    assert_eq!(states, ["failed", "finished"]);
}
