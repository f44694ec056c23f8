//! A fresh DynamoDB, a queue in memory, and the function between them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use harness::{Call, Do, DynamoDbProxy, FlakyChanges, FlakyUploads, dynamodb};
use host::clock::Clock;
use intake::Intake;
use jiff::{Timestamp, tz::TimeZone};
use payments::{
    Figures, InvoiceKind, InvoiceStatus, Money, Settings, Snapshot, StoredInvoice, Verdict,
    XeroInvoiceId, XeroPayment, XeroPaymentId, XeroPaymentKind, mirror,
};
use queue::{Cause, Message};
use serde_json::Value;
use table::{ChangeContext, Tables};
use uuid::Uuid;

use crate::messages::ORGANISATION;

pub(crate) const NOW: &str = "2026-03-10T01:00:00Z";
const SENT_AT_MS: &str = "1773104399000";

pub(crate) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// Fails one call to DynamoDB: before it is carried out, or after.
pub(crate) struct Faults {
    proxy: DynamoDbProxy,
}

impl Faults {
    /// The call with this number, counted from now and from 0, fails.
    pub(crate) fn fail(&self, call: usize, carried_out: bool) {
        let calls = AtomicUsize::new(0);
        self.proxy.plan(move |seen| match (counts(seen), carried_out) {
            (true, _) if calls.fetch_add(1, Ordering::SeqCst) != call => Do::Pass,
            (true, true) => Do::LoseAnswer,
            (true, false) => Do::Refuse("InternalServerError"),
            (false, _) => Do::Pass,
        });
    }

    /// Whether each call since then was a write.
    pub(crate) fn writes(&self) -> Vec<bool> {
        let reads = ["GetItem", "Query", "Scan"];
        let is_write = |call: &Call| !reads.iter().any(|read| call.operation.ends_with(read));
        self.proxy.calls().iter().filter(|call| counts(call)).map(is_write).collect()
    }
}

