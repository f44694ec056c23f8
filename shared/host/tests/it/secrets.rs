//! When a secret is read, when it is not, and that it stays secret.

use std::sync::Mutex;

use host::secrets::{Secret, SecretError, SecretStore, text, texts};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};

/// A store whose value the test sets; `None` means that it does not answer.
#[derive(Debug, Default)]
struct Store {
    value: Mutex<Option<&'static str>>,
    reads: Mutex<u32>,
}

impl Store {
    fn set(&self, value: Option<&'static str>) {
        *self.value.lock().unwrap() = value;
    }

    fn reads(&self) -> u32 {
        *self.reads.lock().unwrap()
    }
}

impl SecretStore for &Store {
    async fn read(&self, id: &str) -> Result<SecretString, SecretError> {
        *self.reads.lock().unwrap() += 1;
        // Gives way, so that others can try to read at the same time.
        tokio::task::yield_now().await;
        let unavailable =
            || SecretError::Unavailable { id: id.to_owned(), problem: "down".to_owned() };
        self.value.lock().unwrap().map(SecretString::from).ok_or_else(unavailable)
    }
}

fn store(value: &'static str) -> Store {
    let store = Store::default();
    store.set(Some(value));
    store
}

fn secret(store: &Store) -> Secret<&Store> {
    Secret::stored(store, "arn:of:secret".to_owned())
}

fn at(seconds: i64) -> Timestamp {
    let start: Timestamp = "2026-10-05T03:41:25Z".parse().unwrap();
    start + SignedDuration::from_secs(seconds)
}

async fn value(secret: &Secret<&Store>, seconds: i64) -> Result<String, SecretError> {
    secret.value(at(seconds)).await.map(|value| value.expose_secret().to_owned())
}

async fn renewed(secret: &Secret<&Store>, seconds: i64) -> Result<Option<String>, SecretError> {
    let value = secret.renewed(at(seconds)).await?;
    Ok(value.map(|value| value.expose_secret().to_owned()))
}

#[tokio::test]
async fn a_value_is_kept_for_five_minutes() {
    let store = store("old");
    let secret = secret(&store);
    assert_eq!(value(&secret, 0).await.unwrap(), "old");
    store.set(Some("new"));
    assert_eq!(value(&secret, 299).await.unwrap(), "old");
    assert_eq!(store.reads(), 1);
    assert_eq!(value(&secret, 300).await.unwrap(), "new");
    assert_eq!(store.reads(), 2);
}

#[tokio::test]
async fn of_many_callers_one_reads() {
    let store = store("value");
    let secret = secret(&store);
    let (one, two, three) = tokio::join!(value(&secret, 0), value(&secret, 0), value(&secret, 0));
    assert_eq!((one.unwrap(), two.unwrap(), three.unwrap()).0, "value");
    assert_eq!(store.reads(), 1);
}

#[tokio::test]
async fn on_demand_it_is_read_at_most_once_a_minute() {
    let store = store("old");
    let secret = secret(&store);
    assert_eq!(value(&secret, 0).await.unwrap(), "old");
    store.set(Some("new"));
    assert_eq!(renewed(&secret, 59).await.unwrap(), None, "read a moment ago");
    assert_eq!(renewed(&secret, 60).await.unwrap().as_deref(), Some("new"));
    assert_eq!(value(&secret, 61).await.unwrap(), "new");
    for second in 61..120 {
        assert_eq!(renewed(&secret, second).await.unwrap(), None);
    }
    assert_eq!(store.reads(), 2);
}

#[tokio::test]
async fn while_the_store_is_down_the_old_value_serves_for_an_hour_and_no_longer() {
    let store = store("old");
    let secret = secret(&store);
    value(&secret, 0).await.unwrap();
    store.set(None);
    for second in 300..3_600 {
        assert_eq!(value(&secret, second).await.unwrap(), "old");
    }
    assert_eq!(store.reads(), 1 + 55, "asks once a minute");
    assert!(value(&secret, 3_600).await.is_err());
    store.set(Some("new"));
    assert_eq!(value(&secret, 3_601).await.unwrap(), "new", "without a value it asks each time");
}

#[tokio::test]
async fn a_failed_read_on_demand_is_an_error_and_stays_one_for_a_minute() {
    let store = store("old");
    let secret = secret(&store);
    value(&secret, 0).await.unwrap();
    store.set(None);
    assert!(matches!(renewed(&secret, 60).await, Err(SecretError::Unavailable { .. })));
    assert!(matches!(renewed(&secret, 61).await, Err(SecretError::UnavailableLately { .. })));
    assert_eq!(store.reads(), 2);
    assert_eq!(value(&secret, 61).await.unwrap(), "old", "the kept value is still good");
    store.set(Some("new"));
    assert_eq!(renewed(&secret, 120).await.unwrap().as_deref(), Some("new"));
}

#[tokio::test]
async fn a_clock_that_is_set_back_costs_a_read() {
    let store = store("old");
    let secret = secret(&store);
    value(&secret, 0).await.unwrap();
    store.set(Some("new"));
    assert_eq!(value(&secret, -3_600).await.unwrap(), "new");
    assert_eq!(renewed(&secret, -7_200).await.unwrap().as_deref(), Some("new"));
}

#[tokio::test]
async fn a_given_value_is_never_read_anywhere() {
    let secret = Secret::<&Store>::given(SecretString::from("value"));
    assert_eq!(value(&secret, 0).await.unwrap(), "value");
    assert_eq!(renewed(&secret, 0).await.unwrap(), None);
}

#[tokio::test]
async fn no_value_shows_in_debug_or_in_an_error() {
    let canary = "canary-4711";
    let store = store(canary);
    // The store of this test shows its value; the secret must not add to it.
    let secret = secret(&store);
    value(&secret, 0).await.unwrap();
    store.set(Some(""));
    let given = Secret::<&Store>::given(SecretString::from(canary));
    assert!(!format!("{secret:?} {given:?}").contains("4711"));
    for broken in ["canary-4711", r#"{"a":["canary-4711",4711]}"#, r#"["canary-4711"]"#, ""] {
        let broken = SecretString::from(broken);
        let (one, many) = (text(&broken, "a").unwrap_err(), texts(&broken, "a").unwrap_err());
        assert!(!format!("{one} {one:?} {many} {many:?}").contains("4711"));
    }
}

#[test]
fn fields_of_a_secret_are_read() {
    let secret = SecretString::from(r#"{"client_id":"id","webhook_keys":["one","two"],"none":[]}"#);
    assert_eq!(text(&secret, "client_id").unwrap().expose_secret(), "id");
    let keys = texts(&secret, "webhook_keys").unwrap();
    let keys: Vec<&str> = keys.iter().map(|key| key.expose_secret()).collect();
    assert_eq!(keys, ["one", "two"]);
    assert!(texts(&secret, "none").unwrap().is_empty());
    assert!(texts(&secret, "client_id").is_err());
    assert_eq!(
        text(&secret, "webhook_keys").unwrap_err().to_string(),
        "the secret must be a JSON object in which webhook_keys is a text"
    );
}
