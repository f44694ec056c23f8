//! Two keys at once, and keys that change while the function runs (FAULT-03).

use std::sync::Mutex;

use host::metrics::Metrics;
use host::secrets::{Secret, SecretError, SecretStore};
use jiff::SignedDuration;
use queue::fakes::RecordedChanges;
use secrecy::SecretString;
use webhook::{ActiveKeys, Webhook};

use crate::world::{CHECK, FixedKeys, World, now, request, sign};

#[derive(Debug, Default)]
struct Store {
    value: Mutex<String>,
    reads: Mutex<u32>,
}

impl Store {
    fn set(&self, keys: &[&str]) {
        *self.value.lock().unwrap() = serde_json::json!({ "webhook_keys": keys }).to_string();
    }
}

impl SecretStore for &Store {
    async fn read(&self, _: &str) -> Result<SecretString, SecretError> {
        *self.reads.lock().unwrap() += 1;
        Ok(SecretString::from(self.value.lock().unwrap().as_str()))
    }
}

#[tokio::test]
async fn row3_any_key_in_force_is_enough() {
    let world = World::default();
    for (key, status) in [("one", 200), ("two", 200), ("three", 401), ("", 401)] {
        let request = request(CHECK, Some(&sign(key, CHECK.as_bytes())));
        for keys in [vec!["one", "two"], vec!["two", "one"], vec!["one", "", "two"]] {
            let response = world.post_with(FixedKeys(keys), &request).await;
            assert_eq!(response.status_code, status, "{key}");
        }
    }
}

#[tokio::test]
async fn row3_no_valid_delivery_is_refused_while_keys_are_replaced() {
    let store = Store::default();
    let changes = RecordedChanges::new();
    let keys = ActiveKeys::Stored(Secret::stored(&store, "arn".to_owned()));
    let webhook = Webhook::new(keys, &changes, Metrics::off());
    let status = async |key: &str, second: i64| {
        let request = request(CHECK, Some(&sign(key, CHECK.as_bytes())));
        webhook.handle(&request, now() + SignedDuration::from_secs(second)).await.status_code
    };
    let reads = || *store.reads.lock().unwrap();

    // given: only the old key
    store.set(&["old"]);
    assert_eq!(status("old", 0).await, 200);

    // when: the new one is added; then: both hold, at once for the new one
    store.set(&["old", "new"]);
    assert_eq!(status("old", 100).await, 200);
    assert_eq!(status("new", 101).await, 200);
    assert_eq!(status("old", 102).await, 200);
    assert_eq!(reads(), 2);

    // when: the old one is taken away; then: it is refused when what was read is old
    store.set(&["new"]);
    assert_eq!(status("new", 103).await, 200);
    assert_eq!(status("new", 401).await, 200);
    assert_eq!(status("old", 402).await, 401);
    assert_eq!(reads(), 3);
}

#[tokio::test]
async fn row5_a_flood_of_forgeries_reads_the_secret_once_a_minute() {
    let store = Store::default();
    store.set(&["key"]);
    let keys = ActiveKeys::Stored(Secret::stored(&store, "arn".to_owned()));
    let changes = RecordedChanges::new();
    let webhook = Webhook::new(keys, &changes, Metrics::off());
    let forged = request(CHECK, Some(&sign("guess", CHECK.as_bytes())));
    for millisecond in (0..180_000).step_by(100) {
        let at = now() + SignedDuration::from_millis(millisecond);
        assert_eq!(webhook.handle(&forged, at).await.status_code, 401);
    }
    assert_eq!(*store.reads.lock().unwrap(), 3);
}

#[tokio::test]
async fn a_secret_that_is_not_filled_in_yet_is_trouble_until_it_is() {
    let store = Store::default();
    let keys = ActiveKeys::Stored(Secret::stored(&store, "arn".to_owned()));
    let changes = RecordedChanges::new();
    let webhook = Webhook::new(keys, &changes, Metrics::off());
    let signed = request(CHECK, Some(&sign("key", CHECK.as_bytes())));
    let status = async |second: i64| {
        webhook.handle(&signed, now() + SignedDuration::from_secs(second)).await.status_code
    };
    store.set(&[]);
    assert_eq!(status(0).await, 503);
    store.set(&["key"]);
    assert_eq!(status(1).await, 503, "read a moment ago");
    assert_eq!(status(60).await, 200);
}
