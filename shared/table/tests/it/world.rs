//! Tables with a proxy in front of them, fresh for each test.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use harness::DynamoDbProxy;
use harness::dynamodb::{self, Row};
use payments::{Change, Settings, Snapshot, StoredInvoice, Verdict, mirror};
use table::{ChangeContext, ReadError, Tables, WriteError};

use crate::samples::{because, local_invoice, number, organisation, settings};

pub struct World {
    pub proxy: DynamoDbProxy,
    /// Past the proxy.
    pub direct: Client,
    /// Through the proxy; no call is tried twice.
    pub tables: Tables,
}

/// How a run over one invoice ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Driven {
    Written,
    Unchanged,
    Stale,
}

#[derive(Debug)]
pub enum ApplyError {
    Read(#[allow(dead_code, reason = "for the panic's text")] ReadError),
    Write(WriteError),
}

impl World {
    pub async fn new() -> Self {
        Self::over(dynoxide::Database::memory().unwrap()).await
    }

    /// One whose rows can also be put past DynamoDB's interface.
    pub async fn over(database: dynoxide::Database) -> Self {
        let engine = dynamodb::serve(database).await;
        let direct = dynamodb::client(&engine, 1);
        table::schema::create(&direct, "").await.unwrap();
        let proxy = DynamoDbProxy::start(engine).await;
        let tables = Tables::new(dynamodb::client(&proxy.url, 1), "");
        Self { proxy, direct, tables }
    }

    /// One in which the business's own system has the sample invoice.
    pub async fn with_local_invoice() -> Self {
        let world = Self::new().await;
        world.record(&number()).await;
        world
    }

    /// The business's own system reports an invoice.
    pub async fn record(&self, number: &payments::InvoiceNumber) {
        let before = self.tables.invoice(organisation(), number).await.unwrap();
        let local = local_invoice(number.clone());
        let change = payments::record_invoice(&before, &local, because().now).unwrap().unwrap();
        self.tables.write_invoice(&before, &change, because()).await.unwrap();
        self.proxy.heal();
    }

    pub async fn stored(&self) -> StoredInvoice {
        self.tables.invoice(organisation(), &number()).await.unwrap()
    }

    pub async fn rows(&self, table: &str) -> Vec<Row> {
        dynamodb::rows(&self.direct, table).await
    }

    /// Changes a text of a row that is there, as a person might by hand.
    pub async fn set(&self, table: &str, key: &[(&str, &str)], name: &str, value: &str) {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let mut update = self.direct.update_item().table_name(table);
        for (name, value) in key {
            update = update.key(*name, text(value));
        }
        let update = update.update_expression("SET #name = :value");
        let update = update.expression_attribute_names("#name", name);
        update.expression_attribute_values(":value", text(value)).send().await.unwrap();
    }

    pub async fn apply(&self, snapshot: &Snapshot) -> Result<Driven, ApplyError> {
        apply(&self.tables, snapshot, because()).await
    }
}

/// Reads, decides, writes, and starts again after a lost race, as `mirror` does.
pub async fn apply(
    tables: &Tables,
    snapshot: &Snapshot,
    because: ChangeContext,
) -> Result<Driven, ApplyError> {
    apply_to(tables, snapshot, &number(), &settings(), because).await
}

pub async fn apply_to(
    tables: &Tables,
    snapshot: &Snapshot,
    number: &payments::InvoiceNumber,
    settings: &Settings,
    because: ChangeContext,
) -> Result<Driven, ApplyError> {
    for _ in 0..100 {
        let before = tables.invoice(organisation(), number).await.map_err(ApplyError::Read)?;
        let change = match mirror(&before, snapshot, settings, because.now) {
            Verdict::Changed(change) => change,
            Verdict::Unchanged => return Ok(Driven::Unchanged),
            Verdict::Stale => return Ok(Driven::Stale),
            Verdict::Ignored(reason) => panic!("{reason}"),
        };
        match tables.write_invoice(&before, &change, because).await {
            Ok(()) => return Ok(Driven::Written),
            Err(WriteError::Conflict) => {}
            Err(error) => return Err(ApplyError::Write(error)),
        }
    }
    panic!("a hundred lost races");
}

/// A change that makes an invoice what it is to be, without decisions.
pub fn change_to(after: StoredInvoice) -> Change {
    Change { after, tombstones: Vec::new(), decisions: Vec::new() }
}
