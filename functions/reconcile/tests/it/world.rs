//! A fresh DynamoDB whose log has a stream, intake in front of it, and the function behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use aws_sdk_dynamodb::Client;
use dynoxide::Database;
use harness::dynamodb::{self, Row};
use harness::{DynamoDbProxy, FlakyChanges, FlakyUploads};
use host::clock::Clock;
use intake::Intake;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use payments::upload::{UploadSettings, UploadStart};
use payments::{OrganisationId, Settings, XeroAccountId};
use reconcile::Reconciler;
use serde_json::{Value, json};
use table::Tables;

const ORGANISATION: &str = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046";

pub(crate) fn organisation() -> OrganisationId {
    ORGANISATION.parse().unwrap()
}

pub(crate) fn now() -> Timestamp {
    "2026-03-10T01:00:00Z".parse().unwrap()
}

pub(crate) fn settings() -> Settings {
    Settings::new(organisation(), TimeZone::get("Australia/Sydney").unwrap())
}

pub(crate) struct World {
    db: Database,
    pub(crate) client: Client,
    pub(crate) proxy: DynamoDbProxy,
    intake: Intake<FlakyChanges, FlakyUploads>,
    reconciler: Reconciler,
    moment: Arc<AtomicI64>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let world = Self::without_stream().await;
        table::schema::add_streams(&world.client, "").await.unwrap();
        world
    }

    /// One whose log has no stream: with one, the engine takes the longer for a row the more there are.
    pub(crate) async fn without_stream() -> Self {
        let db = Database::memory().unwrap();
        let engine = dynamodb::serve(db.clone()).await;
        let client = dynamodb::client(&engine, 1);
        table::schema::create(&client, "").await.unwrap();
        let proxy = DynamoDbProxy::start(engine).await;
        let tables = Tables::new(client.clone(), "");
        tables.store_settings(&settings()).await.unwrap();
        let moment = Arc::new(AtomicI64::new(now().as_microsecond()));
        let shown = Arc::clone(&moment);
        let clock =
            Clock::new(move || Timestamp::from_microsecond(shown.load(Ordering::Relaxed)).unwrap());
        let (changes, uploads) = (FlakyChanges::default(), FlakyUploads::default());
        let intake = Intake::new(tables, changes, uploads, clock.clone());
        let reconciler = Reconciler::new(Tables::new(dynamodb::client(&proxy.url, 1), ""), clock);
        Self { db, client, proxy, intake, reconciler, moment }
    }

    /// It is that moment now.
    pub(crate) fn at(&self, moment: &str) -> Timestamp {
        let moment: Timestamp = moment.parse().unwrap();
        self.moment.store(moment.as_microsecond(), Ordering::Relaxed);
        moment
    }

    /// The schedule of closes comes; the outcomes by day.
    pub(crate) async fn close(&self) -> Vec<String> {
        self.ask_close(json!({})).await
    }

    /// Closes are asked for; the outcomes by day.
    pub(crate) async fn ask_close(&self, wish: Value) -> Vec<String> {
        let now = Timestamp::from_microsecond(self.moment.load(Ordering::Relaxed)).unwrap();
        let deadline = now + SignedDuration::from_mins(15);
        let answer = self.reconciler.handle(&json!({ "close": wish }), deadline).await.unwrap();
        let answer = serde_json::to_value(answer).unwrap();
        let closes = answer["closes"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let one = |close: &Value| {
            let line = format!(
                "{} {} {}",
                text(&close["day"]),
                text(&close["outcome"]),
                text(&close["problem"])
            );
            line.trim_end().to_owned()
        };
        closes.map(one).collect()
    }

    /// The settings of the organisation are these from now on.
    pub(crate) async fn set(&self, settings: &Settings) {
        Tables::new(self.client.clone(), "").store_settings(settings).await.unwrap();
    }

    /// Nights upload from that day on, or do not.
    pub(crate) async fn upload_from(&self, day: &str, enabled: bool) {
        let account = XeroAccountId::new(uuid::Uuid::from_u128(9));
        let start = UploadStart::Day(day.parse().unwrap());
        let upload = UploadSettings { enabled, ..UploadSettings::new(start, account) };
        let settings = Settings::new(organisation(), TimeZone::get("Australia/Sydney").unwrap());
        let settings = Settings { upload: Some(upload), ..settings };
        let tables = Tables::new(self.client.clone(), "");
        tables.store_settings(&settings).await.unwrap();
    }

    /// What the business's own system reports.
    pub(crate) async fn report(&self, message: Value) {
        let mut message = message;
        message["version"] = 1.into();
        message["organisation"] = ORGANISATION.into();
        let mut record = SqsMessage::default();
        record.message_id = Some("0".to_owned());
        record.body = Some(message.to_string());
        let mut event = SqsEvent::default();
        event.records = vec![record];
        let deadline = Timestamp::MAX;
        let answer = self.intake.handle(event, deadline).await.unwrap();
        assert!(answer.batch_item_failures.is_empty(), "{message}");
        let parked = self.rows("parked").await;
        assert!(parked.is_empty(), "{parked:#?}");
    }

    pub(crate) async fn rows(&self, table: &str) -> Vec<Row> {
        dynamodb::rows(&self.client, table).await
    }

    /// All of the log's stream.
    pub(crate) fn stream(&self) -> Vec<Value> {
        dynamodb::stream_of_the_log(&self.db)
    }

    /// Hands records over, until a moment; the answer as Lambda gets it.
    pub(crate) async fn hand_over(&self, records: &[Value], seconds: i64) -> Value {
        let deadline = now() + SignedDuration::from_secs(seconds);
        let answer =
            self.reconciler.handle(&json!({ "Records": records }), deadline).await.unwrap();
        serde_json::to_value(answer).unwrap()
    }

    /// Hands over all that the stream has shown; what was handed over before does no harm.
    pub(crate) async fn catch_up(&self) {
        let answer = self.hand_over(&self.stream(), 60).await;
        assert_eq!(answer, json!({"batchItemFailures": []}));
    }

    /// Progress, status and money received of an order, by its row.
    pub(crate) async fn standing(&self, id: &str) -> (String, String, String) {
        let rows = self.rows("orders").await;
        let row = rows.iter().find(|row| row["order"] == id).unwrap();
        let of = |name: &str| row.get(name).cloned().unwrap_or_default();
        (of("progress"), of("status"), of("received"))
    }

    /// Open discrepancies of an order or a payment: key and figures, in the order of the keys.
    pub(crate) async fn open(&self, place: &str) -> Vec<String> {
        let mut rows = self.rows("discrepancies").await;
        rows.retain(|row| row["invoice"] == format!("{ORGANISATION}/ {place}"));
        rows.retain(|row| row["state"] == "open");
        rows.sort_by_key(|row| row["discrepancy"].clone());
        rows.iter().map(|row| format!("{} {}", row["discrepancy"], row["detail"])).collect()
    }

    /// What the log says of orders, in its order.
    pub(crate) async fn said(&self) -> Vec<String> {
        let mut rows = self.rows("activity").await;
        rows.retain(|row| row.contains_key("order"));
        rows.sort_by_key(|row| row["at"].clone());
        rows.iter().map(|row| format!("{} {}", row["order"], row["action"])).collect()
    }
}
