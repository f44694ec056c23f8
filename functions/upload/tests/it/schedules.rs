//! When a night begins: in its time, later if it was missed, and never twice.

use jiff::SignedDuration;
use serde_json::json;
use xero_simulator::{Effect, Fault};

use crate::world::{World, evening};

#[tokio::test]
async fn a_time_in_the_future_or_long_past_runs_no_night() {
    let world = World::new().await;
    world.bpay_payments(1).await;
    for hours in [1, -25] {
        let night = world.night(evening() + SignedDuration::from_hours(hours)).await;
        assert_eq!(night["outcome"], "not_now", "{night}");
    }
    assert!(world.in_xero().is_empty());
    // A schedule that comes late still runs its own night.
    world.clock.advance(SignedDuration::from_hours(12));
    let night = world.night(evening()).await;
    assert_eq!((&night["night"], &night["outcome"]), (&json!("2026-03-02"), &json!("finished")));
}

#[tokio::test]
async fn a_night_that_was_missed_is_caught_up_with_once() {
    let world = World::new().await;
    world.bpay_payments(1).await;
    world.clock.advance(SignedDuration::from_hours(-1));
    let early = world.invoke(json!({"catch_up": true})).await.unwrap();
    assert_eq!(early["nights"], json!([]), "it is nine in the evening, and due at ten");

    world.clock.advance(SignedDuration::from_hours(2));
    let answer = world.invoke(json!({"catch_up": true})).await.unwrap();
    assert_eq!(answer["nights"][0]["night"], "2026-03-02");
    assert_eq!(world.in_xero().len(), 1);
    let again = world.invoke(json!({"catch_up": true})).await.unwrap();
    assert_eq!(again["nights"], json!([]));
}

#[tokio::test]
async fn a_night_that_fails_is_known_until_the_next_good_one() {
    // AMB-36, A7.3
    let world = World::new().await;
    world.bpay_payments(1).await;
    let failed = async || {
        let row = world.tables.connection(world.organisation()).await.unwrap();
        let runs = row.map(|row| row.failed_runs).unwrap_or_default();
        runs.iter().map(|run| format!("{} {}", run.work, run.class)).collect::<Vec<_>>()
    };
    let refused = |method, path| {
        let effect = Effect::Status { status: 403, headers: vec![], body: String::new() };
        world.simulator.inject(Fault::on(method, path, effect));
    };
    // The run ends in good order and is tried again every hour; all the same nothing went up.
    refused("PUT", "/Payments");
    let _ = world.invoke(json!({"scheduled_time": evening()})).await;
    assert_eq!(failed().await, ["night Authentication"]);
    world.simulator.clear_faults();
    world.night(evening()).await;
    assert_eq!(failed().await, [""; 0]);

    refused("GET", "/Invoices");
    world.bpay_payments_named("B", 1).await;
    let next = evening() + SignedDuration::from_hours(24);
    world.clock.set(next);
    let _ = world.invoke(json!({"scheduled_time": next})).await;
    assert_eq!(failed().await, ["night Authentication"]);
}
