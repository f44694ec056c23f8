//! Everything around the function, fresh for each test: a clock, a Xero with books and without webhooks,
//! tables, the queue, and the mirror at its other end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ::sweep::Sweeper;
use ::upload::Uploader;
use ::xero::Config;
use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use aws_sdk_dynamodb::types::AttributeValue;
use bus::fakes::RecordedBus;
use harness::dynamodb::Row;
use harness::sqs::Queues;
use harness::{CrashPoint, FlakyChanges, FlakyQueues, FlakyUploads};
pub use harness::{aud, march};
use host::clock::Clock;
use host::telemetry;
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use mirror::Mirror;
use operations::{InProcess, Operations, Parts};
use payments::sweep::{SweepKind, SweepState};
use payments::{Contact, InvoiceNumber, LocalInvoice, OrganisationId, Settings};
use queue::{Cause, InvoiceChange, Message};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use table::ChangeContext;
use uuid::Uuid;
use xero_simulator::{
    DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, InvoiceKind, NewInvoice, NewOrganisation, NewPayment,
    Options, PaymentStatus,
};

/// A Monday noon in Sydney.
pub const START: &str = "2026-03-02T01:00:00Z";
/// The function's time-out, as in the template.
const INVOCATION: SignedDuration = SignedDuration::from_mins(5);
/// That of the mirror.
const BATCH: SignedDuration = SignedDuration::from_mins(2);
pub const HALF_AN_HOUR: SignedDuration = SignedDuration::from_mins(30);

pub fn uuid(id: payments::XeroInvoiceId) -> Uuid {
    id.to_string().parse().unwrap()
}

/// The function that executes commands, around what is flaky.
pub type Commands = Operations<FlakyChanges, FlakyUploads, FlakyQueues, RecordedBus>;

/// The answer of the function to an event; commands are executed in the same process.
pub async fn ask(
    sweeper: &Sweeper<FlakyChanges>,
    operations: &Commands,
    event: &Value,
    deadline: Timestamp,
) -> Result<Value, String> {
    let operations = InProcess { operations, deadline };
    // On the heap: as a part of the future of a test it is too deep for the compiler.
    Box::pin(sweeper.answer(event, deadline, &operations)).await.map_err(|error| error.to_string())
}

/// The mirror, as a new process has it, works on one message; what it puts off goes to this queue.
pub async fn mirror(common: &harness::World, line: &FlakyChanges, message: &Message) {
    let clock = Clock::new(common.time());
    let client = common.client(&common.xero_url, Config::default());
    let mirror = Mirror::new(client, common.tables.clone(), line.clone(), clock);
    let mut record = SqsMessage::default();
    record.message_id = Some("m".to_owned());
    record.body = Some(message.to_json().unwrap());
    let mut event = SqsEvent::default();
    event.records = vec![record];
    let answer = mirror.handle(event, common.now() + BATCH).await.unwrap();
    assert_eq!(answer.batch_item_failures.len(), 0);
}

pub struct World {
    common: harness::World,
    pub line: FlakyChanges,
    /// SQS, with all our queues; the changes are on `line`.
    pub queues: Queues,
    pub post: FlakyQueues,
}

impl std::ops::Deref for World {
    type Target = harness::World;

    fn deref(&self) -> &harness::World {
        &self.common
    }
}

impl World {
    /// One in which the organisation is set up and mirrors, and nothing else.
    pub async fn new() -> Self {
        let options = Options { seed: Some(7), ..Options::default() };
        let at = START.parse().unwrap();
        let queues = Queues::new().await;
        let world = Self {
            common: harness::World::new(at, NewOrganisation::default(), options).await,
            line: FlakyChanges::default(),
            post: FlakyQueues::new(queues.all.clone()),
            queues,
        };
        world.settings(|_| {}).await;
        world
    }

    pub async fn settings(&self, change: impl FnOnce(&mut Settings)) {
        self.settings_of(self.organisation(), change).await;
    }

