//! A server that notes what it is asked, and answers as a test says: for answers of Xero's that the simulator does not
//! give.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Response};

use crate::crash_point::{CrashPoint, CurrentCrashPoint};
use crate::http;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Counted from 1 over the calls to the API, those for a token not among them.
    pub number: usize,
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Seen {
    pub fn is_token(&self) -> bool {
        self.path == "/connect/token"
    }

    /// The ids of the invoices that are asked for: one in the path, or a list in the query.
    pub fn ids(&self) -> Vec<&str> {
        match self.path.strip_prefix("/api.xro/2.0/Invoices/") {
            Some(id) => vec![id],
            None => match self.query.strip_prefix("IDs=") {
                Some(ids) => ids.split(',').collect(),
                None => Vec::new(),
            },
        }
    }

    /// A value of the query, as it stands there.
    pub fn value(&self, name: &str) -> &str {
        let mut pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(found, _)| *found == name).map(|(_, value)| value).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

/// A scripted answer.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// Nothing is ever answered.
    pub hangs: bool,
}

impl Reply {
    pub fn ok(body: impl Into<String>) -> Self {
        Self::status(200, body)
    }

    pub fn status(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: body.into().into_bytes(), ..Self::default() }
    }

    /// A body that need not be text.
    pub fn raw(body: Vec<u8>) -> Self {
        Self { status: 200, body, ..Self::default() }
    }

    /// Xero's answer with these invoices.
    pub fn invoices(invoices: &[String]) -> Self {
        Self::ok(format!(r#"{{"Status":"OK","Invoices":[{}]}}"#, invoices.join(",")))
    }

    /// Xero's answer to a request for an invoice that it does not have.
    pub fn not_found() -> Self {
        Self::status(404, "The resource you're looking for cannot be found")
    }

    /// A token of the identity service.
    pub fn token(token: &str) -> Self {
        let body =
            format!(r#"{{"access_token":"{token}","expires_in":1800,"token_type":"Bearer"}}"#);
        Self::ok(body)
    }

    /// One page of a list: the page that was asked for, `size` rows long at most.
    pub fn page(seen: &Seen, list: &str, rows: &[String], size: usize) -> Self {
        let page: usize = seen.value("page").parse().unwrap();
        let shown: Vec<&str> =
            rows.iter().skip((page - 1) * size).take(size).map(String::as_str).collect();
        let (pages, count) = (rows.len().div_ceil(size), rows.len());
        Self::ok(format!(
            r#"{{"Status":"OK","pagination":{{"page":{page},"pageSize":{size},"pageCount":{pages},"itemCount":{count}}},"{list}":[{}]}}"#,
            shown.join(",")
        ))
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

type Script = Box<dyn Fn(&Seen) -> Reply + Send + Sync>;

struct State {
    script: Script,
    seen: Mutex<Vec<Seen>>,
    crash_point: CurrentCrashPoint,
}

/// The server.
pub struct ScriptedServer {
    pub url: String,
    state: Arc<State>,
}

impl ScriptedServer {
    /// Starts one that answers each request with what this makes of it.
    pub async fn start(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let state = Arc::new(State {
            script: Box::new(script),
            seen: Mutex::default(),
            crash_point: CurrentCrashPoint::default(),
        });
        let shared = state.clone();
        let url = http::serve(move |request: Request| answer(shared.clone(), request)).await;
        Self { url, state }
    }

    /// From now on, calls count for this crash point.
    pub fn end_with(&self, crash_point: &Arc<CrashPoint>) {
        self.state.crash_point.set(crash_point);
    }

    /// Every request so far, those for tokens included.
    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    /// The requests to the API.
    pub fn calls(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| !seen.is_token()).collect()
    }

    /// How many tokens were asked for.
    pub fn tokens(&self) -> usize {
        self.seen().iter().filter(|seen| seen.is_token()).count()
    }

    pub fn forget_calls(&self) {
        self.state.seen.lock().unwrap().clear();
    }
}

async fn answer(state: Arc<State>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 100_000).await.unwrap();
    let reply = {
        let mut all = state.seen.lock().unwrap();
        let seen = Seen {
            number: all.iter().filter(|seen| !seen.is_token()).count() + 1,
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        };
        all.push(seen.clone());
        (state.script)(&seen)
    };
    let reply = state.crash_point.pass(false, async { reply }).await;
    if reply.hangs {
        std::future::pending::<()>().await;
    }
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(reply.body)).unwrap()
}
