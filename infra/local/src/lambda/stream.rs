//! What the stream of the table `activity` does on AWS: each row that a function has written there comes to `reconcile`.
//!
//! The engine has streams as well, but looks through all records of a stream to number the next one. So the rows are
//! taken from the requests of the functions' client, once the engine has accepted them.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client,
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef},
    },
    error::BoxError,
    operation::{put_item::PutItemInput, transact_write_items::TransactWriteItemsInput},
    types::AttributeValue,
};
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use axum::body::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

use super::{Function, Host};

/// The tables that are looked at.
const ACTIVITY: &str = "activity";
const ORGANISATIONS: &str = "organisations";
/// Most rows in one call, as in the template.
const BATCH_MAX: usize = 100;
/// Pause after a call that did not finish its batch.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How long a stream keeps a row. No place in it is kept here, so that each start begins where the stream does.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

type Row = HashMap<String, AttributeValue>;

/// The end of the stream that rows go into: an interceptor of the client that the functions write with.
#[derive(Clone, Debug)]
pub(crate) struct StreamWriter {
    rows: mpsc::UnboundedSender<Row>,
    waiting: StreamDepth,
}

/// The end of the stream that is read.
#[derive(Debug)]
pub(crate) struct StreamReader {
    rows: mpsc::UnboundedReceiver<Row>,
    waiting: StreamDepth,
}

/// How many rows are written and not judged yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct StreamDepth(Arc<AtomicUsize>);

