//! What EventBridge Scheduler does for `upload` and `sweep`: calls them by the clock on the wall.

use std::time::Duration;

use axum::body::Bytes;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval_at},
};

use super::{Function, Host};
use crate::clock::LocalClock;

/// How often a missing night is looked for, as in the template. The night's own schedule is not
/// imitated: an hour later the night that is due is run all the same.
const CATCH_UP_EVERY: Duration = Duration::from_secs(60 * 60);
const CATCH_UP: &str = r#"{"catch_up":true,"fan_out":true}"#;
/// How often it is looked for what changed in Xero, as in the template. The night's full sweep is not
/// imitated.
const SWEEP_EVERY: Duration = Duration::from_secs(30 * 60);

/// Calls `upload` every hour, for the first time after an hour, until `stop` holds true; a call
/// that was begun is finished.
pub(super) async fn catch_up(host: Host, stop: watch::Receiver<bool>) {
    every(CATCH_UP_EVERY, host, Function::Upload, || CATCH_UP.to_owned(), stop).await;
}

/// Calls `sweep` every half hour in the same way.
pub(super) async fn sweep(host: Host, clock: LocalClock, stop: watch::Receiver<bool>) {
    let event = || format!(r#"{{"scheduled_time":"{}","fan_out":true}}"#, clock.now());
    every(SWEEP_EVERY, host, Function::Sweep, event, stop).await;
}

async fn every(
    pause: Duration,
    host: Host,
    function: Function,
    event: impl Fn() -> String,
    mut stop: watch::Receiver<bool>,
) {
    let mut ticks = interval_at(Instant::now() + pause, pause);
    // A machine that slept does not catch up.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let name = function.name();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|&stop| stop) => return,
        }
        match host.invoke(function, Bytes::from(event())).await {
            Ok(answer) => {
                let answer = String::from_utf8_lossy(&answer);
                tracing::info!(%answer, "the schedule called {name}");
            }
            Err(failure) => {
                let error = failure.error_message;
                tracing::error!(error, "the schedule called {name}, which failed");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use host::clock::Clock;
    use serde_json::Value;

    use super::*;
    use crate::lambda::{Call, Failure};

    #[tokio::test]
    async fn a_function_is_asked_again_and_again_even_after_a_failure_until_it_is_to_stop() {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&calls);
        let code = move |call: Call| {
            let event: Value = serde_json::from_slice(&call.event).expect("the event is JSON");
            seen.lock().expect("no panic here").push((call.function, event));
            async { Err(Failure::new("TestError", "on purpose")) }
        };
        let make = move || async move { Ok(code) };
        let (host, _worker) = Host::start(Clock::system(), make).await.expect("a host");
        let (stop, stopping) = watch::channel(false);

        let scheduler = tokio::spawn(every(
            Duration::from_millis(5),
            host,
            Function::Upload,
            || CATCH_UP.to_owned(),
            stopping,
        ));
        while calls.lock().expect("no panic here").len() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.send(true).expect("it listens");
        scheduler.await.expect("it ends");

        let calls = calls.lock().expect("no panic here").clone();
        let expected = (Function::Upload, serde_json::json!({ "catch_up": true, "fan_out": true }));
        assert!(calls.iter().all(|call| *call == expected), "{calls:?}");
    }
}
