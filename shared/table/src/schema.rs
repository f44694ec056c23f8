//! The tables: one per noun, with plain attribute names. `template.yaml` says the same.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType,
};

use crate::error::WriteError;

/// A secondary index of a table.
#[derive(Clone, Copy, Debug)]
pub struct Index {
    /// Its name.
    pub name: &'static str,
    /// Partition key.
    pub partition: &'static str,
    /// Sort key, if it has one.
    pub sort: Option<&'static str>,
    /// Whether it holds whole rows, or keys only.
    pub whole_rows: bool,
}

/// A table. All keys are strings.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name, without the deployment's prefix.
    pub name: &'static str,
    /// Partition key.
    pub partition: &'static str,
    /// Sort key, if it has one.
    pub sort: Option<&'static str>,
    /// Its secondary indexes.
    pub indexes: &'static [Index],
    /// Whether it has a stream, of whole rows as they were written.
    pub has_stream: bool,
}

pub(crate) const ORGANISATIONS: &str = "organisations";
pub(crate) const INVOICES: &str = "invoices";
pub(crate) const PAYMENTS: &str = "payments";
pub(crate) const HELD_PAYMENTS: &str = "held_payments";
pub(crate) const TOMBSTONES: &str = "tombstones";
pub(crate) const DISCREPANCIES: &str = "discrepancies";
pub(crate) const ACTIVITY: &str = "activity";
pub(crate) const RECEIPTS: &str = "receipts";
pub(crate) const PARKED: &str = "parked";
pub(crate) const MESSAGES: &str = "messages";
pub(crate) const NOTICES: &str = "notices";
pub(crate) const UPLOADS: &str = "uploads";
pub(crate) const CAPS: &str = "caps";
pub(crate) const NIGHTS: &str = "nights";
pub(crate) const CUSTOMERS: &str = "customers";
pub(crate) const CONNECTIONS: &str = "connections";
pub(crate) const BRAKES: &str = "brakes";
pub(crate) const BUDGETS: &str = "budgets";
pub(crate) const GRANTS: &str = "grants";
pub(crate) const FEEDS: &str = "feeds";
pub(crate) const ORDERS: &str = "orders";
pub(crate) const ORDER_LINKS: &str = "order_links";
pub(crate) const CLOSES: &str = "closes";
pub(crate) const CERTIFICATES: &str = "certificates";
pub(crate) const CONTACTS: &str = "contacts";
pub(crate) const REPORTS: &str = "reports";
pub(crate) const SEALS: &str = "seals";
pub(crate) const SHADOWS: &str = "shadows";
pub(crate) const SWEEPS: &str = "sweeps";
pub(crate) const SYNC_RUNS: &str = "sync_runs";

pub(crate) const BY_XERO_INVOICE_ID: &str = "by_xero_invoice_id";
pub(crate) const BY_XERO_PAYMENT_ID: &str = "by_xero_payment_id";
pub(crate) const BY_INVOICE: &str = "by_invoice";
pub(crate) const FAILURES: &str = "failures";
pub(crate) const BY_WAITS_FOR: &str = "by_waits_for";
pub(crate) const UNSETTLED: &str = "unsettled";
/// The organisation, in the rows that stand in that index.
pub(crate) const UNSETTLED_IN: &str = "unsettled_in";
pub(crate) const OPEN_ACTIONS: &str = "open_actions";
pub(crate) const UNSYNCED: &str = "unsynced";
pub(crate) const UNKNOWN_CONTACTS: &str = "unknown_contacts";
pub(crate) const CONTACT_CREDITS: &str = "contact_credits";
pub(crate) const BY_LINE: &str = "by_line";
pub(crate) const BY_NIGHT: &str = "by_night";
pub(crate) const BY_TRANSACTION: &str = "by_transaction";

const fn table(name: &'static str, partition: &'static str, sort: Option<&'static str>) -> Table {
    Table { name, partition, sort, indexes: &[], has_stream: false }
}

const fn streamed(table: Table) -> Table {
    Table { has_stream: true, ..table }
}

const fn indexed(table: Table, indexes: &'static [Index]) -> Table {
    Table { indexes, ..table }
}

const fn whole_rows(
    name: &'static str,
    partition: &'static str,
    sort: Option<&'static str>,
) -> Index {
    Index { name, partition, sort, whole_rows: true }
}

const fn keys_only(
    name: &'static str,
    partition: &'static str,
    sort: Option<&'static str>,
) -> Index {
    Index { name, partition, sort, whole_rows: false }
}

