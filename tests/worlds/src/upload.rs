//! Everything around the function, fresh for each test: a clock, a Xero with books, tables, a queue.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use ::sweep::Sweeper;
use ::upload::Uploader;
use ::xero::Config;
use bus::fakes::RecordedBus;
use harness::{CrashPoint, FlakyChanges, FlakyUploads};
pub use harness::{aud, march};
use host::clock::Clock;
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use operations::{InProcess, Operations, Parts};
use payments::upload::{
    AppliedPart, Bill, CreditTerms, Customer, DocumentForm, Fee, FeeAccount, ProviderInvoice,
    Upload, UploadSettings, UploadStart, admit, admit_bill,
};
use payments::{PaymentId, Receipt, Settings, XeroAccountId, XeroContactId, record_part};
use queue::{AllQueues, UploadTask};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use table::ChangeContext;
use uuid::Uuid;
use xero_simulator::{InvoiceKind, NewInvoice, NewOrganisation, Options, PrepaymentReferences};

pub use crate::samples::{EVENING, evening};
use crate::samples::{Paid, bpay};

/// What the code of Lambda's own time-out allows.
const INVOCATION: SignedDuration = SignedDuration::from_mins(15);

/// The function that executes commands, around what is flaky.
pub type Commands = Operations<FlakyChanges, FlakyUploads, AllQueues, RecordedBus>;

pub struct World {
    common: harness::World,
    pub tasks: FlakyUploads,
    /// Tasks in the queue, and when each of them is delivered.
    waiting: Mutex<Vec<(Timestamp, UploadTask)>>,
    /// The contact that stands for the provider.
    provider: OnceLock<Uuid>,
}

impl std::ops::Deref for World {
    type Target = harness::World;

    fn deref(&self) -> &harness::World {
        &self.common
    }
}

impl World {
    /// One in which the organisation is set up, at ten in the evening, and nothing else.
    pub async fn new() -> Self {
        Self::with(PrepaymentReferences::Kept).await
    }

    pub async fn with(references: PrepaymentReferences) -> Self {
        Self::keeping(NewOrganisation::default(), references).await
    }

    /// One whose organisation keeps these books.
    pub async fn keeping(books: NewOrganisation, references: PrepaymentReferences) -> Self {
        let options =
            Options { seed: Some(7), prepayment_references: references, ..Options::default() };
        let world = Self {
            common: harness::World::new(evening(), books, options).await,
            tasks: FlakyUploads::default(),
            waiting: Mutex::default(),
            provider: OnceLock::new(),
        };
        world.settings(|_| {}).await;
        world
    }

    /// Changes the settings of uploading; everything else is as usual.
    pub async fn settings(&self, change: impl FnOnce(&mut UploadSettings)) {
        let books = self.simulator.organisation(self.tenant).unwrap();
        let bank = books.accounts.iter().find(|account| account.is_bank()).unwrap().id;
        let revenue = books.accounts.iter().find(|account| !account.is_bank()).unwrap();
        let start = UploadStart::Day(date(2025, 12, 31));
        let mut uploading = UploadSettings::new(start, XeroAccountId::new(bank));
        uploading.prepayment_account.clone_from(&revenue.code);
        change(&mut uploading);
        let settings =
            Settings { upload: Some(uploading), ..harness::settings(self.organisation()) };
        self.tables.store_settings(&settings).await.unwrap();
    }

