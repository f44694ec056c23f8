//! SQS on this machine: the embedded engine, our HTTP door in front of it, and the journal between.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::anyhow;
use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::State,
    http::{HeaderMap, HeaderValue, Request, Response, StatusCode},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use host::clock;
use rustack_sqs_core::{config::SqsConfig, handler::RustackSqsHandler, provider::RustackSqs};
use rustack_sqs_http::{
    body::SqsResponseBody, dispatch::dispatch_operation, response::error_to_response,
    router::resolve_operation,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    journal::{self, Entry, Journal, Sent},
    queues::{ACCOUNT, REGION, definitions},
};
use crate::lineage;

/// File of the messages inside the data directory.
const FILE: &str = "queues.jsonl";
/// More than SQS accepts in one request (1 MiB), so that the engine is the one that refuses.
const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Longest delay of a message.
const DELAY_S_MAX: i64 = 900;

/// The engine and what stands around it.
#[derive(Clone)]
pub(super) struct Sqs {
    handler: Arc<RustackSqsHandler>,
    journal: Option<Arc<Journal>>,
}

impl Sqs {
    /// The engine with its queues, and with the messages that the previous process left under
    /// `data`; how many they were is the second answer.
    ///
    /// # Errors
    ///
    /// The file of the messages cannot be read or written, or the engine refuses a message.
    pub(super) async fn open(
        data: Option<&Path>,
        address: SocketAddr,
        visibility: Duration,
    ) -> anyhow::Result<(Self, usize)> {
        let config = SqsConfig {
            host: address.ip().to_string(),
            port: address.port(),
            default_region: REGION.to_owned(),
            account_id: ACCOUNT.to_owned(),
            ..SqsConfig::default()
        };
        let handler = Arc::new(RustackSqsHandler::new(Arc::new(RustackSqs::new(config))));
        let file = data.map(|data| data.join(FILE));
        let left = file.as_deref().map(journal::read).transpose()?.unwrap_or_default();
        let journal = file.as_deref().map(Journal::begin).transpose()?.map(Arc::new);
        let sqs = Self { handler, journal };

        for (queue, attributes) in definitions(visibility) {
            let request = json!({ "QueueName": queue, "Attributes": attributes });
            sqs.call("CreateQueue", &request).await?;
        }
        for message in &left {
            sqs.call("SendMessage", &sent_again(message, address)).await?;
        }
        if let Some(journal) = &sqs.journal {
            journal.replace()?;
        }
        Ok((sqs, left.len()))
    }

    /// Serves the SQS API until the runtime that this runs on ends.
    pub(super) async fn serve(self, listener: tokio::net::TcpListener) {
        let router = Router::new().fallback(answer).with_state(self);
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the SQS engine ended");
        }
    }

    /// Calls the engine as a client would, without the way over HTTP.
    async fn call(&self, operation: &str, request: &Value) -> anyhow::Result<Value> {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-target", HeaderValue::from_str(&format!("AmazonSQS.{operation}"))?);
        let body = Bytes::from(serde_json::to_vec(request)?);
        let response = self.perform(&headers, body).await?;
        let good = response.status().is_success();
        let bytes = to_bytes(Body::new(response.into_body()), REQUEST_BYTES_MAX).await?;
        let answer = serde_json::from_slice(&bytes)?;
        if good { Ok(answer) } else { Err(anyhow!("SQS refused {operation}: {answer}")) }
    }

    /// Carries one request out and writes down what it changed before it is answered.
    async fn perform(
        &self,
        headers: &HeaderMap,
        body: Bytes,
    ) -> anyhow::Result<Response<SqsResponseBody>> {
        let request_id = Uuid::new_v4().to_string();
        let operation = match resolve_operation(headers) {
            Ok(operation) => operation,
            Err(error) => return Ok(error_to_response(&error, &request_id)),
        };
        let body = without_groups(operation.as_str(), body)?;
        let answer = dispatch_operation(self.handler.as_ref(), operation, body.clone()).await;
        let response = match answer {
            Ok(response) => response,
            Err(error) => return Ok(error_to_response(&error, &request_id)),
        };
        let header = headers.get(lineage::HEADER).and_then(|value| value.to_str().ok());
        let passes = header.and_then(lineage::in_header);
        if self.journal.is_none() && passes.is_none() && !operation.as_str().starts_with("Delete") {
            return Ok(response);
        }
        let (parts, answer) = response.into_parts();
        let answer = to_bytes(Body::new(answer), usize::MAX).await?;
        let request: Value = serde_json::from_slice(&body)?;
        // Not every answer has a body.
        let said = serde_json::from_slice(&answer).unwrap_or(Value::Null);
        let entries = changes(operation.as_str(), &request, &said);
        for entry in &entries {
            match (entry, passes) {
                (Entry::Sent(sent), Some(passes)) => lineage::note(&sent.id, passes),
                (Entry::Deleted { id }, _) => lineage::forget(id),
                _ => {}
            }
        }
        if let Some(journal) = self.journal.as_ref().filter(|_| !entries.is_empty()) {
            journal.write(&entries)?;
        }
        Ok(Response::from_parts(parts, SqsResponseBody::from_bytes(answer)))
    }
}

/// SQS takes a group with messages of a standard queue, and serves those groups first that have little in
/// it. The engine knows groups of FIFO queues only, and all of ours are standard ones.
fn without_groups(operation: &str, body: Bytes) -> anyhow::Result<Bytes> {
    if !operation.starts_with("SendMessage") {
        return Ok(body);
    }
    let mut request: Value = serde_json::from_slice(&body)?;
    let forget = |message: &mut Value| {
        message.as_object_mut().and_then(|message| message.remove("MessageGroupId"))
    };
    forget(&mut request);
    let entries = request.get_mut("Entries").and_then(Value::as_array_mut);
    entries.into_iter().flatten().for_each(|entry| drop(forget(entry)));
    Ok(serde_json::to_vec(&request)?.into())
}

