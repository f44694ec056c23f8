//! Everything around the function, fresh for each test: a clock, a Xero with books, tables, a queue.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::xero::{Client, Config, Credentials};
use host::clock::Clock;
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use payments::upload::{Channel, Customer, PartState, Stamp, Start, Upload, UploadSettings, admit};
use payments::{
    Allocation, InvoiceNumber, Money, NumberPrefix, OrganisationId, PaymentId, PaymentStatus,
    Receipt, Settings, XeroAccountId, XeroContactId, record_part,
};
use queue::{SendError, UploadTask, Uploads};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use table::{Because, Tables};
use upload::Uploader;
use uuid::Uuid;
use xero_simulator::{
    DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, InvoiceKind, ManualClock, NewInvoice,
    NewOrganisation, Options, PrepaymentReferences, Simulator,
};

use crate::engine::{self, Row};
use crate::faults::{Guillotine, Moment, Proxy};
use crate::xero_proxy::XeroProxy;

/// Ten in the evening in Sydney: the night of 2 March.
pub const EVENING: &str = "2026-03-02T11:00:00Z";
/// What the code of Lambda's own time-out allows.
const INVOCATION: SignedDuration = SignedDuration::from_mins(15);

pub fn evening() -> Timestamp {
    EVENING.parse().unwrap()
}

pub fn march(day: i8) -> Date {
    date(2026, 3, day)
}

pub fn aud(cents: i64) -> Money {
    Money::new(Decimal::new(cents, 2), "AUD".parse().unwrap()).unwrap()
}

/// The queue as the function sees it.
#[derive(Clone, Default)]
pub struct Tasks {
    sent: Arc<Mutex<Vec<(UploadTask, u16)>>>,
    guillotine: Arc<Mutex<Arc<Guillotine>>>,
}

impl Tasks {
    pub fn take(&self) -> Vec<(UploadTask, u16)> {
        std::mem::take(&mut self.sent.lock().unwrap())
    }
}

impl Uploads for Tasks {
    async fn send(&self, task: &UploadTask, delay_seconds: u16) -> Result<(), SendError> {
        let guillotine = self.guillotine.lock().unwrap().clone();
        let last = guillotine.count(true);
        if last == Some(Moment::Before) {
            guillotine.fall().await;
        }
        self.sent.lock().unwrap().push((task.clone(), delay_seconds));
        if last == Some(Moment::After) {
            guillotine.fall().await;
        }
        Ok(())
    }
}

pub struct World {
    pub clock: ManualClock,
    pub simulator: Simulator,
    pub xero: XeroProxy,
    pub proxy: Proxy,
    /// DynamoDB, past the proxy.
    pub direct: aws_sdk_dynamodb::Client,
    /// The tables, past the proxy.
    pub tables: Tables,
    pub tasks: Tasks,
    /// Tasks in the queue, and when each of them is delivered.
    waiting: Mutex<Vec<(Timestamp, UploadTask)>>,
    pub tenant: Uuid,
}

impl World {
    /// One in which the organisation is set up, at ten in the evening, and nothing else.
    pub async fn new() -> Self {
        Self::with(PrepaymentReferences::Kept).await
    }

    pub async fn with(references: PrepaymentReferences) -> Self {
        let clock = ManualClock::new(evening());
        let options = Options {
            clock: clock.clock(),
            seed: Some(7),
            prepayment_references: references,
            ..Options::default()
        };
        let simulator = Simulator::new(options).unwrap();
        let tenant = simulator.add_organisation(NewOrganisation::default()).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = format!("http://{}", listener.local_addr().unwrap());
        drop(simulator.clone().serve(listener));
        let engine = engine::start().await;
        let direct = engine::client(&engine, 1);
        table::schema::create(&direct, "").await.unwrap();
        let world = Self {
            clock,
            xero: XeroProxy::start(upstream).await,
            proxy: Proxy::start(engine).await,
            tables: Tables::new(direct.clone(), ""),
            direct,
            tasks: Tasks::default(),
            waiting: Mutex::default(),
            tenant,
            simulator,
        };
        world.settings(|_| {}).await;
        world
    }

