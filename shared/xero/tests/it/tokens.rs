//! Access tokens and configuration (facts.md 2.1; AMB-21, X-14).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinSet;
use xero::{
    AccessRefusal, Client, Config, ConfigError, ErrorClass, IDS_MAX_LIMIT, LimitProblem, Outage,
    ReadError, Retry,
};

use crate::xero::{Reply, Xero, books, credentials, id, ids, organisation};

/// A Xero whose identity service answers this.
async fn identity(reply: Reply) -> Xero {
    Xero::start(books(200), move |seen| seen.is_token().then(|| reply.clone())).await
}

#[tokio::test]
async fn a_token_is_asked_for_with_basic_authentication_and_a_form() {
    let xero = Xero::start(books(1), |_| None).await;
    xero.client().invoice(organisation(), id(1)).await.unwrap();
    let asked = xero.seen().into_iter().find(|seen| seen.is_token()).unwrap();
    assert_eq!(asked.header("authorization"), "Basic dGhlLWNsaWVudDp0aGUtc2VjcmV0");
    assert_eq!(asked.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(
        asked.body,
        "grant_type=client_credentials&scope=accounting.invoices.read+accounting.payments.read+accounting.settings.read"
    );
    assert_eq!(asked.header("xero-tenant-id"), "");
}

#[tokio::test]
async fn a_token_is_kept_until_shortly_before_its_end() {
    let xero = Xero::start(books(1), |_| None).await;
    let client = xero.client();
    let start = xero.clock.load(Ordering::SeqCst);
    for (seconds, tokens) in [(0, 1), (1_700, 1), (1_745, 2), (3_400, 2), (3_600, 3)] {
        xero.clock.store(start + seconds, Ordering::SeqCst);
        client.invoice(organisation(), id(1)).await.unwrap();
        assert_eq!(xero.tokens(), tokens, "after {seconds} s");
    }
    // A clock that steps back says nothing about how old the token is.
    xero.clock.store(start, Ordering::SeqCst);
    client.invoice(organisation(), id(1)).await.unwrap();
    assert_eq!(xero.tokens(), 4);
}

#[tokio::test]
async fn many_reads_at_once_share_one_token() {
    let xero = Xero::start(books(20), |_| None).await;
    let client = Arc::new(xero.client());
    let mut reads = JoinSet::new();
    for id in ids(20) {
        let client = client.clone();
        reads.spawn(async move { client.invoice(organisation(), id).await });
    }
    assert!(reads.join_all().await.iter().all(Result::is_ok));
    assert_eq!(xero.tokens(), 1);
}

#[tokio::test]
async fn many_reads_at_once_share_one_refusal() {
    let xero = identity(Reply::status(400, r#"{"error":"invalid_client"}"#)).await;
    let client = Arc::new(xero.client());
    let mut reads = JoinSet::new();
    for id in ids(20) {
        let client = client.clone();
        reads.spawn(async move { client.invoice(organisation(), id).await });
    }
    assert!(reads.join_all().await.iter().all(Result::is_err));
    assert_eq!((xero.tokens(), xero.calls().len()), (1, 0));
    // Later on it is worth asking again: the app may have been put right.
    client.invoice(organisation(), id(1)).await.unwrap_err();
    assert_eq!(xero.tokens(), 2);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_and_the_call_repeated_once() {
    let xero = Xero::start(books(3), |seen| {
        let expired = seen.header("authorization") == "Bearer token-1";
        expired.then(|| Reply::status(401, r#"{"Title":"Unauthorized","Detail":"TokenExpired"}"#))
    })
    .await;
    let client = xero.client();
    let read = client.invoices(organisation(), &ids(3)).await;
    assert_eq!((read.found.len(), xero.calls().len(), xero.tokens()), (3, 2, 2));
    let read = client.invoices(organisation(), &ids(3)).await;
    assert_eq!((read.found.len(), xero.calls().len(), xero.tokens()), (3, 3, 2), "one more");
}

#[tokio::test]
async fn many_reads_with_an_expired_token_get_one_new_one() {
    let xero = Xero::start(books(10), |seen| {
        (seen.header("authorization") == "Bearer token-1").then(|| Reply::status(401, ""))
    })
    .await;
    let client = Arc::new(xero.client());
    let mut reads = JoinSet::new();
    for id in ids(10) {
        let client = client.clone();
        reads.spawn(async move { client.invoice(organisation(), id).await });
    }
    assert!(reads.join_all().await.iter().all(Result::is_ok));
    assert_eq!(xero.tokens(), 2);
}

#[tokio::test]
async fn two_refused_tokens_end_the_read() {
    let xero =
        Xero::start(books(0), |seen| (!seen.is_token()).then(|| Reply::status(401, ""))).await;
    let read = xero.client().invoices(organisation(), &ids(120)).await;
    assert_eq!(
        (read.found.len(), read.failed.len(), xero.calls().len(), xero.tokens()),
        (0, 120, 2, 2)
    );
    let (_, error) = read.failed[0];
    assert_eq!(error, ReadError::NotAuthorised(AccessRefusal::Token));
    assert_eq!((error.class(), error.retry()), (ErrorClass::Authentication, Retry::Never));
}

#[tokio::test]
async fn a_refusal_by_the_identity_service_is_permanent_and_says_which() {
    let html = "<html>no</html>";
    for (status, body, word) in [
        (400, r#"{"error":"invalid_client"}"#, "invalid_client"),
        (400, r#"{"error":"invalid_scope"}"#, "invalid_scope"),
        (400, r#"{"error":"unauthorized_client"}"#, "unauthorized_client"),
        (400, r#"{"error":"invalid_request"}"#, "invalid_request"),
        (400, r#"{"error":"invalid_grant"}"#, "invalid_grant"),
        (401, r#"{"error":"invalid_client"}"#, "invalid_client"),
        (400, r#"{"error":"the-secret is wrong"}"#, "an unknown refusal"),
        (403, html, "an unknown refusal"),
    ] {
        let xero = identity(Reply::status(status, body)).await;
        let read = xero.client().invoices(organisation(), &ids(120)).await;
        assert_eq!((read.found.len(), read.failed.len(), xero.calls().len()), (0, 120, 0));
        let (_, error) = read.failed[0];
        assert_eq!(error, ReadError::NotAuthorised(AccessRefusal::Client(word)), "{body}");
        assert_eq!((xero.tokens(), error.retry()), (1, Retry::Never));
    }
}

#[tokio::test]
async fn an_identity_service_in_trouble_is_not_a_refusal() {
    let limited =
        ReadError::Limited { problem: LimitProblem::Minute, after: Some(Duration::from_secs(9)) };
    let hostile = r#"{"access_token":"a\r\nX-Evil: 1","expires_in":1800}"#;
    for (reply, expected) in [
        (Reply::status(503, "<html>"), ReadError::from(Outage::Status(503))),
        (Reply::status(302, "").with("Location", "/x"), ReadError::from(Outage::Status(302))),
        (Reply::ok("<html>"), ReadError::from(Outage::Unreadable)),
        (Reply::ok("{}"), ReadError::from(Outage::Unreadable)),
        (Reply::ok(r#"{"access_token":"","expires_in":1}"#), ReadError::from(Outage::Unreadable)),
        (Reply::ok(hostile), ReadError::from(Outage::Unreadable)),
        (Reply::status(429, "").with("Retry-After", 9), limited),
    ] {
        let xero = identity(reply).await;
        let outcome = xero.client().invoice(organisation(), id(1)).await;
        assert_eq!(outcome, Err(expected));
        assert_eq!(xero.calls().len(), 0);
    }
}

#[tokio::test]
async fn a_token_without_a_lifetime_serves_one_call() {
    let xero = identity(Reply::ok(r#"{"access_token":"once"}"#)).await;
    let client = xero.client();
    for tokens in [1, 2] {
        client.invoice(organisation(), id(1)).await.unwrap();
        assert_eq!(xero.tokens(), tokens);
    }
}

#[tokio::test]
async fn a_rotated_secret_can_be_put_in_force() {
    let rotated = Arc::new(AtomicBool::new(false));
    let is_rotated = rotated.clone();
    let xero = Xero::start(books(1), move |seen| {
        let old = seen.header("authorization") == "Basic dGhlLWNsaWVudDp0aGUtc2VjcmV0";
        let refused = seen.is_token() && old && is_rotated.load(Ordering::SeqCst);
        refused.then(|| Reply::status(400, r#"{"error":"invalid_client"}"#))
    })
    .await;
    rotated.store(true, Ordering::SeqCst);
    let client = xero.client();
    let refused = client.invoice(organisation(), id(1)).await.unwrap_err();
    assert_eq!(refused.class(), ErrorClass::Authentication);
    // The secret store may not have it yet: then there is nothing to repeat.
    assert!(!client.replace_credentials(credentials("the-secret")).await);
    assert!(client.replace_credentials(credentials("the-new-secret")).await);
    client.invoice(organisation(), id(1)).await.unwrap();
    assert!(!client.replace_credentials(credentials("the-new-secret")).await);
    client.invoice(organisation(), id(1)).await.unwrap();
    assert_eq!(xero.tokens(), 2);
}

#[tokio::test]
async fn neither_secrets_nor_tokens_are_ever_shown() {
    // N9
    let xero = Xero::start(books(1), |_| None).await;
    let client = xero.client();
    client.invoice(organisation(), id(1)).await.unwrap();
    let shown = format!("{client:?} {:?} {:?}", credentials("the-secret"), xero.config());
    for secret in ["the-secret", "token-1", "the-client"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_configuration_that_is_unsafe_or_absurd_is_refused() {
    let build = |config| {
        Client::new(config, credentials("the-secret"), || Timestamp::UNIX_EPOCH).map(|_| ())
    };
    assert!(build(Config::default()).is_ok());
    assert_eq!(Config::default().api_url.as_str(), "https://api.xero.com/");
    assert_eq!(Config::default().identity_url.as_str(), "https://identity.xero.com/");
    for (address, safe) in [
        ("https://xero.example.org", true),
        ("http://127.0.0.1:9400", true),
        ("http://[::1]:9400", true),
        ("http://localhost:9400", true),
        ("http://xero.example.org", false),
        ("http://127.0.0.1.example.org", false),
        ("ftp://127.0.0.1", false),
        ("file:///tmp", false),
        ("data:text/plain,x", false),
    ] {
        let address: url::Url = address.parse().unwrap();
        let api = Config { api_url: address.clone(), ..Config::default() };
        let identity = Config { identity_url: address.clone(), ..Config::default() };
        assert_eq!((build(api).is_ok(), build(identity).is_ok()), (safe, safe), "{address}");
    }
    for ids_max in [0, IDS_MAX_LIMIT + 1] {
        let outcome = build(Config { ids_max, ..Config::default() });
        assert!(matches!(outcome, Err(ConfigError::IdsMax)));
    }
}

#[tokio::test]
async fn a_base_address_may_have_a_path() {
    let xero = Xero::start(books(0), |_| None).await;
    let config = Config { api_url: xero.url.join("/xero/?a=b#c").unwrap(), ..xero.config() };
    let _ = xero.client_with(config).invoice(organisation(), id(1)).await;
    let call = &xero.calls()[0];
    assert_eq!(call.path, format!("/xero/api.xro/2.0/Invoices/{}", id(1)));
    assert_eq!(call.query, "");
}
