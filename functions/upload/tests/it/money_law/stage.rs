//! Intake, mirror and upload as they are deployed, two organisations with their books in Xero, and a test that plays
//! the business, the bookkeeper and the time.

use std::sync::{Arc, Mutex};

use ::xero::{Client, Config, Credentials};
use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use harness::dynamodb;
use host::clock::Clock;
use intake::Intake;
use jiff::{SignedDuration, Timestamp};
use mirror::Mirror;
use payments::upload::Upload;
use payments::{OrganisationId, Settings, XeroAccountId, XeroInvoiceId};
use queue::fakes::RecordedChanges;
use queue::{Cause, InvoiceChange, InvoiceChanges, Message};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::{Value, json};
use table::Tables;
use uuid::Uuid;
use xero_simulator::{CreatedKind, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, NewOrganisation};

use super::oracle::{Books, Ours, Reported, Status, Whose};
use super::story::{CUSTOMERS, TOTALS};
use crate::world::{World, march};

/// A customer as it stands in Xero.
pub struct InXero {
    pub contact: Uuid,
    pub invoices: Vec<Uuid>,
}

pub struct Stage {
    pub world: World,
    pub tenants: [Uuid; 2],
    /// By organisation and customer.
    pub customers: Vec<Vec<InXero>>,
    line: Arc<RecordedChanges>,
    /// Messages that are still to be delivered to the mirror.
    messages: Mutex<Vec<Message>>,
    pub books: Books,
    /// How many of what the API has created in each organisation are known.
    seen: [usize; 2],
}

/// The local number of an invoice.
pub fn number(customer: usize, invoice: usize) -> String {
    format!("{}", 100 * (customer + 1) + invoice)
}

/// What the business names a payment in its reference, which goes to Xero with it.
pub fn reference(organisation: usize, id: &str) -> String {
    format!("({organisation}/{id})")
}

pub fn decimal(cents: i64) -> Decimal {
    Decimal::new(cents, 2)
}

impl Stage {
    pub async fn new() -> Self {
        let world = World::new().await;
        let other = world.simulator.add_organisation(NewOrganisation::default()).unwrap();
        let tenants = [world.tenant, other];
        let known = world.tables.settings(world.organisation()).await.unwrap().unwrap();
        let books = world.simulator.organisation(other).unwrap();
        let bank = books.accounts.iter().find(|account| account.is_bank()).unwrap().id;
        let mut settings = Settings { organisation: OrganisationId::new(other), ..known };
        settings.upload.as_mut().unwrap().account = XeroAccountId::new(bank);
        world.tables.store_settings(&settings).await.unwrap();
        let mut stage = Self {
            world,
            tenants,
            customers: Vec::new(),
            line: Arc::default(),
            messages: Mutex::default(),
            books: Books::default(),
            seen: [0, 0],
        };
        for tenant in tenants {
            let mut customers = Vec::new();
            for customer in 0..CUSTOMERS {
                customers.push(stage.customer(tenant, customer).await);
            }
            stage.customers.push(customers);
        }
        stage
    }

    /// The same names, numbers and ids in both organisations.
    async fn customer(&self, tenant: Uuid, customer: usize) -> InXero {
        let simulator = &self.world.simulator;
        let name = format!("Customer {customer}");
        let contact = simulator.add_contact(tenant, &name).unwrap();
        let mut invoices = Vec::new();
        for (n, &total) in TOTALS.iter().enumerate() {
            let number = number(customer, n);
            let wanted = xero_simulator::NewInvoice {
                organisation: tenant,
                number: format!("CM-{number}"),
                contact_name: String::new(),
                total: decimal(total),
                currency: "AUD".to_owned(),
                date: march(1),
                due_date: march(1),
                kind: xero_simulator::InvoiceKind::Accrec,
            };
            invoices.push(simulator.add_invoice_to(contact, wanted).unwrap());
            let total = json!({"amount": decimal(total).to_string(), "currency": "AUD"});
            self.take_in(json!({"version": 1, "type": "invoice", "organisation": tenant,
                "number": number, "revision": 1, "total": total, "issued_on": "2026-03-01",
                "due_on": "2026-03-01", "contact": {"company": name}}))
                .await;
        }
        self.take_in(json!({"version": 1, "type": "customer", "organisation": tenant,
            "customer": format!("K{customer}"), "revision": 1, "name": name,
            "xero_contact_id": contact}))
            .await;
        let all: Vec<_> = invoices.clone();
        self.changed(tenant, &all);
        InXero { contact, invoices }
    }

