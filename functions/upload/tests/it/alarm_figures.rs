//! The figures of alarms: nights that are overdue, and payments of unknown fate (EX-31, N5).

use harness::log_capture;
use jiff::SignedDuration;
use serde_json::{Value, json};
use xero_simulator::{Effect, Fault};

use crate::world::{World, evening};

/// What the hourly look says in its one line.
async fn look(world: &World) -> Value {
    log_capture::start();
    let _ = world.invoke(json!({"catch_up": true})).await;
    let heard = log_capture::take();
    let line = heard.lines().rfind(|line| line.contains("upload done")).unwrap();
    serde_json::from_str::<Value>(line).unwrap()["fields"].clone()
}

#[tokio::test]
async fn the_hourly_look_counts_what_is_unknown_too_long_and_nights_that_are_overdue() {
    let world = World::new().await;
    world.bpay_payments(3).await;
    world.simulator.inject(Fault::on("PUT", "/Payments", Effect::Cut).times(3));
    world.night(evening()).await;
    let gone = Effect::HtmlPage { status: 503 };
    world.simulator.inject(Fault::on("GET", "/Payments", gone).times(100));

    // Within the hour it settles by itself, if it can.
    world.clock.set(evening() + SignedDuration::from_mins(59));
    let said = look(&world).await;
    assert_eq!(
        (&said["payments.unknown_too_long"], &said["nights.overdue"]),
        (&json!(0), &json!(0))
    );
    world.clock.set(evening() + SignedDuration::from_mins(62));
    let said = look(&world).await;
    assert_eq!(
        (&said["payments.unknown_too_long"], &said["nights.overdue"]),
        (&json!(3), &json!(0))
    );
    world.clock.set(evening() + SignedDuration::from_mins(122));
    let said = look(&world).await;
    assert_eq!(
        (&said["payments.unknown_too_long"], &said["nights.overdue"]),
        (&json!(3), &json!(1))
    );

    world.simulator.clear_faults();
    world.clock.advance(SignedDuration::from_hours(1));
    look(&world).await;
    world.work_off_tasks().await;
    let said = look(&world).await;
    assert_eq!(
        (&said["payments.unknown_too_long"], &said["nights.overdue"]),
        (&json!(0), &json!(0))
    );
    // A run that does not look says nothing of it.
    log_capture::start();
    world.night(evening() + SignedDuration::from_hours(24)).await;
    assert!(!log_capture::take().contains("unknown_too_long"));
}