/// The sync log, to which every run adds, is no outcome.
fn counts(call: &Call) -> bool {
    !call.body.contains(r#""TableName":"sync_runs""#)
}

pub(crate) struct World {
    client: Client,
    pub(crate) tables: Tables,
    pub(crate) changes: FlakyChanges,
    pub(crate) uploads: FlakyUploads,
    pub(crate) faults: Faults,
    pub(crate) settings: Settings,
    intake: Intake<FlakyChanges, FlakyUploads>,
}

/// Every row of every table, as text.
pub(crate) type Dump = BTreeMap<&'static str, BTreeSet<String>>;
pub(crate) type Row = BTreeMap<String, String>;

impl World {
    pub(crate) async fn new() -> Self {
        let engine = dynamodb::start().await;
        let client = dynamodb::client(&engine, 1);
        table::schema::create(&client, "").await.unwrap();
        let faults = Faults { proxy: DynamoDbProxy::start(engine).await };
        // The SDK's own retries would hide what a failed call does.
        let tables = Tables::new(dynamodb::client(&faults.proxy.url, 1), "");
        let settings = Settings {
            mass_change_max: None,
            ..Settings::new(
                ORGANISATION.parse().unwrap(),
                TimeZone::get("Australia/Sydney").unwrap(),
            )
        };
        tables.store_settings(&settings).await.unwrap();
        let changes = FlakyChanges::default();
        let uploads = FlakyUploads::default();
        let intake = Intake::new(tables.clone(), changes.clone(), uploads.clone(), Clock::new(now));
        Self { client, tables, changes, uploads, faults, settings, intake }
    }

    pub(crate) async fn with_cutover(mut self, day: &str) -> Self {
        self.settings.cutover_on = Some(day.parse().unwrap());
        self.tables.store_settings(&self.settings).await.unwrap();
        self
    }

    /// Delivers messages as one batch; returns the positions of those that are to come again.
    pub(crate) async fn deliver(&self, messages: &[Value]) -> Vec<usize> {
        let records = messages
            .iter()
            .enumerate()
            .map(|(position, message)| record(&position.to_string(), &message.to_string(), 1));
        self.batch(records.collect(), "2026-03-10T01:01:00Z").await
    }

    pub(crate) async fn batch(&self, records: Vec<SqsMessage>, deadline: &str) -> Vec<usize> {
        let mut event = SqsEvent::default();
        event.records = records;
        let answer = self.intake.handle(event, deadline.parse().unwrap()).await.unwrap();
        let failures = answer.batch_item_failures.iter();
        failures.map(|failure| failure.item_identifier.parse().unwrap()).collect()
    }

    /// Delivers one message, which is to be done with.
    pub(crate) async fn take(&self, message: &Value) {
        assert_eq!(self.deliver(std::slice::from_ref(message)).await, [0; 0], "{message}");
    }

    /// Delivers one message for the n-th time.
    pub(crate) async fn receive(&self, message: &Value, nth: u32) -> bool {
        let record = record("0", &message.to_string(), nth);
        self.batch(vec![record], "2026-03-10T01:01:00Z").await.is_empty()
    }

    pub(crate) async fn invoice(&self, number: &str) -> StoredInvoice {
        self.tables.invoice(self.settings.organisation, &number.parse().unwrap()).await.unwrap()
    }

    /// What the mirror does with an invoice that Xero has with these payments.
    pub(crate) async fn mirrored(&self, number: &str, total: &str, payments: &[XeroPayment]) {
        let stored = self.invoice(number).await;
        // Every write counts the revision up, so that each snapshot is newer than the one before.
        let age = 3600 - i64::try_from(stored.revision).unwrap();
        let at = Timestamp::from_second(now().as_second() - age).unwrap();
        let (total, aud) = (aud(total), "AUD".parse().unwrap());
        let paid = Money::sum(aud, payments.iter().map(|payment| payment.amount)).unwrap();
        let due = total.minus(paid).unwrap();
        let snapshot = Snapshot {
            allocations: Vec::new(),
            organisation: self.settings.organisation,
            invoice: xero_id(number),
            kind: InvoiceKind::Sales,
            number: format!("CM-{number}"),
            status: InvoiceStatus::Authorised,
            contact_name: Some("Harbour Ferries Pty Ltd".to_owned()),
            issued_on: None,
            due_on: None,
            figures: Figures { total, paid, credited: Money::zero(aud), due },
            payments: payments.to_vec(),
            updated_at: at,
            fetched_at: at,
        };
        let Verdict::Changed(change) = mirror(&stored, &snapshot, &self.settings, now()) else {
            panic!("nothing changed");
        };
        let because = ChangeContext { cause: Cause::Webhook.code(), event_at: None, now: now() };
        self.tables.write_invoice(&stored, &change, because).await.unwrap();
    }

    /// The Xero invoices that we asked to be looked at since the last time.
    pub(crate) fn looks(&self) -> BTreeSet<XeroInvoiceId> {
        let messages = self.changes.recorded.take();
        messages
            .into_iter()
            .flat_map(|message| match message {
                Message::Invoices(changes) => {
                    assert_eq!(changes.cause, Cause::Intake);
                    assert_eq!(changes.organisation, self.settings.organisation);
                    changes.invoices
                }
                other => panic!("{other:?}"),
            })
            .map(|change| change.id)
            .collect()
    }

    pub(crate) async fn rows(&self, table: &str) -> Vec<Row> {
        let answer = self.client.scan().table_name(table).send().await.unwrap();
        assert!(answer.last_evaluated_key().is_none(), "more than one page");
        answer
            .items()
            .iter()
            .map(|row| row.iter().map(|(name, value)| (name.clone(), text(value))).collect())
            .collect()
    }

    pub(crate) async fn dump(&self) -> Dump {
        let mut dump = Dump::new();
        // Which runs there were is no outcome.
        for table in table::schema::TABLES.iter().filter(|table| table.name != "sync_runs") {
            let rows = self.rows(table.name).await;
            dump.insert(table.name, rows.iter().map(|row| format!("{row:?}")).collect());
        }
        dump
    }

    /// The reasons of everything that is parked.
    pub(crate) async fn parked(&self) -> Vec<String> {
        self.rows("parked").await.into_iter().map(|row| row["reason"].clone()).collect()
    }

    /// The kinds of warnings that the operators see.
    pub(crate) async fn warnings(&self) -> Vec<String> {
        let mut kinds: Vec<_> =
            self.rows("messages").await.into_iter().map(|row| row["kind"].clone()).collect();
        kinds.sort();
        kinds
    }
}

/// A value as text, the members of a map in their order.
fn text(value: &AttributeValue) -> String {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.clone(),
        AttributeValue::Bool(flag) => flag.to_string(),
        AttributeValue::L(list) => format!("{:?}", list.iter().map(text).collect::<Vec<_>>()),
        AttributeValue::M(map) => {
            let members: Row = map.iter().map(|(k, v)| (k.clone(), text(v))).collect();
            format!("{members:?}")
        }
        other => panic!("{other:?}"),
    }
}

/// Compares two dumps, and shows only the rows that differ.
#[track_caller]
pub(crate) fn assert_same(left: &Dump, right: &Dump, what: &str) {
    for (table, rows) in left {
        let lost: Vec<_> = rows.difference(&right[table]).collect();
        let new: Vec<_> = right[table].difference(rows).collect();
        assert!(lost.is_empty() && new.is_empty(), "{what}: {table}\n{lost:#?}\n{new:#?}");
    }
}

pub(crate) fn record(id: &str, body: &str, nth: u32) -> SqsMessage {
    let mut record = SqsMessage::default();
    record.message_id = Some(id.to_owned());
    record.body = Some(body.to_owned());
    record.attributes.insert("SentTimestamp".to_owned(), SENT_AT_MS.to_owned());
    record.attributes.insert("ApproximateReceiveCount".to_owned(), nth.to_string());
    record
}

pub(crate) fn aud(text: &str) -> Money {
    Money::parse(text, "AUD".parse().unwrap()).unwrap()
}

pub(crate) fn xero_id(number: &str) -> XeroInvoiceId {
    XeroInvoiceId::new(Uuid::from_u128(0xa000 + number.parse::<u128>().unwrap()))
}

pub(crate) fn xero_payment(id: u128, amount: &str) -> XeroPayment {
    XeroPayment {
        id: XeroPaymentId::new(Uuid::from_u128(id)),
        date: "2026-03-09".parse().unwrap(),
        amount: aud(amount),
        reference: None,
        kind: XeroPaymentKind::Received,
        deleted: false,
    }
}

/// The id of the copy of a Xero payment.
pub(crate) fn copy(id: u128) -> String {
    payments::PaymentId::of_copy(XeroPaymentId::new(Uuid::from_u128(id)), 0).to_string()
}