impl StreamDepth {
    pub(crate) fn rows(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Both ends of a stream that is empty.
pub(crate) fn stream() -> (StreamWriter, StreamReader) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let waiting = StreamDepth::default();
    let writer = StreamWriter { rows: sender, waiting: waiting.clone() };
    (writer, StreamReader { rows: receiver, waiting })
}

/// The rows of the log in one request, until its answer is known.
#[derive(Debug)]
struct Sent(Vec<Row>);

impl Storable for Sent {
    type Storer = StoreReplace<Self>;
}

impl StreamWriter {
    fn write(&self, row: Row) {
        self.waiting.0.fetch_add(1, Ordering::SeqCst);
        if self.rows.send(row).is_err() {
            // The functions are ending; the next start reads the row from the table.
            self.waiting.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl Intercept for StreamWriter {
    fn name(&self) -> &'static str {
        "StreamWriter"
    }

    fn read_before_serialization(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let input = context.input();
        let mut rows: Vec<Row> = Vec::new();
        if let Some(put) = input.downcast_ref::<PutItemInput>() {
            rows.extend(put.item.clone().filter(|_| put.table_name.as_deref() == Some(ACTIVITY)));
        } else if let Some(writes) = input.downcast_ref::<TransactWriteItemsInput>() {
            let puts = writes.transact_items().iter().filter_map(|write| write.put());
            rows.extend(
                puts.filter(|put| put.table_name() == ACTIVITY).map(|put| put.item.clone()),
            );
        }
        if !rows.is_empty() {
            bag.interceptor_state().store_put(Sent(rows));
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let is_written = matches!(context.output_or_error(), Some(Ok(_)));
        for row in bag.load::<Sent>().filter(|_| is_written).into_iter().flat_map(|sent| &sent.0) {
            self.write(row.clone());
        }
        Ok(())
    }
}

impl StreamReader {
    pub(crate) fn depth(&self) -> StreamDepth {
        self.waiting.clone()
    }

    /// Hands over the rows of the last day, and then each that is written, until `stop` holds true.
    pub(crate) async fn run(
        mut self,
        host: Host,
        dynamodb: Client,
        now: Timestamp,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut batch = recent(&dynamodb, now).await.unwrap_or_else(|error| {
            tracing::warn!(error = format!("{error:#}"), "the log of the last day cannot be read");
            Vec::new()
        });
        self.waiting.0.fetch_add(batch.len(), Ordering::SeqCst);
        let mut handed_over: u64 = 0;
        loop {
            if batch.is_empty() {
                tokio::select! {
                    row = self.rows.recv() => match row {
                        Some(row) => batch.push(row),
                        None => return,
                    },
                    _ = stop.wait_for(|&stop| stop) => return,
                }
            }
            while batch.len() < BATCH_MAX
                && let Ok(row) = self.rows.try_recv()
            {
                batch.push(row);
            }
            let rows = &batch[..batch.len().min(BATCH_MAX)];
            let done = judged(&host, rows, handed_over).await;
            let is_whole = done == rows.len();
            batch.drain(..done);
            handed_over += done as u64;
            self.waiting.0.fetch_sub(done, Ordering::SeqCst);
            if *stop.borrow() {
                return;
            }
            if !is_whole {
                sleep(RETRY_AFTER).await;
            }
        }
    }
}

/// Calls the function with one batch; how many of its rows are done.
async fn judged(host: &Host, rows: &[Row], handed_over: u64) -> usize {
    let number = |position: usize| format!("{:021}", handed_over + 1 + position as u64);
    let records: Vec<Value> = rows
        .iter()
        .enumerate()
        .map(|(position, row)| {
            json!({
                "eventName": "INSERT", "eventSource": "aws:dynamodb",
                "dynamodb": {
                    "SequenceNumber": number(position), "NewImage": image(row),
                    "StreamViewType": "NEW_IMAGE",
                },
            })
        })
        .collect();
    let event = json!({ "Records": records }).to_string();
    let answer = match host.invoke(Function::Reconcile, Bytes::from(event)).await {
        Ok(answer) => answer,
        Err(failure) => {
            tracing::error!(
                error = failure.error_message,
                "reconcile failed; its batch comes again"
            );
            return 0;
        }
    };
    let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
    let from = answer["batchItemFailures"][0]["itemIdentifier"].as_str();
    from.map_or(rows.len(), |from| {
        (0..rows.len()).find(|&position| number(position) == from).unwrap_or(0)
    })
}

/// A row as a stream shows it; the log holds texts and numbers.
fn image(row: &Row) -> Value {
    let shown = row.iter().map(|(name, value)| {
        let value = match value {
            AttributeValue::S(text) => json!({ "S": text }),
            AttributeValue::N(digits) => json!({ "N": digits }),
            _ => json!({ "M": {} }),
        };
        (name.clone(), value)
    });
    Value::Object(shown.collect())
}

/// The rows of the log that a stream would still hold, and some older ones of the same day.
async fn recent(dynamodb: &Client, now: Timestamp) -> anyhow::Result<Vec<Row>> {
    let mut organisations = dynamodb
        .scan()
        .table_name(ORGANISATIONS)
        .projection_expression("organisation")
        .into_paginator()
        .items()
        .send();
    let mut rows = Vec::new();
    while let Some(organisation) = organisations.next().await {
        let organisation = organisation?;
        let Some(Ok(id)) = organisation.get("organisation").map(AttributeValue::as_s) else {
            continue;
        };
        for at in [now.saturating_sub(KEPT)?, now] {
            let day = AttributeValue::S(format!("{id}/{}", at.strftime("%Y-%m-%d")));
            let mut items = dynamodb
                .query()
                .table_name(ACTIVITY)
                .key_condition_expression("#day = :day")
                .expression_attribute_names("#day", "day")
                .expression_attribute_values(":day", day)
                .into_paginator()
                .items()
                .send();
            while let Some(item) = items.next().await {
                rows.push(item?);
            }
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use host::clock::Clock;

    use super::*;
    use crate::lambda::{Call, Failure};

    fn row(at: &str) -> Row {
        HashMap::from([("at".to_owned(), AttributeValue::S(at.to_owned()))])
    }

    #[tokio::test]
    async fn a_batch_goes_on_from_the_row_that_the_function_names() {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&calls);
        let code = move |call: Call| {
            let event: Value = serde_json::from_slice(&call.event).expect("the event is JSON");
            let records = event["Records"].as_array().cloned().unwrap_or_default();
            let at = |record: &Value| record["dynamodb"]["NewImage"]["at"]["S"].clone();
            seen.lock().expect("no panic here").push(records.iter().map(at).collect::<Vec<_>>());
            async move {
                let second = records[1]["dynamodb"]["SequenceNumber"].clone();
                let answer = json!({"batchItemFailures": [{"itemIdentifier": second}]});
                Ok::<_, Failure>(answer.to_string().into_bytes())
            }
        };
        let make = move || async move { Ok(code) };
        let (host, _worker) = Host::start(Clock::system(), make).await.expect("a host");

        let rows = [row("1"), row("2"), row("3")];
        assert_eq!(judged(&host, &rows, 7).await, 1);
        assert_eq!(*calls.lock().expect("no panic here"), [["1", "2", "3"]]);
    }
}
