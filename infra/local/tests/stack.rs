//! The stack as a whole, from outside, in one process.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use local::{
    Builder, Parts, Stack, engines::queues, external_endpoints::Elsewhere,
    simulator::SAMPLE_ORGANISATION,
};
use serde_json::{Value, json};
use uuid::Uuid;
use xero_simulator::{InvoiceKind, NewInvoice, NewPayment};

const SOON: Duration = Duration::from_secs(20);

/// A stack that does not gather: tests need not wait for windows.
fn quick() -> Builder {
    Stack::builder().windows(Duration::ZERO, Duration::ZERO).visibility(Duration::from_secs(1))
}

fn local_invoice(number: &str) -> Value {
    json!({
        "version": 1,
        "type": "invoice",
        "organisation": SAMPLE_ORGANISATION,
        "number": number,
        "revision": 1,
        "total": { "amount": "115.00", "currency": "AUD" },
        "contact": { "company": "Rubble Quarries Pty Ltd" },
        "issued_on": "2026-10-01",
        "due_on": "2026-10-31",
    })
}

async fn send(stack: &Stack, message: &Value) -> anyhow::Result<()> {
    let url = queues::url(stack.sqs(), queues::INTAKE).await?;
    stack.sqs().send_message().queue_url(url).message_body(message.to_string()).send().await?;
    Ok(())
}

fn record_in_xero(stack: &Stack, number: &str) -> anyhow::Result<Uuid> {
    let xero = stack.simulator()?;
    let invoice = xero.add_invoice(NewInvoice {
        organisation: SAMPLE_ORGANISATION,
        number: format!("CM-{number}"),
        contact_name: "Rubble Quarries Pty Ltd".to_owned(),
        total: "115.00".parse()?,
        currency: "AUD".to_owned(),
        date: "2026-10-01".parse()?,
        due_date: "2026-10-31".parse()?,
        kind: InvoiceKind::Accrec,
    })?;
    xero.add_payment(
        invoice,
        NewPayment {
            date: "2026-10-05".parse()?,
            amount: "46.00".parse()?,
            reference: "BPAY 000173".to_owned(),
        },
    )
}

/// Xero's ids of the payments on an invoice.
async fn copies(stack: &Stack, number: &str) -> anyhow::Result<Vec<String>> {
    let key = AttributeValue::S(format!("{SAMPLE_ORGANISATION}/{number}"));
    let query = stack.dynamodb().query().table_name("payments");
    let query = query.key_condition_expression("invoice = :invoice");
    let answer = query.expression_attribute_values(":invoice", key).send().await?;
    let id = |row: &std::collections::HashMap<_, AttributeValue>| {
        row.get("xero_payment_id")?.as_s().ok().cloned()
    };
    Ok(answer.items().iter().filter_map(id).collect())
}

#[tokio::test]
async fn a_payment_recorded_in_xero_reaches_the_tables() -> anyhow::Result<()> {
    let stack = quick().start().await?;
    send(&stack, &local_invoice("1001")).await?;
    stack.drained(SOON).await?;

    let payment = record_in_xero(&stack, "1001")?;
    stack.drained(SOON).await?;

    assert_eq!(copies(&stack, "1001").await?, [payment.to_string()]);
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn what_waits_when_the_functions_are_killed_is_done_when_they_are_back() -> anyhow::Result<()>
{
    let mut stack = quick().start().await?;
    let url = stack.webhook_url();
    stack.kill_functions().await;
    send(&stack, &local_invoice("1001")).await?;
    assert!(reqwest::get(&url).await.is_err(), "no function is to answer");

    stack.start_functions().await?;
    stack.drained(SOON).await?;
    let payment = record_in_xero(&stack, "1001")?;
    stack.drained(SOON).await?;

    assert_eq!(stack.webhook_url(), url);
    assert_eq!(copies(&stack, "1001").await?, [payment.to_string()]);
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_delivery_that_found_nobody_comes_again() -> anyhow::Result<()> {
    let mut stack = quick().start().await?;
    send(&stack, &local_invoice("1001")).await?;
    stack.drained(SOON).await?;
    stack.kill_functions().await;
    let payment = record_in_xero(&stack, "1001")?;
    let attempts = stack.simulator()?.flush_webhooks().await;
    assert!(attempts.iter().all(|attempt| !attempt.succeeded()), "{attempts:?}");

    stack.start_functions().await?;
    stack.drained(SOON).await?;

    assert_eq!(copies(&stack, "1001").await?, [payment.to_string()]);
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_restart_finds_tables_messages_and_books() -> anyhow::Result<()> {
    let data = std::env::temp_dir().join(format!("paymirror-restart-{}", Uuid::new_v4()));
    let mut stack = quick().data(&data).start().await?;
    send(&stack, &local_invoice("1001")).await?;
    stack.drained(SOON).await?;
    let payment = record_in_xero(&stack, "1001")?;
    stack.drained(SOON).await?;
    stack.stop_functions().await;
    send(&stack, &local_invoice("1002")).await?;
    stack.stop().await;

    let stack = quick().data(&data).start().await?;
    stack.drained(SOON).await?;

    assert_eq!(copies(&stack, "1001").await?, [payment.to_string()]);
    assert!(stack.simulator()?.payment(payment).is_some());
    let invoices = stack.dynamodb().scan().table_name("invoices").send().await?;
    assert_eq!(invoices.items().len(), 2, "the message that waited was worked on");
    stack.stop().await;
    std::fs::remove_dir_all(&data)?;
    Ok(())
}

#[tokio::test]
async fn functions_can_be_a_stack_of_their_own() -> anyhow::Result<()> {
    let nothing = Parts { engines: false, simulator: false, functions: false };
    let engines = Parts { engines: true, simulator: true, ..nothing };
    let around = quick().parts(engines).start().await?;
    let elsewhere = Elsewhere {
        dynamodb_url: Some(around.dynamodb_url().to_owned()),
        sqs_url: Some(around.sqs_url().to_owned()),
        xero: Some(around.xero().clone()),
        ..Elsewhere::default()
    };
    let functions = Parts { functions: true, ..nothing };
    let functions = quick().parts(functions).elsewhere(elsewhere).start().await?;
    around.announce_to(functions.webhook_url())?;

    send(&around, &local_invoice("1001")).await?;
    around.drained(SOON).await?;
    let payment = record_in_xero(&around, "1001")?;
    around.drained(SOON).await?;

    assert_eq!(copies(&around, "1001").await?, [payment.to_string()]);
    functions.stop().await;
    around.stop().await;
    Ok(())
}
