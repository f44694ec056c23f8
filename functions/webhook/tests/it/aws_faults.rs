//! When something of ours fails: never 200, never 401 (N1, N2; FAULT-06 and FAULT-08).

use std::time::{Duration, Instant};

use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use host::metrics::Metrics;
use host::secrets::SecretError;
use jiff::Timestamp;
use queue::{Changes, Message, SendError};
use webhook::{ANSWER_WITHIN, Keys, Webhook};
use xero::WebhookKeys;

use crate::world::{
    CHECK, CHECK_SIGNATURE, FixedKeys, KEY, TWO_EVENTS, World, delivery, event, now, request,
    signed,
};

#[tokio::test]
async fn row6_the_queue_fails_and_then_the_delivery_comes_again() {
    let world = World::default();
    world.changes.fail_next();
    world.assert_refused(&signed(TWO_EVENTS), 503).await;
    assert_eq!(world.accept(&signed(TWO_EVENTS)).await.len(), 1);
}

#[tokio::test]
async fn row6_every_message_must_be_confirmed() {
    let events: Vec<String> =
        (1..=5).map(|n| event(n, "INVOICE", n, "2026-10-05T03:41:22")).collect();
    let request = signed(&delivery(&events));
    for confirmed in 0..5 {
        let world = World::default();
        world.changes.accept_next(confirmed);
        assert_eq!(world.status(&request).await, 503);
        // The accepted messages stay, and come once more: duplicates, no loss.
        assert_eq!(world.changes.sent().len(), confirmed);
        assert_eq!(world.status(&request).await, 200);
        assert_eq!(world.changes.sent().len(), confirmed + 5);
    }
}

#[tokio::test]
async fn row6_what_is_kept_must_be_confirmed_as_well() {
    let world = World::default();
    world.changes.fail_always();
    world.assert_refused(&signed("no JSON"), 503).await;
    world.assert_refused(&signed(&delivery(&[event(1, "JOURNAL", 1, "")])), 503).await;
    // A wrong signature is wrong with or without a queue; and the check needs none.
    world.assert_refused(&request(TWO_EVENTS, Some(CHECK_SIGNATURE)), 401).await;
    assert_eq!(world.accept(&signed(CHECK)).await, []);
    world.changes.recover();
    assert_eq!(world.accept(&signed("no JSON")).await.len(), 1);
}

/// Keys that cannot be had now, or not again.
struct NoKeys {
    current: bool,
}

impl Keys for NoKeys {
    async fn current(&self, now: Timestamp) -> Result<WebhookKeys, SecretError> {
        if self.current { FixedKeys(vec![KEY]).current(now).await } else { Err(unavailable()) }
    }

    async fn renewed(&self, _: Timestamp) -> Result<Option<WebhookKeys>, SecretError> {
        Err(unavailable())
    }
}

fn unavailable() -> SecretError {
    SecretError::Unavailable { id: "arn".to_owned(), problem: "down".to_owned() }
}

#[tokio::test]
async fn n2_without_keys_nobody_can_say_that_a_signature_is_wrong() {
    let world = World::default();
    for signature in [CHECK_SIGNATURE, "wrong"] {
        let request = request(CHECK, Some(signature));
        for keys in [FixedKeys(vec![]), FixedKeys(vec![""]), FixedKeys(vec![" ", ""])] {
            assert_eq!(world.post_with(keys, &request).await.status_code, 503);
        }
        let keys = NoKeys { current: false };
        assert_eq!(world.post_with(keys, &request).await.status_code, 503);
    }
    // No signature at all is wrong under any key.
    let keys = NoKeys { current: false };
    assert_eq!(world.post_with(keys, &request(CHECK, None)).await.status_code, 401);
    // The keys may have been replaced, and it cannot be found out.
    let wrong = request(CHECK, Some("wrong"));
    assert_eq!(world.post_with(NoKeys { current: true }, &wrong).await.status_code, 503);
    let right = request(CHECK, Some(CHECK_SIGNATURE));
    assert_eq!(world.post_with(NoKeys { current: true }, &right).await.status_code, 200);
}

#[tokio::test]
async fn n2_a_body_that_the_front_door_has_spoilt_is_no_wrong_signature() {
    let mut spoilt = request("no base64!", Some(CHECK_SIGNATURE));
    spoilt.is_base64_encoded = true;
    World::default().assert_refused(&spoilt, 503).await;
}

/// A queue that takes its time.
struct SlowQueue(Duration);

impl Changes for SlowQueue {
    async fn send(&self, _: &[Message], _: Duration) -> Result<(), SendError> {
        tokio::time::sleep(self.0).await;
        Ok(())
    }
}

#[tokio::test]
async fn row8_what_takes_too_long_is_503_before_xero_stops_waiting() {
    assert!(ANSWER_WITHIN < Duration::from_secs(5));
    let webhook =
        Webhook::new(FixedKeys(vec![KEY]), SlowQueue(Duration::from_secs(6)), Metrics::off())
            .answering_within(Duration::from_millis(50));
    let started = Instant::now();
    assert_eq!(webhook.handle(&signed(TWO_EVENTS), now()).await.status_code, 503);
    assert!(started.elapsed() < Duration::from_secs(4));
    assert_eq!(webhook.handle(&signed(CHECK), now()).await.status_code, 200);
}

#[test]
fn the_local_stack_can_answer_many_requests_at_once() {
    fn is_send<T: Send>(_: T) {}
    fn check(webhook: &Webhook, request: &LambdaFunctionUrlRequest) {
        is_send(webhook.handle(request, now()));
    }
    // It compiles.
    let _ = check;
}
