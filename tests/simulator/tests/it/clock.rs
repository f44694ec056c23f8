//! The clock as a control.

use jiff::SignedDuration;
use reqwest::Method;
use xero_simulator::{AdvancingClock, Effect, Fault};

use crate::bench::{Bench, START, millis};

#[tokio::test]
async fn an_advancing_clock_is_put_forward_and_goes_on() {
    let mut handle = None;
    let bench = Bench::with(|options| {
        let clock = AdvancingClock::over(options.clock.clone());
        handle = Some(clock.clone());
        options.advancing_clock = Some(clock);
    })
    .await;
    let handle = handle.unwrap();

    let advanced = bench.control(Method::POST, "/clock", r#"{"advance_seconds":3600}"#).await;
    bench.clock.advance(SignedDuration::from_secs(5));
    let shown = bench.control(Method::GET, "/clock", "").await.json();

    assert_eq!(advanced.status, 200, "{}", advanced.text);
    assert_eq!(advanced.json()["now"], "2026-10-05T04:41:22.518Z");
    assert_eq!(shown["now"], "2026-10-05T04:41:27.518Z", "it goes on as the other one does");
    assert_eq!(shown["can_be_advanced"], true);
    assert_eq!(handle.now(), bench.simulator.now(), "who shares the clock sees the same time");
    assert_eq!(handle.ahead(), SignedDuration::from_hours(1));
    assert!(bench.simulator.advance_clock(SignedDuration::from_secs(-1)).is_err());
    assert_eq!(bench.get("/Organisation").await.status, 401, "a token has run out meanwhile");
}

#[tokio::test]
async fn what_is_due_is_done_when_the_clock_is_advanced() {
    let bench = Bench::with(|options| {
        options.advancing_clock = Some(AdvancingClock::over(options.clock.clone()));
    })
    .await;
    let invoice = bench.invoice("INV-0001", "10.00");
    let effect = Effect::AppliedLater { millis: 60_000 };
    bench.simulator.inject(Fault::on("PUT", "/Payments", effect).times(1));
    let body = bench.payment_json(invoice, "2.00");
    assert!(bench.write(Method::PUT, "/Payments", &body).send().await.is_err());

    let waiting = bench.control(Method::GET, "/clock", "").await.json();
    bench.simulator.advance_clock(SignedDuration::from_hours(20)).unwrap();

    assert_eq!(waiting["postponed"], 1);
    assert_eq!(bench.simulator.postponed(), 0);
    let updated = bench.simulator.invoice(invoice).unwrap().updated;
    assert_eq!(updated.as_millisecond(), millis(START) + 60_000);
}

#[tokio::test]
async fn any_other_clock_is_not_for_the_controls() {
    let bench = Bench::start().await;

    let refused = bench.control(Method::POST, "/clock", r#"{"advance_seconds":1}"#).await;

    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("cannot be advanced"), "{}", refused.text);
    assert_eq!(bench.simulator.now().as_millisecond(), millis(START));
    assert!(!bench.simulator.clock_can_be_advanced());
}