    pub async fn settings_of(
        &self,
        organisation: OrganisationId,
        change: impl FnOnce(&mut Settings),
    ) {
        let mut settings = harness::settings(organisation);
        change(&mut settings);
        self.tables.store_settings(&settings).await.unwrap();
    }

    /// An approved sales invoice in Xero.
    pub fn invoice(&self, number: &str) -> Uuid {
        self.document(InvoiceKind::Accrec, number)
    }

    /// An approved sales invoice of a known contact in Xero.
    pub fn invoice_of(&self, contact: Uuid, number: &str) -> Uuid {
        self.simulator.add_invoice_to(contact, self.wanted(InvoiceKind::Accrec, number)).unwrap()
    }

    /// Gives an invoice's contact another name in Xero, and changes the invoice.
    pub fn rename_contact(&self, invoice: Uuid, name: &str) {
        let contact = self.simulator.invoice(invoice).unwrap().contact;
        self.simulator.rename_contact(contact, name).unwrap();
        self.simulator.touch_invoice(invoice).unwrap();
    }

    /// A row that another function would have written: texts only.
    pub async fn put(&self, table: &str, row: &[(&str, &str)]) {
        let item = row
            .iter()
            .map(|(name, value)| ((*name).to_owned(), AttributeValue::S((*value).to_owned())));
        let put = self.direct.put_item().table_name(table).set_item(Some(item.collect()));
        put.send().await.unwrap();
    }

    pub fn document(&self, kind: InvoiceKind, number: &str) -> Uuid {
        self.simulator.add_invoice(self.wanted(kind, number)).unwrap()
    }

    fn wanted(&self, kind: InvoiceKind, number: &str) -> NewInvoice {
        NewInvoice {
            organisation: self.tenant,
            number: number.to_owned(),
            contact_name: "Ada Ltd".to_owned(),
            total: Decimal::new(1_000_00, 2),
            currency: "AUD".to_owned(),
            date: march(1),
            due_date: date(2026, 12, 1),
            kind,
        }
    }

    /// A payment in Xero.
    pub fn pay(&self, invoice: Uuid, cents: i64) -> Uuid {
        self.pay_on(invoice, cents, march(1))
    }

    pub fn pay_on(&self, invoice: Uuid, cents: i64, date: Date) -> Uuid {
        let amount = Decimal::new(cents, 2);
        let payment = NewPayment { date, amount, reference: String::new() };
        self.simulator.add_payment(invoice, payment).unwrap()
    }

    /// The business's own system reports an invoice.
    pub async fn local(&self, number: &str) {
        self.local_of(number, march(1)).await;
    }

    /// The same, issued on this day.
    pub async fn local_of(&self, number: &str, issued_on: Date) {
        let number: InvoiceNumber = number.parse().unwrap();
        let local = LocalInvoice {
            number: number.clone(),
            total: aud(1_000_00),
            issued_on,
            due_on: date(2026, 12, 1),
            terms: None,
            contact: Contact { company: Some("Ada Ltd".to_owned()), person: None },
            payment_plan: false,
            revision: 1,
            components: Default::default(),
        };
        let before = self.tables.invoice(self.organisation(), &number).await.unwrap();
        let change = payments::record_invoice(&before, &local, self.now()).unwrap().unwrap();
        let because = ChangeContext { cause: "intake", event_at: None, now: self.now() };
        self.tables.write_invoice(&before, &change, because).await.unwrap();
    }

    /// An invoice on both sides.
    pub async fn both(&self, number: &str) -> Uuid {
        self.local(number).await;
        self.invoice(&format!("CM-{number}"))
    }

    /// The function, as a new process has it.
    pub fn sweeper(&self) -> Sweeper<FlakyChanges> {
        let client = self.client(&self.xero.url, Config::default());
        let clock = Clock::new(self.time());
        let tables = self.tables_of_a_process();
        let contacts = self.client(&self.xero.url, Config::contacts());
        Sweeper::new(client, tables, self.line.clone(), clock).with_contacts(contacts)
    }

