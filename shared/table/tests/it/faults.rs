//! Faults between us and DynamoDB, which the engine does not make by itself (engines.md 6): a
//! proxy that counts calls, and lets chosen ones go wrong. The tests of `mirror` use this, too.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Response};
use tokio::sync::Notify;

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

/// The moment at which a process ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Moment {
    /// The call is not carried out any more.
    Before,
    /// It is carried out, and its answer is lost.
    After,
}

/// Ends a process at one of its calls to the outside. What calls, is dropped by the test as soon
/// as [`Guillotine::fallen`] says so.
#[derive(Debug, Default)]
pub struct Guillotine {
    calls: Mutex<Vec<bool>>,
    falls: Option<(usize, Moment)>,
    /// Whether only calls with an effect count.
    effects_only: bool,
    bell: Notify,
}

impl Guillotine {
    pub fn counting() -> Arc<Self> {
        Arc::default()
    }

    pub fn at(call: usize, moment: Moment) -> Arc<Self> {
        Arc::new(Self { falls: Some((call, moment)), ..Self::default() })
    }

    /// Falls at a call that has an effect, counted among those.
    pub fn at_effect(call: usize, moment: Moment) -> Arc<Self> {
        let falls = Some((call, moment));
        Arc::new(Self { falls, effects_only: true, ..Self::default() })
    }

    /// The calls that there were, and whether each of them could have an effect.
    pub fn calls(&self) -> Vec<bool> {
        self.calls.lock().unwrap().clone()
    }

    /// Counts a call, and says whether it is the last one.
    pub fn count(&self, has_effect: bool) -> Option<Moment> {
        let mut calls = self.calls.lock().unwrap();
        if self.effects_only && !has_effect {
            return None;
        }
        calls.push(has_effect);
        self.falls.filter(|(at, _)| *at == calls.len()).map(|(_, moment)| moment)
    }

    /// Never returns: the process that waits for this call has ended.
    pub async fn fall(&self) {
        self.bell.notify_one();
        std::future::pending().await
    }

    /// Waits until it has fallen.
    pub async fn fallen(&self) {
        self.bell.notified().await;
    }

    /// Runs to the end (`Some`), or to the call at which the process ends.
    pub async fn run<T>(&self, process: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.fallen() => None,
            output = process => Some(output),
        }
    }
}

type Plan = Box<dyn Fn(&Call) -> Do + Send + Sync>;

struct State {
    upstream: String,
    http: reqwest::Client,
    calls: Mutex<Vec<Call>>,
    scanned: Mutex<usize>,
    plan: Mutex<Arc<Plan>>,
    guillotine: Mutex<Arc<Guillotine>>,
}

/// A proxy in front of an engine.
pub struct Proxy {
    pub url: String,
    state: Arc<State>,
}

impl Proxy {
    pub async fn start(upstream: String) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let pass: Plan = Box::new(|_| Do::Pass);
        let state = Arc::new(State {
            upstream,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            calls: Mutex::default(),
            scanned: Mutex::default(),
            plan: Mutex::new(Arc::new(pass)),
            guillotine: Mutex::default(),
        });
        let shared = state.clone();
        let app = Router::new().fallback(move |request: Request| answer(shared.clone(), request));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, state }
    }

    /// From now on, calls are counted afresh and this happens to them.
    pub fn plan(&self, plan: impl Fn(&Call) -> Do + Send + Sync + 'static) {
        self.state.calls.lock().unwrap().clear();
        *self.state.scanned.lock().unwrap() = 0;
        let plan: Plan = Box::new(plan);
        *self.state.plan.lock().unwrap() = Arc::new(plan);
    }

    /// From now on, calls are counted afresh and all go well.
    pub fn heal(&self) {
        self.plan(|_| Do::Pass);
        self.end_with(Guillotine::counting());
    }

    /// From now on, calls count for this guillotine.
    pub fn end_with(&self, guillotine: Arc<Guillotine>) {
        *self.state.guillotine.lock().unwrap() = guillotine;
    }

    pub fn calls(&self) -> Vec<Call> {
        self.state.calls.lock().unwrap().clone()
    }

    /// How many rows the engine has looked at for queries and scans.
    pub fn scanned(&self) -> usize {
        *self.state.scanned.lock().unwrap()
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
    let guillotine = state.guillotine.lock().unwrap().clone();
    let last = guillotine.count(call.has_effect());
    if last == Some(Moment::Before) {
        guillotine.fall().await;
    }
    let plan = state.plan.lock().unwrap().clone();
    let answer = match plan(&call) {
        Do::Pass => forward(&state, &parts.headers, body).await,
        Do::Refuse(code) => error(400, code, ""),
        Do::Cancel(reasons) => cancelled(reasons),
        Do::LoseAnswer => {
            forward(&state, &parts.headers, body).await;
            error(500, "InternalServerError", "")
        }
        Do::LeaveOut => left_out(&call.body),
        Do::Wait(bell) => {
            bell.notified().await;
            forward(&state, &parts.headers, body).await
        }
    };
    if last == Some(Moment::After) {
        guillotine.fall().await;
    }
    answer
}

async fn forward(state: &State, headers: &HeaderMap, body: Bytes) -> Response<Body> {
    let mut headers = headers.clone();
    headers.remove("host");
    let answer = state.http.post(&state.upstream).headers(headers).body(body).send().await.unwrap();
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if name != "transfer-encoding" && name != "content-length" {
            response = response.header(name, value);
        }
    }
    let body = answer.bytes().await.unwrap();
    *state.scanned.lock().unwrap() += scanned(&body);
    response.body(Body::from(body)).unwrap()
}

fn scanned(answer: &[u8]) -> usize {
    // In a text of the answer, the quotes around the name would be escaped.
    let answer = String::from_utf8_lossy(answer);
    let Some((_, number)) = answer.split_once(r#""ScannedCount":"#) else { return 0 };
    number.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().parse().unwrap_or(0)
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
