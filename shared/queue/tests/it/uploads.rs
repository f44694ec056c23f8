//! The `uploads` queue: its SQS side against a server that answers as SQS does, and its texts.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use payments::OrganisationId;
use proptest::prelude::*;
use queue::{SendProblem, UploadTask, Uploads as _, UploadsQueue};
use serde_json::{Value, json};
use uuid::Uuid;

/// What the server answers to every call, and what it was asked.
struct Server {
    status: u16,
    answer: Value,
    calls: Mutex<Vec<(String, Value)>>,
}

async fn answer(
    State(server): State<Arc<Server>>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, [(header::HeaderName, &'static str); 1], String) {
    let operation = headers["x-amz-target"].to_str().unwrap().to_owned();
    server.calls.lock().unwrap().push((operation, serde_json::from_str(&body).unwrap()));
    let kind = [(header::CONTENT_TYPE, "application/x-amz-json-1.0")];
    (StatusCode::from_u16(server.status).unwrap(), kind, server.answer.to_string())
}

async fn start(status: u16, answers: Value) -> (Arc<Server>, UploadsQueue) {
    let server = Arc::new(Server { status, answer: answers, calls: Mutex::default() });
    let (listener, url) = harness::http::listener().await;
    let app = Router::new().fallback(answer).with_state(Arc::clone(&server));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (server, queue_at(&url))
}

fn queue_at(url: &str) -> UploadsQueue {
    UploadsQueue::new(harness::sqs::client(url), format!("{url}/000000000000/uploads"))
}

const TAKEN: &str = "5f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10";

fn task() -> UploadTask {
    UploadTask::Direct { organisation: OrganisationId::new(Uuid::from_u128(7)) }
}

#[tokio::test]
async fn a_task_is_sent_by_itself_and_reads_back() {
    let (server, queue) = start(200, json!({"MessageId": TAKEN, "MD5OfMessageBody": "md5"})).await;
    queue.send(&task(), 0).await.unwrap();
    let calls = server.calls.lock().unwrap().clone();
    let [(operation, call)] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!(operation, "AmazonSQS.SendMessage");
    assert!(call["QueueUrl"].as_str().unwrap().ends_with("/000000000000/uploads"));
    assert_eq!(UploadTask::from_json(call["MessageBody"].as_str().unwrap()).unwrap(), task());
}

#[tokio::test]
async fn a_delay_is_fifteen_minutes_at_most() {
    let (server, queue) = start(200, json!({"MessageId": TAKEN})).await;
    for seconds in [0, 1, 900, 901, u16::MAX] {
        queue.send(&task(), seconds).await.unwrap();
    }
    let calls = server.calls.lock().unwrap().clone();
    let delays: Vec<_> = calls.iter().map(|(_, call)| call["DelaySeconds"].as_i64()).collect();
    assert_eq!(delays, [0, 1, 900, 900, 900].map(Some));
}

#[tokio::test]
async fn an_answer_without_an_id_confirms_nothing() {
    for empty in [json!({}), json!({"MessageId": ""})] {
        let (_, queue) = start(200, empty).await;
        let error = queue.send(&task(), 0).await.unwrap_err();
        assert_eq!((error.confirmed, error.total), (0, 1));
        assert!(matches!(error.problem, SendProblem::Unconfirmed { attempts: 1, .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_call_that_fails_says_why() {
    let kind = "com.amazonaws.sqs#QueueDoesNotExist";
    let (_, queue) = start(400, json!({"__type": kind, "message": "no such queue"})).await;
    let error = queue.send(&task(), 0).await.unwrap_err();
    assert_eq!((error.confirmed, error.total), (0, 1));
    let problem = error.problem.to_string();
    assert!(
        problem.contains("QueueDoesNotExist: ") && problem.contains("no such queue"),
        "{problem}"
    );
}

fn tasks() -> impl Strategy<Value = UploadTask> {
    let organisations = any::<u128>().prop_map(|id| OrganisationId::new(Uuid::from_u128(id)));
    let range = Timestamp::MIN.as_nanosecond()..=Timestamp::MAX.as_nanosecond();
    let times = range.prop_map(|nanosecond| Timestamp::from_nanosecond(nanosecond).unwrap());
    (organisations, proptest::option::of((times, any::<u32>()))).prop_map(
        |(organisation, night)| match night {
            None => UploadTask::Direct { organisation },
            Some((scheduled_at, round)) => UploadTask::Night { organisation, scheduled_at, round },
        },
    )
}

proptest! {
    #[test]
    fn law_a_task_survives_the_round_trip(task in tasks()) {
        let text = task.to_json().unwrap();
        prop_assert!(text.is_ascii(), "SQS refuses some characters for ever");
        prop_assert_eq!(UploadTask::from_json(&text).unwrap(), task);
    }

    #[test]
    fn law_no_text_breaks_the_reader_and_what_it_says_is_short(
        text in any::<String>(),
        task in tasks(),
        position in any::<prop::sample::Index>(),
        replacement in any::<char>(),
    ) {
        let mut chars: Vec<char> = task.to_json().unwrap().chars().collect();
        let position = position.index(chars.len());
        let cut: String = chars[..position].iter().collect();
        chars[position] = replacement;
        for text in [text, cut, chars.iter().collect()] {
            if let Err(error) = UploadTask::from_json(&text) {
                prop_assert!(error.to_string().chars().count() < 300);
            }
        }
    }
}
