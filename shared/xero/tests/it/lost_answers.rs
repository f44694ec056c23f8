//! Writing to Xero: calls that are turned away, refused as a whole, or not answered; FAULT-18, FAULT-24,
//! FAULT-25, A7.3.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use payments::upload::WriteOutcome;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::Url;
use xero::{
    AccessRefusal, Config, ErrorClass, LimitProblem, Outage, ReadError, RefusalKind, TurnedAway,
};

use crate::samples::{CANARIES, KEY, answer, bundle, created, payment, payment_id, refused};
use crate::writes::{all, answering, placed, put, put_three};
use crate::xero::{Reply, Xero, books, organisation};

#[tokio::test]
async fn a_limit_turns_the_call_away_and_says_until_when() {
    // A7.3
    for (wait, problem) in [(Some("42"), "minute"), (Some("66975"), "day"), (None, "concurrent")] {
        let mut reply = Reply::status(429, "").with("X-Rate-Limit-Problem", problem);
        if let Some(wait) = wait {
            reply = reply.with("Retry-After", wait);
        }
        let xero = answering(reply).await;
        let client = xero.client();
        let answers = client.put(organisation(), &bundle(3), KEY).await;
        all(&answers, &WriteOutcome::TurnedAway);
        let Some(TurnedAway::Limited { until }) = answers.turned_away() else {
            panic!("{problem}")
        };
        let now = xero.clock.load(Ordering::SeqCst);
        let waits = wait.map(|wait| now - 1 + wait.parse::<i64>().unwrap());
        assert_eq!(until.map(|until| until.as_second()), waits);
        assert_eq!(answers.error().unwrap().class(), ErrorClass::Limit);
        assert_eq!((xero.calls().len(), answers.is_silence()), (1, false));
    }
}

