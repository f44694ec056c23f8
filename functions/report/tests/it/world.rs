//! A fresh DynamoDB with a log, the function behind it, and hands that alter the table itself.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use archive::Archive;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use commands::reply::LogVerification;
use dynoxide::Database;
use harness::DynamoDbProxy;
use harness::dynamodb::{self, Row};
use harness::s3::{BUCKET, S3Folder};
use host::clock::Clock;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use payments::{Occurrence, OrganisationId, Settings};
use report::Reporter;
use serde_json::{Value, json};
use table::{AuditEntry, Tables};

pub(crate) const ORGANISATION: &str = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046";

pub(crate) fn organisation() -> OrganisationId {
    ORGANISATION.parse().unwrap()
}

pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) proxy: DynamoDbProxy,
    pub(crate) tables: Tables,
    reporter: Reporter,
    pub(crate) s3: S3Folder,
    pub(crate) clock: Clock,
    moment: Arc<AtomicI64>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let engine = dynamodb::serve(Database::memory().unwrap()).await;
        let client = dynamodb::client(&engine, 1);
        table::schema::create(&client, "").await.unwrap();
        let proxy = DynamoDbProxy::start(engine).await;
        let tables = Tables::new(client.clone(), "");
        let settings = Settings::new(organisation(), TimeZone::get("Australia/Sydney").unwrap());
        tables.store_settings(&settings).await.unwrap();
        let moment = Arc::new(AtomicI64::new(0));
        let shown = Arc::clone(&moment);
        let clock =
            Clock::new(move || Timestamp::from_microsecond(shown.load(Ordering::Relaxed)).unwrap());
        let behind = Tables::new(dynamodb::client(&proxy.url, 1), "");
        let s3 = S3Folder::serve().await;
        let archive = Archive::new(s3.client.clone(), BUCKET);
        let reporter = Reporter::new(behind, clock.clone()).with_archive(archive);
        Self { client, proxy, tables, reporter, s3, clock, moment }
    }

    /// It is that moment now.
    pub(crate) fn at(&self, moment: &str) -> Timestamp {
        let moment: Timestamp = moment.parse().unwrap();
        self.moment.store(moment.as_microsecond(), Ordering::Relaxed);
        moment
    }

    /// A row of the log, with the moment in its key.
    pub(crate) async fn log(&self, at: &str, subject: &str) {
        let entry = AuditEntry {
            action: Occurrence::Redriven,
            subject,
            reason: "changes",
            by: "Ada",
            why: subject,
            at: at.parse().unwrap(),
        };
        self.tables.log_order(Some(organisation()), &entry).await.unwrap();
    }

    /// The schedule comes.
    pub(crate) async fn schedule(&self) -> Vec<String> {
        self.ask(json!({})).await
    }

    /// Seals are asked for: day, outcome, and what else there is to say.
    pub(crate) async fn ask(&self, wish: Value) -> Vec<String> {
        let deadline = self.clock.now() + SignedDuration::from_mins(15);
        self.ask_until(wish, deadline).await
    }

    pub(crate) async fn ask_until(&self, wish: Value, deadline: Timestamp) -> Vec<String> {
        let answer = self.reporter.handle(&json!({ "seal": wish }), deadline).await.unwrap();
        let answer = serde_json::to_value(answer).unwrap();
        let line = |seal: &Value| {
            let mut line =
                format!("{} {}", seal["day"].as_str().unwrap(), seal["outcome"].as_str().unwrap());
            for name in ["rows", "late", "differences"] {
                if let Some(number) = seal[name].as_u64() {
                    line.push_str(&format!(" {name} {number}"));
                }
            }
            line
        };
        answer["seals"].as_array().unwrap().iter().map(line).collect()
    }

    /// Reports are asked for: period, outcome, and what else there is to say.
    pub(crate) async fn reports(&self, wish: Value) -> Vec<String> {
        let deadline = self.clock.now() + SignedDuration::from_mins(15);
        let answer = self.reporter.handle(&json!({ "report": wish }), deadline).await.unwrap();
        let line = |report: report::ReportAnswer| {
            let problem = report.problem.filter(|_| report.outcome == "differs");
            let words = [Some(report.period), Some(report.outcome.to_owned()), problem];
            words.into_iter().flatten().collect::<Vec<_>>().join(" ")
        };
        answer.reports.into_iter().map(line).collect()
    }

    /// The exact file of a report.
    pub(crate) fn report_json(&self, period: &str) -> Value {
        let file = self.s3.file(&format!("{ORGANISATION}/reports/{period}/report.json"));
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
    }

    /// All of the log against its seals.
    pub(crate) async fn verify(&self) -> LogVerification {
        self.verify_days(None, None).await
    }

    pub(crate) async fn verify_days(
        &self,
        from: Option<&str>,
        to: Option<&str>,
    ) -> LogVerification {
        let deadline = self.clock.now() + SignedDuration::from_mins(5);
        let day = |day: Option<&str>| day.map(|day| day.parse().unwrap());
        let range = (day(from), day(to));
        report::verify(&self.tables, organisation(), range, &self.clock, deadline).await.unwrap()
    }

    /// The differences: day, sort key without its instant, fault, and the row that it was exchanged with.
    pub(crate) async fn faults(&self) -> Vec<String> {
        let found = self.verify().await;
        assert_eq!(u64::try_from(found.named.len()).unwrap(), found.faults);
        let short = |key: &str| key.rsplit('#').next().unwrap_or_default().to_owned();
        let line = |fault: &commands::reply::LogFault| {
            let row = fault.row.as_deref().map(|row| format!(" {}", short(row)));
            let with = fault.with.as_deref().map(|with| format!(" {}", short(with)));
            let (row, with) = (row.unwrap_or_default(), with.unwrap_or_default());
            format!("{}{row} {}{with}", fault.day, fault.fault)
        };
        found.named.iter().map(line).collect()
    }

    pub(crate) async fn rows(&self, table: &str) -> Vec<Row> {
        dynamodb::rows(&self.client, table).await
    }

    /// The one row of a table whose sort key ends like this, in full.
    pub(crate) async fn item(&self, table: &str, sort: &str, end: &str) -> Item {
        let items = self.client.scan().table_name(table).send().await.unwrap().items.unwrap();
        let ends = |item: &Item| item[sort].as_s().unwrap().ends_with(end);
        items.into_iter().find(ends).unwrap_or_else(|| panic!("no {end}"))
    }

    pub(crate) async fn put(&self, table: &str, item: Item) {
        self.client.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
    }

    pub(crate) async fn remove(&self, table: &str, keys: [&str; 2], mut item: Item) {
        item.retain(|name, _| keys.contains(&name.as_str()));
        self.client.delete_item().table_name(table).set_key(Some(item)).send().await.unwrap();
    }
}
