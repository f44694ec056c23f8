//! Faults between a function and DynamoDB, which the engine does not make by itself: a proxy that counts calls, and lets
//! chosen ones go wrong.

use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Response};
use tokio::sync::Notify;

use crate::crash_point::{CrashPoint, CurrentCrashPoint};
use crate::http;

/// A call that reached the proxy.
#[derive(Clone, Debug)]
pub struct Call {
    /// Counted from 1, over all calls.
    pub number: usize,
    /// Counted from 1, over the calls of this operation.
    pub of_its_kind: usize,
    /// `TransactWriteItems`, `Query`, …; apart from those on the count of calls, which every call to Xero
    /// costs, and on the sync log, to which every run adds: `PutItem budgets`, `PutItem sync_runs`.
    pub operation: String,
    pub body: String,
}

impl Call {
    pub fn is_write(&self) -> bool {
        matches!(self.operation.as_str(), "TransactWriteItems" | "PutItem")
    }

    fn has_effect(&self) -> bool {
        self.is_write() || self.operation.starts_with("PutItem ")
    }
}

/// What becomes of a call.
#[derive(Clone, Debug)]
pub enum Do {
    /// It is carried out.
    Pass,
    /// It is not carried out; the answer is this error.
    Refuse(&'static str),
    /// It is not carried out; the answer is a cancelled transaction with these reasons.
    Cancel(&'static [&'static str]),
    /// It is carried out; the answer is a 500.
    LoseAnswer,
    /// A `BatchGetItem` finds none of its rows in time, and says so.
    LeaveOut,
    /// It is carried out once the test rings.
    Wait(Arc<Notify>),
}

type Plan = Box<dyn Fn(&Call) -> Do + Send + Sync>;

struct State {
    upstream: String,
    calls: Mutex<Vec<Call>>,
    scanned: Mutex<usize>,
    /// Rows that were asked for by their keys, many at once.
    fetched: Mutex<usize>,
    plan: Mutex<Arc<Plan>>,
    crash_point: CurrentCrashPoint,
}

/// A proxy in front of an engine.
pub struct DynamoDbProxy {
    pub url: String,
    state: Arc<State>,
}

impl DynamoDbProxy {
    pub async fn start(upstream: String) -> Self {
        let pass: Plan = Box::new(|_| Do::Pass);
        let state = Arc::new(State {
            upstream,
            calls: Mutex::default(),
            scanned: Mutex::default(),
            fetched: Mutex::default(),
            plan: Mutex::new(Arc::new(pass)),
            crash_point: CurrentCrashPoint::default(),
        });
        let shared = state.clone();
        let url = http::serve(move |request: Request| answer(shared.clone(), request)).await;
        Self { url, state }
    }

    /// From now on, calls are counted afresh and this happens to them.
    pub fn plan(&self, plan: impl Fn(&Call) -> Do + Send + Sync + 'static) {
        self.state.calls.lock().unwrap().clear();
        *self.state.scanned.lock().unwrap() = 0;
        *self.state.fetched.lock().unwrap() = 0;
        let plan: Plan = Box::new(plan);
        *self.state.plan.lock().unwrap() = Arc::new(plan);
    }

    /// From now on, calls are counted afresh and all go well.
    pub fn heal(&self) {
        self.plan(|_| Do::Pass);
        self.end_with(&CrashPoint::counting());
    }

    /// From now on, calls count for this crash point.
    pub fn end_with(&self, crash_point: &Arc<CrashPoint>) {
        self.state.crash_point.set(crash_point);
    }

    pub fn calls(&self) -> Vec<Call> {
        self.state.calls.lock().unwrap().clone()
    }

    /// How many rows the engine has looked at for queries and scans.
    pub fn scanned(&self) -> usize {
        *self.state.scanned.lock().unwrap()
    }

    /// How many rows the engine has looked at for queries and scans, and given for lists of keys.
    pub fn rows_read(&self) -> usize {
        self.scanned() + *self.state.fetched.lock().unwrap()
    }

