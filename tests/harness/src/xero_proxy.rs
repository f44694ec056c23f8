//! Faults between a function and the simulated Xero, which the simulator does not make by itself: a proxy that counts
//! calls, changes the books between two of them, spoils answers, and ends the process at a call.

use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{Response, request};

use crate::crash_point::{CrashPoint, CurrentCrashPoint};
use crate::http;

struct State {
    upstream: String,
    calls: Mutex<Vec<String>>,
    crash_point: CurrentCrashPoint,
    meanwhile: Mutex<Option<Meanwhile>>,
    each: Mutex<Option<Each>>,
    held: Mutex<Option<(String, Arc<tokio::sync::Notify>)>>,
    spoils: Mutex<Option<Spoils>>,
    refuses: Mutex<Option<String>>,
}

type Each = Box<dyn Fn() + Send>;
type Meanwhile = Box<dyn FnOnce() + Send>;
type Spoils = Box<dyn Fn(&str, String) -> String + Send>;

/// What Xero says of a call of which it cannot read one element.
pub const REFUSED_WHOLE: &str = r#"{"ErrorNumber":14,"Type":"PostDataInvalidException","Message":"JSON for post data was invalid, Could not convert string to DateTime."}"#;

/// A proxy in front of the simulator.
pub struct XeroProxy {
    pub url: String,
    state: Arc<State>,
}

impl XeroProxy {
    pub async fn start(upstream: String) -> Self {
        let state = Arc::new(State {
            upstream,
            calls: Mutex::default(),
            crash_point: CurrentCrashPoint::default(),
            meanwhile: Mutex::default(),
            each: Mutex::default(),
            held: Mutex::default(),
            spoils: Mutex::default(),
            refuses: Mutex::default(),
        });
        let shared = state.clone();
        let url = http::serve(move |request: Request| answer(shared.clone(), request)).await;
        Self { url, state }
    }

    /// From now on, calls count for this crash point.
    pub fn end_with(&self, crash_point: &Arc<CrashPoint>) {
        self.state.crash_point.set(crash_point);
    }

    /// This happens in Xero after everything was planned, and before the next write arrives.
    pub fn meanwhile(&self, happens: impl FnOnce() + Send + 'static) {
        *self.state.meanwhile.lock().unwrap() = Some(Box::new(happens));
    }

    /// This happens with each call of the API.
    pub fn with_each(&self, happens: impl Fn() + Send + 'static) {
        *self.state.each.lock().unwrap() = Some(Box::new(happens));
    }

    /// The calls for this organisation hang until they are let go.
    pub fn hold(&self, organisation: uuid::Uuid) -> Arc<tokio::sync::Notify> {
        let let_go = Arc::new(tokio::sync::Notify::new());
        *self.state.held.lock().unwrap() = Some((organisation.to_string(), let_go.clone()));
        let_go
    }

    /// From now on, answers to reads come as this makes them of path and body.
    pub fn spoil(&self, spoils: impl Fn(&str, String) -> String + Send + 'static) {
        *self.state.spoils.lock().unwrap() = Some(Box::new(spoils));
    }

    /// From now on, a write that holds this text, or a read that asks for it, is refused as a whole.
    pub fn refuse(&self, text: &str) {
        *self.state.refuses.lock().unwrap() = Some(text.to_owned());
    }

    /// The calls since the last time, as method and path.
    pub fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.state.calls.lock().unwrap())
    }
}

async fn answer(state: Arc<State>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let path = parts.uri.path_and_query().unwrap().as_str().to_owned();
    state.calls.lock().unwrap().push(format!("{} {}", parts.method, parts.uri.path()));
    if parts.method == "PUT" {
        let meanwhile = state.meanwhile.lock().unwrap().take();
        meanwhile.into_iter().for_each(|happens| happens());
    }
    if parts.uri.path().starts_with("/api.xro/") {
        state.each.lock().unwrap().iter().for_each(|happens| happens());
    }
    let held = state.held.lock().unwrap().clone();
    if let Some((organisation, let_go)) = held
        && parts.headers.get("xero-tenant-id").is_some_and(|tenant| *tenant == *organisation)
    {
        let_go.notified().await;
        state.held.lock().unwrap().take();
    }
    let refused = state.refuses.lock().unwrap().clone();
    let sent = String::from_utf8_lossy(&body).into_owned();
    let crash_point = state.crash_point.get();
    let answer = crash_point.pass(parts.method == "PUT", async {
        if refused.is_some_and(|text| sent.contains(&text) || path.contains(&text)) {
            return Some(refusal());
        }
        forward(&state, &parts, &path, body).await
    });
    // A connection that the simulator has cut is a bad gateway here: no answer of Xero's either way.
    answer.await.unwrap_or_else(|| Response::builder().status(502).body(Body::empty()).unwrap())
}

fn refusal() -> Response<Body> {
    Response::builder().status(400).body(Body::from(REFUSED_WHOLE)).unwrap()
}

async fn forward(
    state: &State,
    parts: &request::Parts,
    path: &str,
    body: Bytes,
) -> Option<Response<Body>> {
    let request = http::client()
        .request(parts.method.clone(), format!("{}{path}", state.upstream))
        .headers(http::forwarded(&parts.headers));
    let sent = request.body(body).send().await.ok()?;
    let response = http::answer_like(&sent);
    let bytes = sent.bytes().await.ok()?;
    let spoils = state.spoils.lock().unwrap();
    let bytes = match spoils.as_ref().filter(|_| parts.method == "GET") {
        Some(spoils) => spoils(path, String::from_utf8(bytes.to_vec()).unwrap()).into(),
        None => bytes,
    };
    Some(response.body(Body::from(bytes)).unwrap())
}