    pub fn tenant(&self, whose: Whose) -> Uuid {
        self.tenants[whose.0]
    }

    pub fn in_xero(&self, whose: Whose) -> &InXero {
        &self.customers[whose.0][whose.1]
    }

    fn tables(&self) -> Tables {
        Tables::new(dynamodb::client(&self.world.proxy.url, 1), "")
    }

    fn clock(&self) -> impl Fn() -> Timestamp + Send + Sync + 'static {
        let clock = self.world.clock.clone();
        move || clock.now()
    }

    /// The business's own system sends a message, and intake takes it in.
    pub async fn take_in(&self, message: Value) {
        let (tables, tasks) = (self.tables(), self.world.tasks.clone());
        let intake = Intake::new(tables, &*self.line, tasks, Clock::new(self.clock()));
        let event = batch(&message.to_string());
        let answer = intake.handle(event, self.deadline()).await.unwrap();
        assert!(answer.batch_item_failures.is_empty(), "{message}");
    }

    /// A payment is reported, or reported otherwise.
    pub async fn report(&self, report: &Reported) {
        let money = |cents: i64| json!({"amount": decimal(cents).to_string(), "currency": "AUD"});
        let named = report.portions.iter().filter_map(|portion| {
            let invoice = number(report.whose.1, portion.on?);
            Some(json!({"invoice": invoice, "amount": decimal(portion.cents).to_string()}))
        });
        let mut message = json!({"version": 1, "type": "payment", "organisation": self.tenant(report.whose),
            "id": report.id, "revision": report.revision, "amount": money(report.cents()),
            "date": report.day.to_string(), "method": report.method,
            "transaction_id": report.transaction, "status": status(report.status),
            "customer": format!("K{}", report.whose.1),
            "reference": reference(report.whose.0, &report.id),
            "entered_at": report.entered_at, "allocations": named.collect::<Vec<_>>()});
        if report.method == "card" {
            message["channel"] = json!("pay_now");
        }
        self.take_in(message).await;
    }

    fn deadline(&self) -> Timestamp {
        self.world.now() + SignedDuration::from_mins(15)
    }

    /// Xero says that these invoices have changed.
    pub fn changed(&self, tenant: Uuid, invoices: &[Uuid]) {
        let now = self.world.now();
        let changes = InvoiceChanges {
            organisation: OrganisationId::new(tenant),
            cause: Cause::Webhook,
            accepted_at: now,
            not_before: None,
            invoices: invoices
                .iter()
                .map(|id| InvoiceChange::new(XeroInvoiceId::new(*id), Some(now)))
                .collect(),
        };
        self.messages.lock().unwrap().push(Message::Invoices(changes));
    }

    /// The mirror works off all of its messages, also those that it puts off.
    pub async fn mirror(&self) {
        let config = Config {
            api_url: self.world.xero.url.parse().unwrap(),
            identity_url: self.world.xero.url.parse().unwrap(),
            ..Config::default()
        };
        let credentials = Credentials {
            client_id: DEFAULT_CLIENT_ID.to_owned(),
            client_secret: DEFAULT_CLIENT_SECRET.into(),
        };
        let client = Client::new(config, credentials, self.clock()).unwrap();
        let clock = Clock::new(self.clock());
        let mirror = Mirror::new(client, self.tables(), &*self.line, clock);
        for _ in 0..20 {
            let mut messages = std::mem::take(&mut *self.messages.lock().unwrap());
            messages.extend(self.line.take());
            let Some(due) = messages.iter().map(due_at).min() else { return };
            self.world.clock.set(self.world.now().max(due));
            let (due, later): (Vec<_>, Vec<_>) =
                messages.into_iter().partition(|message| due_at(message) <= self.world.now());
            self.messages.lock().unwrap().extend(later);
            let mut event = SqsEvent::default();
            let records = due.iter().enumerate();
            event.records =
                records.map(|(n, message)| record(n, &message.to_json().unwrap())).collect();
            let answer = mirror.handle(event, self.deadline()).await.unwrap();
            assert!(answer.batch_item_failures.is_empty());
            // What Xero's limit of a minute has stopped goes on in the next one.
            self.world.clock.advance(SignedDuration::from_secs(61));
        }
        panic!("the mirror never comes to an end");
    }

    /// The mirror reads every invoice, as the full sweep of a night has it do.
    pub async fn sweep(&self) {
        for (tenant, customers) in self.tenants.iter().zip(&self.customers) {
            let invoices = customers.iter().flat_map(|customer| customer.invoices.clone());
            self.changed(*tenant, &invoices.collect::<Vec<_>>());
        }
        self.mirror().await;
    }

    pub async fn row(&self, report: &Reported) -> Upload {
        let organisation = OrganisationId::new(self.tenant(report.whose));
        let id = report.id.parse().unwrap();
        self.world.tables.upload(organisation, &id).await.unwrap().unwrap()
    }

    /// What a person orders; whether it was possible.
    pub async fn order(&self, report: &Reported, order: &str) -> Result<(), String> {
        let event = json!({"organisation": self.tenant(report.whose), "payment": report.id,
            "order": order, "by": "Wilma", "why": "asked the bookkeeper"});
        self.world.invoke(event).await.map(drop)
    }

    fn place(&self, organisation: usize, invoice: Uuid) -> Option<(usize, usize)> {
        self.customers[organisation].iter().enumerate().find_map(|(customer, in_xero)| {
            let on = in_xero.invoices.iter().position(|id| *id == invoice)?;
            Some((customer, on))
        })
    }

    /// Looks at what we have put into Xero since, and judges it by the law.
    pub fn look(&mut self) -> Result<(), String> {
        let before = self.books.ours.clone();
        for organisation in 0..self.tenants.len() {
            let tenant = self.tenants[organisation];
            let created = self.world.simulator.meter(tenant).created;
            let mut touched = Vec::new();
            for one in &created[self.seen[organisation]..] {
                let ours = match one.kind {
                    CreatedKind::Payment => {
                        let payment = self.world.simulator.payment(one.id).unwrap();
                        touched.push(payment.invoice);
                        let (customer, on) = self.place(organisation, payment.invoice).unwrap();
                        Ours {
                            id: one.id,
                            report: reported_id(organisation, &payment.reference)?,
                            whose: (organisation, customer),
                            on: Some(on),
                            cents: cents(payment.amount),
                            day: payment.date,
                            deleted: false,
                        }
                    }
                    _ => {
                        let money = self.world.simulator.bank_transaction(one.id).unwrap();
                        let customers = &self.customers[organisation];
                        let of = customers.iter().position(|known| known.contact == money.contact);
                        Ours {
                            id: one.id,
                            report: reported_id(organisation, &money.reference)?,
                            whose: (organisation, of.unwrap()),
                            on: None,
                            cents: cents(money.total),
                            day: money.date,
                            deleted: false,
                        }
                    }
                };
                self.books.ours.push(ours);
            }
            self.seen[organisation] = created.len();
            touched.sort_unstable();
            touched.dedup();
            if !touched.is_empty() {
                self.changed(tenant, &touched);
            }
        }
        self.books.judge(&before, &self.books.ours[before.len()..])
    }
}

