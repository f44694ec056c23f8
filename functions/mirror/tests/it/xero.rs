//! A tiny Xero: it notes what it is asked, and answers from its books or as a test says. Written
//! from Xero's documentation (facts.md 2 and 4), and sharing no type with our client.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::Response;
use harness::{CrashPoint, CurrentCrashPoint};
use jiff::Timestamp;
use jiff::civil::Date;

/// An invoice in the books. Amounts are cents.
#[derive(Clone, Debug)]
pub struct Paper {
    pub kind: &'static str,
    pub number: String,
    pub status: &'static str,
    pub contact: String,
    pub total: i64,
    pub credited: i64,
    pub payments: Vec<Paid>,
    pub updated_at: Timestamp,
}

/// A payment in the books.
#[derive(Clone, Debug)]
pub struct Paid {
    pub id: u32,
    pub date: Date,
    pub cents: i64,
    pub reference: Option<String>,
}

impl Paid {
    /// The PaymentID.
    pub fn xero_id(id: u32) -> String {
        format!("00000000-0000-4000-9000-{id:012}")
    }

    fn json(&self) -> String {
        let reference = match &self.reference {
            Some(reference) => format!(r#","Reference":"{reference}""#),
            None => String::new(),
        };
        format!(
            r#"{{"PaymentID":"{}","Date":"{}","Amount":{}{reference},"CurrencyRate":1.0}}"#,
            Self::xero_id(self.id),
            ms_date(self.date.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp()),
            money(self.cents)
        )
    }
}

impl Paper {
    pub fn paid(&self) -> i64 {
        self.payments.iter().map(|payment| payment.cents).sum()
    }

    pub fn json(&self, id: &str) -> String {
        let payments: Vec<_> = self.payments.iter().map(Paid::json).collect();
        let paid = self.paid();
        format!(
            r#"{{"Type":"{}","InvoiceID":"{id}","InvoiceNumber":"{}","Status":"{}",
            "Contact":{{"ContactID":"00000000-0000-4000-a000-000000000001","Name":"{}"}},
            "Date":"/Date(1769904000000+0000)/","DueDate":"/Date(1796083200000+0000)/",
            "CurrencyCode":"AUD","Total":{},"AmountPaid":{},"AmountCredited":{},"AmountDue":{},
            "Payments":[{}],"CreditNotes":[],"UpdatedDateUTC":"{}"}}"#,
            self.kind,
            self.number,
            self.status,
            self.contact,
            money(self.total),
            money(paid),
            money(self.credited),
            money(self.total - paid - self.credited),
            payments.join(","),
            ms_date(self.updated_at)
        )
    }
}

fn money(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn ms_date(at: Timestamp) -> String {
    format!("/Date({}+0000)/", at.as_millisecond())
}

/// Per tenant and invoice id.
pub type Books = BTreeMap<(String, String), Paper>;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Counted from 1 over the calls to the API.
    pub number: usize,
    pub path: String,
    pub query: String,
    pub tenant: String,
    pub authorization: String,
}

impl Seen {
    fn is_token(&self) -> bool {
        self.path == "/connect/token"
    }

    pub fn ids(&self) -> Vec<String> {
        match self.path.strip_prefix("/api.xro/2.0/Invoices/") {
            Some(id) => vec![id.to_owned()],
            None => {
                let ids = self.query.strip_prefix("IDs=").unwrap_or_default();
                ids.split(',').map(str::to_owned).collect()
            }
        }
    }
}

/// Xero's answer to a call.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    /// Nothing is ever answered.
    pub hangs: bool,
}

impl Reply {
    pub fn status(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: body.into(), ..Self::default() }
    }

    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

pub const TOKEN: &str = "token-canary-7f3a";

type Script = Box<dyn Fn(&Seen, &mut Books) -> Option<Reply> + Send + Sync>;

#[derive(Clone)]
struct State {
    books: Arc<Mutex<Books>>,
    script: Arc<Mutex<Script>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    crash_point: CurrentCrashPoint,
}

pub struct Xero {
    pub url: String,
    state: State,
}

impl Xero {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let none: Script = Box::new(|_, _| None);
        let state = State {
            books: Arc::default(),
            script: Arc::new(Mutex::new(none)),
            seen: Arc::default(),
            crash_point: CurrentCrashPoint::default(),
        };
        let shared = state.clone();
        let app = Router::new().fallback(move |request: Request| answer(shared.clone(), request));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, state }
    }

    /// Puts an invoice into the books, in the place of what they had.
    pub fn put(&self, tenant: impl ToString, id: impl ToString, paper: Paper) {
        self.state.books.lock().unwrap().insert((tenant.to_string(), id.to_string()), paper);
    }

    /// Answers as the script says, or from the books where it says nothing.
    pub fn script(
        &self,
        script: impl Fn(&Seen, &mut Books) -> Option<Reply> + Send + Sync + 'static,
    ) {
        *self.state.script.lock().unwrap() = Box::new(script);
    }

    /// Answers every call to the API with this.
    pub fn always(&self, reply: Reply) {
        self.script(move |seen, _| (!seen.is_token()).then(|| reply.clone()));
    }

    pub fn heal(&self) {
        self.script(|_, _| None);
    }

    pub fn end_with(&self, crash_point: &Arc<CrashPoint>) {
        self.state.crash_point.set(crash_point);
    }

    /// The calls to the API so far, those for a token not among them.
    pub fn calls(&self) -> Vec<Seen> {
        let seen = self.state.seen.lock().unwrap();
        seen.iter().filter(|seen| !seen.is_token()).cloned().collect()
    }

    /// How long the usual answer to a call is, in bytes.
    pub fn bytes_for(&self, call: &Seen) -> u64 {
        usual(call, &self.state.books.lock().unwrap()).body.len() as u64
    }

    pub fn forget_calls(&self) {
        self.state.seen.lock().unwrap().clear();
    }
}

/// The answer from the books.
pub fn usual(seen: &Seen, books: &Books) -> Reply {
    if seen.is_token() {
        let body =
            format!(r#"{{"access_token":"{TOKEN}","expires_in":1800,"token_type":"Bearer"}}"#);
        return Reply::status(200, body);
    }
    let single = !seen.query.starts_with("IDs=");
    let mut found = Vec::new();
    for id in seen.ids() {
        if let Some(paper) = books.get(&(seen.tenant.clone(), id.clone())) {
            found.push(paper.json(&id));
        }
    }
    if single && found.is_empty() {
        return Reply::status(404, "The resource you're looking for cannot be found");
    }
    Reply::status(200, format!(r#"{{"Status":"OK","Invoices":[{}]}}"#, found.join(",")))
}

async fn answer(state: State, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let _: Bytes = axum::body::to_bytes(body, 100_000).await.unwrap();
    let header = |name| {
        let value = parts.headers.get(name).map(|value| value.to_str().unwrap());
        value.unwrap_or_default().to_owned()
    };
    let reply = {
        let mut all = state.seen.lock().unwrap();
        let number = all.iter().filter(|seen| !seen.is_token()).count() + 1;
        let seen = Seen {
            number,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            tenant: header("xero-tenant-id"),
            authorization: header("authorization"),
        };
        all.push(seen.clone());
        let mut books = state.books.lock().unwrap();
        let script = state.script.lock().unwrap();
        script(&seen, &mut books).unwrap_or_else(|| usual(&seen, &books))
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