    pub fn organisation(&self) -> OrganisationId {
        OrganisationId::new(self.tenant)
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Changes the settings of uploading; everything else is as usual.
    pub async fn settings(&self, change: impl FnOnce(&mut UploadSettings)) {
        let books = self.simulator.organisation(self.tenant).unwrap();
        let bank = books.accounts.iter().find(|account| account.is_bank()).unwrap().id;
        let revenue = books.accounts.iter().find(|account| !account.is_bank()).unwrap();
        let start = Start::Day(date(2025, 12, 31));
        let mut uploading = UploadSettings::new(start, XeroAccountId::new(bank));
        uploading.prepayment_account.clone_from(&revenue.code);
        change(&mut uploading);
        let settings = Settings {
            organisation: self.organisation(),
            mirror_enabled: true,
            prefix: NumberPrefix::default(),
            zone: jiff::tz::TimeZone::get("Australia/Sydney").unwrap(),
            forward_days: Some(7),
            calls_per_day: payments::budget::DAY_MAX,
            mass_change_max: None,
            cutover_on: None,
            upload: Some(uploading),
        };
        self.tables.store_settings(&settings).await.unwrap();
    }

    /// A customer with a contact in Xero.
    pub async fn customer(&self, id: &str) -> Uuid {
        let contact = self.simulator.add_contact(self.tenant, &format!("Customer {id}")).unwrap();
        let customer = Customer {
            organisation: self.organisation(),
            id: id.parse().unwrap(),
            revision: 1,
            name: None,
            contact: Some(XeroContactId::new(contact)),
            blocked: None,
            blocked_at: None,
        };
        self.tables.store_customer(None, &customer, None, self.now()).await.unwrap();
        contact
    }

    /// An approved sales invoice of that contact in Xero.
    pub fn invoice(&self, contact: Uuid, number: &str, cents: i64, issued: Date) -> Uuid {
        let wanted = NewInvoice {
            organisation: self.tenant,
            number: number.to_owned(),
            contact_name: String::new(),
            total: Decimal::new(cents, 2),
            currency: "AUD".to_owned(),
            date: issued,
            due_date: issued,
            kind: InvoiceKind::Accrec,
        };
        self.simulator.add_invoice_to(contact, wanted).unwrap()
    }

    /// `count` customers, each with one open invoice and one BPAY payment of the same amount, the
    /// oldest first.
    pub async fn bpay_payments(&self, count: usize) {
        self.bpay_payments_named("", count).await;
    }

    /// The same under other names.
    pub async fn bpay_payments_named(&self, name: &str, count: usize) {
        for n in 1..=count {
            let customer = format!("K{name}-{n}");
            let contact = self.customer(&customer).await;
            self.invoice(contact, &format!("INV{name}-{n:04}"), 100_00 + n as i64, march(1));
            let day = date(2026, 1, 1).saturating_add(jiff::Span::new().days((n / 10) as i64));
            let id = format!("P{name}-{n:04}");
            self.pay(bpay(&id, &customer, 100_00 + n as i64, day)).await;
        }
    }

    /// The business's own system reports a payment, as intake takes it in.
    pub async fn pay(&self, paid: Paid) {
        let receipt = paid.receipt(self.organisation());
        for part in &receipt.allocations {
            let stored = self.tables.invoice(self.organisation(), &part.invoice).await.unwrap();
            if let Some(change) = record_part(&stored, &receipt, self.now()).unwrap() {
                let because = Because { cause: "intake", event_at: None, now: self.now() };
                self.tables.write_invoice(&stored, &change, because).await.unwrap();
            }
        }
        let known = self.tables.receipt(self.organisation(), &receipt.id).await.unwrap();
        let row = self.tables.upload(self.organisation(), &receipt.id).await.unwrap();
        let admission = admit(row.as_ref(), &receipt, self.now());
        let warnings: Vec<_> = admission.warning.into_iter().collect();
        let upload = admission.upload.as_deref().map(|after| (row.as_ref(), after));
        self.tables
            .store_receipt(known.as_ref(), &receipt, &warnings, upload, self.now())
            .await
            .unwrap();
    }

    /// The function, as a new process has it.
    pub fn uploader(&self) -> Uploader<Tasks> {
        let config = Config {
            api_url: self.xero.url.parse().unwrap(),
            identity_url: self.xero.url.parse().unwrap(),
            ..Config::uploading()
        };
        let credentials = Credentials {
            client_id: DEFAULT_CLIENT_ID.to_owned(),
            client_secret: DEFAULT_CLIENT_SECRET.into(),
        };
        let clock = self.clock.clone();
        let client = Client::new(config, credentials, move || clock.now()).unwrap();
        let clock = self.clock.clone();
        let tables = Tables::new(engine::client(&self.proxy.url, 1), "");
        Uploader::new(client, tables, self.tasks.clone(), Clock::new(move || clock.now()))
            .with_pauses(vec![Duration::ZERO; 2])
    }

    /// Invokes a new process with an event.
    pub async fn invoke(&self, event: Value) -> Result<Value, String> {
        let deadline = self.now() + INVOCATION;
        let answer = self.uploader().handle(&event, deadline).await;
        answer
            .map(|answer| serde_json::to_value(answer).unwrap())
            .map_err(|error| error.to_string())
    }

    /// Runs the night of that moment once, and gives its answer.
    pub async fn night(&self, at: Timestamp) -> Value {
        let answer = self.invoke(json!({"scheduled_time": at})).await.unwrap();
        answer["nights"][0].clone()
    }

    /// Works off the tasks that the function has left for itself, each when its time has come; what
    /// fails comes again. Returns how many there were. If it is dropped in the middle, nothing is
    /// missing in the queue.
    pub async fn work_off_tasks(&self) -> usize {
        for count in 0..100 {
            let Some((at, task)) = self.next_task() else { return count };
            self.clock.set(self.now().max(at));
            let event = json!({"Records": [{"messageId": "m", "body": task.to_json().unwrap()}]});
            let again = match self.invoke(event).await {
                Ok(answer) => !answer["batchItemFailures"].as_array().unwrap().is_empty(),
                Err(_) => true,
            };
            let mut waiting = self.waiting.lock().unwrap();
            let (at, task) = waiting.remove(0);
            if again {
                waiting.push((at + SignedDuration::from_mins(90), task));
            }
        }
        panic!("the function leaves itself tasks for ever");
    }

    /// The next message of the queue, which stays there.
    fn next_task(&self) -> Option<(Timestamp, UploadTask)> {
        let now = self.now();
        let mut waiting = self.waiting.lock().unwrap();
        let new = self.tasks.take().into_iter();
        waiting.extend(new.map(|(task, s)| (now + SignedDuration::from_secs(s.into()), task)));
        waiting.sort_by_key(|(at, _)| *at);
        waiting.first().cloned()
    }

    pub fn end_with(&self, guillotine: &Arc<Guillotine>) {
        self.xero.end_with(guillotine.clone());
        self.proxy.end_with(guillotine.clone());
        *self.tasks.guillotine.lock().unwrap() = guillotine.clone();
    }

    pub async fn row(&self, payment: &str) -> Upload {
        let id: PaymentId = payment.parse().unwrap();
        self.tables.upload(self.organisation(), &id).await.unwrap().unwrap()
    }

    pub async fn state(&self, payment: &str) -> &'static str {
        self.row(payment).await.state.code()
    }