fn cents(amount: Decimal) -> i64 {
    (amount * Decimal::ONE_HUNDRED).to_i64().unwrap()
}

/// The payment that a reference in Xero names.
fn reported_id(organisation: usize, reference: &str) -> Result<String, String> {
    let begin = format!("({organisation}/");
    let found = reference.split_once(&begin).and_then(|(_, rest)| rest.split_once(')'));
    let wrong = || format!("{reference:?} is no payment of organisation {organisation}");
    found.map(|(id, _)| id.to_owned()).ok_or_else(wrong)
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Pending => "pending",
        Status::Confirmed => "confirmed",
        Status::Failed => "failed",
        Status::Refunded => "refunded",
    }
}

fn batch(body: &str) -> SqsEvent {
    let mut event = SqsEvent::default();
    event.records = vec![record(0, body)];
    event
}

fn record(n: usize, body: &str) -> SqsMessage {
    let mut record = SqsMessage::default();
    record.message_id = Some(format!("m-{n}"));
    record.body = Some(body.to_owned());
    record
}

/// When a message may be worked on.
fn due_at(message: &Message) -> Timestamp {
    match message {
        Message::Invoices(changes) => changes.not_before.unwrap_or(Timestamp::MIN),
        _ => Timestamp::MIN,
    }
}
