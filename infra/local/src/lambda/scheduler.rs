//! What EventBridge Scheduler does for `upload`: calls it by the clock on the wall.

use std::time::Duration;

use axum::body::Bytes;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval_at},
};

use super::{Function, Host};

/// How often a missing night is looked for, as in the template. The night's own schedule is not
/// imitated: an hour later the night that is due is run all the same.
const EVERY: Duration = Duration::from_secs(60 * 60);
const CATCH_UP: &[u8] = br#"{"catch_up":true}"#;

/// Calls `upload` every hour, for the first time after an hour, until `stop` holds true; a call
/// that was begun is finished.
pub(super) async fn run(host: Host, stop: watch::Receiver<bool>) {
    every(EVERY, host, stop).await;
}

async fn every(pause: Duration, host: Host, mut stop: watch::Receiver<bool>) {
    let mut hours = interval_at(Instant::now() + pause, pause);
    // A machine that slept does not catch up on hours.
    hours.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = hours.tick() => {}
            _ = stop.wait_for(|&stop| stop) => return,
        }
        match host.invoke(Function::Upload, Bytes::from_static(CATCH_UP)).await {
            Ok(answer) => {
                let answer = String::from_utf8_lossy(&answer);
                tracing::info!(%answer, "the schedule called upload for nights that are due");
            }
            Err(failure) => {
                let error = failure.error_message;
                tracing::error!(error, "the schedule called upload, which failed");
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
    async fn upload_is_asked_again_and_again_even_after_a_failure_until_it_is_to_stop() {
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

        let scheduler = tokio::spawn(every(Duration::from_millis(5), host, stopping));
        while calls.lock().expect("no panic here").len() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.send(true).expect("it listens");
        scheduler.await.expect("it ends");

        let calls = calls.lock().expect("no panic here").clone();
        let expected = (Function::Upload, serde_json::json!({ "catch_up": true }));
        assert!(calls.iter().all(|call| *call == expected), "{calls:?}");
    }
}