    pub async fn rows(&self, table: &str) -> Vec<Row> {
        engine::rows(&self.direct, table).await
    }

    /// All rows of the ledger.
    pub async fn ledger(&self) -> Vec<Upload> {
        let ids: Vec<PaymentId> = self
            .rows("uploads")
            .await
            .iter()
            .map(|row| row["payment_id"].parse().unwrap())
            .collect();
        self.tables.uploads(self.organisation(), &ids).await.unwrap()
    }

    /// Everything that the API has created and that stands: amount by stamp. Fails if a stamp stands
    /// twice (N5).
    pub fn in_xero(&self) -> BTreeMap<Stamp, Decimal> {
        let mut amounts = BTreeMap::new();
        for created in self.simulator.meter(self.tenant).created {
            let (amount, texts) = match self.simulator.payment(created.id) {
                Some(payment) => (payment.amount, vec![payment.reference]),
                None => {
                    let transaction = self.simulator.bank_transaction(created.id).unwrap();
                    let lines = transaction.lines.iter().map(|line| line.description.clone());
                    let mut texts: Vec<String> = lines.collect();
                    texts.push(transaction.reference.clone());
                    (transaction.total, texts)
                }
            };
            let stamp = texts.iter().find_map(|text| Stamp::find_in(text)).unwrap();
            let before = amounts.insert(stamp.clone(), amount);
            assert!(before.is_none(), "{stamp} stands twice in Xero");
        }
        amounts
    }