    pub fn writes(&self) -> usize {
        self.calls().iter().filter(|call| call.is_write()).count()
    }
}

async fn answer(state: Arc<State>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let target = parts.headers["x-amz-target"].to_str().unwrap();
    let mut operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    for table in ["budgets", "sync_runs"] {
        // A transaction names its tables deeper down.
        let only = operation == "TransactWriteItems";
        if !only && String::from_utf8_lossy(&body).contains(&format!(r#""TableName":"{table}""#)) {
            operation.push_str(&format!(" {table}"));
        }
    }
    let call = {
        let mut calls = state.calls.lock().unwrap();
        let of_its_kind = calls.iter().filter(|call| call.operation == operation).count() + 1;
        let body = String::from_utf8_lossy(&body).into_owned();
        let call = Call { number: calls.len() + 1, of_its_kind, operation, body };
        calls.push(call.clone());
        call
    };
    let crash_point = state.crash_point.get();
    crash_point.pass(call.has_effect(), carry_out(&state, &call, &parts.headers, body)).await
}

async fn carry_out(state: &State, call: &Call, headers: &HeaderMap, body: Bytes) -> Response<Body> {
    let plan = state.plan.lock().unwrap().clone();
    match plan(call) {
        Do::Pass => forward(state, headers, body).await,
        Do::Refuse(code) => error(400, code, ""),
        Do::Cancel(reasons) => cancelled(reasons),
        Do::LoseAnswer => {
            forward(state, headers, body).await;
            error(500, "InternalServerError", "")
        }
        Do::LeaveOut => left_out(&call.body),
        Do::Wait(bell) => {
            bell.notified().await;
            forward(state, headers, body).await
        }
    }
}

async fn forward(state: &State, headers: &HeaderMap, body: Bytes) -> Response<Body> {
    let request = http::client().post(&state.upstream).headers(http::forwarded(headers));
    let answer = request.body(body).send().await.unwrap();
    let response = http::answer_like(&answer);
    let body = answer.bytes().await.unwrap();
    *state.scanned.lock().unwrap() += scanned(&body);
    *state.fetched.lock().unwrap() += fetched(&body);
    response.body(Body::from(body)).unwrap()
}

fn scanned(answer: &[u8]) -> usize {
    // In a text of the answer, the quotes around the name would be escaped.
    let answer = String::from_utf8_lossy(answer);
    let Some((_, number)) = answer.split_once(r#""ScannedCount":"#) else { return 0 };
    number.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().parse().unwrap_or(0)
}

/// The rows of an answer to `BatchGetItem`.
fn fetched(answer: &[u8]) -> usize {
    if !answer.starts_with(br#"{"Responses":{"#) {
        return 0;
    }
    let answer: serde_json::Value = serde_json::from_slice(answer).unwrap();
    let tables = answer["Responses"].as_object().unwrap().values();
    tables.map(|rows| rows.as_array().unwrap().len()).sum()
}

fn error(status: u16, code: &str, more: &str) -> Response<Body> {
    let body = format!(
        r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"the test said so"{more}}}"#
    );
    Response::builder()
        .status(status)
        .header("content-type", "application/x-amz-json-1.0")
        .body(Body::from(body))
        .unwrap()
}

fn left_out(request: &str) -> Response<Body> {
    let request: serde_json::Value = serde_json::from_str(request).unwrap();
    let keys = &request["RequestItems"];
    let body = serde_json::json!({ "Responses": {}, "UnprocessedKeys": keys }).to_string();
    Response::builder()
        .header("content-type", "application/x-amz-json-1.0")
        .body(Body::from(body))
        .unwrap()
}

fn cancelled(reasons: &[&str]) -> Response<Body> {
    let reasons: Vec<_> = reasons.iter().map(|code| format!(r#"{{"Code":"{code}"}}"#)).collect();
    let more = format!(r#","CancellationReasons":[{}]"#, reasons.join(","));
    error(400, "TransactionCanceledException", &more)
}
