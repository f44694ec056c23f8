//! The EventBridge side against a server that answers as EventBridge does, and as it does on bad days.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::config::retry::RetryConfig;
use aws_sdk_eventbridge::config::{BehaviorVersion, Credentials, Region};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use bus::{
    BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, Bus as _, EventBus, PublishProblem, SEND_ATTEMPTS_MAX,
};
use payments::events::{Announcement, Entry, EntryPayment, announce};
use payments::{Occurrence, OrganisationId};
use serde_json::{Value, json};
use uuid::Uuid;

/// What the server does with the entries of one call.
#[derive(Clone, Copy, Debug)]
enum Plan {
    /// Takes all.
    Take,
    /// Takes all but one, with this error code.
    Fail(usize, &'static str),
    /// Takes the first few, and says nothing of the others.
    Silent(usize),
    /// Says of one that it is done, without an id.
    NoId(usize),
    /// The call fails as a whole.
    Refuse(u16),
}

#[derive(Default)]
struct Server {
    plans: Mutex<VecDeque<Plan>>,
    calls: Mutex<Vec<Vec<Value>>>,
}

impl Server {
    /// The numbers of the announcements in each call.
    fn calls(&self) -> Vec<Vec<u64>> {
        let number = |entry: &Value| {
            let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
            detail["id"].as_str().unwrap().parse().unwrap()
        };
        let calls = self.calls.lock().unwrap();
        calls.iter().map(|entries| entries.iter().map(number).collect()).collect()
    }
}

async fn answer(
    State(server): State<Arc<Server>>,
    body: String,
) -> (StatusCode, [(header::HeaderName, &'static str); 1], String) {
    let request: Value = serde_json::from_str(&body).unwrap();
    let entries = request["Entries"].as_array().unwrap().clone();
    let all = entries.len();
    server.calls.lock().unwrap().push(entries);
    let plan = server.plans.lock().unwrap().pop_front().unwrap_or(Plan::Take);
    let accepted = || json!({"EventId": "e"});
    let mut said: Vec<Value> = (0..all).map(|_| accepted()).collect();
    let mut status = 200;
    match plan {
        Plan::Take => {}
        Plan::Fail(at, code) => said[at] = json!({"ErrorCode": code, "ErrorMessage": "no"}),
        Plan::Silent(after) => said.truncate(after),
        Plan::NoId(at) => said[at] = json!({}),
        Plan::Refuse(code) => status = code,
    }
    let answer = if status == 200 {
        json!({"Entries": said, "FailedEntryCount": 0})
    } else {
        json!({"__type": "AccessDeniedException", "message": "not allowed"})
    };
    let kind = [(header::CONTENT_TYPE, "application/x-amz-json-1.1")];
    (StatusCode::from_u16(status).unwrap(), kind, answer.to_string())
}

async fn start(plans: impl IntoIterator<Item = Plan>) -> (Arc<Server>, EventBus) {
    let server = Arc::new(Server::default());
    server.plans.lock().unwrap().extend(plans);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(answer).with_state(Arc::clone(&server));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let config = aws_sdk_eventbridge::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("ap-southeast-2"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .endpoint_url(&url)
        .build();
    (server, EventBus::new(Client::from_conf(config), "paymirror".to_owned()))
}

fn announcement(number: usize, why: &str) -> Announcement {
    let entry = Entry {
        id: number.to_string(),
        organisation: OrganisationId::new(Uuid::from_u128(1)),
        at: "2026-11-23T01:00:00.5Z".parse().unwrap(),
        logged: Occurrence::UploadingDisabled.into(),
        rule: Some("EX-32".to_owned()),
        cause: None,
        event_at: None,
        reason: None,
        by: None,
        why: Some(why.to_owned()),
        invoice: None,
        payment: EntryPayment::default(),
        discrepancy: None,
        contact: None,
        customer: None,
        blocked: None,
        adjustment: None,
        notice: None,
        owner: None,
        close: None,
        seal: None,
        order: None,
        report: None,
        night: None,
        until: None,
    };
    announce(&entry).unwrap().unwrap()
}

fn announcements(count: usize) -> Vec<Announcement> {
    (0..count).map(|number| announcement(number, "4,001 attempts")).collect()
}

#[tokio::test]
async fn an_event_says_from_whom_of_what_and_when() {
    let (server, bus) = start([]).await;
    let sending = bus.send(&announcements(1)).await;
    assert_eq!((sending.done, sending.problem), (1, None));
    let calls = server.calls.lock().unwrap();
    let entry = &calls[0][0];
    assert_eq!(entry["Source"], "paymirror");
    assert_eq!(entry["DetailType"], "upload.disabled");
    assert_eq!(entry["EventBusName"], "paymirror");
    assert_eq!(entry["Time"].to_string(), "1795395600.5");
}

#[tokio::test]
async fn ten_go_in_a_call_in_their_order() {
    let (server, bus) = start([]).await;
    assert_eq!(bus.send(&announcements(23)).await.done, 23);
    let calls = server.calls();
    assert_eq!(calls.iter().map(Vec::len).collect::<Vec<_>>(), [BATCH_ENTRIES_MAX, 10, 3]);
    assert!(calls.concat().into_iter().eq(0..23));
    assert_eq!(bus.send(&[]).await.done, 0);
    assert_eq!(server.calls().len(), 3, "nothing to send is no call");
}

/// Characters of four bytes each are as large as an announcement can be made.
#[tokio::test]
async fn a_call_is_never_larger_than_eventbridge_takes() {
    let (server, bus) = start([]).await;
    let large: Vec<_> = (0..40).map(|n| announcement(n, &"𝄞".repeat(1_000_000))).collect();
    assert_eq!(bus.send(&large).await.done, 40);
    for call in server.calls.lock().unwrap().iter() {
        let bytes: usize = call.iter().map(|entry| entry["Detail"].as_str().unwrap().len()).sum();
        assert!(bytes < BATCH_BYTES_MAX);
    }
}

#[tokio::test]
async fn what_is_not_confirmed_is_sent_again_and_only_that() {
    let (server, bus) =
        start([Plan::Fail(1, "InternalFailure"), Plan::Take, Plan::Silent(2), Plan::NoId(0)]).await;
    assert_eq!(bus.send(&announcements(3)).await.done, 3);
    assert_eq!(bus.send(&announcements(3)).await.done, 3);
    assert_eq!(server.calls(), [vec![0, 1, 2], vec![1], vec![0, 1, 2], vec![2], vec![2]]);
}

#[tokio::test]
async fn what_is_never_confirmed_ends_the_sending_where_the_stream_has_to_go_on() {
    let plans = [Plan::Take].into_iter();
    let throttled = std::iter::repeat_n(Plan::Fail(0, "ThrottlingException"), 3);
    let first = [Plan::Fail(4, "ThrottlingException")].into_iter();
    let (server, bus) = start(plans.chain(first).chain(throttled)).await;
    let sending = bus.send(&announcements(30)).await;
    assert_eq!(sending.done, 14);
    let problem = PublishProblem::Unconfirmed {
        attempts: SEND_ATTEMPTS_MAX,
        code: "ThrottlingException".to_owned(),
    };
    assert_eq!(sending.problem, Some(problem));
    assert_eq!(server.calls().len(), 4, "nothing behind it was sent");
}

#[tokio::test]
async fn a_call_that_fails_ends_the_sending_with_eventbridges_own_word() {
    let (server, bus) = start([Plan::Take, Plan::Refuse(400)]).await;
    let sending = bus.send(&announcements(30)).await;
    assert_eq!(sending.done, 10);
    let Some(PublishProblem::Call(word)) = sending.problem else { panic!("{:?}", sending.problem) };
    assert!(word.contains("AccessDeniedException"), "{word}");
    assert_eq!(server.calls().len(), 2);
}

/// Otherwise one event that EventBridge will never take would hold up all that come after it.
#[tokio::test]
async fn what_is_refused_for_good_is_done_and_named() {
    for code in ["MalformedDetail", "InvalidArgument", "RedactionFailure"] {
        let (server, bus) = start([Plan::Fail(2, code)]).await;
        let sending = bus.send(&announcements(12)).await;
        assert_eq!((sending.done, sending.problem), (12, None));
        assert_eq!(sending.refused, [(2, code.to_owned())]);
        assert_eq!(server.calls().len(), 2, "it is not sent again");
    }
}

/// A refusal behind the place where the stream goes on is met again, and counted then.
#[tokio::test]
async fn a_refusal_behind_a_failure_is_not_counted_yet() {
    let (_, bus) = start([Plan::Fail(7, "MalformedDetail"), Plan::Refuse(500)]).await;
    let sending = bus.send(&announcements(20)).await;
    assert_eq!((sending.done, sending.refused.len()), (10, 1));
    let again = std::iter::repeat_n(Plan::Fail(0, "InternalFailure"), 2);
    let first = [Plan::Fail(9, "MalformedDetail"), Plan::Fail(0, "InternalFailure")];
    let (_, bus) = start(first.into_iter().chain(again)).await;
    let sending = bus.send(&announcements(20)).await;
    assert_eq!((sending.done, sending.refused.len()), (10, 1));
}
