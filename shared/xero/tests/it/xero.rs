//! A Xero with a few invoices, which answers from them or as a test says; and a client of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use harness::ScriptedServer;
pub use harness::{Reply, Seen};
use jiff::Timestamp;
use payments::{OrganisationId, XeroInvoiceId};
use secrecy::SecretString;
use url::Url;
use xero::{Client, Config, Credentials};

/// How far a call to this Xero moves the clock.
pub const CALL_SECONDS: i64 = 5;

pub type Books = BTreeMap<XeroInvoiceId, String>;

pub struct Xero {
    pub url: Url,
    pub clock: Arc<AtomicI64>,
    server: ScriptedServer,
}

impl Xero {
    /// Starts one with these invoices; `script` may answer instead of the books.
    pub async fn start(
        books: Books,
        script: impl Fn(&Seen) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let clock = Arc::new(AtomicI64::new(1_790_000_000));
        let (time, tokens) = (clock.clone(), AtomicU32::new(0));
        let server = ScriptedServer::start(move |seen| {
            time.fetch_add(CALL_SECONDS, Ordering::SeqCst);
            script(seen).unwrap_or_else(|| usual(seen, &books, &tokens))
        });
        let server = server.await;
        Self { url: server.url.parse().unwrap(), clock, server }
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
        self.server.seen()
    }

    /// The requests to the API.
    pub fn calls(&self) -> Vec<Seen> {
        self.server.calls()
    }

    /// How many tokens were asked for.
    pub fn tokens(&self) -> usize {
        self.server.tokens()
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

/// Books with so many invoices, the first one being `id(1)`.
pub fn books(count: u32) -> Books {
    ids(count).into_iter().map(|id| (id, invoice(id, &[40]))).collect()
}

fn usual(seen: &Seen, books: &Books, tokens: &AtomicU32) -> Reply {
    if seen.is_token() {
        let serial = tokens.fetch_add(1, Ordering::SeqCst) + 1;
        return Reply::token(&format!("token-{serial}"));
    }
    let ids = seen.ids();
    let found: Vec<String> =
        ids.iter().filter_map(|id| books.get(&id.parse().ok()?).cloned()).collect();
    if found.is_empty() && seen.path != "/api.xro/2.0/Invoices" {
        return Reply::not_found();
    }
    Reply::invoices(&found)
}
