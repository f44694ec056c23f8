//! A fresh system for one test, and the hands of those who use it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use local::engines::queues;
use local::simulator::{SAMPLE_ORGANISATION, SAMPLE_WEBHOOK_KEY};
use local::{Builder, Stack};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;
use xero_simulator::{
    DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, InvoiceKind, Meter, NewInvoice, NewPayment, Simulator,
};

/// Longest that anything here may take on a busy machine.
pub const SOON: Duration = Duration::from_secs(120);

/// Tables that say how we work, and not what came of it.
const RECORDS: [&str; 3] = ["budgets", "connections", "sync_runs"];

/// A row, attribute by attribute, as text.
pub type Row = BTreeMap<String, String>;

pub struct World {
    pub stack: Stack,
    pub http: reqwest::Client,
}

impl World {
    /// A system that gathers nothing, so that no test waits for a window, and that takes up the
    /// work of a killed function again after two seconds.
    pub async fn quick() -> Result<Self> {
        let builder = Stack::builder().windows(Duration::ZERO, Duration::ZERO);
        Self::of(builder.visibility(Duration::from_secs(2))).await
    }

    /// A system as it is deployed: changes are gathered for two seconds.
    pub async fn as_deployed() -> Result<Self> {
        Self::of(Stack::builder()).await
    }

    pub async fn of(builder: Builder) -> Result<Self> {
        let stack = builder.start().await?;
        Ok(Self { stack, http: reqwest::Client::new() })
    }

    pub fn xero(&self) -> Result<&Simulator> {
        self.stack.simulator()
    }

    pub async fn settled(&self) -> Result<()> {
        self.xero()?.flush_webhooks().await;
        self.stack.drained(SOON).await
    }

    /// The business's own system reports something.
    pub async fn report(&self, message: &Value) -> Result<()> {
        let url = queues::url(self.stack.sqs(), queues::INTAKE).await?;
        let sqs = self.stack.sqs();
        sqs.send_message().queue_url(url).message_body(message.to_string()).send().await?;
        Ok(())
    }

    /// An invoice over 300.00, known to both sides, not paid yet.
    pub async fn invoice(&self, number: &str) -> Result<Uuid> {
        self.report(&local_invoice(number)).await?;
        self.invoice_in_xero(number)
    }

    pub fn invoice_in_xero(&self, number: &str) -> Result<Uuid> {
        self.xero()?.add_invoice(NewInvoice {
            organisation: SAMPLE_ORGANISATION,
            number: format!("CM-{number}"),
            contact_name: "Harbour Ferries Pty Ltd".to_owned(),
            total: "300.00".parse()?,
            currency: "AUD".to_owned(),
            date: "2026-10-01".parse()?,
            due_date: "2099-12-31".parse()?,
            kind: InvoiceKind::Accrec,
        })
    }

    pub fn pay(&self, invoice: Uuid, amount: &str) -> Result<Uuid> {
        self.xero()?.add_payment(invoice, payment(amount)?)
    }

    pub fn meter(&self) -> Result<Meter> {
        Ok(self.xero()?.meter(SAMPLE_ORGANISATION))
    }

    /// Posts a delivery, signed as Xero signs.
    pub async fn deliver(&self, body: &str) -> Result<reqwest::Response> {
        self.deliver_signed(body, &signature(body, SAMPLE_WEBHOOK_KEY)?).await
    }

    pub async fn deliver_signed(&self, body: &str, signature: &str) -> Result<reqwest::Response> {
        let request = self
            .http
            .post(self.stack.webhook_url())
            .header("content-type", "application/json; charset=utf-8")
            .header("x-xero-signature", signature)
            .body(body.to_owned());
        Ok(request.send().await?)
    }