    /// What must hold at every moment, whatever has happened: Xero holds no more of a payment than it
    /// is (N5), no more payments of a night or of 20 hours than allowed (N6), and every row has one
    /// state with a reason (A7.4).
    pub async fn check(&self) {
        let in_xero = self.in_xero();
        let ledger = self.ledger().await;
        let mut sources = 0;
        for row in &ledger {
            let parts = row.parts.iter().filter_map(|part| in_xero.get(&part.stamp));
            let sum: Decimal = parts.copied().sum();
            assert!(sum <= row.receipt.amount.amount(), "{}: {sum} in Xero", row.receipt.id);
            assert!(!row.reason.is_empty() && !row.why.is_empty(), "{}", row.receipt.id);
            sources += usize::from(sum > Decimal::ZERO);
            for part in row.parts.iter().filter(|part| part.state == PartState::Done) {
                assert_eq!(in_xero.get(&part.stamp), Some(&part.amount.amount()));
            }
        }
        let stamps = ledger.iter().flat_map(|row| &row.parts).map(|part| &part.stamp);
        let known: std::collections::BTreeSet<_> = stamps.collect();
        assert!(in_xero.keys().all(|stamp| known.contains(stamp)), "Xero has what no row knows");
        assert!(sources <= ledger.len());
        let lately = self.nightly_sources_within(SignedDuration::from_hours(20), &ledger);
        assert!(lately <= 200, "{lately} payments within 20 hours");
    }

    /// The most nightly payments of which something was created within any such stretch of time.
    fn nightly_sources_within(&self, length: SignedDuration, ledger: &[Upload]) -> usize {
        let created = self.simulator.meter(self.tenant).created;
        let mut first: BTreeMap<PaymentId, Timestamp> = BTreeMap::new();
        for created in &created {
            let row = ledger.iter().find(|row| {
                let nightly = row.route().is_ok_and(payments::upload::Route::is_nightly);
                let stamp = Stamp::find_in(&created.reference);
                nightly && stamp.is_some_and(|stamp| row.stamped(&stamp).is_some())
            });
            if let Some(row) = row {
                let at = first.entry(row.receipt.id.clone()).or_insert(created.at);
                *at = (*at).min(created.at);
            }
        }
        let times: Vec<_> = first.into_values().collect();
        let within = |start: Timestamp| {
            times.iter().filter(|at| **at >= start && at.duration_since(start) < length).count()
        };
        times.iter().map(|start| within(*start)).max().unwrap_or(0)
    }
}

/// A payment, as a test writes it.
#[derive(Clone)]
pub struct Paid {
    pub id: String,
    pub revision: u64,
    pub customer: Option<String>,
    pub cents: i64,
    pub date: Date,
    pub method: &'static str,
    pub channel: Option<Channel>,
    pub status: PaymentStatus,
    pub on: Vec<(&'static str, i64)>,
}

/// A confirmed BPAY payment of a customer.
pub fn bpay(id: &str, customer: &str, cents: i64, date: Date) -> Paid {
    Paid {
        id: id.to_owned(),
        revision: 1,
        customer: Some(customer.to_owned()),
        cents,
        date,
        method: "bpay",
        channel: None,
        status: PaymentStatus::Confirmed,
        on: Vec::new(),
    }
}

/// A confirmed card payment by the Pay Now button of a local invoice.
pub fn pay_now(id: &str, invoice: &'static str, cents: i64) -> Paid {
    Paid {
        method: "card",
        channel: Some(Channel::PayNow),
        on: vec![(invoice, cents)],
        customer: None,
        ..bpay(id, "", cents, march(2))
    }
}

impl Paid {
    fn receipt(&self, organisation: OrganisationId) -> Receipt {
        let allocations = self.on.iter().map(|(invoice, cents)| Allocation {
            invoice: invoice.parse::<InvoiceNumber>().unwrap(),
            amount: aud(*cents),
        });
        Receipt {
            organisation,
            id: self.id.parse().unwrap(),
            revision: self.revision,
            amount: aud(self.cents),
            date: self.date,
            reference: Some(format!("BPAY {}", self.id)),
            method: self.method.to_owned(),
            channel: self.channel,
            customer: self.customer.as_ref().map(|id| id.parse().unwrap()),
            transaction_id: format!("T-{}", self.id),
            status: self.status,
            approved: false,
            settled: false,
            journaled: false,
            allocations: allocations.collect(),
            entered_at: evening() - SignedDuration::from_hours(1),
        }
    }
}
