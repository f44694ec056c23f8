//! `kill -9` of the functions' process in the middle of a burst.

use std::{
    collections::BTreeSet,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use local::{clients::Clients, engines::queues, simulator::SAMPLE_ORGANISATION};
use serde_json::{Value, json};
use uuid::Uuid;

const INVOICES: usize = 20;
const PAYMENTS: usize = 3;
/// When the functions are killed, counted from the first payment of the burst.
const KILLED_AFTER_MS: [u64; 3] = [30, 120, 400];
/// Longest to wait for anything, on a busy machine.
const SOON: Duration = Duration::from_secs(60);

struct Data(PathBuf);

impl Drop for Data {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A process that does not outlive its test.
struct Process(Child);

impl Process {
    fn start(data: &Data, ports: &[String], command: &str) -> Result<Self> {
        let mut process = Command::new(env!("CARGO_BIN_EXE_local"));
        process
            .arg("--data")
            .arg(&data.0)
            .args(["--window-changes", "50", "--window-intake", "0", "--visibility-timeout", "2"])
            .args(ports)
            .arg(command)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        for variable in [
            "XERO_API_URL",
            "XERO_IDENTITY_URL",
            "AWS_ENDPOINT_URL_DYNAMODB",
            "AWS_ENDPOINT_URL_SQS",
        ] {
            process.env_remove(variable);
        }
        Ok(Self(process.spawn()?))
    }

    fn kill(&mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

struct World {
    http: reqwest::Client,
    xero: String,
    clients: Clients,
}

impl World {
    async fn post(&self, path: &str, body: Value) -> Result<Value> {
        let request = self
            .http
            .post(format!("{}/_control{path}", self.xero))
            .header("content-type", "application/json")
            .body(body.to_string());
        let text = request.send().await?.error_for_status()?.text().await?;
        Ok(serde_json::from_str(&text)?)
    }

    async fn answers(&self, url: &str) -> Result<()> {
        let until = Instant::now() + SOON;
        while self.http.get(url).send().await.is_err() {
            ensure!(Instant::now() < until, "{url} does not answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// The PaymentIDs of the copies on all invoices, in order, with repetitions if there are any.
    async fn copies(&self) -> Result<Vec<String>> {
        let mut pages = self.clients.dynamodb.scan().table_name("payments").into_paginator().send();
        let mut ids = Vec::new();
        while let Some(page) = pages.next().await {
            for row in page?.items.unwrap_or_default() {
                if let Some(AttributeValue::S(id)) = row.get("xero_payment_id") {
                    ids.push(id.clone());
                }
            }
        }
        ids.sort();
        Ok(ids)
    }

    async fn known_invoices(&self) -> Result<usize> {
        let rows = self.clients.dynamodb.scan().table_name("invoices").send().await?;
        Ok(rows.items().iter().filter(|row| row.contains_key("local_revision")).count())
    }
}

#[tokio::test]
async fn nothing_is_lost_and_nothing_doubled_by_kill_9_in_the_middle_of_a_burst() -> Result<()> {
    // N1, N3, FAULT-07
    let data = Data(std::env::temp_dir().join(format!("paymirror-killed-{}", Uuid::new_v4())));
    let held: Vec<_> =
        (0..5).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
    let ports: Vec<u16> = held.iter().map(|l| Ok(l.local_addr()?.port())).collect::<Result<_>>()?;
    drop(held);
    let names = ["dynamodb", "sqs", "simulator", "webhook", "invoke"];
    let options: Vec<String> = names
        .iter()
        .zip(&ports)
        .flat_map(|(name, port)| [format!("--port-{name}"), port.to_string()])
        .collect();
    let _engines = Process::start(&data, &options, "engines")?;
    let dynamodb = format!("http://127.0.0.1:{}", ports[0]);
    let sqs = format!("http://127.0.0.1:{}", ports[1]);
    let world = World {
        http: reqwest::Client::new(),
        xero: format!("http://127.0.0.1:{}", ports[2]),
        clients: Clients::new(&dynamodb, &sqs).await,
    };
    let webhook = format!("http://127.0.0.1:{}/webhook", ports[3]);
    world.answers(&world.xero).await?;
    let mut functions = Process::start(&data, &options, "functions")?;
    world.answers(&webhook).await?;

    let intake = queues::url(&world.clients.sqs, queues::INTAKE).await?;
    for number in 0..INVOICES {
        let message = json!({
            "version": 1, "type": "invoice", "organisation": SAMPLE_ORGANISATION,
            "number": format!("{}", 7000 + number), "revision": 1,
            "total": { "amount": "900.00", "currency": "AUD" },
            "contact": { "company": "Harbour Ferries Pty Ltd" },
            "issued_on": "2026-10-01", "due_on": "2099-12-31",
        });
        let send = world.clients.sqs.send_message().queue_url(&intake);
        send.message_body(message.to_string()).send().await?;
        world
            .post(
                "/invoices",
                json!({
                    "organisation": SAMPLE_ORGANISATION, "number": format!("CM-{}", 7000 + number),
                    "contact_name": "Harbour Ferries Pty Ltd", "total": "900.00", "currency": "AUD",
                    "date": "2026-10-01", "due_date": "2099-12-31", "kind": "ACCREC",
                }),
            )
            .await?;
    }
    let until = Instant::now() + SOON;
    while world.known_invoices().await? < INVOICES {
        ensure!(Instant::now() < until, "the invoices did not arrive");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let mut recorded = BTreeSet::new();
    for moment in KILLED_AFTER_MS {
        for _ in 0..PAYMENTS {
            for number in 0..INVOICES {
                let path = format!("/invoices/CM-{}/payments", 7000 + number);
                let answer =
                    world.post(&path, json!({ "date": "2026-10-05", "amount": "7.00" })).await?;
                let id = answer["payment"].as_str().or(answer["id"].as_str());
                recorded.insert(id.with_context(|| format!("no id in {answer}"))?.to_owned());
            }
        }
        tokio::time::sleep(Duration::from_millis(moment)).await;
        functions.kill()?;
        functions = Process::start(&data, &options, "functions")?;
        world.answers(&webhook).await?;

        let expected: Vec<_> = recorded.iter().cloned().collect();
        let until = Instant::now() + SOON;
        loop {
            let copies = world.copies().await?;
            ensure!(copies.len() <= expected.len(), "doubled: {copies:?}");
            if copies == expected {
                break;
            }
            ensure!(
                Instant::now() < until,
                "killed after {moment} ms: {} of {} payments arrived",
                copies.len(),
                expected.len()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    for queue in [queues::CHANGES, queues::INTAKE] {
        let url = queues::url(&world.clients.sqs, &queues::dead_letters_of(queue)).await?;
        assert_eq!(queues::depth(&world.clients.sqs, &url).await?.total(), 0, "{queue}");
    }
    functions.kill()?;
    Ok(())
}
