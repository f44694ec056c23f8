//! FAULT-18 and rules A7.3: a Xero that misbehaves. Nothing of it is evidence of a deletion.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::Url;
use xero::{
    AccessRefusal, Config, ErrorClass, LimitProblem, Outage, RESPONSE_BYTES_MAX, ReadError, Retry,
};

use crate::xero::{Reply, Xero, books, id, ids, invoice, organisation};

/// A Xero that gives tokens, and answers everything else with this.
async fn answering(reply: Reply) -> Xero {
    Xero::start(books(0), move |seen| (!seen.is_token()).then(|| reply.clone())).await
}

/// Asks for so many invoices, checks that none was found, and that all failed for one reason.
async fn fail(xero: &Xero, count: u32) -> (ReadError, u32) {
    fail_with(xero, xero.config(), count).await
}

async fn fail_with(xero: &Xero, config: Config, count: u32) -> (ReadError, u32) {
    let client = xero.client_with(config);
    let read = client.invoices(organisation(), &ids(count)).await;
    assert_eq!(read.found, []);
    let mut failed: Vec<_> = read.failed.iter().map(|(id, _)| *id).collect();
    failed.sort();
    assert_eq!(failed, ids(count));
    assert!(read.failed.iter().all(|(_, error)| *error == read.failed[0].1), "{:?}", read.failed);
    (read.failed[0].1, client.take_spent(organisation()).calls)
}

fn unavailable(cause: Outage) -> ReadError {
    ReadError::Unavailable { cause, after: None }
}

#[tokio::test]
async fn a_used_up_limit_ends_the_read_at_once() {
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    for (word, wait, problem, after) in [
        (Some("minute"), Some("23"), LimitProblem::Minute, seconds(23)),
        (Some("Day"), Some("66975"), LimitProblem::Day, seconds(66_975)),
        (Some("concurrent"), None, LimitProblem::Concurrent, None),
        (Some("appminute"), Some("1"), LimitProblem::AppMinute, seconds(1)),
        (Some("hour"), Some("soon"), LimitProblem::Minute, None),
        (None, Some("999999999"), LimitProblem::Minute, seconds(86_400)),
    ] {
        let mut reply = Reply::status(429, "");
        if let Some(word) = word {
            reply = reply.with("X-Rate-Limit-Problem", word);
        }
        if let Some(wait) = wait {
            reply = reply.with("Retry-After", wait);
        }
        let xero = answering(reply).await;
        let (error, calls) = fail(&xero, 120).await;
        assert_eq!(error, ReadError::Limited { problem, after });
        assert_eq!((calls, xero.calls().len()), (1, 1), "a limit is never tried again in process");
        assert_eq!(error.class(), ErrorClass::Limit);
        assert_eq!(error.retry(), Retry::Later { after, counts_as_failure: false });
    }
}

#[tokio::test]
async fn the_last_call_of_a_minute_or_a_day_is_the_last_call() {
    for (header, problem) in [
        ("X-MinLimit-Remaining", LimitProblem::Minute),
        ("X-DayLimit-Remaining", LimitProblem::Day),
        ("X-AppMinLimit-Remaining", LimitProblem::AppMinute),
    ] {
        let xero = Xero::start(books(0), move |seen| {
            let found: Vec<String> =
                seen.ids().iter().skip(1).map(|id| invoice(id.parse().unwrap(), &[])).collect();
            (!seen.is_token()).then(|| Reply::invoices(&found).with(header, 0))
        })
        .await;
        let read = xero.client().invoices(organisation(), &ids(120)).await;
        assert_eq!((read.found.len(), read.failed.len(), xero.calls().len()), (39, 81, 1));
        for (_, error) in read.failed {
            assert!(matches!(error, ReadError::Limited { problem: p, .. } if p == problem));
        }
    }
}