/// Every table.
pub const TABLES: &[Table] = &[
    table(ORGANISATIONS, "organisation", None),
    indexed(
        table(INVOICES, "organisation", Some("number")),
        // Only an invoice that is held back has the second one's key, and only one of which something may be to be done, or is
        // left, the third one's.
        &[
            keys_only(BY_XERO_INVOICE_ID, "xero_invoice_id", None),
            keys_only(BY_WAITS_FOR, "waits_for", None),
            keys_only(UNSETTLED, UNSETTLED_IN, Some("number")),
        ],
    ),
    indexed(
        table(PAYMENTS, "invoice", Some("payment_id")),
        &[whole_rows(BY_XERO_PAYMENT_ID, "xero_payment_id", None)],
    ),
    indexed(
        table(HELD_PAYMENTS, "invoice", Some("xero_payment_id")),
        &[keys_only(BY_XERO_PAYMENT_ID, "xero_payment_id", None)],
    ),
    indexed(
        table(TOMBSTONES, "invoice", Some("removed")),
        &[keys_only(BY_XERO_PAYMENT_ID, "xero_payment_id", None)],
    ),
    indexed(
        table(DISCREPANCIES, "invoice", Some("discrepancy")),
        &[whole_rows("open", "open_in", Some("detected_at"))],
    ),
    streamed(indexed(
        table(ACTIVITY, "day", Some("at")),
        &[whole_rows(BY_INVOICE, "invoice", Some("at"))],
    )),
    table(RECEIPTS, "organisation", Some("payment_id")),
    table(PARKED, "organisation", Some("parked_at")),
    table(MESSAGES, "organisation", Some("message")),
    table(NOTICES, "organisation", Some("notice")),
    indexed(
        table(UPLOADS, "organisation", Some("payment_id")),
        &[
            whole_rows(BY_LINE, "line", Some("due_order")),
            whole_rows(BY_NIGHT, "night_of", Some("payment_id")),
            keys_only(BY_TRANSACTION, "transaction_id", None),
        ],
    ),
    table(CAPS, "organisation", None),
    table(NIGHTS, "organisation", Some("night")),
    // Only a blocked customer has the time since when, so that only those are in the index.
    indexed(
        table(CUSTOMERS, "organisation", Some("customer")),
        &[
            whole_rows(OPEN_ACTIONS, "organisation", Some("blocked_at")),
            keys_only(UNSYNCED, "organisation", Some("unsynced_since")),
        ],
    ),
    // Only a contact that is no customer of the business has the key of the first index, and one with credit of the second.
    indexed(
        table(CONTACTS, "organisation", Some("contact")),
        &[
            whole_rows(UNKNOWN_CONTACTS, "unknown_in", Some("listed_as")),
            whole_rows(CONTACT_CREDITS, "credit_in", Some("contact")),
        ],
    ),
    table(CONNECTIONS, "organisation", None),
    table(BRAKES, "organisation", None),
    table(BUDGETS, "organisation", None),
    table(GRANTS, "grant", None),
    table(FEEDS, "organisation", Some("feed")),
    table(ORDERS, "organisation", Some("order")),
    table(ORDER_LINKS, "link", Some("order")),
    table(CERTIFICATES, "organisation", Some("day")),
    table(CLOSES, "organisation", Some("close")),
    table(REPORTS, "organisation", Some("report")),
    table(SEALS, "organisation", Some("seal")),
    // What was decided in shadow, and not done. Its rows expire.
    table(SHADOWS, "organisation", Some("shadow")),
    table(SWEEPS, "organisation", Some("sweep")),
    indexed(
        table(SYNC_RUNS, "organisation", Some("run")),
        &[whole_rows(FAILURES, "failed_in", Some("ended_at"))],
    ),
];

/// Creates the tables that are not there yet. For local engines; a deployment has them from its
/// template.
///
/// # Errors
/// `Unavailable`.
pub async fn create(client: &Client, prefix: &str) -> Result<(), WriteError> {
    for table in TABLES {
        let result = definition(client, prefix, table)?.send().await;
        if let Err(error) = result {
            let exists = error.as_service_error().is_some_and(|e| e.is_resource_in_use_exception());
            if !exists {
                return Err(WriteError::unavailable(table.name, error));
            }
        }
    }
    Ok(())
}

/// Adds the streams that a deployment has, to tables that have none yet. Apart from [`create`], because the
/// local engine looks through all records of a stream to number the next one: without a listener that only
/// costs time.
///
/// # Errors
/// `Unavailable`.
pub async fn add_streams(client: &Client, prefix: &str) -> Result<(), WriteError> {
    for table in TABLES.iter().filter(|table| table.has_stream) {
        let stream = StreamSpecification::builder()
            .stream_enabled(true)
            .stream_view_type(StreamViewType::NewImage)
            .build()
            .map_err(|error| WriteError::Malformed(Box::new(error)))?;
        client
            .update_table()
            .table_name(format!("{prefix}{}", table.name))
            .stream_specification(stream)
            .send()
            .await
            .map_err(|error| WriteError::unavailable(table.name, error))?;
    }
    Ok(())
}

fn definition(
    client: &Client,
    prefix: &str,
    table: &Table,
) -> Result<aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder, WriteError>
{
    let mut keys: Vec<&str> = [Some(table.partition), table.sort].into_iter().flatten().collect();
    let mut request = client
        .create_table()
        .table_name(format!("{prefix}{}", table.name))
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(key_schema(table.partition, table.sort)?));
    for index in table.indexes {
        keys.extend([Some(index.partition), index.sort].into_iter().flatten());
        let projection =
            if index.whole_rows { ProjectionType::All } else { ProjectionType::KeysOnly };
        request = request.global_secondary_indexes(
            GlobalSecondaryIndex::builder()
                .index_name(index.name)
                .set_key_schema(Some(key_schema(index.partition, index.sort)?))
                .projection(Projection::builder().projection_type(projection).build())
                .build()
                .map_err(|error| WriteError::Malformed(Box::new(error)))?,
        );
    }
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        request = request.attribute_definitions(
            AttributeDefinition::builder()
                .attribute_name(key)
                .attribute_type(ScalarAttributeType::S)
                .build()
                .map_err(|error| WriteError::Malformed(Box::new(error)))?,
        );
    }
    Ok(request)
}

fn key_schema(partition: &str, sort: Option<&str>) -> Result<Vec<KeySchemaElement>, WriteError> {
    [(Some(partition), KeyType::Hash), (sort, KeyType::Range)]
        .into_iter()
        .filter_map(|(name, kind)| name.map(|name| (name, kind)))
        .map(|(name, kind)| {
            KeySchemaElement::builder()
                .attribute_name(name)
                .key_type(kind)
                .build()
                .map_err(|error| WriteError::Malformed(Box::new(error)))
        })
        .collect()
}