    /// Every row of a table, in the order of its text.
    pub async fn rows(&self, table: &str) -> Result<Vec<Row>> {
        let mut pages = self.stack.dynamodb().scan().table_name(table).into_paginator().send();
        let mut rows = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page?.items.unwrap_or_default() {
                rows.push(item.iter().map(|(name, value)| (name.clone(), text(value))).collect());
            }
        }
        rows.sort();
        Ok(rows)
    }

    /// What stands on one invoice in a table.
    pub async fn on(&self, table: &str, number: &str) -> Result<Vec<Row>> {
        let key = format!("{SAMPLE_ORGANISATION}/{number}");
        let mut rows = self.rows(table).await?;
        rows.retain(|row| row.get("invoice").is_some_and(|invoice| *invoice == key));
        Ok(rows)
    }

    /// Every row of every table that says what came of the work.
    pub async fn everything(&self) -> Result<BTreeMap<&'static str, Vec<Row>>> {
        let mut all = BTreeMap::new();
        for table in table::schema::TABLES.iter().filter(|table| !RECORDS.contains(&table.name)) {
            all.insert(table.name, self.rows(table.name).await?);
        }
        Ok(all)
    }

    /// The sample organisation gets a setting.
    pub async fn set(&self, name: &str, value: AttributeValue) -> Result<()> {
        let organisation = AttributeValue::S(SAMPLE_ORGANISATION.to_string());
        let update = self.stack.dynamodb().update_item().table_name("organisations");
        let update =
            update.key("organisation", organisation).update_expression("SET #name = :value");
        let update = update.expression_attribute_names("#name", name);
        update.expression_attribute_values(":value", value).send().await?;
        Ok(())
    }

    /// Forgets how often Xero was called, as if a minute of the limits were over.
    pub async fn forget_calls(&self) -> Result<()> {
        let of_app = (1..8).map(|part| format!("app#{part}"));
        let keys = of_app.chain([SAMPLE_ORGANISATION.to_string(), "app".to_owned()]);
        for organisation in keys {
            let key = AttributeValue::S(organisation);
            let delete = self.stack.dynamodb().delete_item().table_name("budgets");
            delete.key("organisation", key).send().await?;
        }
        Ok(())
    }

    /// What it takes to read invoices by their ids once: calls, and bytes of the answers.
    pub async fn least(&self, invoices: &[Uuid], per_call: usize) -> Result<(usize, u64)> {
        let xero = self.stack.xero().api_url.trim_end_matches('/').to_owned();
        let request = self.http.post(format!("{xero}/connect/token"));
        let request = request.basic_auth(DEFAULT_CLIENT_ID, Some(DEFAULT_CLIENT_SECRET));
        let form = [("grant_type", "client_credentials")];
        let answer = request.form(&form).send().await?.bytes().await?;
        let token: Value = serde_json::from_slice(&answer)?;
        let token = token["access_token"].as_str().context("no token")?;
        let (mut calls, mut bytes) = (0, 0);
        for ids in invoices.chunks(per_call) {
            let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
            let url = format!("{xero}/api.xro/2.0/Invoices?IDs={}", ids.join(","));
            let request = self.http.get(url).bearer_auth(token);
            let request = request.header("xero-tenant-id", SAMPLE_ORGANISATION.to_string());
            let answer = request.header("accept", "application/json").send().await?;
            bytes += u64::try_from(answer.bytes().await?.len())?;
            calls += 1;
        }
        Ok((calls, bytes))
    }

    /// The PaymentIDs that copies on an invoice are linked with.
    pub async fn links(&self, number: &str) -> Result<Vec<String>> {
        let rows = self.on("payments", number).await?;
        Ok(rows.into_iter().filter_map(|row| row.get("xero_payment_id").cloned()).collect())
    }
}

pub fn payment(amount: &str) -> Result<NewPayment> {
    Ok(NewPayment {
        date: "2026-10-05".parse()?,
        amount: amount.parse()?,
        reference: "BPAY 000173".to_owned(),
    })
}

pub fn local_invoice(number: &str) -> Value {
    json!({
        "version": 1,
        "type": "invoice",
        "organisation": SAMPLE_ORGANISATION,
        "number": number,
        "revision": 1,
        "total": { "amount": "300.00", "currency": "AUD" },
        "contact": { "company": "Harbour Ferries Pty Ltd" },
        "issued_on": "2026-10-01",
        "due_on": "2099-12-31",
    })
}

pub fn local_payment(id: &str, amount: &str, allocations: &[(&str, &str)]) -> Value {
    let parts: Vec<_> = allocations
        .iter()
        .map(|(invoice, amount)| json!({ "invoice": invoice, "amount": amount }))
        .collect();
    json!({
        "version": 1,
        "type": "payment",
        "organisation": SAMPLE_ORGANISATION,
        "id": id,
        "revision": 1,
        "amount": { "amount": amount, "currency": "AUD" },
        "date": "2026-10-05",
        "method": "bpay",
        "transaction_id": format!("T-{id}"),
        "status": "confirmed",
        "entered_at": "2026-10-05T14:00:00+11:00",
        "allocations": parts,
    })
}

/// A delivery about these invoices, spaced as Xero spaces it.
pub fn delivery(events: &[(Uuid, jiff::Timestamp)]) -> String {
    let events: Vec<_> = events
        .iter()
        .map(|(invoice, at)| {
            let at = at.strftime("%Y-%m-%dT%H:%M:%S%.3f");
            format!(
                r#"{{"resourceUrl": "https://api.xero.com/api.xro/2.0/Invoices/{invoice}","resourceId": "{invoice}","tenantId": "{SAMPLE_ORGANISATION}","tenantType": "ORGANISATION","eventCategory": "INVOICE","eventType": "UPDATE","eventDateUtc": "{at}"}}"#
            )
        })
        .collect();
    format!(
        r#"{{"events":[{}],"firstEventSequence": 1,"lastEventSequence": {},"entropy": "QWERTYUIOPASDFGHJKLZ"}}"#,
        events.join(","),
        events.len()
    )
}

/// The signature of a body, worked out here and not by the code under test (X-04).
pub fn signature(body: &str, key: &str) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).context("a key of any length")?;
    mac.update(body.as_bytes());
    Ok(STANDARD.encode(mac.finalize().into_bytes()))
}

fn text(value: &AttributeValue) -> String {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.clone(),
        AttributeValue::Bool(flag) => flag.to_string(),
        other => format!("{other:?}"),
    }
}
