//! The SDK's configuration and Secrets Manager, against servers that answer, refuse and are silent.

use std::time::{Duration, Instant};

use aws_config::{Region, SdkConfig};
use aws_sdk_secretsmanager::config::{Credentials, SharedCredentialsProvider};
use axum::Router;
use axum::http::StatusCode;
use host::secrets::{SecretError, SecretStore as _, SecretsManager};
use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;

async fn config(url: String, operation_max: Duration) -> SdkConfig {
    let credentials = Credentials::new("id", "secret", None, None, "test");
    host::aws_config(operation_max)
        .await
        .to_builder()
        .region(Region::new("ap-southeast-2"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(url)
        .build()
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

async fn store(status: u16, answer: &'static str) -> SecretsManager {
    let (listener, url) = listen().await;
    let status = StatusCode::from_u16(status).unwrap();
    let app = Router::new().fallback(move || async move { (status, answer) });
    tokio::spawn(async move { axum::serve(listener, app).await });
    SecretsManager::new(&config(url, Duration::from_secs(3)).await)
}

#[tokio::test]
async fn a_secret_is_read() {
    let store = store(200, r#"{"ARN":"arn","Name":"name","SecretString":"value"}"#).await;
    assert_eq!(store.read("arn").await.unwrap().expose_secret(), "value");
}

#[tokio::test]
async fn a_secret_that_is_refused_or_not_text_is_an_error_that_names_it() {
    let denied = r#"{"__type":"AccessDeniedException","Message":"canary-4711"}"#;
    let error = store(400, denied).await.read("arn:of:secret").await.unwrap_err();
    assert_eq!(error.to_string(), "secret arn:of:secret could not be read: AccessDeniedException");
    let binary = r#"{"ARN":"arn","Name":"name","SecretBinary":"Y2FuYXJ5LTQ3MTE="}"#;
    let error = store(200, binary).await.read("arn").await.unwrap_err();
    assert_eq!(error.to_string(), "secret arn could not be read: it is not text");
}

#[tokio::test]
async fn a_secret_without_a_value_is_missing_and_no_outage() {
    let answer = r#"{"__type":"ResourceNotFoundException","Message":"can't find the value"}"#;
    let error = store(400, answer).await.read("arn").await.unwrap_err();
    assert_eq!(error, SecretError::Missing { id: "arn".to_owned() });
}

#[tokio::test]
async fn a_server_that_is_silent_does_not_hold_us_up() {
    // Accepts connections, and says nothing.
    let (listener, url) = listen().await;
    let config = config(url, Duration::from_millis(400)).await;
    let started = Instant::now();
    let error = SecretsManager::new(&config).read("arn").await.unwrap_err();
    assert!(matches!(error, SecretError::Unavailable { .. }));
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    drop(listener);
}

#[tokio::test]
async fn a_secret_that_is_gone_or_waits_for_its_end_is_deleted_already() {
    let deleted = r#"{"ARN":"arn","Name":"grants/1"}"#;
    let missing = r#"{"__type":"ResourceNotFoundException","Message":"there is none"}"#;
    let waits = r#"{"__type":"InvalidRequestException","Message":"it was marked for deletion"}"#;
    for (status, answer) in [(200, deleted), (400, missing), (400, waits)] {
        store(status, answer).await.retire("grants/1").await.unwrap();
        store(status, answer).await.delete("grants/1").await.unwrap();
    }
    // N9
    let denied = r#"{"__type":"AccessDeniedException","Message":"canary-4711"}"#;
    let error = store(400, denied).await.retire("grants/1").await.unwrap_err();
    assert_eq!(error.to_string(), "secret grants/1 could not be written: AccessDeniedException");
    assert!(!format!("{error:?}").contains("4711"));
}
