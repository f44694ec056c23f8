//! A Xero with a few invoices, which answers from them or as a test says. Written from Xero's documentation (facts.md 2
//! and 4), and sharing no type with our client.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use harness::{CrashPoint, ScriptedServer};
pub use harness::{Reply, Seen};
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

pub const TOKEN: &str = "token-canary-7f3a";

type Script = Box<dyn Fn(&Seen, &mut Books) -> Option<Reply> + Send + Sync>;

struct State {
    books: Mutex<Books>,
    script: Mutex<Script>,
}

pub struct Xero {
    pub url: String,
    server: ScriptedServer,
    state: Arc<State>,
}

impl Xero {
    pub async fn start() -> Self {
        let none: Script = Box::new(|_, _| None);
        let state = Arc::new(State { books: Mutex::default(), script: Mutex::new(none) });
        let shared = state.clone();
        let server = ScriptedServer::start(move |seen| {
            let mut books = shared.books.lock().unwrap();
            let script = shared.script.lock().unwrap();
            script(seen, &mut books).unwrap_or_else(|| usual(seen, &books))
        });
        let server = server.await;
        Self { url: server.url.clone(), server, state }
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
        self.server.end_with(crash_point);
    }

    /// The calls to the API so far, those for a token not among them.
    pub fn calls(&self) -> Vec<Seen> {
        self.server.calls()
    }

    /// How long the usual answer to a call is, in bytes.
    pub fn bytes_for(&self, call: &Seen) -> u64 {
        usual(call, &self.state.books.lock().unwrap()).body.len() as u64
    }

    pub fn forget_calls(&self) {
        self.server.forget_calls();
    }
}

/// The organisation that a call is about.
pub fn tenant(seen: &Seen) -> String {
    seen.header("xero-tenant-id").to_owned()
}

/// The answer from the books.
pub fn usual(seen: &Seen, books: &Books) -> Reply {
    if seen.is_token() {
        return Reply::token(TOKEN);
    }
    let mut found = Vec::new();
    for id in seen.ids() {
        if let Some(paper) = books.get(&(tenant(seen), id.to_owned())) {
            found.push(paper.json(id));
        }
    }
    if found.is_empty() && !seen.query.starts_with("IDs=") {
        return Reply::not_found();
    }
    Reply::invoices(&found)
}
