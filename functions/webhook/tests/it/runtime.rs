//! The real binary under a small stand-in for Lambda's runtime API, with small stand-ins for SQS
//! and Secrets Manager behind it.

use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use queue::Message;
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use crate::world::{
    CHECK, CHECK_SIGNATURE, KEY, TWO_EVENTS, TWO_EVENTS_SIGNATURE, encoded, request,
};

struct Lambda {
    events: Mutex<VecDeque<String>>,
    answers: mpsc::UnboundedSender<Value>,
    /// What SQS took, and whether it works.
    taken: Mutex<Vec<String>>,
    sqs_works: bool,
}

async fn next(State(lambda): State<Arc<Lambda>>) -> Response {
    let event = lambda.events.lock().unwrap().pop_front();
    let Some(event) = event else { return std::future::pending().await };
    let deadline = "4102444800000";
    let headers = [
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        ("lambda-runtime-deadline-ms", deadline),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:ap-southeast-2:0:function:w"),
        ("content-type", "application/json"),
    ];
    (headers, event).into_response()
}

async fn answered(
    State(lambda): State<Arc<Lambda>>,
    Path(_): Path<String>,
    body: Bytes,
) -> StatusCode {
    lambda.answers.send(serde_json::from_slice(&body).unwrap()).unwrap();
    StatusCode::ACCEPTED
}

async fn aws(State(lambda): State<Arc<Lambda>>, headers: HeaderMap, body: Bytes) -> Response {
    let kind = [("content-type", "application/x-amz-json-1.0")];
    if headers["x-amz-target"] == "secretsmanager.GetSecretValue" {
        let secret = json!({ "webhook_keys": ["another", KEY] }).to_string();
        let answer = json!({"ARN": "arn", "Name": "secret", "SecretString": secret});
        return (kind, answer.to_string()).into_response();
    }
    assert_eq!(headers["x-amz-target"], "AmazonSQS.SendMessageBatch");
    if !lambda.sqs_works {
        let error = json!({"__type": "com.amazonaws.sqs#OverLimit", "message": "no"});
        return (StatusCode::BAD_REQUEST, kind, error.to_string()).into_response();
    }
    let call: Value = serde_json::from_slice(&body).unwrap();
    let mut taken = lambda.taken.lock().unwrap();
    let mut successful = Vec::new();
    for entry in call["Entries"].as_array().unwrap() {
        taken.push(entry["MessageBody"].as_str().unwrap().to_owned());
        successful.push(json!({"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": ""}));
    }
    (kind, json!({"Successful": successful, "Failed": []}).to_string()).into_response()
}

/// The function, started; it is killed when this is dropped.
struct Function {
    lambda: Arc<Lambda>,
    answers: mpsc::UnboundedReceiver<Value>,
    process: Child,
}

const KEYS: &str = "XERO_WEBHOOK_KEYS";
const SECRET_ARN: &str = "XERO_WEBHOOK_SECRET_ARN";

async fn start(keys: &str, events: Vec<String>, sqs_works: bool) -> Function {
    let (sender, answers) = mpsc::unbounded_channel();
    let lambda = Arc::new(Lambda {
        events: Mutex::new(events.into()),
        answers: sender,
        taken: Mutex::default(),
        sqs_works,
    });
    let app = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(answered))
        .fallback(aws)
        .with_state(Arc::clone(&lambda));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let process = function(&address)
        .env("CHANGES_QUEUE_URL", format!("http://{address}/000000000000/changes"))
        // What a template leaves out is set to nothing.
        .env(KEYS, if keys == KEYS { format!("another, {KEY}") } else { String::new() })
        .env(SECRET_ARN, if keys == SECRET_ARN { "arn" } else { "" })
        .spawn()
        .unwrap();
    Function { lambda, answers, process }
}