    /// Changes the settings of uploading as they are.
    pub async fn change(&self, change: impl FnOnce(&mut UploadSettings)) {
        let mut settings = self.tables.settings(self.organisation()).await.unwrap().unwrap();
        change(settings.upload.as_mut().unwrap());
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
            merged: None,
            unusable_contact: None,
            email: None,
            sync: Default::default(),
        };
        self.tables.store_customer(None, &customer, None, self.now()).await.unwrap();
        contact
    }

    /// An approved sales invoice of that contact in Xero.
    pub fn invoice(&self, contact: Uuid, number: &str, cents: i64, issued: Date) -> Uuid {
        self.invoice_of(contact, number, (Decimal::new(cents, 2), "AUD"), issued)
    }

    /// The same of any amount and currency.
    pub fn invoice_of(
        &self,
        contact: Uuid,
        number: &str,
        (total, currency): (Decimal, &str),
        issued: Date,
    ) -> Uuid {
        let wanted = NewInvoice {
            organisation: self.tenant,
            number: number.to_owned(),
            contact_name: String::new(),
            total,
            currency: currency.to_owned(),
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
        self.report(paid.receipt(self.organisation())).await;
    }

    /// The same of any receipt.
    pub async fn report(&self, receipt: Receipt) {
        for part in &receipt.allocations {
            let stored = self.tables.invoice(self.organisation(), &part.invoice).await.unwrap();
            if let Some(change) = record_part(&stored, &receipt, self.now()).unwrap() {
                let because = ChangeContext { cause: "intake", event_at: None, now: self.now() };
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

    /// The business's own system reports an invoice of the provider, as intake takes it in: a fee for each
    /// kind.
    pub async fn provider_invoice(&self, id: &str, fees: &[(&str, i64)]) {
        let fee = |(kind, cents): &(&str, i64)| Fee {
            kind: kind.parse().unwrap(),
            description: None,
            amount: aud(*cents),
        };
        let invoice = ProviderInvoice {
            organisation: self.organisation(),
            id: PaymentId::of_provider_invoice(id).unwrap(),
            revision: 1,
            total: aud(fees.iter().map(|(_, cents)| cents).sum()),
            date: march(1),
            bill: Bill {
                number: format!("PI {id}"),
                due_on: None,
                fees: fees.iter().map(fee).collect(),
                form: DocumentForm::Bill,
            },
        };
        self.report_document(&invoice).await;
    }

    /// The business's own system reports a credit invoice of the provider, as intake takes it in: `applied` says how
    /// many cents of it stand on which of the provider's invoices.
    pub async fn provider_credit(&self, id: &str, cents: i64, applied: &[(&str, i64)]) {
        self.provider_credit_of(id, march(1), 1, cents, applied).await;
    }

    /// The same of another day, or in another revision.
    pub async fn provider_credit_of(
        &self,
        id: &str,
        day: Date,
        revision: u64,
        cents: i64,
        applied: &[(&str, i64)],
    ) {
        let part = |(invoice, cents): &(&str, i64)| AppliedPart {
            invoice: PaymentId::of_provider_invoice(invoice).unwrap(),
            amount: aud(*cents),
        };
        let terms =
            CreditTerms { applied: applied.iter().map(part).collect(), ..CreditTerms::default() };
        let kind = "processing".parse().unwrap();
        let credit = ProviderInvoice {
            organisation: self.organisation(),
            id: PaymentId::of_provider_credit(id).unwrap(),
            revision,
            total: aud(cents),
            date: day,
            bill: Bill {
                number: format!("CR {id}"),
                due_on: None,
                fees: vec![Fee { kind, description: None, amount: aud(cents) }],
                form: DocumentForm::CreditNote(terms),
            },
        };
        self.report_document(&credit).await;
    }

    async fn report_document(&self, document: &ProviderInvoice) {
        let row = self.tables.upload(self.organisation(), &document.id).await.unwrap();
        let admitted = admit_bill(row.as_ref(), document, self.now()).unwrap().upload.unwrap();
        let because = ChangeContext { cause: "intake", event_at: None, now: self.now() };
        self.tables.write_uploads(&[(row.as_ref(), &*admitted)], None, because).await.unwrap();
    }

    /// A contact stands for the provider, and these kinds of fees are booked to an account.
    pub async fn provider(&self, kinds: &[&str]) -> Uuid {
        let books = self.simulator.organisation(self.tenant).unwrap();
        let contact = || self.simulator.add_contact(self.tenant, "Provider").unwrap();
        let contact = *self.provider.get_or_init(contact);
        let revenue = books.accounts.iter().find(|account| !account.is_bank()).unwrap();
        let account = FeeAccount { code: revenue.code.clone().unwrap(), id: None, tax: None };
        let kinds = kinds.iter().map(|kind| (kind.parse().unwrap(), account.clone()));
        self.change(|uploading| {
            uploading.merchant_contact = Some(XeroContactId::new(contact));
            uploading.fee_accounts = kinds.collect();
        })
        .await;
        contact
    }

    /// What Xero shows of an invoice of 100.00.
    pub fn facts(&self, invoice: payments::XeroInvoiceId) -> payments::XeroFacts {
        payments::XeroFacts {
            allocations: Vec::new(),
            invoice,
            number: "CM-10234".to_owned(),
            status: payments::InvoiceStatus::Authorised,
            contact_name: None,
            due_on: None,
            figures: payments::Figures {
                total: aud(100_00),
                paid: aud(0),
                credited: aud(0),
                due: aud(100_00),
            },
            version: payments::Version { updated_at: self.now(), fetched_at: self.now() },
        }
    }

    /// The function, as a new process has it.
    pub fn uploader(&self) -> Uploader<FlakyUploads> {
        self.new_uploader()
    }

    /// The same, with another queue of changes.
    pub fn uploader_to<'a, C: queue::Changes>(
        &self,
        changes: &'a C,
    ) -> Uploader<FlakyUploads, &'a C> {
        self.new_uploader().with_changes(changes)
    }

    fn new_uploader<C: queue::Changes>(&self) -> Uploader<FlakyUploads, C> {
        let client = self.client(&self.xero.url, Config::uploading());
        let clock = Clock::new(self.time());
        Uploader::new(client, self.tables_of_a_process(), self.tasks.clone(), clock)
            .with_pauses(vec![Duration::ZERO; 2])
    }

    /// Invokes a new process with an event.
    pub async fn invoke(&self, event: Value) -> Result<Value, String> {
        let deadline = self.now() + INVOCATION;
        let operations = self.operations(FlakyChanges::default());
        let operations = InProcess { operations: &operations, deadline };
        let answer = Box::pin(self.uploader().answer(&event, deadline, &operations)).await;
        answer.map_err(|error| error.to_string())
    }

    /// The function that executes commands, as a new process has it, with this queue of changes.
    pub fn operations(&self, changes: FlakyChanges) -> Commands {
        let client = self.client(&self.xero.url, Config::default());
        let (tables, clock) = (self.tables_of_a_process(), Clock::new(self.time()));
        Operations::new(Parts {
            sweeper: Sweeper::new(client, tables.clone(), changes.clone(), clock.clone()),
            uploader: self.new_uploader().with_changes(changes.clone()),
            tables,
            changes,
            uploads: self.tasks.clone(),
            letters: AllQueues::new(harness::sqs::client("http://127.0.0.1:9"), []),
            bus: RecordedBus::new(),
            clock,
        })
    }

    /// Runs the night of that moment once, and gives its answer.
    pub async fn night(&self, at: Timestamp) -> Value {
        let answer = self.invoke(json!({"scheduled_time": at})).await.unwrap();
        answer["nights"][0].clone()
    }

    /// Runs the night a day later, and works off its tasks.
    pub async fn next_night(&self) {
        let at = self.now() + SignedDuration::from_hours(24);
        self.clock.set(at);
        self.night(at).await;
        self.work_off_tasks().await;
    }

    /// A person orders something about a payment.
    pub async fn order(&self, payment: &str, order: &str) -> Result<Value, String> {
        let event = json!({"organisation": self.organisation(), "payment": payment, "order": order,
            "by": "Wilma", "why": "asked the bookkeeper"});
        self.invoke(event).await
    }

    /// What the log says of customers, in the order of the alphabet.
    pub async fn customer_actions(&self) -> Vec<String> {
        let rows = self.rows("activity").await.into_iter();
        let mut actions: Vec<_> = rows
            .map(|row| row["action"].clone())
            .filter(|action| action.starts_with("customer"))
            .collect();
        actions.sort_unstable();
        actions
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

    /// The mirror works off what lies in this queue of changes, each message when its time has come.
    pub async fn mirror(&self, changes: &FlakyChanges) {
        for message in changes.recorded.take() {
            if let queue::Message::Invoices(asked) = &message {
                self.clock.set(self.now().max(asked.not_before.unwrap_or(self.now())));
            }
            crate::sweep::mirror(&self.common, changes, &message).await;
        }
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

    pub fn end_with(&self, crash_point: &Arc<CrashPoint>) {
        self.common.end_with(crash_point);
        self.tasks.end_with(crash_point);
    }

    pub async fn row(&self, payment: &str) -> Upload {
        let id: PaymentId = payment.parse().unwrap();
        self.tables.upload(self.organisation(), &id).await.unwrap().unwrap()
    }

    pub async fn state(&self, payment: &str) -> &'static str {
        self.row(payment).await.state.code()
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
}
