//! A fresh DynamoDB whose log has a stream, a bus in memory, and the function between them.

use std::sync::Arc;

use ::announce::{Announcer, StreamEvent};
use ::sweep::Sweeper;
use ::upload::Uploader;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use bus::fakes::RecordedBus;
use bus::{Bus, PublishOutcome};
use dynoxide::Database;
use harness::{FlakyChanges, FlakyUploads, dynamodb};
use host::clock::Clock;
use jiff::Timestamp;
use operations::{InProcess, Operations, Parts};
use payments::OrganisationId;
use payments::events::Announcement;
use queue::AllQueues;
use serde_json::{Value, json};
use table::Tables;
use uuid::Uuid;
use xero::{Config, Credentials};

#[derive(Clone, Default)]
pub struct Shared(pub Arc<RecordedBus>);

impl Bus for Shared {
    async fn send(&self, announcements: &[Announcement]) -> PublishOutcome {
        self.0.send(announcements).await
    }
}

pub struct World {
    db: Database,
    pub client: Client,
    pub tables: Tables,
    pub bus: Arc<RecordedBus>,
    announcer: Announcer<Shared>,
}

/// One row as a stream shows it, with what a row of the log always has.
pub fn record(number: u32, attributes: &Value) -> Value {
    let organisation = organisation().to_string();
    let mut row = json!({
        "day": {"S": format!("{organisation}/2026-11-23")},
        "at": {"S": format!("2026-11-23T01:00:00.000000Z#10234#{number}-0")},
        "organisation": {"S": organisation},
        "action": {"S": "mass_change_stopped"},
        "why": {"S": "more than 100"},
    });
    for (name, value) in attributes.as_object().unwrap() {
        row[name] = value.clone();
    }
    let change = json!({
        "SequenceNumber": (1000 + number).to_string(), "NewImage": row,
        "ApproximateCreationDateTime": 1_795_395_600, "SizeBytes": 300, "StreamViewType": "NEW_IMAGE",
    });
    json!({"eventID": number.to_string(), "eventName": "INSERT", "dynamodb": change})
}

/// So many rows, each of which is an event.
pub fn records(count: u32) -> Vec<Value> {
    (0..count).map(|number| record(number, &json!({}))).collect()
}

pub fn organisation() -> OrganisationId {
    "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046".parse().unwrap()
}

pub fn another() -> OrganisationId {
    OrganisationId::new(Uuid::from_u128(2))
}

pub fn now() -> Timestamp {
    "2026-11-23T01:00:00Z".parse().unwrap()
}

impl World {
    pub async fn new() -> Self {
        let db = Database::memory().unwrap();
        let url = dynamodb::serve(db.clone()).await;
        let client = dynamodb::client(&url, 3);
        table::schema::create(&client, "").await.unwrap();
        table::schema::add_streams(&client, "").await.unwrap();
        let bus = Shared::default();
        let tables = Tables::new(client.clone(), String::new());
        Self {
            db,
            tables,
            client,
            bus: Arc::clone(&bus.0),
            announcer: Announcer::new(bus, Clock::new(now)),
        }
    }

    /// The function that executes commands, on the same bus. It calls neither Xero nor SQS here.
    fn operations(&self) -> Operations<FlakyChanges, FlakyUploads, AllQueues, Shared> {
        let credentials = || Credentials { client_id: "id".to_owned(), client_secret: "x".into() };
        let xero = || xero::Client::new(Config::default(), credentials(), now).unwrap();
        let (changes, uploads) = (FlakyChanges::default(), FlakyUploads::default());
        let (tables, clock) = (self.tables.clone(), Clock::new(now));
        let uploader = Uploader::new(xero(), tables.clone(), uploads.clone(), clock.clone());
        Operations::new(Parts {
            sweeper: Sweeper::new(xero(), tables.clone(), changes.clone(), clock.clone()),
            uploader: uploader.with_changes(changes.clone()),
            tables,
            changes,
            uploads,
            letters: AllQueues::new(harness::sqs::client("http://127.0.0.1:9"), []),
            bus: Shared(Arc::clone(&self.bus)),
            clock,
        })
    }

    /// Everything that the stream of the log has shown so far, as Lambda hands it over.
    pub fn stream(&self) -> Vec<Value> {
        dynamodb::stream_of_the_log(&self.db)
    }

    /// Hands over these records; the answer as Lambda gets it.
    pub async fn hand_over(&self, records: &[Value]) -> Result<Value, String> {
        let event = json!({"Records": records}).to_string();
        let event: StreamEvent = serde_json::from_str(&event).unwrap();
        let answer = self.announcer.handle(event).await.map_err(|error| error.to_string())?;
        Ok(serde_json::to_value(&answer).unwrap())
    }

    /// The answer to a person who invokes the function by hand, with a minute of time.
    pub async fn ask(&self, event: Value) -> Result<Value, String> {
        self.ask_until(event, now() + jiff::SignedDuration::from_mins(1)).await
    }

    /// The same until a moment.
    pub async fn ask_until(&self, event: Value, deadline: Timestamp) -> Result<Value, String> {
        let operations = self.operations();
        let operations = InProcess { operations: &operations, deadline };
        let answer = self.announcer.answer(&event, &operations).await;
        answer.map_err(|error| error.to_string())
    }

    /// Puts a row of [`record`] into the log itself.
    pub async fn put(&self, record: &Value) {
        let mut put = self.client.put_item().table_name("activity");
        for (name, value) in record["dynamodb"]["NewImage"].as_object().unwrap() {
            let text = |kind: &str| value[kind].as_str().map(str::to_owned);
            let value = text("S").map(AttributeValue::S).or(text("N").map(AttributeValue::N));
            put = put.item(name, value.unwrap());
        }
        put.send().await.unwrap();
    }

    /// Hands over all that the stream shows, and expects all of it to be done.
    pub async fn announce(&self) -> Vec<(String, Value)> {
        let answer = self.hand_over(&self.stream()).await.unwrap();
        assert_eq!(answer, json!({"batchItemFailures": []}));
        self.heard()
    }

    /// Name and detail of every event on the bus.
    pub fn heard(&self) -> Vec<(String, Value)> {
        let sent = self.bus.sent();
        sent.iter()
            .map(|sent| (sent.kind.to_string(), serde_json::to_value(&sent.detail).unwrap()))
            .collect()
    }

    /// The names alone.
    pub fn kinds(&self) -> Vec<String> {
        self.heard().into_iter().map(|(kind, _)| kind).collect()
    }

    /// The numbers of the rows of [`records`] that are on the bus.
    pub fn numbers(&self) -> Vec<u32> {
        let number = |detail: &Value| {
            let id = detail["id"].as_str().unwrap();
            id.rsplit('#').next().unwrap().trim_end_matches("-0").parse().unwrap()
        };
        self.heard().iter().map(|(_, detail)| number(detail)).collect()
    }

    /// Keys and actions of all rows of the log.
    pub async fn log(&self) -> Vec<(String, String)> {
        let answer = self.client.scan().table_name("activity").send().await.unwrap();
        let text = |value: &AttributeValue| value.as_s().unwrap().clone();
        let rows = answer.items().iter();
        rows.map(|row| {
            (format!("{}#{}", text(&row["day"]), text(&row["at"])), text(&row["action"]))
        })
        .collect()
    }
}
