//! An SQS in memory for one test, with our queues and their dead letters.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::BehaviorVersion;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::types::QueueAttributeName;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use queue::{AllQueues, QueueName, QueueUrls};
use rustack_sqs_core::{config::SqsConfig, handler::RustackSqsHandler, provider::RustackSqs};
use rustack_sqs_http::{
    dispatch::dispatch_operation, response::error_to_response, router::resolve_operation,
};
use serde_json::Value;

use crate::http;

/// As in the template.
const RETENTION_SECONDS: &str = "1209600";

/// Starts an engine, and returns its address.
pub async fn start() -> String {
    let (listener, url) = http::listener().await;
    let address = listener.local_addr().unwrap();
    let config =
        SqsConfig { host: address.ip().to_string(), port: address.port(), ..SqsConfig::default() };
    let engine = Arc::new(RustackSqsHandler::new(Arc::new(RustackSqs::new(config))));
    let app = Router::new().fallback(answer).with_state(engine);
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

async fn answer(
    State(engine): State<Arc<RustackSqsHandler>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let operation = match resolve_operation(&headers) {
        Ok(operation) => operation,
        Err(error) => return error_to_response(&error, "test").map(Body::new),
    };
    // Groups of standard queues, which SQS has had since 2025, the engine does not know.
    let mut request: Value = serde_json::from_slice(&body).unwrap();
    request.as_object_mut().unwrap().remove("MessageGroupId");
    for entry in request.get_mut("Entries").and_then(Value::as_array_mut).into_iter().flatten() {
        entry.as_object_mut().unwrap().remove("MessageGroupId");
    }
    let body = Bytes::from(serde_json::to_vec(&request).unwrap());
    match dispatch_operation(engine.as_ref(), operation, body).await {
        Ok(response) => response.map(Body::new),
        Err(error) => error_to_response(&error, "test").map(Body::new),
    }
}

pub fn client(url: &str) -> Client {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(http::aws())
        .region(http::region())
        .credentials_provider(http::credentials())
        .retry_config(RetryConfig::disabled())
        .endpoint_url(url)
        .build();
    Client::from_conf(config)
}

/// All our queues: what the functions have, and a client for the test.
#[derive(Clone)]
pub struct Queues {
    pub all: AllQueues,
    pub client: Client,
    pub urls: HashMap<String, String>,
}

/// A message as a test sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub id: String,
    pub body: String,
    /// Its attributes, by name.
    pub attributes: HashMap<String, String>,
    pub handle: String,
}

impl Queues {
    /// The four queues of a new engine.
    pub async fn new() -> Self {
        let url = start().await;
        let client = client(&url);
        let mut urls = HashMap::new();
        let mut of_us = Vec::new();
        for name in QueueName::ALL.iter().copied() {
            let dead = format!("{name}-dlq");
            let made = client
                .create_queue()
                .queue_name(&dead)
                .attributes(QueueAttributeName::MessageRetentionPeriod, RETENTION_SECONDS);
            let dead_letters = made.send().await.unwrap().queue_url.unwrap();
            urls.insert(dead, dead_letters.clone());
            let queue = match name {
                QueueName::Schedules | QueueName::Events => None,
                _ => client.create_queue().queue_name(name.code()).send().await.unwrap().queue_url,
            };
            urls.extend(queue.clone().map(|url| (name.code().to_owned(), url)));
            of_us.push((name, QueueUrls { queue, dead_letters: Some(dead_letters) }));
        }
        Self { all: AllQueues::new(client.clone(), of_us), client, urls }
    }

    /// Puts a text into a queue, such as `changes-dlq`; returns its id.
    pub async fn put(&self, queue: &str, body: &str) -> String {
        let sent = self.client.send_message().queue_url(&self.urls[queue]).message_body(body);
        sent.send().await.unwrap().message_id.unwrap()
    }

    /// The messages that a queue gives at this moment. They can be had again at once.
    pub async fn seen(&self, queue: &str) -> Vec<Seen> {
        let mut seen = self.taken(queue).await;
        for message in &seen {
            let back = self.client.change_message_visibility().queue_url(&self.urls[queue]);
            let back = back.receipt_handle(&message.handle).visibility_timeout(0);
            back.send().await.unwrap();
        }
        seen.sort_by(|a, b| a.body.cmp(&b.body));
        seen
    }

    /// The bodies of the same, in the order of their text.
    pub async fn bodies(&self, queue: &str) -> Vec<String> {
        self.seen(queue).await.into_iter().map(|seen| seen.body).collect()
    }

    /// The messages that a queue gives, which are taken out.
    pub async fn take(&self, queue: &str) -> Vec<Seen> {
        let taken = self.taken(queue).await;
        for message in &taken {
            let delete = self.client.delete_message().queue_url(&self.urls[queue]);
            delete.receipt_handle(&message.handle).send().await.unwrap();
        }
        taken
    }

    async fn taken(&self, queue: &str) -> Vec<Seen> {
        let mut seen = Vec::new();
        loop {
            let receive = self.client.receive_message().queue_url(&self.urls[queue]);
            let receive = receive.max_number_of_messages(10).visibility_timeout(60);
            let answer = receive.message_attribute_names("All").send().await.unwrap();
            let messages = answer.messages.unwrap_or_default();
            if messages.is_empty() {
                return seen;
            }
            seen.extend(messages.into_iter().map(|message| {
                Seen {
                    id: message.message_id.unwrap(),
                    body: message.body.unwrap(),
                    attributes: message
                        .message_attributes
                        .unwrap_or_default()
                        .into_iter()
                        .map(|(name, value)| (name, value.string_value.unwrap_or_default()))
                        .collect(),
                    handle: message.receipt_handle.unwrap(),
                }
            }));
        }
    }
}
