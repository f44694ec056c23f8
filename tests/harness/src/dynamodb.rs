//! A DynamoDB in memory for one test, and what the test sees of its tables.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::BehaviorVersion;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::types::AttributeValue;
use dynoxide::Database;
use dynoxide::actions::describe_stream::DescribeStreamRequest;
use dynoxide::actions::get_records::GetRecordsRequest;
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use dynoxide::actions::list_streams::ListStreamsRequest;
use serde_json::{Map, Value, json};

use crate::http;

/// A row: attribute names and values as text. Numbers begin with `#`, so that a text that looks
/// like a number is not taken for one.
pub type Row = BTreeMap<String, String>;

/// Starts an engine without tables, and returns its address.
pub async fn start() -> String {
    serve(dynoxide::Database::memory().unwrap()).await
}

/// Starts an engine over this database, and returns its address.
pub async fn serve(database: dynoxide::Database) -> String {
    let (listener, url) = http::listener().await;
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    url
}

/// A client that tries each call so many times.
pub fn client(url: &str, attempts: u32) -> Client {
    let retries = RetryConfig::standard()
        .with_max_attempts(attempts)
        .with_initial_backoff(Duration::from_millis(1));
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .endpoint_url(url)
        .http_client(http::aws())
        .region(http::region())
        .credentials_provider(http::credentials())
        .retry_config(retries)
        .build();
    Client::from_conf(config)
}

/// All rows of a table, in the order of their content.
pub async fn rows(client: &Client, table: &str) -> Vec<Row> {
    let mut pages = client.scan().table_name(table).into_paginator().items().send();
    let mut rows = Vec::new();
    while let Some(item) = pages.next().await {
        rows.push(item.unwrap().iter().map(|(name, value)| (name.clone(), text(value))).collect());
    }
    rows.sort();
    rows
}

/// How many rows a table has.
pub async fn count(client: &Client, table: &str) -> usize {
    let scan = client.scan().table_name(table).select(aws_sdk_dynamodb::types::Select::Count);
    let mut pages = scan.into_paginator().send();
    let mut count = 0;
    while let Some(page) = pages.next().await {
        count += usize::try_from(page.unwrap().count).unwrap();
    }
    count
}

/// Tables without outcomes: how often Xero was called, whether webhooks come, and which runs there were.
const RECORDS: [&str; 3] = ["budgets", "connections", "sync_runs"];

/// The rows of all tables but those, without the attributes that distinguish one run from another.
pub async fn everything(client: &Client, without: &[&str]) -> BTreeMap<&'static str, Vec<Row>> {
    let mut tables = BTreeMap::new();
    for table in table::schema::TABLES.iter().filter(|table| !RECORDS.contains(&table.name)) {
        let mut rows = rows(client, table.name).await;
        for row in &mut rows {
            row.retain(|name, _| !without.contains(&name.as_str()));
        }
        rows.sort();
        tables.insert(table.name, rows);
    }
    tables
}

/// Fails with the first rows that differ.
pub fn assert_same(
    tables: &BTreeMap<&'static str, Vec<Row>>,
    expected: &BTreeMap<&'static str, Vec<Row>>,
    what: &str,
) {
    for (table, rows) in expected {
        let have = &tables[table];
        let missing = rows.iter().find(|row| !have.contains(row));
        let extra = have.iter().find(|row| !rows.contains(row));
        assert!(
            have == rows,
            "{what}: table {table} has {} rows instead of {}; missing {missing:#?}, extra {extra:#?}",
            have.len(),
            rows.len()
        );
    }
}

/// What differs between two runs that end the same: how often the invoice was written, and where
/// the decisions stand in the log.
pub const RUN: &[&str] = &["revision", "at"];

/// A value as text.
pub fn text(value: &AttributeValue) -> String {
    match value {
        AttributeValue::S(text) => text.clone(),
        AttributeValue::N(number) => format!("#{number}"),
        AttributeValue::Bool(flag) => format!("{flag}"),
        AttributeValue::B(bytes) => format!("{:?}", bytes.as_ref()),
        AttributeValue::L(list) => format!("{:?}", list.iter().map(text).collect::<Vec<_>>()),
        AttributeValue::M(map) => {
            let map: BTreeMap<_, _> = map.iter().map(|(name, value)| (name, text(value))).collect();
            format!("{map:?}")
        }
        other => format!("{other:?}"),
    }
}

/// The rows that have these values.
pub fn having<'a>(rows: &'a [Row], wanted: &[(&str, &str)]) -> Vec<&'a Row> {
    let has = |row: &&Row| wanted.iter().all(|(n, v)| row.get(*n).is_some_and(|have| have == v));
    rows.iter().filter(has).collect()
}

/// Everything that the stream of the activity log has shown so far, as Lambda hands it over.
pub fn stream_of_the_log(db: &Database) -> Vec<Value> {
    let table_name = Some("activity".to_owned());
    let request = ListStreamsRequest { table_name, ..Default::default() };
    let stream_arn = db.list_streams(request).unwrap().streams[0].stream_arn.clone();
    let request = DescribeStreamRequest { stream_arn: stream_arn.clone(), ..Default::default() };
    let stream = db.describe_stream(request).unwrap().stream_description;
    assert_eq!(stream.stream_view_type, "NEW_IMAGE");
    let request = GetShardIteratorRequest {
        stream_arn,
        shard_id: stream.shards[0].shard_id.clone(),
        shard_iterator_type: "TRIM_HORIZON".to_owned(),
        ..Default::default()
    };
    let shard_iterator = db.get_shard_iterator(request).unwrap().shard_iterator.unwrap();
    let records = db.get_records(GetRecordsRequest { shard_iterator, limit: None }).unwrap();
    records.records.iter().map(|record| serde_json::to_value(record).unwrap()).collect()
}

/// All rows of the activity log as its stream brings them, for an engine without streams.
pub async fn log_as_records(client: &Client) -> Vec<Value> {
    let mut items = client.scan().table_name("activity").into_paginator().items().send();
    let mut records = Vec::new();
    while let Some(item) = items.next().await {
        let image: Map<_, _> = item
            .unwrap()
            .into_iter()
            .map(|(name, value)| match value {
                AttributeValue::S(text) => (name, json!({ "S": text })),
                AttributeValue::N(number) => (name, json!({ "N": number })),
                _ => (name, json!({ "NULL": true })),
            })
            .collect();
        let number = records.len().to_string();
        let record = json!({"SequenceNumber": number, "NewImage": image});
        records.push(json!({"eventName": "INSERT", "dynamodb": record}));
    }
    records
}
