//! Everything around the function, fresh for each test: clock, Xero, tables, queue.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use ::xero::{Client, Config, Credentials};
use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use aws_sdk_dynamodb::types::AttributeValue;
use harness::dynamodb::{self, Row};
use harness::{CrashPoint, DynamoDbProxy, FlakyChanges};
pub use harness::{aud, march};
use host::clock::Clock;
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use mirror::Mirror;
use payments::{
    Allocation, Change, Contact, InvoiceNumber, LocalInvoice, OrganisationId, Payment,
    PaymentStatus, Receipt, Settings, StoredInvoice, XeroInvoiceId,
};
use queue::{Cause, InvoiceChange, InvoiceChanges, Message};
use table::{ChangeContext, Tables};
use uuid::Uuid;

use crate::xero::{Paid, Paper, Xero};

pub const START: &str = "2026-10-05T03:41:25Z";

thread_local! {
    /// A test has a thread of its own, so each has a clock of its own.
    static NOW: Cell<Timestamp> = Cell::new(START.parse().unwrap());
}

pub fn now() -> Timestamp {
    NOW.get()
}

pub fn set_now(at: Timestamp) {
    NOW.set(at);
}

pub fn advance(by: Duration) {
    NOW.set(now() + by);
}

/// A moment, so many seconds after the start; before it if negative.
pub fn at(seconds: i64) -> Timestamp {
    START.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

pub fn organisation() -> OrganisationId {
    "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046".parse().unwrap()
}

pub fn another_organisation() -> OrganisationId {
    "11111111-92d4-4f57-b3c8-71e2d5a9f046".parse().unwrap()
}

pub fn invoice(n: u32) -> XeroInvoiceId {
    XeroInvoiceId::new(Uuid::from_u128(u128::from(n) + (0x4000 << 64)))
}

/// The local number of `invoice(n)`.
pub fn number(n: u32) -> InvoiceNumber {
    format!("{}", 10_000 + n).parse().unwrap()
}

pub fn paid(id: u32, day: i8, cents: i64) -> Paid {
    Paid { id, date: march(day), cents, reference: None }
}

pub const TOTAL: i64 = 1_000_000;

/// `invoice(n)` in the books of Xero, updated shortly before the start.
pub fn paper(n: u32, payments: Vec<Paid>) -> Paper {
    Paper {
        kind: "ACCREC",
        number: format!("CM-{}", number(n)),
        status: "AUTHORISED",
        contact: "Ada Ltd".to_owned(),
        total: TOTAL,
        credited: 0,
        payments,
        updated_at: at(-3),
    }
}

pub struct World {
    pub xero: Xero,
    pub proxy: DynamoDbProxy,
    /// DynamoDB, past the proxy.
    pub direct: aws_sdk_dynamodb::Client,
    /// The tables, past the proxy.
    pub tables: Tables,
    pub line: FlakyChanges,
    /// Longest wait of our client for an answer of Xero's.
    pub patience: Duration,
    serial: Cell<u32>,
}

impl World {
    /// One in which the organisation is set up, and nothing else.
    pub async fn new() -> Self {
        NOW.set(START.parse().unwrap());
        let engine = dynamodb::start().await;
        let direct = dynamodb::client(&engine, 1);
        table::schema::create(&direct, "").await.unwrap();
        let world = Self {
            xero: Xero::start().await,
            proxy: DynamoDbProxy::start(engine).await,
            tables: Tables::new(direct.clone(), ""),
            direct,
            line: FlakyChanges::default(),
            patience: Duration::from_secs(20),
            serial: Cell::new(0),
        };
        world.set_up(organisation(), |_| {}).await;
        world
    }

    /// One that also has `invoice(1)`, locally and in Xero, with these payments there.
    pub async fn with_invoice(payments: Vec<Paid>) -> Self {
        let world = Self::new().await;
        world.record_invoice(1).await;
        world.xero.put(organisation(), invoice(1), paper(1, payments));
        world
    }

    pub async fn set_up(&self, organisation: OrganisationId, change: impl Fn(&mut Settings)) {
        let mut settings = harness::settings(organisation);
        change(&mut settings);
        self.tables.store_settings(&settings).await.unwrap();
    }

    /// The function, as a new process has it.
    pub fn mirror(&self) -> Mirror<FlakyChanges> {
        self.mirror_with(now)
    }

    /// The same with a clock of its own.
    pub fn mirror_with(&self, clock: fn() -> Timestamp) -> Mirror<FlakyChanges> {
        let config = Config {
            api_url: self.xero.url.parse().unwrap(),
            identity_url: self.xero.url.parse().unwrap(),
            timeout: self.patience,
            ..Config::default()
        };
        let credentials = Credentials {
            client_id: "client-canary-7f3b".to_owned(),
            client_secret: "secret-canary-7f3c".into(),
        };
        let client = Client::new(config, credentials, clock).unwrap();
        let clock = Clock::new(clock);
        let tables = Tables::new(dynamodb::client(&self.proxy.url, 1), "");
        Mirror::new(client, tables, self.line.clone(), clock)
    }

    /// Delivers records to a new process with two minutes of time; returns the ids of those that
    /// are to come again.
    pub async fn deliver(&self, records: &[SqsMessage]) -> Vec<String> {
        self.deliver_to(&self.mirror(), records, at_most_two_minutes()).await
    }

    pub async fn deliver_to(
        &self,
        mirror: &Mirror<FlakyChanges>,
        records: &[SqsMessage],
        deadline: Timestamp,
    ) -> Vec<String> {
        let mut event = SqsEvent::default();
        event.records = records.to_vec();
        let answer = mirror.handle(event, deadline).await.unwrap();
        answer.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
    }

    /// Deletes the record of how often Xero was called, and of the limits in its answers.
    pub async fn forget_calls(&self) {
        let key = AttributeValue::S(organisation().to_string());
        let delete = self.direct.delete_item().table_name("budgets").key("organisation", key);
        delete.send().await.unwrap();
    }

    /// Says that invoices have changed just now, and expects that the record is done.
    pub async fn changed(&self, invoices: &[u32]) {
        let again = self.deliver(&[record("m-1", events(invoices, Some(at(-3))))]).await;
        assert!(again.is_empty(), "{again:?}");
    }

    /// Delivers records, and what is sent back to the queue, each when its time has come, and
    /// what comes again, until nothing is left. Returns how many batches that took.
    pub async fn drain(&self, records: Vec<SqsMessage>) -> usize {
        let mut queue = records;
        self.work_off(&mut queue).await
    }

    /// As [`Self::drain`]. If it is dropped in the middle, nothing is missing in the queue.
    pub async fn work_off(&self, queue: &mut Vec<SqsMessage>) -> usize {
        for batches in 0..200 {
            for message in self.line.recorded.take() {
                let id = self.serial.get() + 1;
                self.serial.set(id);
                queue.push(record(&format!("r-{id}"), message));
            }
            let Some(next) = queue.iter().map(due_at).min() else { return batches };
            NOW.set(now().max(next));
            let due: Vec<_> = queue.iter().filter(|r| due_at(r) <= now()).cloned().collect();
            let again = self.deliver(&due).await;
            queue.retain(|record| {
                let id = record.message_id.as_ref().unwrap();
                again.contains(id) || !due.iter().any(|due| due.message_id.as_ref() == Some(id))
            });
        }
        panic!("the queue is never empty");
    }

    pub fn end_with(&self, crash_point: &Arc<CrashPoint>) {
        self.xero.end_with(crash_point);
        self.proxy.end_with(crash_point);
        self.line.end_with(crash_point);
    }

    pub async fn stored(&self, n: u32) -> StoredInvoice {
        self.tables.invoice(organisation(), &number(n)).await.unwrap()
    }

    pub async fn rows(&self, table: &str) -> Vec<Row> {
        dynamodb::rows(&self.direct, table).await
    }

    /// The business's own system reports `invoice(n)`.
    pub async fn record_invoice(&self, n: u32) {
        let local = LocalInvoice {
            number: number(n),
            total: aud(TOTAL),
            issued_on: date(2026, 2, 1),
            due_on: date(2026, 12, 1),
            terms: None,
            contact: Contact { company: Some("Ada Ltd".to_owned()), person: None },
            payment_plan: false,
            revision: 1,
            components: Default::default(),
        };
        self.local(n, |stored| payments::record_invoice(stored, &local, now()).unwrap()).await;
    }

    /// The business's own system reports `invoice(n)` again, with the customer who owes it.
    pub async fn owed_by(&self, n: u32, customer: &str) {
        self.local(n, |stored| {
            let local = LocalInvoice { revision: 2, ..stored.local.clone().unwrap() };
            let mut change = payments::record_invoice(stored, &local, now()).unwrap().unwrap();
            change.after.customer = Some(customer.parse().unwrap());
            Some(change)
        })
        .await;
    }

    /// An action about a customer is open, or solved.
    pub async fn action(&self, customer: &str, to_solve: Option<&str>) {
        let id = customer.parse().unwrap();
        let known = self.tables.customer(organisation(), &id).await.unwrap();
        let whose = (organisation(), &id);
        let after = payments::upload::record_action(known.as_ref(), whose, to_solve, now());
        let said = Some(("Wilma", "two contacts"));
        self.tables.store_customer(known.as_ref(), &after.unwrap(), said, now()).await.unwrap();
    }

    /// The business's own system reports a payment on these invoices, so much on each.
    pub async fn record_payment(&self, id: &str, invoices: &[u32], day: i8, cents: i64) {
        let allocations = invoices
            .iter()
            .map(|n| Allocation { invoice: number(*n), amount: aud(cents) })
            .collect::<Vec<_>>();
        let receipt = Receipt {
            organisation: organisation(),
            id: id.parse().unwrap(),
            revision: 1,
            amount: aud(cents * invoices.len() as i64),
            date: march(day),
            reference: None,
            method: "bpay".to_owned(),
            channel: None,
            customer: None,
            transaction_id: format!("T-{id}"),
            status: PaymentStatus::Confirmed,
            approved: false,
            settled: false,
            journaled: false,
            allocations,
            entered_at: at(-86_400),
            document: None,
        };
        for n in invoices {
            self.local(*n, |stored| payments::record_part(stored, &receipt, now()).unwrap()).await;
        }
        let known = self.tables.upload(organisation(), &receipt.id).await.unwrap();
        if let Some(upload) = payments::upload::admit(known.as_ref(), &receipt, now()).upload {
            let because = ChangeContext { cause: "intake", event_at: None, now: now() };
            let rows = [(known.as_ref(), &*upload)];
            self.tables.write_uploads(&rows, None, because).await.unwrap();
        }
    }

    /// Changes an invoice's only payment by hand.
    pub async fn change_payment(&self, n: u32, change: impl Fn(&mut Payment)) {
        self.local(n, |stored| {
            let mut after = stored.clone();
            change(&mut after.payments[0]);
            after.settled = None;
            Some(Change { after, tombstones: Vec::new(), decisions: Vec::new() })
        })
        .await;
    }

    async fn local(&self, n: u32, change: impl FnOnce(&StoredInvoice) -> Option<Change>) {
        let before = self.stored(n).await;
        let change = change(&before).unwrap();
        let because = ChangeContext { cause: "intake", event_at: None, now: now() };
        self.tables.write_invoice(&before, &change, because).await.unwrap();
    }
}

pub fn at_most_two_minutes() -> Timestamp {
    now() + SignedDuration::from_secs(120)
}

/// A message that these invoices have changed.
pub fn events(invoices: &[u32], event_at: Option<Timestamp>) -> Message {
    events_of(organisation(), invoices, event_at)
}

pub fn events_of(
    organisation: OrganisationId,
    invoices: &[u32],
    event_at: Option<Timestamp>,
) -> Message {
    let changes = invoices.iter().map(|n| InvoiceChange::new(invoice(*n), event_at));
    Message::Invoices(InvoiceChanges {
        organisation,
        cause: Cause::Webhook,
        accepted_at: at(-1),
        not_before: None,
        invoices: changes.collect(),
    })
}

pub fn record(id: &str, message: Message) -> SqsMessage {
    raw_record(id, &message.to_json().unwrap())
}

pub fn raw_record(id: &str, body: &str) -> SqsMessage {
    let mut record = SqsMessage::default();
    record.message_id = Some(id.to_owned());
    record.body = Some(body.to_owned());
    let sent = at(-1).as_millisecond().to_string();
    record.attributes.insert("SentTimestamp".to_owned(), sent);
    record
}

/// When a message may be worked on.
fn due_at(record: &SqsMessage) -> Timestamp {
    match Message::from_json(record.body.as_deref().unwrap()) {
        Ok(Message::Invoices(changes)) => changes.not_before.unwrap_or(Timestamp::MIN),
        _ => Timestamp::MIN,
    }
}

/// The invoices of the messages that went back to the queue, each with its pause.
pub fn sent_back(line: &FlakyChanges) -> Vec<(InvoiceChange, Option<Timestamp>, Duration)> {
    let mut all = Vec::new();
    for (message, delay) in line.recorded.sent_with_delays() {
        let Message::Invoices(changes) = message else { panic!("{message:?}") };
        for change in changes.invoices {
            all.push((change, changes.not_before, delay));
        }
    }
    all
}
