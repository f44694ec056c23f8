//! What stands between the function and its Xero: it counts calls, and ends the process at one of them. The
//! tests of `sweep` use this, too.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;

use crate::faults::{Guillotine, Moment};

struct State {
    upstream: String,
    http: reqwest::Client,
    calls: Mutex<Vec<String>>,
    guillotine: Mutex<Arc<Guillotine>>,
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
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State {
            upstream,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            calls: Mutex::default(),
            guillotine: Mutex::default(),
            meanwhile: Mutex::default(),
            each: Mutex::default(),
            held: Mutex::default(),
            spoils: Mutex::default(),
            refuses: Mutex::default(),
        });
        let shared = state.clone();
        let app = Router::new().fallback(move |request: Request| answer(shared.clone(), request));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, state }
    }

    /// From now on, calls count for this guillotine.
    pub fn end_with(&self, guillotine: Arc<Guillotine>) {
        *self.state.guillotine.lock().unwrap() = guillotine;
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
    let guillotine = state.guillotine.lock().unwrap().clone();
    let last = guillotine.count(parts.method == "PUT");
    if last == Some(Moment::Before) {
        guillotine.fall().await;
    }
    let refused = state.refuses.lock().unwrap().clone();
    let sent = String::from_utf8_lossy(&body).into_owned();
    if refused.is_some_and(|text| sent.contains(&text) || path.contains(&text)) {
        return Response::builder().status(400).body(Body::from(REFUSED_WHOLE)).unwrap();
    }
    let is_read = parts.method == "GET";
    let mut headers = parts.headers.clone();
    headers.remove("host");
    let sent = state
        .http
        .request(parts.method, format!("{}{path}", state.upstream))
        .headers(headers)
        .body(body)
        .send()
        .await;
    if last == Some(Moment::After) {
        guillotine.fall().await;
    }
    // A connection that the simulator has cut is a bad gateway here: no answer of Xero's either way.
    let Ok(sent) = sent else {
        return Response::builder().status(502).body(Body::empty()).unwrap();
    };
    let mut response = Response::builder().status(sent.status());
    for (name, value) in sent.headers() {
        if name != "transfer-encoding" && name != "content-length" {
            response = response.header(name, value);
        }
    }
    match sent.bytes().await {
        Ok(bytes) => {
            let spoils = state.spoils.lock().unwrap();
            let bytes = match spoils.as_ref().filter(|_| is_read) {
                Some(spoils) => spoils(&path, String::from_utf8(bytes.to_vec()).unwrap()).into(),
                None => bytes,
            };
            response.body(Body::from(bytes)).unwrap()
        }
        Err(_) => Response::builder().status(502).body(Body::empty()).unwrap(),
    }
}
