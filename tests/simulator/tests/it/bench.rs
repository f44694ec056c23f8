//! A simulator on a port of its own, a client for it, and a webhook receiver.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::Value;
use sha2::Sha256;
use tokio::{net::TcpListener, task::JoinHandle};
use uuid::Uuid;
use xero_simulator::{
    DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, InvoiceKind, ManualClock, NewInvoice,
    NewOrganisation, NewPayment, Options, Simulator,
};

pub const KEY: &str = "ExampleWebhookKeyForTestsOnly0123456789abcdefghijklmnopqrstuvwxyz+/==";
pub const START: &str = "2026-10-05T03:41:22.518Z";

/// A simulator with one organisation, and a token for it.
pub struct Bench {
    pub simulator: Simulator,
    pub clock: ManualClock,
    pub organisation: Uuid,
    pub url: String,
    pub token: String,
    pub http: reqwest::Client,
    pub server: JoinHandle<std::io::Result<()>>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The message of the first validation error of the element at `index`.
    pub fn objection(&self, index: usize) -> String {
        let json = self.json();
        let element = json
            .pointer(&format!("/Elements/{index}"))
            .or_else(|| json.pointer(&format!("/Payments/{index}")))
            .or_else(|| json.pointer(&format!("/BankTransactions/{index}")));
        let message = element.and_then(|element| element.pointer("/ValidationErrors/0/Message"));
        message.and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

impl Bench {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(adjust: impl FnOnce(&mut Options)) -> Self {
        let clock = ManualClock::new(START.parse().unwrap());
        let mut options = Options { clock: clock.clock(), seed: Some(1), ..Options::default() };
        adjust(&mut options);
        let simulator = Simulator::new(options).unwrap();
        let organisation = match simulator.organisations().first() {
            Some(organisation) => *organisation,
            None => simulator.add_organisation(NewOrganisation::default()).unwrap(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = simulator.clone().serve(listener);
        let http =
            reqwest::Client::builder().timeout(Duration::from_secs(10)).no_proxy().build().unwrap();
        let mut bench =
            Self { simulator, clock, organisation, url, token: String::new(), http, server };
        bench.renew_token().await;
        bench
    }

    pub async fn renew_token(&mut self) {
        let answer = self.ask_token(DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, "").await;
        self.token = answer.json()["access_token"].as_str().unwrap().to_owned();
    }

    pub async fn ask_token(&self, id: &str, secret: &str, scope: &str) -> Answer {
        let request = self
            .http
            .post(format!("{}/connect/token", self.url))
            .basic_auth(id, Some(secret))
            .form(&[("grant_type", "client_credentials"), ("scope", scope)]);
        read(request.send().await.unwrap()).await
    }

    /// A call of the Accounting API; `path` begins below `/api.xro/2.0`.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}/api.xro/2.0{path}", self.url))
            .bearer_auth(&self.token)
            .header("accept", "application/json")
            .header("xero-tenant-id", self.organisation.to_string())
    }

    pub async fn get(&self, path: &str) -> Answer {
        read(self.request(Method::GET, path).send().await.unwrap()).await
    }

    pub async fn send(&self, method: Method, path: &str, body: &str) -> Answer {
        read(self.write(method, path, body).send().await.unwrap()).await
    }

    pub fn write(&self, method: Method, path: &str, body: &str) -> reqwest::RequestBuilder {
        self.request(method, path).header("content-type", "application/json").body(body.to_owned())
    }

    pub async fn control(&self, method: Method, path: &str, body: &str) -> Answer {
        let mut request = self.http.request(method, format!("{}/_control{path}", self.url));
        if !body.is_empty() {
            request = request.header("content-type", "application/json").body(body.to_owned());
        }
        read(request.send().await.unwrap()).await
    }

    pub fn invoice(&self, number: &str, total: &str) -> Uuid {
        let invoice = sample_invoice(self.organisation, number, total);
        self.simulator.add_invoice(invoice).unwrap()
    }

    pub fn pay(&self, invoice: Uuid, amount: &str) -> Uuid {
        self.simulator.add_payment(invoice, sample_payment(amount)).unwrap()
    }

    pub fn bank_account(&self) -> Uuid {
        let organisation = self.simulator.organisation(self.organisation).unwrap();
        organisation.bank_account().unwrap().id
    }

    /// One prepayment as `PUT /BankTransactions` takes it.
    pub fn prepayment_json(&self, contact: Uuid, reference: &str, amount: &str) -> String {
        let account = self.bank_account();
        format!(
            r#"{{"Type":"RECEIVE-PREPAYMENT","Contact":{{"ContactID":"{contact}"}},"BankAccount":{{"AccountID":"{account}"}},"Date":"2026-10-05","Reference":"{reference}","CurrencyCode":"AUD","LineAmountTypes":"NoTax","LineItems":[{{"Description":"Money in advance","Quantity":1,"UnitAmount":{amount},"AccountCode":"200"}}]}}"#
        )
    }

    /// A contact of its own, and money from it in advance; the id of the bank transaction.
    pub async fn prepay(&self, reference: &str, amount: &str) -> Uuid {
        let name = format!("Wilma {reference}");
        let contact = self.simulator.add_contact(self.organisation, &name).unwrap();
        let body = self.prepayment_json(contact, reference, amount);
        let answer = self.send(Method::PUT, "/BankTransactions", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let json = answer.json();
        json["BankTransactions"][0]["BankTransactionID"].as_str().unwrap().parse().unwrap()
    }

    /// One payment as `PUT /Payments` takes it.
    pub fn payment_json(&self, invoice: Uuid, amount: &str) -> String {
        let account = self.bank_account();
        format!(
            r#"{{"Invoice":{{"InvoiceID":"{invoice}"}},"Account":{{"AccountID":"{account}"}},"Date":"2026-10-05","Amount":{amount},"Reference":"BPAY 173"}}"#
        )
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.server.abort();
    }
}

pub async fn read(answer: reqwest::Response) -> Answer {
    Answer {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        text: answer.text().await.unwrap(),
    }
}

pub fn sample_invoice(organisation: Uuid, number: &str, total: &str) -> NewInvoice {
    NewInvoice {
        organisation,
        number: number.to_owned(),
        contact_name: "Barney Rubble".to_owned(),
        total: total.parse().unwrap(),
        currency: "AUD".to_owned(),
        date: "2026-10-01".parse().unwrap(),
        due_date: "2026-10-31".parse().unwrap(),
        kind: InvoiceKind::Accrec,
    }
}

pub fn sample_payment(amount: &str) -> NewPayment {
    NewPayment {
        date: "2026-10-05".parse().unwrap(),
        amount: amount.parse().unwrap(),
        reference: "BPAY 173".to_owned(),
    }
}

pub fn millis(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

/// What a receiver got.
#[derive(Clone, Debug)]
pub struct Received {
    pub body: Bytes,
    pub signature: String,
    pub content_type: String,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A webhook receiver that checks signatures, unless a test has set another answer.
#[derive(Clone)]
pub struct Receiver {
    pub url: String,
    received: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<Vec<Response>>>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let receiver = Self {
            url: format!("http://{address}/webhook"),
            received: Arc::default(),
            answers: Arc::default(),
        };
        let handler = receiver.clone();
        let router = Router::new().route(
            "/webhook",
            post(async move |headers: HeaderMap, body: Bytes| handler.receive(&headers, body)),
        );
        tokio::spawn(axum::serve(listener, router).into_future());
        receiver
    }

    /// Answers the next calls like this, the first one first, before checking signatures again.
    pub fn answer_next<R: IntoResponse>(&self, answers: impl IntoIterator<Item = R>) {
        let mut planned = self.answers.lock().unwrap();
        planned.extend(answers.into_iter().map(IntoResponse::into_response));
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    fn receive(&self, headers: &HeaderMap, body: Bytes) -> Response {
        let text = |name: &str| headers[name].to_str().unwrap().to_owned();
        let signature = text("x-xero-signature");
        let right = signed(&body) == signature;
        let content_type = text("content-type");
        self.received.lock().unwrap().push(Received { body, signature, content_type });
        let mut planned = self.answers.lock().unwrap();
        if !planned.is_empty() {
            return planned.remove(0);
        }
        if right { StatusCode::OK } else { StatusCode::UNAUTHORIZED }.into_response()
    }
}

/// The signature worked out apart from the simulator's own code.
pub fn signed(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}