fn function(address: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_webhook"));
    command
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", address)
        .env("AWS_LAMBDA_FUNCTION_NAME", "test-webhook")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
        .env("AWS_LAMBDA_LOG_LEVEL", "TRACE")
        .env("AWS_REGION", "ap-southeast-2")
        .env("AWS_ACCESS_KEY_ID", "canary-id-4711")
        .env("AWS_SECRET_ACCESS_KEY", "canary-secret-4711")
        .env("AWS_ENDPOINT_URL", format!("http://{address}"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

impl Function {
    async fn statuses(&mut self, count: usize) -> Vec<i64> {
        let mut statuses = Vec::new();
        for _ in 0..count {
            let answer = tokio::time::timeout(Duration::from_secs(30), self.answers.recv());
            let answer = answer.await.expect("an answer in time").unwrap();
            assert_eq!(answer["body"], "");
            assert_eq!(answer["cookies"], json!([]));
            assert_eq!(answer["headers"], json!({}));
            statuses.push(answer["statusCode"].as_i64().unwrap());
        }
        statuses
    }

    /// Stops it; what it has printed.
    async fn printed(mut self) -> String {
        self.process.start_kill().unwrap();
        let output = self.process.wait_with_output().await.unwrap();
        let (out, err) = (String::from_utf8(output.stdout), String::from_utf8(output.stderr));
        out.unwrap() + &err.unwrap()
    }
}

fn text(request: &impl serde::Serialize) -> String {
    serde_json::to_string(request).unwrap()
}

#[tokio::test]
async fn the_binary_answers_the_check_near_misses_and_deliveries() {
    answers_the_check_near_misses_and_deliveries(KEYS).await;
}

#[tokio::test]
async fn the_binary_does_so_with_keys_from_secrets_manager() {
    answers_the_check_near_misses_and_deliveries(SECRET_ARN).await;
}

async fn answers_the_check_near_misses_and_deliveries(keys: &str) {
    // given: Xero's check with one right and one wrong signature, and a delivery, twice
    let near_miss = CHECK_SIGNATURE.replace("WZ", "WY");
    let events = vec![
        text(&request(CHECK, Some(CHECK_SIGNATURE))),
        text(&request(CHECK, Some(&near_miss))),
        text(&request(TWO_EVENTS, Some(TWO_EVENTS_SIGNATURE))),
        text(&encoded(TWO_EVENTS.as_bytes(), TWO_EVENTS_SIGNATURE)),
    ];
    let mut function = start(keys, events, true).await;

    // when, then
    assert_eq!(function.statuses(4).await, [200, 401, 200, 200]);
    let taken = function.lambda.taken.lock().unwrap().clone();
    assert_eq!(taken.len(), 2);
    for text in taken {
        let Message::Invoices(changes) = Message::from_json(&text).unwrap() else {
            panic!("not invoices: {text}")
        };
        assert_eq!(changes.invoices.len(), 1);
    }

    // then: every line is JSON, and neither key, credentials nor signature stands in one
    let printed = function.printed().await;
    let lines: Vec<Value> =
        printed.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let numbers: Vec<&Value> = lines.iter().filter(|line| line.get("Invoices").is_some()).collect();
    assert_eq!(numbers.len(), 4, "one record for each invocation");
    assert_eq!(numbers[2]["Function"], "test-webhook");
    assert_eq!(numbers[2]["Invoices"], 1);
    assert_eq!(numbers[1]["RefusedNotSigned"], 1);
    let kept = |line: &&&Value| line.get("_aws").is_some();
    assert_eq!(numbers.iter().filter(kept).count(), 1, "CloudWatch keeps the near miss");
    let accepted = lines.iter().filter(|line| line["message"] == "delivery accepted");
    assert_eq!(accepted.count(), 3);
    for secret in [KEY, "another", "4711", CHECK_SIGNATURE, TWO_EVENTS_SIGNATURE, &near_miss] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
}

#[tokio::test]
async fn row6_the_binary_answers_503_while_sqs_refuses() {
    let delivery = text(&request(TWO_EVENTS, Some(TWO_EVENTS_SIGNATURE)));
    let check = text(&request(CHECK, Some(CHECK_SIGNATURE)));
    let mut function = start(KEYS, vec![delivery, check], false).await;
    assert_eq!(function.statuses(2).await, [503, 200]);
    let printed = function.printed().await;
    assert!(printed.contains("OverLimit"), "says what SQS said: {printed}");
}

#[tokio::test]
async fn the_binary_does_not_start_without_its_settings_and_names_them() {
    for (settings, named) in [
        (vec![], "CHANGES_QUEUE_URL must be set"),
        (vec![("CHANGES_QUEUE_URL", "http://a/b")], "XERO_WEBHOOK_SECRET_ARN must be set"),
        (
            vec![
                ("CHANGES_QUEUE_URL", "http://a/b"),
                ("XERO_WEBHOOK_KEYS", "canary-4711"),
                ("XERO_WEBHOOK_SECRET_ARN", "arn"),
            ],
            "must not both be set",
        ),
    ] {
        let output = function("127.0.0.1:1").envs(settings).output().await.unwrap();
        assert!(!output.status.success());
        let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(printed.contains(named), "{named} in {printed}");
        assert!(!printed.contains("4711"));
    }
}
