use std::time::{Duration, Instant};

use jiff::SignedDuration;
use reqwest::Method;
use xero_simulator::{Effect, Fault, Limits};

use crate::bench::{Bench, read};

#[tokio::test]
async fn the_sixty_first_call_in_a_minute_is_turned_away() {
    let bench = Bench::start().await;
    for left in (0..60).rev() {
        let answer = bench.get("/Organisation").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("x-minlimit-remaining"), Some(left.to_string().as_str()));
    }
    bench.clock.advance(SignedDuration::from_millis(20_500));

    let turned = bench.get("/Organisation").await;
    bench.clock.advance(SignedDuration::from_secs(40));
    let later = bench.get("/Organisation").await;

    assert_eq!(turned.status, 429);
    assert_eq!(turned.header("x-rate-limit-problem"), Some("minute"));
    assert_eq!(turned.header("retry-after"), Some("40"));
    assert_eq!(turned.header("x-daylimit-remaining"), Some("4940"));
    assert_eq!(turned.header("x-appminlimit-remaining"), Some("9940"));
    assert_eq!((later.status, later.header("x-minlimit-remaining")), (200, Some("59")));
    let meter = bench.simulator.meter(bench.organisation);
    assert_eq!((meter.calls, meter.rejected, meter.calls_in_a_minute_max), (62, 1, 61));
    assert_eq!(meter.by_route["GET /Organisation"], 62);
}

#[tokio::test]
async fn only_five_calls_are_served_at_once() {
    let bench = Bench::start().await;
    bench.simulator.inject(Fault::on("GET", "/Organisation", Effect::LateAnswer { millis: 1_000 }));

    let calls: Vec<_> =
        (0..6).map(|_| tokio::spawn(bench.request(Method::GET, "/Organisation").send())).collect();
    let mut statuses = Vec::new();
    for call in calls {
        let answer = read(call.await.unwrap().unwrap()).await;
        if answer.status == 429 {
            assert_eq!(answer.header("x-rate-limit-problem"), Some("concurrent"));
            assert_eq!(answer.header("retry-after"), None);
        }
        statuses.push(answer.status);
    }
    statuses.sort_unstable();

    assert_eq!(statuses, [200, 200, 200, 200, 200, 429]);
    assert_eq!(bench.simulator.meter(bench.organisation).in_flight_max, 6);
}

#[tokio::test]
async fn limits_can_be_switched_off_and_meters_reset() {
    let bench = Bench::with(|options| options.limits = Limits::NONE).await;
    for _ in 0..100 {
        assert_eq!(bench.get("/Organisation").await.status, 200);
    }
    let meter = bench.simulator.meter(bench.organisation);
    assert_eq!(meter.calls_in_a_minute_max, 100);
    assert!(meter.bytes_sent > 10_000);

    bench.simulator.reset_meters();
    let answer = bench.get("/Organisation").await;

    assert_eq!(answer.header("x-minlimit-remaining"), None);
    assert_eq!(bench.simulator.meter(bench.organisation).calls, 1);
}

#[tokio::test]
async fn a_caller_who_hangs_up_gives_its_place_back() {
    let bench = Bench::start().await;
    bench.simulator.inject(Fault::on("GET", "/Organisation", Effect::Hang).times(5));
    for _ in 0..5 {
        let request = bench.request(Method::GET, "/Organisation");
        assert!(request.timeout(Duration::from_millis(50)).send().await.is_err());
    }

    // The server notices a moment later that the callers are gone.
    let started = Instant::now();
    while bench.get("/Organisation").await.status != 200 {
        assert!(started.elapsed() < Duration::from_secs(5), "the places are never given back");
    }
}