async fn answer(State(sqs): State<Sqs>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, REQUEST_BYTES_MAX).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large");
    };
    match sqs.perform(&parts.headers, body).await {
        Ok(response) => response.map(Body::new),
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the SQS engine failed");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "the queue could not be written to disk")
        }
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}

/// The request that sends a saved message once more.
fn sent_again(message: &Sent, address: SocketAddr) -> Value {
    let wait_ms = message.due_ms.saturating_sub(clock::now().as_millisecond());
    let delay_s = wait_ms.saturating_add(999).div_euclid(1_000).clamp(0, DELAY_S_MAX);
    let mut request = json!({
        "QueueUrl": format!("http://{address}/{ACCOUNT}/{}", message.queue),
        "MessageBody": message.body,
        "DelaySeconds": delay_s,
    });
    if !message.attributes.is_null() {
        request["MessageAttributes"] = message.attributes.clone();
    }
    request
}

/// What a successful operation did to the messages.
fn changes(operation: &str, request: &Value, answer: &Value) -> Vec<Entry> {
    let queue = || {
        let url = request["QueueUrl"].as_str().unwrap_or_default();
        url.rsplit('/').next().unwrap_or_default().to_owned()
    };
    match operation {
        "SendMessage" => sent(&queue(), request, answer).into_iter().collect(),
        "SendMessageBatch" => {
            let queue = queue();
            let accepted = items(answer, "Successful");
            let message = |accepted: &Value| {
                let entry = items(request, "Entries").find(|entry| entry["Id"] == accepted["Id"]);
                entry.and_then(|entry| sent(&queue, entry, accepted))
            };
            accepted.filter_map(message).collect()
        }
        "ReceiveMessage" => items(answer, "Messages")
            .filter_map(|message| message["MessageId"].as_str())
            .map(|id| Entry::Received { id: id.to_owned() })
            .collect(),
        "DeleteMessage" => deleted(request).into_iter().collect(),
        "DeleteMessageBatch" => {
            let done = |entry: &&Value| {
                items(answer, "Successful").any(|accepted| accepted["Id"] == entry["Id"])
            };
            items(request, "Entries").filter(done).filter_map(deleted).collect()
        }
        "PurgeQueue" => vec![Entry::Purged { queue: queue() }],
        _ => Vec::new(),
    }
}

fn items<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten()
}

fn sent(queue: &str, request: &Value, answer: &Value) -> Option<Entry> {
    let delay_ms = request["DelaySeconds"].as_i64().unwrap_or(0).saturating_mul(1_000);
    Some(Entry::Sent(Sent {
        queue: queue.to_owned(),
        id: answer["MessageId"].as_str()?.to_owned(),
        due_ms: clock::now().as_millisecond().saturating_add(delay_ms),
        body: request["MessageBody"].as_str()?.to_owned(),
        attributes: request["MessageAttributes"].clone(),
    }))
}

/// A receipt handle of this engine is the base64 text of `message id:time:nonce`.
fn deleted(request: &Value) -> Option<Entry> {
    let handle = STANDARD.decode(request["ReceiptHandle"].as_str()?).ok()?;
    let handle = String::from_utf8(handle).ok()?;
    let (id, _) = handle.split_once(':')?;
    Some(Entry::Deleted { id: id.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: SocketAddr =
        SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9324);

    fn url(queue: &str) -> String {
        format!("http://{ADDRESS}/{ACCOUNT}/{queue}")
    }

    async fn open(data: &Path) -> (Sqs, usize) {
        Sqs::open(Some(data), ADDRESS, Duration::from_secs(30)).await.expect("the queues open")
    }

    async fn receive(sqs: &Sqs, queue: &str) -> Vec<Value> {
        let request = json!({ "QueueUrl": url(queue), "MaxNumberOfMessages": 10 });
        let answer = sqs.call("ReceiveMessage", &request).await.expect("a receive");
        items(&answer, "Messages").cloned().collect()
    }

    #[tokio::test]
    async fn messages_outlive_the_engine_even_in_flight_and_deleted_ones_do_not() {
        let data = crate::test_support::directory("queues");
        let (sqs, left) = open(data.path()).await;
        assert_eq!(left, 0);
        for body in ["in flight", "done"] {
            let request = json!({
                "QueueUrl": url("changes"), "MessageBody": body,
                "MessageAttributes": { "kind": { "DataType": "String", "StringValue": "test" } },
            });
            sqs.call("SendMessage", &request).await.expect("a send");
        }
        let batch = json!({ "QueueUrl": url("intake"), "Entries": [
            { "Id": "0", "MessageBody": "later", "DelaySeconds": 900 },
            { "Id": "1", "MessageBody": "now" },
        ]});
        sqs.call("SendMessageBatch", &batch).await.expect("a batch");
        let done = receive(&sqs, "changes").await.swap_remove(1);
        let delete = json!({
            "QueueUrl": url("changes"),
            "Entries": [{ "Id": "0", "ReceiptHandle": done["ReceiptHandle"] }],
        });
        sqs.call("DeleteMessageBatch", &delete).await.expect("a delete");
        drop(sqs); // No farewell: as if the process had been killed.

        let (sqs, left) = open(data.path()).await;

        assert_eq!(left, 3);
        let changes = receive(&sqs, "changes").await;
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0]["Body"], "in flight");
        let intake = receive(&sqs, "intake").await;
        assert_eq!(intake.len(), 1, "the delayed one keeps its delay");
        assert_eq!(intake[0]["Body"], "now");
    }
}