    /// The function that executes commands, as a new process has it.
    pub fn operations(&self) -> Commands {
        let client = self.client(&self.xero.url, Config::uploading());
        let (tables, clock) = (self.tables_of_a_process(), Clock::new(self.time()));
        let uploads = FlakyUploads::default();
        let uploader = Uploader::new(client, tables.clone(), uploads.clone(), clock.clone());
        Operations::new(Parts {
            sweeper: self.sweeper(),
            uploader: uploader.with_changes(self.line.clone()),
            tables,
            changes: self.line.clone(),
            uploads,
            letters: self.post.clone(),
            bus: RecordedBus::new(),
            clock,
        })
    }

    /// Invokes a new process with an event.
    pub async fn invoke(&self, event: Value) -> Result<Value, String> {
        self.invoke_until(event, self.now() + INVOCATION).await
    }

    pub async fn invoke_until(&self, event: Value, deadline: Timestamp) -> Result<Value, String> {
        ask(&self.sweeper(), &self.operations(), &event, deadline).await
    }

    /// The reply of the function `operations` to a request.
    pub async fn command(&self, request: Value) -> Result<Value, String> {
        let reply = self.operations().handle(&request, self.now() + INVOCATION).await;
        let reply = reply.map_err(|error| telemetry::chain(&error))?;
        Ok(serde_json::to_value(reply).unwrap())
    }

    /// The sweep of this moment, of the one organisation.
    pub async fn sweep(&self) -> Value {
        let answer = self.invoke(json!({"scheduled_time": self.now()})).await.unwrap();
        answer["sweeps"][0].clone()
    }

    pub async fn full_sweep(&self) -> Value {
        let answer = self.invoke(json!({"scheduled_time": self.now(), "full": true})).await;
        answer.unwrap()["sweeps"][0].clone()
    }

    /// Ada asks for more, or for less.
    pub async fn sync_now(&self, more: Value) -> Value {
        let mut wish = json!({"organisation": self.tenant, "by": "Ada", "why": "one is missing"});
        wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = self.invoke(json!({"sync_now": wish})).await.unwrap();
        answer["sweeps"][0].clone()
    }

    /// The full sweep of the next night.
    pub async fn next_full_sweep(&self) -> Value {
        self.clock.advance(SignedDuration::from_hours(24));
        self.full_sweep().await
    }

    /// Gives an invoice another number in Xero.
    pub async fn renumber(&self, invoice: Uuid, number: &str) {
        let token = self.token().await;
        let body = json!({"Invoices": [{"InvoiceID": invoice, "InvoiceNumber": number}]});
        let url = format!("{}/api.xro/2.0/Invoices/{invoice}", self.xero_url);
        let http = harness::http::client();
        let request = http.post(url).header("accept", "application/json").bearer_auth(token);
        let request = request.header("xero-tenant-id", self.tenant.to_string());
        let request = request.header("content-type", "application/json").body(body.to_string());
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(self.simulator.invoice(invoice).unwrap().number, number);
    }

