//! A tiny Xero: it notes what it is asked, and answers from its books or as a test says.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Response};
use jiff::Timestamp;
use payments::{OrganisationId, XeroInvoiceId};
use secrecy::SecretString;
use url::Url;
use xero::{Client, Config, Credentials};

/// How far a call to this Xero moves the clock.
pub const CALL_SECONDS: i64 = 5;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
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

    /// The ids of a list query.
    pub fn ids(&self) -> Vec<&str> {
        self.query.strip_prefix("IDs=").map(|ids| ids.split(',').collect()).unwrap_or_default()
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

    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

pub type Books = BTreeMap<XeroInvoiceId, String>;
type Script = Box<dyn Fn(&Seen) -> Option<Reply> + Send + Sync>;

pub struct Xero {
    pub url: Url,
    pub clock: Arc<AtomicI64>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Xero {
    /// Starts one with these invoices; `script` may answer instead of the books.
    pub async fn start(
        books: Books,
        script: impl Fn(&Seen) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let script: Arc<Script> = Arc::new(Box::new(script));
        let (books, tokens) = (Arc::new(books), Arc::new(AtomicU32::new(0)));
        let clock = Arc::new(AtomicI64::new(1_790_000_000));
        let state = (seen.clone(), script, books, tokens, clock.clone());
        let app = Router::new().fallback(move |request: Request| {
            let (seen, script, books, tokens, clock) = state.clone();
            async move {
                let request = note(request).await;
                clock.fetch_add(CALL_SECONDS, Ordering::SeqCst);
                seen.lock().unwrap().push(request.clone());
                let reply = script(&request).unwrap_or_else(|| usual(&request, &books, &tokens));
                answer(reply).await
            }
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, clock, seen }
    }

    pub fn config(&self) -> Config {
        Config {
            api_url: self.url.clone(),
            identity_url: self.url.clone(),
            timeout: Duration::from_secs(20),
            ..Config::default()
        }
    }

    /// A client of it. Each look at its clock is one second later than the one before.
    pub fn client(&self) -> Client {
        self.client_with(self.config())
    }

    pub fn client_with(&self, config: Config) -> Client {
        let clock = self.clock.clone();
        let tick = move || Timestamp::from_second(clock.fetch_add(1, Ordering::SeqCst)).unwrap();
        Client::new(config, credentials("the-secret"), tick).unwrap()
    }

    /// Every request so far, those for tokens included.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The requests to the API.
    pub fn calls(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| !seen.is_token()).collect()
    }

    /// How many tokens were asked for.
    pub fn tokens(&self) -> usize {
        self.seen().iter().filter(|seen| seen.is_token()).count()
    }
}

pub fn credentials(secret: &str) -> Credentials {
    Credentials { client_id: "the-client".to_owned(), client_secret: SecretString::from(secret) }
}

pub fn organisation() -> OrganisationId {
    "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046".parse().unwrap()
}

pub fn id(number: u32) -> XeroInvoiceId {
    format!("00000000-0000-4000-8000-{number:012}").parse().unwrap()
}

pub fn ids(count: u32) -> Vec<XeroInvoiceId> {
    (1..=count).map(id).collect()
}

/// An invoice over 100.00 with a payment for each of the amounts.
pub fn invoice(id: XeroInvoiceId, amounts: &[u32]) -> String {
    let payments: Vec<String> = amounts
        .iter()
        .enumerate()
        .map(|(at, amount)| {
            format!(
                r#"{{"PaymentID":"10000000-0000-4000-8000-{at:012}","Date":"/Date(1543449600000+0000)/","Amount":{amount}.00}}"#
            )
        })
        .collect();
    let paid: u32 = amounts.iter().sum();
    format!(
        r#"{{"Type":"ACCREC","InvoiceID":"{id}","InvoiceNumber":"CM-1","Payments":[{}],"AmountDue":{}.00,"AmountPaid":{paid}.00,"AmountCredited":0.00,"Status":"AUTHORISED","Total":100.00,"UpdatedDateUTC":"/Date(1541176592690+0000)/","CurrencyCode":"AUD"}}"#,
        payments.join(","),
        100 - paid
    )
}

pub fn list(invoices: &[String]) -> Reply {
    Reply::ok(format!("{{\"Status\":\"OK\",\"Invoices\":[{}]}}", invoices.join(",")))
}

/// Books with so many invoices, the first one being `id(1)`.
pub fn books(count: u32) -> Books {
    ids(count).into_iter().map(|id| (id, invoice(id, &[40]))).collect()
}

fn usual(seen: &Seen, books: &Books, tokens: &AtomicU32) -> Reply {
    if seen.is_token() {
        let serial = tokens.fetch_add(1, Ordering::SeqCst) + 1;
        return Reply::ok(format!(
            r#"{{"access_token":"token-{serial}","expires_in":1800,"token_type":"Bearer"}}"#
        ));
    }
    if seen.path == "/api.xro/2.0/Invoices" {
        let wanted = seen.ids();
        let found: Vec<String> =
            wanted.iter().filter_map(|id| books.get(&id.parse().ok()?).cloned()).collect();
        return list(&found);
    }
    let wanted = seen.path.strip_prefix("/api.xro/2.0/Invoices/").and_then(|id| id.parse().ok());
    match wanted.and_then(|id| books.get(&id)) {
        Some(found) => list(std::slice::from_ref(found)),
        None => Reply::status(404, "The resource you're looking for cannot be found"),
    }
}

async fn note(request: Request) -> Seen {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 100_000).await.unwrap();
    Seen {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

async fn answer(reply: Reply) -> Response<Body> {
    if reply.hangs {
        std::future::pending::<()>().await;
    }
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(reply.body)).unwrap()
}