#[tokio::test]
async fn a_missing_permission_turns_the_call_away() {
    let answers = put_three(Reply::status(403, "")).await;
    all(&answers, &WriteOutcome::TurnedAway);
    assert_eq!(answers.turned_away(), Some(&TurnedAway::NotAuthorised));
    let expected = ReadError::NotAuthorised(AccessRefusal::Permission("accounting.payments"));
    assert_eq!(answers.error(), Some(expected));
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let body = answer("Payments", &(1..=3).map(created).collect::<Vec<_>>());
    let xero = Xero::start(books(0), move |seen| match seen.header("authorization") {
        "Bearer token-1" => Some(Reply::status(401, "")),
        "Bearer token-2" => Some(Reply::ok(body.clone())),
        _ => None,
    })
    .await;
    let answers = put(&xero, &bundle(3)).await;
    assert_eq!(answers.of(&payment(2).stamp), placed(2));
    assert_eq!((xero.calls().len(), xero.tokens()), (2, 2));
    let [first, second] = &xero.calls()[..] else { panic!("two calls") };
    assert_eq!((&first.body, first.header("idempotency-key")), (&second.body, KEY));
    let xero = answering(Reply::status(401, "")).await;
    let answers = put(&xero, &bundle(3)).await;
    all(&answers, &WriteOutcome::TurnedAway);
    assert_eq!(answers.turned_away(), Some(&TurnedAway::NotAuthorised));
    assert_eq!(xero.calls().len(), 2);
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let limited = Reply::status(429, "").with("Retry-After", 9);
    for (reply, why) in [
        (Reply::status(400, r#"{"error":"invalid_client"}"#), TurnedAway::NotAuthorised),
        (Reply::status(503, ""), TurnedAway::NotSent),
    ] {
        let xero = Xero::start(books(0), move |seen| seen.is_token().then(|| reply.clone())).await;
        let answers = put(&xero, &bundle(3)).await;
        all(&answers, &WriteOutcome::TurnedAway);
        assert_eq!((answers.turned_away(), xero.calls().len()), (Some(&why), 0));
        assert!(xero.calls().is_empty());
    }
    let xero = Xero::start(books(0), move |seen| seen.is_token().then(|| limited.clone())).await;
    let answers = put(&xero, &bundle(3)).await;
    assert!(matches!(answers.turned_away(), Some(TurnedAway::Limited { until: Some(_) })));
    let expected =
        ReadError::Limited { problem: LimitProblem::Minute, after: Some(Duration::from_secs(9)) };
    assert_eq!(answers.error(), Some(expected));
}

#[tokio::test]
async fn a_key_that_cannot_be_sent_is_not_sent() {
    // X-11
    let xero = answering(Reply::ok("")).await;
    for key in ["", "two words", "line\nfeed", "ü", &"k".repeat(xero::KEY_CHARS_MAX + 1)] {
        let answers = xero.client().put(organisation(), &bundle(3), key).await;
        all(&answers, &WriteOutcome::TurnedAway);
        assert_eq!(answers.turned_away(), Some(&TurnedAway::NotSent));
    }
    assert!(xero.seen().is_empty());
    let longest = "k".repeat(xero::KEY_CHARS_MAX);
    xero.client().put(organisation(), &bundle(3), &longest).await;
    assert_eq!(xero.calls().len(), 1);
}

#[tokio::test]
async fn whatever_is_no_clear_answer_leaves_everything_unclear_and_is_sent_once() {
    // FAULT-18 and FAULT-24
    let whole = answer("Payments", &(1..=3).map(created).collect::<Vec<_>>());
    for (reply, cause) in [
        (Reply::status(500, "oops"), Outage::Status(500)),
        (Reply::status(502, ""), Outage::Status(502)),
        (Reply::status(503, "<html>maintenance</html>"), Outage::Status(503)),
        (Reply::status(504, whole.clone()), Outage::Status(504)),
        (Reply::status(408, ""), Outage::Status(408)),
        (Reply::status(201, whole.clone()), Outage::Status(201)),
        (Reply::status(302, "").with("Location", "/elsewhere"), Outage::Status(302)),
        (Reply::status(307, "").with("Location", "/elsewhere"), Outage::Status(307)),
        (Reply::ok("<html>login</html>"), Outage::Unreadable),
        (Reply::ok(&whole[..whole.len() - 2]), Outage::Unreadable),
        (Reply::ok(""), Outage::Unreadable),
        (Reply::ok("null"), Outage::Unreadable),
        (Reply::ok(r#"{"Payments":null}"#), Outage::Unreadable),
        (Reply::ok(r#"{"Payments":{}}"#), Outage::Unreadable),
        (Reply::ok(whole.replacen("Payments", "BankTransactions", 1)), Outage::Unreadable),
        (Reply::ok(format!("[{whole}]")), Outage::Unreadable),
        (Reply::ok("[".repeat(500_000)), Outage::Unreadable),
    ] {
        let answers = put_three(reply).await;
        all(&answers, &WriteOutcome::Unclear);
        assert_eq!(answers.error(), Some(ReadError::Unavailable { cause, after: None }));
        assert!(answers.is_silence() && answers.turned_away().is_none(), "{cause}");
    }
    let long = put_three(Reply::ok(" ".repeat(xero::RESPONSE_BYTES_MAX + 1))).await;
    all(&long, &WriteOutcome::Unclear);
    assert_eq!(long.error(), Some(ReadError::TooLong));
}

#[tokio::test]
async fn a_refusal_of_the_whole_call_is_no_proof() {
    // FAULT-25: it may be the echo of a cached error. Only its class is kept.
    let validation = r#"{"ErrorNumber":10,"Type":"ValidationException","Message":"A validation exception occurred","Elements":[{"ValidationErrors":[{"Message":"The document date cannot be before the lock date"}]}]}"#;
    let reused = r#"{"Message":"The Idempotency-Key was used with another request"}"#;
    let stored =
        format!(r#"{{"Message":"A validation exception occurred","Elements":[{}]}}"#, created(1));
    for (status, body, kind) in [
        (409, validation, Some(RefusalKind::LockedPeriod)),
        (400, stored.as_str(), Some(RefusalKind::Other)),
        (400, reused, Some(RefusalKind::Other)),
        (400, "not JSON", None),
        (404, "", None),
        (413, "", None),
    ] {
        let answers = put_three(Reply::status(status, body)).await;
        all(&answers, &WriteOutcome::Unclear);
        assert_eq!(answers.whole_refusal(), kind, "{body}");
        assert!(!answers.is_silence(), "sending it again would give the same");
        assert_eq!(answers.error().unwrap().class(), ErrorClass::Validation);
    }
}

#[tokio::test]
async fn amb_30_a_call_refused_as_a_whole_says_who_is_to_blame_or_that_nobody_is_in_xero() {
    let unparsed = r#"{"ErrorNumber":14,"Type":"PostDataInvalidException","Message":"JSON for post data was invalid"}"#;
    let answers = put_three(Reply::status(400, unparsed)).await;
    all(&answers, &WriteOutcome::TurnedAway);
    assert_eq!((answers.is_silence(), answers.turned_away()), (false, None));
    assert_eq!(answers.error(), Some(ReadError::Invalid { status: 400 }));
    // The only one is the one.
    let xero = answering(Reply::status(400, unparsed)).await;
    let answers = xero.client().put(organisation(), &bundle(1), KEY).await;
    let only = WriteOutcome::Refused("JSON for post data was invalid".to_owned());
    assert_eq!(answers.of(&payment(1).stamp), only);
    // Xero lists good elements too; those with errors are named.
    let good = |number| created(number).replace(&payment_id(number), "");
    let elements = [good(1), refused(2, "The account is archived"), good(3)].join(",");
    let named = format!(
        r#"{{"ErrorNumber":10,"Message":"A validation exception occurred","Elements":[{elements}]}}"#
    );
    let answers = put_three(Reply::status(400, named)).await;
    assert_eq!(
        answers.of(&payment(2).stamp),
        WriteOutcome::Refused("The account is archived".to_owned())
    );
    for number in [1, 3] {
        assert_eq!(answers.of(&payment(number).stamp), WriteOutcome::TurnedAway);
    }
}

#[tokio::test]
async fn silence_ends_with_the_time_limit_and_is_not_sent_again() {
    // FAULT-24
    let xero = answering(Reply { hangs: true, ..Reply::default() }).await;
    let config = Config { timeout: Duration::from_millis(150), ..xero.config() };
    let started = Instant::now();
    let answers = xero.client_with(config).put(organisation(), &bundle(3), KEY).await;
    all(&answers, &WriteOutcome::Unclear);
    assert_eq!(answers.error(), Some(Outage::TimedOut.into()));
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!((xero.calls().len(), answers.is_silence()), (1, true));
}

#[tokio::test]
async fn a_cut_connection_is_not_tried_again() {
    // FAULT-24: unlike a read, which is.
    let xero = answering(Reply::ok("")).await;
    let part = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"Payments\":[";
    for sent in ["", part] {
        let (address, connections) = cutting(sent).await;
        let config = Config { api_url: address, ..xero.config() };
        let answers = xero.client_with(config).put(organisation(), &bundle(3), KEY).await;
        all(&answers, &WriteOutcome::Unclear);
        assert_eq!(answers.error(), Some(Outage::Cut.into()), "{sent}");
        assert_eq!(connections.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn nothing_that_is_shown_repeats_what_was_sent_or_answered() {
    // N9
    let elements = [created(1), refused(2, "Barney Rubble owes 125.40"), created(3)];
    let body = answer("Payments", &elements);
    for reply in [
        Reply::ok(body.clone()),
        Reply::ok(&body[..200]),
        Reply::status(
            400,
            format!(r#"{{"Message":"Barney Rubble 125.40","Elements":[{}]}}"#, elements[1]),
        ),
        Reply::status(429, body.clone()),
        Reply::status(403, body.clone()),
        Reply::status(503, body.clone()),
    ] {
        let answers = put_three(reply).await;
        let error = answers.error().map(|error| format!("{error} {error:?}")).unwrap_or_default();
        let shown = format!("{answers:?} {:?} {error}", answers.turned_away());
        assert!(!CANARIES.iter().any(|canary| shown.contains(canary)), "{shown}");
    }
    // The words of a refusal are for the tables.
    let answers = put_three(Reply::ok(body)).await;
    assert!(
        matches!(answers.of(&payment(2).stamp), WriteOutcome::Refused(why) if why.contains("owes"))
    );
}

/// A server that reads a request, sends this, and closes the connection; it counts the connections.
async fn cutting(sent: &'static str) -> (Url, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let connections = Arc::<AtomicU32>::default();
    let count = connections.clone();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let _ = connection.read(&mut [0; 8_192]).await;
            let _ = connection.write_all(sent.as_bytes()).await;
        }
    });
    (url, connections)
}