    /// A token that may write invoices.
    async fn token(&self) -> String {
        let http = harness::http::client();
        let request = http.post(format!("{}/connect/token", self.xero_url));
        let request = request.basic_auth(DEFAULT_CLIENT_ID, Some(DEFAULT_CLIENT_SECRET));
        let form = [("grant_type", "client_credentials"), ("scope", "accounting.invoices")];
        let answer = request.form(&form).send().await.unwrap().bytes().await.unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn state(&self) -> SweepState {
        self.tables.sweep(self.organisation(), SweepKind::Changes).await.unwrap()
    }

    /// Takes all messages off the queue: the cause of each and its invoices.
    pub fn take_queue(&self) -> Vec<(Cause, Vec<InvoiceChange>)> {
        let invoices = |message| match message {
            Message::Invoices(changes) => (changes.cause, changes.invoices),
            other => panic!("{other:?}"),
        };
        self.line.recorded.take().into_iter().map(invoices).collect()
    }

    /// The invoices on the queue, which is then empty.
    pub fn take_queued(&self) -> Vec<Uuid> {
        let queue = self.take_queue().into_iter();
        queue.flat_map(|(_, changes)| changes).map(|change| uuid(change.id)).collect()
    }

    /// The mirror works the queue off, one message at a time, each some seconds after the one before.
    /// Returns how many there were.
    pub async fn work_off(&self) -> usize {
        self.work_off_until(|waiting| waiting.is_empty()).await
    }

    /// The same, without waiting for what the mirror has put off.
    pub async fn work_off_once(&self) -> usize {
        let now = self.now() + SignedDuration::from_mins(5);
        let later = |message: &Message| match message {
            Message::Invoices(changes) => changes.not_before.is_some_and(|at| at > now),
            _ => false,
        };
        self.work_off_until(|waiting| waiting.iter().all(later)).await
    }

    /// The mirror works on one message.
    pub async fn mirror(&self, message: Message) {
        mirror(&self.common, &self.line, &message).await;
    }

    async fn work_off_until(&self, is_over: impl Fn(&[Message]) -> bool) -> usize {
        let mut waiting = Vec::new();
        for count in 0..1_000 {
            waiting.extend(self.line.recorded.take());
            if is_over(&waiting) {
                return count;
            }
            let message: Message = waiting.remove(0);
            if let Message::Invoices(changes) = &message {
                let not_before = changes.not_before.unwrap_or(self.now());
                self.clock.set(self.now().max(not_before));
            }
            self.mirror(message).await;
            self.clock.advance(SignedDuration::from_secs(6));
        }
        panic!("the queue is never empty");
    }

    pub fn end_with(&self, crash_point: &Arc<CrashPoint>) {
        self.common.end_with(crash_point);
        self.line.end_with(crash_point);
        self.post.end_with(crash_point);
    }

    /// The one run that there was.
    pub async fn last_run(&self) -> Row {
        self.rows("sync_runs").await.into_iter().max_by_key(|row| row["run"].clone()).unwrap()
    }

    /// How many calls of Xero's API the function has made since this was asked last.
    pub fn calls(&self) -> usize {
        let calls = self.xero.take_calls();
        calls.iter().filter(|call| call.contains("/api.xro/")).count()
    }

    /// The payments that stand in Xero, by invoice number: ids and amounts.
    pub fn in_xero(&self) -> BTreeSet<(String, String, String)> {
        let books = self.simulator.organisation(self.tenant).unwrap();
        let standing = books.payments.values().filter(|p| p.status == PaymentStatus::Authorised);
        standing
            .map(|payment| {
                let number = &books.invoices[&payment.invoice].number;
                let number = number.strip_prefix("CM-").unwrap_or(number).to_owned();
                (number, payment.id.to_string(), payment.amount.normalize().to_string())
            })
            .collect()
    }

    /// The payments that the mirror has, in the same shape.
    pub async fn mirrored(&self) -> BTreeSet<(String, String, String)> {
        let rows = self.rows("payments").await;
        rows.into_iter()
            .map(|row| {
                let amount = row["amount"].trim_start_matches('#').to_owned();
                (row["invoice_number"].clone(), row["xero_payment_id"].clone(), amount)
            })
            .collect()
    }

    /// What the mirror has decided since for this cause: how often each action.
    pub async fn decided(&self, cause: &str, since: Timestamp) -> BTreeMap<String, usize> {
        let mut actions = BTreeMap::new();
        let since = table::instant(since);
        for row in self.rows("activity").await {
            if row.get("cause").is_some_and(|of| of == cause) && row["at"] >= since {
                *actions.entry(row["action"].clone()).or_default() += 1;
            }
        }
        actions
    }
}