#[tokio::test]
async fn a_missing_permission_is_named_and_ends_the_read() {
    let xero = answering(Reply::status(403, r#"{"Title":"Forbidden"}"#)).await;
    let (error, calls) = fail(&xero, 120).await;
    let expected = AccessRefusal::Permission("accounting.invoices.read");
    assert_eq!((error, calls), (ReadError::NotAuthorised(expected), 1));
    assert_eq!((error.class(), error.retry()), (ErrorClass::Authentication, Retry::Never));
    assert!(error.to_string().contains("accounting.invoices.read"));
}

#[tokio::test]
async fn a_permission_that_was_not_granted_takes_no_new_token_and_is_named() {
    // XC-12: 401, in the two ways in which Xero says it (facts.md 2.2).
    for body in [
        r#"{"Title":"Unauthorized","Status":401,"Detail":"AuthorizationUnsuccessful"}"#,
        r#"{"error":"insufficient_scope"}"#,
    ] {
        let xero = answering(Reply::status(401, body)).await;
        let (error, calls) = fail(&xero, 120).await;
        let expected = AccessRefusal::Scope("accounting.invoices.read");
        assert_eq!((error, calls), (ReadError::NotAuthorised(expected), 1), "{body}");
        assert_eq!((error.class(), error.retry()), (ErrorClass::Authentication, Retry::Never));
        assert_eq!(error.missing_scope(), Some("accounting.invoices.read"));
    }
    // A 401 of any other kind is tried once more, with a new token.
    let xero = answering(Reply::status(401, r#"{"Detail":"AuthenticationUnsuccessful"}"#)).await;
    let (error, calls) = fail(&xero, 120).await;
    assert_eq!((error, calls), (ReadError::NotAuthorised(AccessRefusal::Token), 2));
}

#[tokio::test]
async fn a_page_for_people_is_an_outage_also_with_status_403() {
    // XC-12
    let page = Reply::status(403, "<html>").with("content-type", "text/html; charset=utf-8");
    let (error, _) = fail(&answering(page).await, 1).await;
    assert_eq!(error, unavailable(Outage::Status(403)));
}

#[tokio::test]
async fn a_500_for_one_invoice_does_not_keep_its_neighbours_away() {
    // FAULT-16: one bad record among many.
    let xero = Xero::start(books(40), |seen| {
        let bad = id(40).to_string();
        let hit = seen.query.contains(&bad) || seen.path.contains(&bad);
        hit.then(|| Reply::status(500, r#"{"Title":"An error occurred"}"#))
    })
    .await;
    let read = xero.client().invoices(organisation(), &ids(40)).await;
    assert_eq!(read.found.len(), 39);
    assert_eq!(read.failed, [(id(40), unavailable(Outage::Status(500)))]);
}

#[tokio::test]
async fn if_everything_is_a_500_or_unreadable_the_read_ends_soon() {
    let whole = String::from_utf8(Reply::invoices(&[invoice(id(1), &[40])]).body).unwrap();
    for (reply, cause) in [
        (Reply::status(500, "oops"), Outage::Status(500)),
        (Reply::ok("<html><body>Scheduled maintenance</body></html>"), Outage::Unreadable),
        (Reply::ok("<Response><Invoices/></Response>"), Outage::Unreadable),
        (Reply::ok(&whole[..whole.len() / 2]), Outage::Unreadable),
        (Reply::ok(""), Outage::Unreadable),
        (Reply::ok("null"), Outage::Unreadable),
        (Reply::ok("[]"), Outage::Unreadable),
        (Reply::ok("{}"), Outage::Unreadable),
        (Reply::ok(r#"{"Status":"ERROR","Invoices":null}"#), Outage::Unreadable),
        (Reply::ok("[".repeat(500_000)), Outage::Unreadable),
    ] {
        let xero = answering(reply).await;
        let (error, calls) = fail(&xero, 120).await;
        assert_eq!((error, calls), (unavailable(cause), 8));
        assert_eq!(error.class(), ErrorClass::Timeout);
        assert_eq!(error.retry(), Retry::Later { after: None, counts_as_failure: true });
    }
}

#[tokio::test]
async fn a_maintenance_page_is_an_outage_and_not_json() {
    let page = "<html><h1>Service unavailable</h1></html>";
    for status in [408, 502, 503, 504, 599] {
        let xero = answering(Reply::status(status, page).with("Retry-After", "120")).await;
        let (error, calls) = fail(&xero, 120).await;
        let after = Some(Duration::from_secs(120));
        assert_eq!(error, ReadError::Unavailable { cause: Outage::Status(status), after });
        assert_eq!(calls, 2, "the second pack is tried, the third is not");
        assert_eq!(error.retry(), Retry::Later { after, counts_as_failure: true });
    }
}

#[tokio::test]
async fn an_outage_at_one_list_does_not_cost_the_other_lists() {
    let xero = Xero::start(books(80), |seen| {
        seen.query.contains(&id(1).to_string()).then(|| Reply::status(503, ""))
    })
    .await;
    let read = xero.client().invoices(organisation(), &ids(80)).await;
    assert_eq!((read.found.len(), read.failed.len(), xero.calls().len()), (40, 40, 2));
}

#[tokio::test]
async fn a_request_that_is_refused_as_such_is_not_repeated() {
    for status in [402, 405, 406, 412, 422] {
        let xero = answering(Reply::status(status, "")).await;
        let (error, calls) = fail(&xero, 41).await;
        assert_eq!((error, calls), (ReadError::Invalid { status }, 2));
        assert_eq!((error.class(), error.retry()), (ErrorClass::Validation, Retry::Never));
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let xero = answering(Reply::status(status, "").with("Location", "/elsewhere")).await;
        let (error, _) = fail(&xero, 1).await;
        assert_eq!(error, unavailable(Outage::Status(status)));
        assert!(xero.seen().iter().all(|seen| seen.path != "/elsewhere"));
    }
}

#[tokio::test]
async fn silence_ends_with_the_time_limit() {
    let xero = answering(Reply { hangs: true, ..Reply::default() }).await;
    let config = Config { timeout: Duration::from_millis(150), ..xero.config() };
    let started = Instant::now();
    let (error, calls) = fail_with(&xero, config, 200).await;
    assert_eq!((error, calls), (unavailable(Outage::TimedOut), 2));
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(error.class(), ErrorClass::Timeout);
}

#[tokio::test]
async fn too_long_an_answer_is_not_kept_in_memory() {
    // N10
    let xero = answering(Reply::ok(" ".repeat(RESPONSE_BYTES_MAX + 1))).await;
    let (error, calls) = fail(&xero, 2).await;
    assert_eq!((error, calls), (ReadError::TooLong, 3), "a list is halved first");
    assert_eq!((error.class(), error.retry()), (ErrorClass::Schema, Retry::Never));
    // An error's status counts, however long its page is.
    let xero = answering(Reply::status(403, " ".repeat(RESPONSE_BYTES_MAX + 1))).await;
    assert!(matches!(fail(&xero, 2).await, (ReadError::NotAuthorised(_), 1)));
}

#[tokio::test]
async fn a_refused_connection_is_tried_twice() {
    let xero = answering(Reply::ok("")).await;
    let config = Config { api_url: unused_address().await, ..xero.config() };
    let (error, calls) = fail_with(&xero, config, 1).await;
    assert_eq!((error, calls), (unavailable(Outage::Connect), 2));
}

#[tokio::test]
async fn a_connection_that_ends_in_the_middle_is_an_outage() {
    // First nothing of an answer arrives, which is tried once more; then half of one.
    let xero = answering(Reply::ok("")).await;
    for (sent, expected_calls) in [
        ("", 2),
        ("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"Invoices\":[", 1),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"Inv\r\n", 1),
    ] {
        let config = Config { api_url: cutting(sent).await, ..xero.config() };
        let (error, calls) = fail_with(&xero, config, 1).await;
        assert_eq!((error, calls), (unavailable(Outage::Cut), expected_calls), "{sent:?}");
    }
}

#[tokio::test]
async fn no_text_of_an_error_repeats_what_xero_sent() {
    // N9
    let canary = "Barney Rubble 123.45";
    for status in [200, 400, 403, 404, 500, 503] {
        let xero = answering(Reply::status(status, canary)).await;
        let (error, _) = fail(&xero, 1).await;
        for shown in [error.to_string(), format!("{error:?}")] {
            assert!(!shown.contains("Barney") && !shown.contains("123"), "{shown}");
            assert!(!shown.contains("token-1"), "{shown}");
        }
    }
}

/// An address without a listener.
async fn unused_address() -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap()).parse().unwrap()
}

/// A server that reads a request, sends this, and closes the connection.
async fn cutting(sent: &'static str) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let _ = connection.read(&mut [0; 4_096]).await;
            let _ = connection.write_all(sent.as_bytes()).await;
        }
    });
    url
}
